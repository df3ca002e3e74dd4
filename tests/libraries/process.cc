/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.cc - starting other processes.
 */
#include "tests/libraries/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace libraries
{

namespace
{

constexpr char kAgain[] = "WEND_TEST_AGAIN";

std::string Why(const char *what)
{
	return std::string(what) + ": " + strerror(errno);
}

std::string ReadAll(int fd)
{
	std::string text;
	char part[256];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0)
		text.append(part, (size_t)n);
	return text;
}

void Put(int fd, const std::string &text)
{
	if (write(fd, text.data(), text.size()) < 0)
		_exit(126);
}

/* Never returns; the names are the process's own by now. */
void Exec(const Words &words)
{
	std::vector<char *> argv;

	for (const std::string &w : words)
		argv.push_back(const_cast<char *>(w.c_str()));
	argv.push_back(nullptr);
	execv(argv[0], argv.data());
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

bool WriteFile(const char *path, const std::string &text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool all = fd >= 0 &&
		   write(fd, text.data(), text.size()) == (ssize_t)text.size();

	if (fd >= 0)
		close(fd);
	return all;
}

/* A user namespace in which the caller is user `as`. */
std::string BecomeUser(unsigned as, int more)
{
	std::string to = std::to_string(as);
	std::string user = to + " " + std::to_string(geteuid()) + " 1";
	std::string group = to + " " + std::to_string(getegid()) + " 1";

	if (unshare(CLONE_NEWUSER | more) != 0)
		return Why("no user namespace");
	WriteFile("/proc/self/setgroups", "deny");
	if (!WriteFile("/proc/self/uid_map", user) ||
	    !WriteFile("/proc/self/gid_map", group))
		return Why("no user namespace");
	return "";
}

} // namespace

/* --- a process ----------------------------------------------------------- */

bool Process::Fork(const std::function<void()> &run, const Prepare &prepare,
		   bool read_output)
{
	int out[2] = { -1, -1 }, why[2];
	pid_t parent = getpid();

	if (read_output) {
		EXPECT_EQ(0, pipe2(out, O_CLOEXEC));
	}
	EXPECT_EQ(0, pipe2(why, O_CLOEXEC));
	fflush(nullptr);
	pid_ = fork();
	EXPECT_GE(pid_, 0);
	if (pid_ == 0) {
		std::string reason = prepare ? prepare() : "";

		if (!reason.empty()) {
			Put(why[1], reason);
			_exit(126);
		}
		/* Last: a change of user would undo it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(126);
		if (read_output)
			dup2(out[1], 1);
		close(why[1]);
		run();
		_exit(125);
	}
	close(why[1]);
	reason_ = ReadAll(why[0]);
	close(why[0]);
	if (read_output)
		close(out[1]);
	out_ = out[0];
	if (reason_.empty())
		return pid_ > 0;
	Wait();
	return false;
}

bool Process::Start(const Words &words, const Prepare &prepare)
{
	return Fork([&] { Exec(words); }, prepare, true);
}

bool Process::StartFunction(const std::function<void()> &body)
{
	return Fork(body, nullptr, false);
}

std::string Process::Line()
{
	std::string line;
	char c;

	while (read(out_, &c, 1) == 1 && c != '\n')
		line += c;
	return line;
}

std::string Process::Rest()
{
	return ReadAll(out_);
}

int Process::Wait()
{
	int status = 0;

	if (pid_ > 0) {
		EXPECT_EQ(pid_, waitpid(pid_, &status, 0));
	}
	pid_ = -1;
	if (out_ >= 0)
		close(out_);
	out_ = -1;
	return status;
}

void Process::Signal(int signal)
{
	if (pid_ > 0)
		kill(pid_, signal);
}

int Process::Stop(int signal)
{
	Signal(signal);
	return Wait();
}

bool RunToEnd(const Words &words, const Prepare &prepare, std::string *reason)
{
	Process p;
	bool started = p.Start(words, prepare);

	*reason = p.Reason();
	if (!started)
		return false;
	fputs(p.Rest().c_str(), stdout);
	return p.Wait() == 0;
}

/* --- the test once more -------------------------------------------------- */

bool IsAgain()
{
	return getenv(kAgain) != nullptr;
}

bool RunAgain(const Environment &more, const Prepare &prepare,
	      std::string *reason)
{
	const testing::TestInfo *t =
		testing::UnitTest::GetInstance()->current_test_info();
	std::string filter = std::string("--gtest_filter=") +
			     t->test_suite_name() + "." + t->name();
	/* Those are for the first process alone. */
	static const char *const mine[] = {
		"XML_OUTPUT_FILE",          "TEST_TOTAL_SHARDS",
		"TEST_SHARD_INDEX",         "TEST_SHARD_STATUS_FILE",
		"TEST_PREMATURE_EXIT_FILE", "GTEST_OUTPUT",
	};
	auto in_child = [&] {
		for (const char *name : mine)
			unsetenv(name);
		setenv(kAgain, "1", 1);
		for (const auto &v : more)
			setenv(v.first.c_str(), v.second.c_str(), 1);
		return prepare ? prepare() : "";
	};

	return RunToEnd({ "/proc/self/exe", filter, "--gtest_brief=1" },
			in_child, reason);
}

/* --- what a child may be ------------------------------------------------- */

/* A namespace needs no privilege, and nothing to be chowned: only the number
 * that the child sees is another. Where there is none, privilege may do. */
std::string BeNotRoot(const std::string &directory)
{
	constexpr unsigned kSomeone = 1000, kNobody = 65534;
	std::string why;

	if (geteuid() != 0)
		return "";
	why = BecomeUser(kSomeone, 0);
	if (why.empty())
		return "";
	if (chown(directory.c_str(), kNobody, kNobody) == 0 &&
	    setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 &&
	    setuid(kNobody) == 0)
		return "";
	return why + ", and no other user: " + strerror(errno);
}

std::string BeAlone()
{
	struct ifreq lo = {};
	std::string why = BecomeUser(0, CLONE_NEWNS | CLONE_NEWNET);
	int fd;

	if (!why.empty())
		return why;
	if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
		return Why("no mounts of its own");
	strcpy(lo.ifr_name, "lo");
	lo.ifr_flags = IFF_UP;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		return Why("no network of its own");
	close(fd);
	return "";
}

/* --- files --------------------------------------------------------------- */

void MakeFile(const std::string &path, const std::string &text)
{
	EXPECT_TRUE(WriteFile(path.c_str(), text)) << path;
}

/* Not in the test's own directory: a socket's path has 107 bytes. */
std::string MakeDirectory()
{
	char path[] = "/tmp/wend.XXXXXX";

	EXPECT_NE(nullptr, mkdtemp(path));
	return path;
}

void Remove(const std::string &directory)
{
	std::error_code ignored;

	std::filesystem::remove_all(directory, ignored);
}

} // namespace libraries
