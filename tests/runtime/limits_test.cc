/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits_test.cc - how many workers there may be, what happens when there can
 * be no more, and how they end when they are not needed.
 */
#include "tests/runtime/fault.h"
#include "tests/support/wt.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "runtime/base/rare.h"

namespace
{

constexpr int kSparesMore = 2; /* spare.c */

wend_stats Stats()
{
	wend_stats s;

	wend_stats_get(&s);
	return s;
}

uint32_t Count(wend__rare path)
{
	return a32_load_relaxed(&wend__rare_counts[path]);
}

/* The cap that a start comes to; 0: it failed. */
uint64_t CapOf(unsigned given, const char *variable)
{
	wt::Env env("WEND_MAX_WORKERS", variable);
	wend_config c = {};

	c.procs = 1;
	c.port = wt::Port();
	c.max_workers = given;
	if (wend_start(&c) != 0)
		return 0;
	uint64_t cap = Stats().workers_cap;
	EXPECT_EQ(0, wend_stop());
	return cap;
}

uint64_t NumberIn(const char *path)
{
	std::ifstream in(path);
	uint64_t n = 0;

	return in >> n ? n : UINT64_MAX;
}

/* In the kernel, as far as the runtime knows. Under sim time passes only at
 * its points, and a look at a mutex is one. */
void InACall(int64_t ns)
{
	int64_t end = wend_after(ns);
	wend_mutex own = {};

	wend_block_begin();
	while (wend_now() < end) {
		if (wt::IsSim())
			(void)!wend_mutex_try(&own);
		else
			sched_yield();
	}
	wend_block_end();
}

/* Tasks that block, sleep, talk to each other: each gets to its end. */
void MixOfCalls(int tasks, int rounds)
{
	wt::Chan c(sizeof(int), 0);
	std::atomic<int> fired{ 0 };
	wt::Group g;

	for (int i = 0; i < tasks; i++)
		g.Go([&, i] {
			int v = i;

			for (int r = 0; r < rounds; r++) {
				InACall((i + r) % 3 * 20000);
				EXPECT_EQ(0, i % 2 ? wend_chan_send(c, &v) :
						     wend_chan_recv(c, &v));
				wend_sleep((i + r) % 4 * 15000);
			}
			fired++;
		});
	g.Wait();
	EXPECT_EQ(tasks, fired);
}

} // namespace

/* --- the number --------------------------------------------------------------------- */

TEST(Limits, TheNumberIsTakenFromConfigThenEnvironment)
{
	EXPECT_EQ(7u, CapOf(7, "9"));
	EXPECT_EQ(9u, CapOf(0, "9"));
	EXPECT_EQ(2048u, CapOf(0, "2K"));
	EXPECT_EQ(4194304u, CapOf(4194304, nullptr));
}

TEST(Limits, TheDefaultLeavesRoom)
{
	uint64_t cap = CapOf(0, nullptr);

	EXPECT_GE(cap, 1u);
	EXPECT_LT(cap, NumberIn("/proc/sys/kernel/pid_max"));
	EXPECT_LT(cap, NumberIn("/proc/sys/kernel/threads-max"));
	EXPECT_LT(cap, NumberIn("/sys/fs/cgroup/pids.max"));
}

TEST(Limits, BadNumbersAreRefused)
{
	for (const char *bad : { "0", "-1", "many", "4194305", "1.5", "3x" }) {
		wt::Env env("WEND_MAX_WORKERS", bad);
		wend_config c = {};
		wt::StderrCapture err;

		c.port = wt::Port();
		EXPECT_EQ(-EINVAL, wend_start(&c)) << bad;
		EXPECT_TRUE(wt::HasLine(
			err.Text(), "WEND_MAX_WORKERS=.*1 to 4194304", true))
			<< bad;
	}
	wend_config c = {};
	wt::StderrCapture err;

	c.port = wt::Port();
	c.max_workers = 4194305;
	EXPECT_EQ(-EINVAL, wend_start(&c));
	EXPECT_TRUE(wt::HasLine(err.Text(), "max_workers is 4194305", true));
}

/* --- at the cap --------------------------------------------------------------------- */

/* More tasks in calls than there may be workers: servers wait, workers come
 * back, nothing is lost. */
