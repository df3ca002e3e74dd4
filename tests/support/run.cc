/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.cc - running test bodies as tasks, for each number of servers and seed.
 *
 * A hang is the failure most to be feared in a scheduler, so each run has two
 * watchdogs: a deadline of the runtime's own clock, which under "sim" is
 * virtual and so passes at once when nothing can run, and an alarm of real
 * time for a runtime that does not even get there.
 */
#include "tests/support/wt.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace wt
{

namespace
{

constexpr int64_t kSimLimit = 100 * 3600 * WEND_SECOND;
constexpr unsigned kSeconds = kSanitized ? 240 : 120;

uint64_t seed_now = 1;
char replay[256];

uint64_t EnvNumber(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, nullptr, 0) : otherwise;
}

uint64_t ClockSeed()
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000007u + (uint64_t)t.tv_nsec;
}

void DescribeReplay(int procs)
{
	const testing::TestInfo *t =
		testing::UnitTest::GetInstance()->current_test_info();

	snprintf(replay, sizeof(replay),
		 "seed %llu: replay with WEND_PORT=%s WEND_SEED=%llu "
		 "WEND_TEST_PROCS=%d --gtest_filter=%s.%s\n",
		 (unsigned long long)seed_now, Port(),
		 (unsigned long long)seed_now, procs,
		 t ? t->test_suite_name() : "*", t ? t->name() : "*");
}

/* The bare system call: this is called from signal handlers, and write() goes
 * through the library under test. */
void Say(const char *text)
{
	if (syscall(SYS_write, 2, text, strlen(text)) < 0)
		return;
}

void SayReplay()
{
	Say(replay);
}

/* Async-signal-safe. */
void OnAlarm(int)
{
	Say("the run hangs\n");
	SayReplay();
	_exit(1);
}

/* A panic of the runtime: say which seed it was, then end as it would have. */
void OnAbort(int)
{
	SayReplay();
	signal(SIGABRT, SIG_DFL);
	raise(SIGABRT);
}

unsigned LimitSeconds()
{
	return (unsigned)EnvNumber("WEND_TEST_LIMIT", kSeconds);
}

void ArmAlarm()
{
	struct sigaction a = {};

	a.sa_handler = OnAlarm;
	sigaction(SIGALRM, &a, nullptr);
	a.sa_handler = OnAbort;
	sigaction(SIGABRT, &a, nullptr);
	alarm(LimitSeconds() + 30);
}

/* A runtime with tasks stuck in it can't be started again for the next test:
 * say what hangs and end here. */
[[noreturn]] void Stuck(const char *what)
{
	fprintf(stderr, "%s\n", what);
	fflush(nullptr);
	wend_dump(2);
	SayReplay();
	_exit(1);
}

int64_t Limit()
{
	return wend_after(IsSim() ? kSimLimit : LimitSeconds() * WEND_SECOND);
}

void StartSeeded(int procs, uint64_t seed)
{
	wend_config c = {};
	int r;

	c.procs = procs;
	c.port = Port();
	c.seed = seed;
	r = wend_start(&c);
	if (r != 0) {
		fprintf(stderr, "wend_start: %s\n", strerror(-r));
		fflush(nullptr);
		_exit(1);
	}
}

void RunAsTask(const std::function<void()> &body)
{
	wend_task *task = nullptr;

	if (Go(body, "test", &task) != 0)
		Stuck("the test's task did not start");
	int r = wend_join_until(task, nullptr, Limit());
	if (r == -ETIMEDOUT)
		Stuck("the test's task did not end");
	if (r != 0)
		Stuck("the test's task could not be joined");
}

void RunSeeded(int procs, uint64_t seed, const std::function<void()> &run)
{
	seed_now = seed;
	DescribeReplay(procs);
	ArmAlarm();
	StartSeeded(procs, seed);
	run();
	Stop();
}

unsigned SeedCount(unsigned weight)
{
	uint64_t n = 1;

	/* Only the simulation replays by seed; a body that makes real calls,
	 * fork() say, before it runs as a task, cannot be run again. */
	if (IsSim())
		n = EnvNumber("WEND_TEST_SEEDS", kTsan ? 100 :
						 kAsan ? 300 :
							 2000);

	n /= weight;
	return n > 0 ? (unsigned)n : 1;
}

/* false: a failure was recorded, go no further. */
bool RunOne(int procs, uint64_t seed, const std::function<void()> &run)
{
	RunSeeded(procs, seed, run);
	if (!testing::Test::HasFailure())
		return true;
	fflush(stdout);
	SayReplay();
	return false;
}

/* The seeds of one number of servers; 0: the seed chooses it. */
bool RunSeeds(int procs, const std::function<void()> &run, unsigned weight)
{
	static const int choice[] = { 1, 2, 4 };
	bool one = getenv("WEND_SEED") != nullptr;
	uint64_t first = IsSim() ? 1 : ClockSeed();
	unsigned n = one ? 1 : SeedCount(weight);

	if (one)
		first = EnvNumber("WEND_SEED", 1);
	for (uint64_t s = first; s < first + n; s++) {
		if (!RunOne(procs ? procs : choice[s % 3], s, run))
			return false;
	}
	return true;
}

void RunAll(const std::function<void()> &run, unsigned weight)
{
	int only = (int)EnvNumber("WEND_TEST_PROCS", 0);

	if (IsSim() || only) {
		RunSeeds(IsSim() ? 0 : only, run, weight);
		return;
	}
	for (int procs : { 1, 2, 4 }) {
		if (!RunSeeds(procs, run, weight))
			return;
	}
}

} // namespace

const char *Port()
{
	const char *s = getenv("WEND_PORT");

	return s && *s ? s : "emul";
}

bool IsSim()
{
	return strcmp(Port(), "sim") == 0;
}

uint64_t Seed()
{
	return seed_now;
}

void Run(const std::function<void()> &body, unsigned weight)
{
	RunAll([&] { RunAsTask(body); }, weight);
}

void RunFromThread(const std::function<void()> &body, unsigned weight)
{
	RunAll(body, weight);
}

void RunOn(int procs, const std::function<void()> &body, unsigned weight)
{
	RunSeeds(
		procs, [&] { RunAsTask(body); }, weight);
}

bool RunSeed(int procs, uint64_t seed, const std::function<void()> &body)
{
	return RunOne(procs, EnvNumber("WEND_SEED", seed),
		      [&] { RunAsTask(body); });
}

bool RunSeedFromThread(int procs, uint64_t seed,
		       const std::function<void()> &body)
{
	return RunOne(procs, EnvNumber("WEND_SEED", seed), body);
}

void RunOnce(int procs, const std::function<void()> &body)
{
	RunOne(procs, EnvNumber("WEND_SEED", 1), [&] { RunAsTask(body); });
}

void Start(int procs)
{
	seed_now = EnvNumber("WEND_SEED", 1);
	DescribeReplay(procs);
	ArmAlarm();
	StartSeeded(procs, seed_now);
}

void Stop()
{
	int r = wend_stop_until(Limit());

	if (r == -ETIMEDOUT)
		Stuck("tasks are left when the test has ended");
	EXPECT_EQ(0, r);
	alarm(0);
}

} // namespace wt
