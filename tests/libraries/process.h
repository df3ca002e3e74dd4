/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - other processes that a test needs: servers, and the test's own
 * program once more in other circumstances.
 *
 * Start them outside tasks, before the runtime runs: a child has one thread.
 */
#ifndef TESTS_LIBRARIES_PROCESS_H
#define TESTS_LIBRARIES_PROCESS_H

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace libraries
{

using Words = std::vector<std::string>;

/* Called in a child before its program starts: "" to go on, or why the
 * program cannot be run here. */
using Prepare = std::function<std::string()>;

/*
 * A program that runs beside the test. It is killed with the test, however
 * that ends.
 */
class Process
{
      public:
	Process() = default;
	~Process()
	{
		Stop();
	}
	Process(const Process &) = delete;
	Process &operator=(const Process &) = delete;

	/*
	 * Run words[0], an absolute or relative path. Its stdout is read by
	 * Line(); its stderr is the test's. false: prepare said why not, see
	 * Reason().
	 */
	bool Start(const Words &words, const Prepare &prepare = nullptr);

	/* Run a function instead of a program; it must not return. */
	bool StartFunction(const std::function<void()> &body);

	/* One line of its stdout without the newline, waiting for it; ""
	 * also when it has ended. */
	std::string Line();

	/* All that it writes until it ends. */
	std::string Rest();

	void Signal(int signal);

	/* Wait until it ends by itself; its status as of waitpid(). */
	int Wait();

	/* End it by a signal and wait; the same. */
	int Stop(int signal = SIGKILL);

	const std::string &Reason() const
	{
		return reason_;
	}

      private:
	bool Fork(const std::function<void()> &run, const Prepare &prepare,
		  bool read_output);

	pid_t pid_ = -1;
	int out_ = -1;
	std::string reason_;
};

/* Run a program to its end; what it writes is printed. Returns whether its
 * status was 0; *reason: why it was not run, or "". */
bool RunToEnd(const Words &words, const Prepare &prepare, std::string *reason);

/*
 * Run the test in progress once more, in a process of its own that was started
 * with more in its environment, and after prepare. The test asks IsAgain()
 * where it is. Returns whether it passed; *reason: why it was skipped, or "".
 */
using Environment = std::vector<std::pair<std::string, std::string>>;
bool RunAgain(const Environment &more, const Prepare &prepare,
	      std::string *reason);
bool IsAgain();

/*
 * For Prepare, where the child is root: be an ordinary user instead, for
 * programs that refuse to be root. The directory becomes that user's.
 */
std::string BeNotRoot(const std::string &directory);

/* For Prepare: give the child a network of its own, with nothing in it but
 * loopback, and mounts of its own. */
std::string BeAlone();

void MakeFile(const std::string &path, const std::string &text);

/* A new directory with a short name, for sockets too; removed by Remove(). */
std::string MakeDirectory();
void Remove(const std::string &directory);

} // namespace libraries

#endif