TEST(Limits, MoreTasksInCallsThanWorkers)
{
	for (const char *cap : { "1", "2", "3" }) {
		wt::Env env("WEND_MAX_WORKERS", cap);
		uint64_t waits = 0;

		wt::Run(
			[&] {
				MixOfCalls(10, wt::IsSim() ? 4 : 30);
				EXPECT_LE(Stats().workers_most,
					  (uint64_t)atoi(cap));
				waits += Stats().workers_waits;
			},
			10);
		EXPECT_GT(waits, 0u);
	}
}

/* Calls that end only when the program says so, one after the other. Spawning
 * goes on, and what was spawned runs. */
TEST(Limits, CallsThatLast)
{
	WT_NEEDS_THREADS();
	for (const char *cap : { "1", "2", "3" }) {
		wt::Env env("WEND_MAX_WORKERS", cap);

		wt::RunFromThread([] {
			constexpr int kTasks = 8;
			std::atomic<int> back{ 0 }, ran{ 0 };
			wt::Group g;
			int fd[kTasks][2];

			for (int i = 0; i < kTasks; i++)
				ASSERT_EQ(0, pipe(fd[i]));
			for (int i = 0; i < kTasks; i++)
				g.Go([&, i] {
					char b;

					EXPECT_EQ(1, read(fd[i][0], &b, 1));
					back++;
				});
			for (int i = 0; i < kTasks; i++) {
				g.Go([&] { ran++; });
				EXPECT_EQ(1, write(fd[i][1], "", 1));
			}
			g.Wait();
			EXPECT_EQ(kTasks, back);
			EXPECT_EQ(kTasks, ran);
			for (auto &pair : fd) {
				close(pair[0]);
				close(pair[1]);
			}
		});
	}
}

/* The server of a task in a call has timers, and there is no worker for the
 * keeper's place: a server that runs fires them. */
TEST(Limits, TimersOfAServerThatWaits)
{
	wt::Env env("WEND_MAX_WORKERS", "2");

	for (int i = 0; i < (wt::IsSim() ? 50 : 5); i++)
		wt::RunSeed(2, i + 1, [] {
			std::atomic<bool> fired{ false }, busy{ false };
			wt::Group g;

			g.Go([&] {
				busy = true;
				while (!fired)
					wend_yield();
			});
			while (!busy)
				wend_yield();
			wend_timer *t = wend_timer_func(
				wend_after(WEND_MILLISECOND),
				[](void *arg) {
					*(std::atomic<bool> *)arg = true;
				},
				&fired);
			ASSERT_NE(nullptr, t);
			wend_mutex own = {};
			wend_block_begin();
			while (!fired) {
				if (wt::IsSim())
					(void)!wend_mutex_try(&own);
				else
					sched_yield();
			}
			wend_block_end();
			g.Wait();
			wend_timer_free(t);
		});
	EXPECT_GT(Count(WEND__RARE_timers_keeperless), 0u);
}

/* --- when the system refuses ---------------------------------------------------------- */

/* No thread from the n-th on, or just not the n-th. */
TEST(Limits, ThreadsAreRefused)
{
	WT_NEEDS_THREADS();
	for (int procs : { 1, 2, 4 })
		for (bool lasting : { false, true })
			for (int n = 1; n < 6; n++)
				wt::RunOnce(procs, [&] {
					fault::Arm(fault::kThread, n, lasting);
					MixOfCalls(10, 20);
					fault::Disarm();
					MixOfCalls(10, 5);
				});
}

namespace
{

constexpr uid_t kPoorUser = 54321;

/* A sandbox has root alone, as a rule. */
bool CanBecomePoorUser()
{
	std::ifstream map("/proc/self/uid_map");
	uint64_t inside, outside, count;

	return getuid() == 0 && map >> inside >> outside >> count &&
	       inside <= kPoorUser && kPoorUser - inside < count;
}

/* As a user of whom there is nobody else, with a limit on processes. */
[[noreturn]] void RunAsPoorUser(rlim_t limit, const char *cap)
{
	struct rlimit r = { limit, limit };

	wt::Env env("WEND_MAX_WORKERS", cap);
	if (setrlimit(RLIMIT_NPROC, &r) || setuid(kPoorUser))
		_exit(3);
	wt::RunOnce(2, [] { MixOfCalls(20, 10); });
	_exit(testing::Test::HasFailure());
}

} // namespace

