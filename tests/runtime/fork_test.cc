/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork_test.cc - processes made by tasks: fork(), vfork(), posix_spawn(),
 * system().
 */
#include "tests/support/wt.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "runtime/base/rare.h"

extern char **environ;

namespace
{

/* Whether this process is a child that ends by exit(). */
bool exits;

/* In a child: end with the line that is wrong. */
#define CHILD_CHECK(x)                                                         \
	do {                                                                   \
		if (!(x))                                                      \
			Wrong(__LINE__, #x);                                   \
	} while (0)

[[noreturn]] void Wrong(int line, const char *what)
{
	fprintf(stderr, "child, line %d: %s\n", line, what);
	_exit(99);
}

/* fork() without what the parent has not printed yet. */
pid_t Fork()
{
	fflush(nullptr);
	pid_t child = fork();

	if (child == 0)
		alarm(120); /* a child that hangs must not stay behind */
	return child;
}

int StatusOf(pid_t child)
{
	int status = -1;

	EXPECT_EQ(child, waitpid(child, &status, 0)) << strerror(errno);
	return status;
}

void ExpectExit(int code, pid_t child)
{
	int status = StatusOf(child);

	EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
	EXPECT_EQ(code, WEXITSTATUS(status));
}

/* What a plain thread can do of wend. */
void CheckPlain()
{
	wend_chan *c = wend_chan_new(sizeof(int), 1);
	wend_mutex m = {};
	wend_sema sema = WEND_SEMA_INIT(1);
	wend_stats stats;
	int v = 5, fd[2];

	CHILD_CHECK(wend_procs() == 0);
	CHILD_CHECK(wend_port_name() == nullptr);
	CHILD_CHECK(wend_task_id() == 0);
	CHILD_CHECK(wt::Go([] {}) == -ESRCH);
	CHILD_CHECK(wend_stop() == -ESRCH);
	wend_yield();
	wend_mutex_lock(&m);
	CHILD_CHECK(!wend_mutex_try(&m));
	CHILD_CHECK(wend_mutex_lock_until(&m, wend_after(1000)) == -ETIMEDOUT);
	wend_mutex_unlock(&m);
	CHILD_CHECK(wend_sema_acquire(&sema) == 0);
	CHILD_CHECK(wend_chan_send(c, &v) == 0);
	v = 0;
	CHILD_CHECK(wend_chan_recv(c, &v) == 0 && v == 5);
	CHILD_CHECK(wend_chan_recv_until(c, &v, wend_after(1000)) ==
		    -ETIMEDOUT);
	wend_chan_free(c);
	CHILD_CHECK(wend_sleep(1000) == 0);
	wend_stats_get(&stats);
	CHILD_CHECK(stats.workers == 0);
	wend_block_begin();
	wend_block_end();
	CHILD_CHECK(pipe(fd) == 0);
	CHILD_CHECK(write(fd[1], "", 1) == 1);
	CHILD_CHECK(read(fd[0], &v, 1) == 1);
	close(fd[0]);
	close(fd[1]);
}

/* A whole runtime, started and stopped. */
void CheckRuntime()
{
	wend_config config = {};

	config.procs = 2;
	config.port = wt::Port();
	CHILD_CHECK(wend_start(&config) == 0);
	for (int r = 0; r < 3; r++) {
		std::atomic<int> sum{ 0 };
		wend_task *t = nullptr;

		CHILD_CHECK(wt::Go(
				    [&] {
					    wt::Group g;

					    for (int i = 0; i < 50; i++)
						    g.Go([&, i] {
							    wend_sleep(i * 100);
							    wend_block_begin();
							    wend_block_end();
							    sum += i;
						    });
				    },
				    nullptr, &t) == 0);
		CHILD_CHECK(wend_join(t, nullptr) == 0);
		CHILD_CHECK(sum == 1225);
	}
	CHILD_CHECK(wend_stop() == 0);
}

} // namespace

/* Asked by the leak checker. What only the other threads' stacks referred to
 * looks lost in a child. */
extern "C" int __lsan_is_turned_off(void);
extern "C" int __lsan_is_turned_off(void)
{
	return exits;
}

/* --- what the child is ------------------------------------------------------------------ */

/* The child of a task is a plain thread without a runtime. */
TEST(Fork, TheChildOfATaskIsAPlainThread)
{
	wt::Run(
		[] {
			wt::Group g;

			g.Go([] {
				for (int i = 0; i < 50; i++)
					wend_yield();
			});
			pid_t child = Fork();
			ASSERT_GE(child, 0);
			if (child == 0) {
				CheckPlain();
				_exit(0);
			}
			EXPECT_NE(0u, wend_task_id());
			ExpectExit(0, child);
		},
		100);
}

/* So is that of a thread beside the runtime. */
TEST(Fork, TheChildOfAThread)
{
	wt::RunFromThread(
		[] {
			wt::Group g;

			for (int i = 0; i < 10; i++)
				g.Go([] { wend_sleep(100000); });
			pid_t child = Fork();
			ASSERT_GE(child, 0);
			if (child == 0) {
				CheckPlain();
				_exit(0);
			}
			ExpectExit(0, child);
		},
		100);
}

namespace
{

int told_fd = -1;

void Tell()
{
	if (told_fd >= 0 && write(told_fd, "x", 1) != 1)
		_exit(98);
}

} // namespace

/* A task's function that returns in the child ends it, as the C library ends a
 * child that a thread made: by exit(0), with what exit() does. */
TEST(Fork, TheFunctionReturnsInTheChild)
{
	if (wt::kAsan)
		GTEST_SKIP() << "what the other threads reached looks leaked";
	static const int registered = atexit(Tell);

	ASSERT_EQ(0, registered);
	wt::Run(
		[] {
			int fd[2];
			char b = 0;

			ASSERT_EQ(0, pipe(fd));
			std::atomic<pid_t> child{ -1 };
			pid_t me = getpid();
			wend_task *t = nullptr;

			ASSERT_EQ(0, wt::Go(
					     [&] {
						     pid_t c = Fork();

						     if (c > 0)
							     child = c;
						     else
							     told_fd = fd[1];
						     exits = c == 0;
					     },
					     nullptr, &t));
			EXPECT_EQ(0, wend_join(t, nullptr));
			EXPECT_EQ(me, getpid());
			ASSERT_GT(child, 0);
			ExpectExit(0, child);
			EXPECT_EQ(1, read(fd[0], &b, 1));
			EXPECT_EQ('x', b);
			close(fd[0]);
			close(fd[1]);
		},
		100);
}

namespace
{

int AppThatForks(int, char **)
{
	pid_t child = Fork();

	exits = child == 0;
	if (exits)
		return 7;
	int status = StatusOf(child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 5 : 6;
}

} // namespace

/* The child of wend_main()'s function ends with its result. */
TEST(Fork, MainReturnsInTheChild)
{
	if (wt::kAsan)
		GTEST_SKIP() << "what the other threads reached looks leaked";
	EXPECT_EXIT(_exit(wend_main(AppThatForks, 0, nullptr)),
		    testing::ExitedWithCode(5), "");
}

/* --- a runtime in the child ----------------------------------------------------------------- */

TEST(Fork, TheChildStartsARuntime)
{
	WT_NEEDS_THREADS_IN_CHILD();
	wt::Run(
		[] {
			pid_t child = Fork();

			ASSERT_GE(child, 0);
			if (child == 0) {
				CheckRuntime();
				CheckRuntime();
				_exit(0);
			}
			ExpectExit(0, child);
		},
		100);
}

/* A child's task has a child, which starts a runtime too. */
TEST(Fork, AChildOfAChild)
{
	WT_NEEDS_THREADS_IN_CHILD();
	wt::Run(
		[] {
			pid_t child = Fork();

			ASSERT_GE(child, 0);
			if (child > 0) {
				ExpectExit(0, child);
				return;
			}
			wend_config config = {};
			wend_task *t = nullptr;
			int status = -1;

			config.port = wt::Port();
			CHILD_CHECK(wend_start(&config) == 0);
			auto body = [&] {
				pid_t c = Fork();

				if (c == 0) {
					CheckPlain();
					CheckRuntime();
					_exit(17);
				}
				CHILD_CHECK(waitpid(c, &status, 0) == c);
			};
			CHILD_CHECK(wt::Go(body, nullptr, &t) == 0);
			CHILD_CHECK(wend_join(t, nullptr) == 0);
			CHILD_CHECK(WIFEXITED(status) &&
				    WEXITSTATUS(status) == 17);
			CHILD_CHECK(wend_stop() == 0);
			_exit(0);
		},
		100);
}

/* At any moment of a busy runtime: whatever locks are held just then, the
 * child has its own. */
TEST(Fork, AtAnyMoment)
{
	WT_NEEDS_THREADS_IN_CHILD();
	WT_NEEDS_THREADS();
	wt::RunFromThread([] {
		std::atomic<bool> over{ false };
		wend_mutex m = {};
		wt::Group g;

		for (int i = 0; i < 8; i++)
			g.Go([&, i] {
				while (!over) {
					wt::Group few;

					for (int k = 0; k < 5; k++)
						few.Go([&] {
							wend_mutex_lock(&m);
							wend_mutex_unlock(&m);
						});
					wend_sleep(i * 5000);
					wend_block_begin();
					wend_block_end();
				}
			});
		for (int i = 0; i < 20; i++) {
			pid_t child = Fork();

			if (child == 0) {
				CheckPlain();
				CheckRuntime();
				_exit(0);
			}
			EXPECT_GE(child, 0);
			ExpectExit(0, child);
		}
		over = true;
	});
}

namespace
{

int Sink(char *p)
{
	return *p;
}

__attribute__((noinline)) int Deep(int n)
{
	char frame[512];

	memset(frame, n, sizeof(frame));
	return (n ? Deep(n + 1) : 0) + Sink(frame);
}

} // namespace

/* The stack that the child goes on with still has its guard, and the report. */
TEST(Fork, AnOverflowInTheChildIsReported)
{
	if (wt::kSanitized)
		GTEST_SKIP() << "a sanitizer reports it its own way";
	wt::RunOnce(2, [] {
		int fd[2];
		char text[256] = "";

		ASSERT_EQ(0, pipe(fd));
		pid_t child = Fork();
		ASSERT_GE(child, 0);
		if (child == 0) {
			struct rlimit none = { 0, 0 };

			setrlimit(RLIMIT_CORE, &none);
			signal(SIGABRT, SIG_DFL);
			dup2(fd[1], 2);
			_exit(Deep(1) & 1);
		}
		close(fd[1]);
		int status = StatusOf(child);
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGABRT, WTERMSIG(status));
		EXPECT_GT(read(fd[0], text, sizeof(text) - 1), 0);
		EXPECT_TRUE(wt::HasLine(text, "\"test\" overflowed", true))
			<< text;
		close(fd[0]);
	});
}

/* --- other ways to make a process ------------------------------------------------------------ */

namespace
{

/* The body runs in several tasks, and others make progress. */
void AmongOthers(const std::function<void()> &body)
{
	WT_NEEDS_THREADS();
	wt::Run([&] {
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go(body);
		for (int i = 0; i < 4; i++)
			g.Go([] {
				for (int k = 0; k < 100; k++) {
					wend_yield();
					wend_sleep(1000);
				}
			});
	});
}

} // namespace

TEST(Fork, System)
{
	AmongOthers([] {
		int status = system("exit 3");

		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(3, WEXITSTATUS(status));
	});
}

TEST(Fork, PosixSpawn)
{
	AmongOthers([] {
		const char *const argv[] = { "sh", "-c", "exit 4", nullptr };
		pid_t child = -1;

		ASSERT_EQ(0, posix_spawnp(&child, "sh", nullptr, nullptr,
					  const_cast<char **>(argv), environ));
		ExpectExit(4, child);
	});
}

TEST(Fork, Popen)
{
	AmongOthers([] {
		char line[16] = "";
		FILE *f = popen("echo hello", "r");

		ASSERT_NE(nullptr, f);
		EXPECT_NE(nullptr, fgets(line, sizeof(line), f));
		EXPECT_STREQ("hello\n", line);
		EXPECT_EQ(0, pclose(f));
	});
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(Fork, VforkAndExec)
{
	AmongOthers([] {
		pid_t child = vfork();

		if (child == 0) {
			execlp("sh", "sh", "-c", "exit 6", (char *)nullptr);
			_exit(99);
		}
		ASSERT_GT(child, 0);
		ExpectExit(6, child);
	});
}

/* A child of vfork() shares the parent's memory. If a call in it announces
 * itself, no thread is started there, which would end with the child. */
TEST(Fork, NoWorkerStartsInAVforkedChild)
{
	if (wt::kTsan)
		GTEST_SKIP() << "ThreadSanitizer makes a fork of it";
	WT_NEEDS_THREADS();
	uint32_t *count = &wend__rare_counts[WEND__RARE_worker_vforked];
	uint32_t before = a32_load_relaxed(count);
	/* The watchdog would have given the server to another worker. */
	wt::Env off("WEND_WATCH", "0");

	wt::RunOnce(1, [] {
		std::atomic<bool> over{ false };
		wt::Group g;

		g.Go([&] {
			while (!over)
				wend_yield();
		});
		wend_yield();
		pid_t child = vfork();
		if (child == 0) {
			wend_block_begin();
			wend_block_end();
			_exit(11);
		}
		ASSERT_GT(child, 0);
		ExpectExit(11, child);
		over = true;
	});
	EXPECT_EQ(before + 1, a32_load_relaxed(count));
}
#pragma GCC diagnostic pop

TEST(Fork, ForkAndExec)
{
	AmongOthers([] {
		pid_t child = Fork();

		if (child == 0) {
			execlp("sh", "sh", "-c", "exit 8", (char *)nullptr);
			_exit(99);
		}
		ASSERT_GT(child, 0);
		ExpectExit(8, child);
	});
}
