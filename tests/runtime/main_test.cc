/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main_test.cc - wend_main() and the report of a deadlock. Each test runs in
 * a process of its own, because the end of main is the end of the program.
 */
#include "tests/support/wt.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

using testing::ExitedWithCode;

namespace
{

int Main(int (*app)(int, char **))
{
	static char name[] = "program", one[] = "one";
	static char *argv[] = { name, one, nullptr };

	return wend_main(app, 2, argv);
}

/* _exit(): the statement's process has no more to do, and must not run the
 * destructors of a test program. */
[[noreturn]] void Exit(int code)
{
	fflush(nullptr);
	_exit(code);
}

int CheckArguments(int argc, char **argv)
{
	bool ok = argc == 2 && !strcmp(argv[0], "program") &&
		  !strcmp(argv[1], "one") && argv[2] == nullptr &&
		  wend_task_id() != 0;

	return ok ? 40 : 1;
}

WEND_TASK(WaitForEver)
{
	wend_chan_recv(nullptr, nullptr);
}

/* Waits on c; the name is for the report. */
WEND_TASK(ReceiveFrom, (wend_chan *, c))
{
	wend_chan_recv(c, nullptr);
}

int LeaveOthers(int, char **)
{
	for (int i = 0; i < 10; i++) {
		if (wend_go(WaitForEver) != 0)
			return 1;
	}
	wend_yield();
	return 41;
}

int EndTwice(int, char **)
{
	return 21;
}

WEND_TASK(ExitNow)
{
	exit(7);
}

int WaitWhileOneExits(int, char **)
{
	if (wend_go(ExitNow) != 0)
		return 1;
	wend_chan_recv(nullptr, nullptr);
	return 1;
}

int Deadlock(int, char **)
{
	wend_chan *c = wend_chan_new(sizeof(int), 0);
	wend_attr attr = {};

	attr.name = "lonely";
	if (wend_go_with(&attr, ReceiveFrom, c) != 0)
		return 1;
	wend_task_set_name("mother");
	static wend_mutex m;
	wend_mutex_lock(&m);
	wend_mutex_lock(&m);
	return 1;
}

/* The report is a line for each task: its name, that it waits, and for what. */
class DeadlockReport : public testing::MatcherInterface<const std::string &>
{
      public:
	bool MatchAndExplain(const std::string &text,
			     testing::MatchResultListener *) const override
	{
		return Has(text, "asleep", "") &&
		       Has(text, "\"lonely\"", "waiting for chan receive") &&
		       Has(text, "\"mother\"", "waiting for ");
	}
	void DescribeTo(std::ostream *os) const override
	{
		*os << "a report of both tasks that wait";
	}

      private:
	static bool Has(const std::string &text, const char *a, const char *b)
	{
		size_t at = text.find(a);
		size_t end = text.find('\n', at);

		return at != std::string::npos &&
		       text.substr(at, end - at).find(b) != std::string::npos;
	}
};

int SleepThenReturn(int, char **)
{
	return wend_sleep(20 * WEND_MILLISECOND) == 0 ? 42 : 1;
}

int pipe_ends[2];

/* Only a thread can end this wait: no task is left that could. */
int ReadFromThread(int, char **)
{
	char b = 0;

	if (pipe(pipe_ends) != 0)
		return 1;
	std::thread t([] {
		usleep(20000);
		if (write(pipe_ends[1], "x", 1) != 1)
			_exit(1);
	});
	ssize_t n = read(pipe_ends[0], &b, 1);
	t.join();
	return n == 1 && b == 'x' ? 43 : 1;
}

/* A megabyte for each level, as C code on a thread's stack may use. */
int Deep(int level)
{
	volatile char frame[1 << 20];

	for (size_t i = 0; i < sizeof(frame); i += 1024)
		frame[i] = (char)level;
	return frame[5 << 10] == (char)level && level > 1 ? Deep(level - 1) :
							    44;
}

int UseLargeStack(int, char **)
{
	return Deep(6);
}

} // namespace

/* argc and argv come through, and what main returns goes back. */
TEST(Main, ReturnsWhatTheProgramReturns)
{
	EXPECT_EXIT(Exit(Main(CheckArguments)), ExitedWithCode(40), "");
}

/* Tasks that are left when main returns are not waited for. */
TEST(Main, DoesNotWaitForOtherTasks)
{
	EXPECT_EXIT(Exit(Main(LeaveOthers)), ExitedWithCode(41), "");
}

TEST(Main, RunsAgainAfterItsEnd)
{
	EXPECT_EXIT(
		{
			int sum = 0;

			for (int i = 0; i < 3; i++)
				sum += Main(EndTwice);
			Exit(sum);
		},
		ExitedWithCode(63), "");
}

/* exit() in any task ends the process, with that code. */
TEST(Main, ExitInATask)
{
	if (wt::kAsan && wt::IsSim())
		GTEST_SKIP() << "the leak check misses the first stack";
	EXPECT_EXIT(Exit(Main(WaitWhileOneExits)), ExitedWithCode(7), "");
}

TEST(Main, HasALargeStack)
{
	struct rlimit r;

	ASSERT_EQ(0, getrlimit(RLIMIT_STACK, &r));
	if (r.rlim_cur < (8 << 20))
		GTEST_SKIP() << "RLIMIT_STACK is below 8 MiB";
	EXPECT_EXIT(Exit(Main(UseLargeStack)), ExitedWithCode(44), "");
}

/* A runtime that cannot start: one line, exit code 1, main is not called. */
TEST(Main, BadEnvironmentEndsTheProcess)
{
	wt::Env env("WEND_PROCS", "none");

	EXPECT_EXIT(Exit(Main(CheckArguments)), ExitedWithCode(1),
		    wt::OneLine("WEND_PROCS"));
}

/* Every task waits for another: exit code 2 and a line for each. */
TEST(Main, DeadlockIsReported)
{
	EXPECT_EXIT(Exit(Main(Deadlock)), ExitedWithCode(2),
		    testing::Matcher<const std::string &>(new DeadlockReport));
}

/* With more servers than tasks too: the last one to go idle must see it. */
TEST(Main, DeadlockIsReportedWithManyServers)
{
	wt::Env env("WEND_PROCS", "4");

	EXPECT_EXIT(Exit(Main(Deadlock)), ExitedWithCode(2),
		    testing::Matcher<const std::string &>(new DeadlockReport));
}

/* A sleeping task will wake: not a deadlock. */
TEST(Main, ASleepIsNoDeadlock)
{
	EXPECT_EXIT(Exit(Main(SleepThenReturn)), ExitedWithCode(42), "");
}

/* Nor is one that waits in the kernel: the world outside may wake it. */
TEST(Main, ABlockedCallIsNoDeadlock)
{
	WT_NEEDS_THREADS();
	EXPECT_EXIT(Exit(Main(ReadFromThread)), ExitedWithCode(43), "");
}