TEST(Limits, RlimitNproc)
{
	WT_NEEDS_THREADS();
	if (wt::kSanitized)
		GTEST_SKIP() << "a sanitizer starts threads of its own";
	if (!CanBecomePoorUser())
		GTEST_SKIP() << "needs root, and a user besides it";
	EXPECT_EXIT(RunAsPoorUser(4, "100"), testing::ExitedWithCode(0), "");
	EXPECT_EXIT(RunAsPoorUser(4, nullptr), testing::ExitedWithCode(0), "");
	EXPECT_EXIT(RunAsPoorUser(200, nullptr), testing::ExitedWithCode(0),
		    "");
}

/* --- trimming ------------------------------------------------------------------------- */

namespace
{

/* That many tasks in calls at the same time. */
void Burst(int tasks)
{
	std::atomic<int> inside{ 0 };
	wt::Group g;

	for (int i = 0; i < tasks; i++)
		g.Go([&] {
			wend_mutex own = {};

			wend_block_begin();
			inside++;
			while (inside < tasks) {
				if (wt::IsSim())
					(void)!wend_mutex_try(&own);
				else
					sched_yield();
			}
			wend_block_end();
		});
}

/* How often the workers went to sleep; 0 is never right. */
uint64_t Naps()
{
	DIR *d = opendir("/proc/self/task");
	uint64_t sum = 0;

	while (struct dirent *e = d ? readdir(d) : nullptr) {
		std::string dir = std::string("/proc/self/task/") + e->d_name +
				  "/";
		std::ifstream comm(dir + "comm"), status(dir + "status");
		std::string name, word;
		uint64_t n;

		if (!(comm >> name) || name != "wend-worker")
			continue;
		while (status >> word) {
			if (word == "voluntary_ctxt_switches:" && status >> n)
				sum += n;
		}
	}
	if (d)
		closedir(d);
	return sum;
}

} // namespace

/* After a burst the workers end; another burst finds new threads. */
TEST(Limits, SparesEnd)
{
	WT_NEEDS_THREADS();             /* real ones: see below for virtual */
	wt::Env off("WEND_WATCH", "0"); /* it has threads of its own */
	constexpr int kTasks = 40, kProcs = 2;
	long blocks = fault::Blocks();
	int threads = wt::Threads();

	wt::Start(kProcs);
	for (int round = 0; round < 2; round++) {
		wend_task *t = nullptr;

		ASSERT_EQ(0, wt::Go([] { Burst(kTasks); }, nullptr, &t));
		EXPECT_EQ(0, wend_join(t, nullptr));
		EXPECT_GE(Stats().workers_most, (uint64_t)kTasks);
		if (round)
			break;
		/* The ten seconds of spare.c. */
		while (Stats().workers > kProcs + kSparesMore)
			wend_sleep(50 * WEND_MILLISECOND);
		wt::AwaitThreads(threads + kProcs + kSparesMore);
		/* Each spare has looked once; nobody does any more. */
		uint64_t naps = Naps();
		for (int i = 0; i < 10 && naps != Naps(); i++) {
			naps = Naps();
			wend_sleep(WEND_SECOND);
		}
		EXPECT_EQ(naps, Naps());
		EXPECT_GT(naps, 0u);
	}
	EXPECT_GT(Count(WEND__RARE_worker_again), 0u);
	wt::Stop();
	wt::AwaitThreads(threads);
	EXPECT_EQ(blocks, fault::Blocks());
}

TEST(Limits, SparesEndInVirtualTime)
{
	if (!wt::IsSim())
		GTEST_SKIP() << "virtual time: the sim port's";
	wt::Run(
		[] {
			for (int round = 0; round < 3; round++) {
				Burst(15);
				EXPECT_GE(Stats().workers, 15u);
				wend_sleep(round % 2 ? 9 * WEND_SECOND :
						       30 * WEND_SECOND);
				if (round % 2)
					continue;
				EXPECT_LE(Stats().workers,
					  (uint64_t)wend_procs() + kSparesMore +
						  1);
			}
		},
		10);
	EXPECT_GT(Count(WEND__RARE_worker_trimmed), 0u);
	EXPECT_GT(Count(WEND__RARE_worker_again), 0u);
}

/* Stopped while spares are about to end. */
TEST(Limits, StopWhileSparesEnd)
{
	if (!wt::IsSim())
		GTEST_SKIP() << "the moment has to be met: the sim port's";
	for (uint64_t seed = 1; seed <= 500; seed++)
		wt::RunSeed(2, seed, [seed] {
			Burst(12);
			wend_sleep(10 * WEND_SECOND - 2000 +
				   (int64_t)(seed * 37 % 4000));
		});
}
