/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_test.cc - starting and stopping the runtime, its configuration.
 */
#include "tests/support/wt.h"

#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

/* What is told of a runtime that runs, and of one that does not. */
TEST(Runtime, StartAndStop)
{
	EXPECT_EQ(0, wend_procs());
	EXPECT_EQ(nullptr, wend_port_name());
	wt::Start(3);
	EXPECT_EQ(3, wend_procs());
	EXPECT_STREQ(wt::Port(), wend_port_name());
	EXPECT_EQ(0, wend_stop());
	EXPECT_EQ(0, wend_procs());
	EXPECT_EQ(nullptr, wend_port_name());
}

TEST(Runtime, VersionHasThreeNumbers)
{
	int a, b, c, end = 0;

	ASSERT_EQ(3, sscanf(wend_version(), "%d.%d.%d%n", &a, &b, &c, &end));
	EXPECT_EQ(strlen(wend_version()), (size_t)end);
}

/* Every round does some work, and leaves no kernel thread behind. */
TEST(Runtime, RestartsManyTimes)
{
	int threads = wt::Threads();
	int rounds = wt::kSanitized ? 20 : 200;

	for (int i = 0; i < rounds; i++) {
		std::atomic<int> ran{ 0 };

		wt::Start(1 + i % 4);
		for (int k = 0; k < 10; k++)
			ASSERT_EQ(0, wt::Go([&] { ran++; }));
		ASSERT_EQ(0, wend_stop());
		ASSERT_EQ(10, ran);
	}
	wt::AwaitThreads(threads);
}

/* An object outlives the runtime it was used in: what was put into a channel
 * under the first is received under the second. */
TEST(Runtime, ChannelsOutliveIt)
{
	wt::Chan c(sizeof(int), 4);
	int v = 7, got = 0;

	wt::Start(2);
	ASSERT_EQ(0, wt::Go([&] { EXPECT_EQ(0, wend_chan_send(c, &v)); }));
	wt::Stop();
	wt::Start(1);
	ASSERT_EQ(0, wt::Go([&] { EXPECT_EQ(0, wend_chan_recv(c, &got)); }));
	wt::Stop();
	EXPECT_EQ(7, got);
}

/* The default is one server for each CPU of the affinity mask, or fewer where
 * a cgroup's quota says so. */
TEST(Runtime, DefaultsFollowTheAffinityMask)
{
	wt::Env procs("WEND_PROCS", nullptr);
	cpu_set_t all, one;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, wend_start(nullptr));
	EXPECT_GE(wend_procs(), 1);
	EXPECT_LE(wend_procs(), CPU_COUNT(&all));
	EXPECT_EQ(0, wend_stop());

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	EXPECT_EQ(0, wend_start(nullptr));
	EXPECT_EQ(1, wend_procs());
	EXPECT_EQ(0, wend_stop());
	EXPECT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
}

/* A field that is zero is taken from the environment, others are not. */
TEST(Runtime, EnvironmentFillsZeroFields)
{
	wt::Env procs("WEND_PROCS", "3"), stack("WEND_STACK", "65536"),
		seed("WEND_SEED", "18446744073709551615");
	wend_config two = {};

	ASSERT_EQ(0, wend_start(nullptr));
	EXPECT_EQ(3, wend_procs());
	EXPECT_STREQ(wt::Port(), wend_port_name());
	EXPECT_EQ(0, wend_stop());

	two.procs = 2;
	ASSERT_EQ(0, wend_start(&two));
	EXPECT_EQ(2, wend_procs());
	EXPECT_EQ(0, wend_stop());
}

/* A bad variable: -EINVAL, one line that names it, and nothing runs. */
TEST(Runtime, BadVariables)
{
	static const struct {
		const char *name, *value;
	} bad[] = {
		{ "WEND_PROCS", "0" },
		{ "WEND_PROCS", "-1" },
		{ "WEND_PROCS", "1025" },
		{ "WEND_PROCS", "two" },
		{ "WEND_PROCS", "2x" },
		{ "WEND_PROCS", "4294967297" },
		{ "WEND_PROCS", "99999999999999999999999" },
		{ "WEND_STACK", "16383" },
		{ "WEND_STACK", "1073741825" },
		{ "WEND_STACK", "-65536" },
		{ "WEND_STACK", "big" },
		{ "WEND_STACK", "99999999999999999999999" },
		{ "WEND_PORT", "nosuch" },
		{ "WEND_SEED", "x" },
		{ "WEND_SEED", "1.5" },
		{ "WEND_SEED", "18446744073709551616" },
	};

	for (const auto &b : bad) {
		wt::Env env(b.name, b.value);
		wt::StderrCapture err;
		int r = wend_start(nullptr);
		std::string text = err.Text();

		EXPECT_EQ(-EINVAL, r) << b.name << "=" << b.value;
		EXPECT_TRUE(wt::HasLine(text, b.name, true)) << text;
		if (r == 0)
			wend_stop();
		EXPECT_EQ(0, wend_procs());
	}
}

TEST(Runtime, BadConfiguration)
{
	auto Check = [](wend_config c, const char *field) {
		wt::StderrCapture err;
		int r = wend_start(&c);
		std::string text = err.Text();

		EXPECT_EQ(-EINVAL, r) << field;
		EXPECT_TRUE(wt::HasLine(text, field, true)) << text;
		if (r == 0)
			wend_stop();
		EXPECT_EQ(0, wend_procs());
	};

	for (int procs : { -1, 1025, INT32_MAX, INT32_MIN }) {
		wend_config c = {};

		c.procs = procs;
		Check(c, "procs");
	}
	for (size_t size :
	     { (size_t)1, (size_t)16383, ((size_t)1 << 30) + 1, SIZE_MAX }) {
		wend_config c = {};

		c.stack_size = size;
		Check(c, "stack");
	}
	for (const char *port : { "nosuch", "EMUL", "emulation" }) {
		wend_config c = {};

		c.port = port;
		Check(c, "port");
	}
}

/* Asked for by name, the kernel port does not turn into another. */
TEST(Runtime, KernelPortWithoutTheModule)
{
	wt::StderrCapture err;
	wend_config c = {};

	if (access("/dev/umcg", F_OK) == 0)
		GTEST_SKIP() << "the module is there";
	c.port = "kernel";
	EXPECT_EQ(-ENODEV, wend_start(&c));
	EXPECT_EQ(0, wend_procs());
	EXPECT_TRUE(wt::HasLine(err.Text(), "/dev/umcg", true));
}

/* The limits themselves are allowed. */
TEST(Runtime, LimitsOfTheConfiguration)
{
	for (size_t size : { (size_t)16384, (size_t)20000, (size_t)100000,
			     (size_t)1 << 30 }) {
		wend_config c = {};
		bool ran = false;

		/* Instrumented frames want more, and shadow memory costs. */
		if (wt::kSanitized && (size < 65536 || size > 65536 * 64))
			continue;
		c.port = wt::Port();
		c.procs = 1;
		c.stack_size = size;
		ASSERT_EQ(0, wend_start(&c)) << size;
		EXPECT_EQ(0, wt::Go([&] { ran = true; }));
		EXPECT_EQ(0, wend_stop());
		EXPECT_TRUE(ran);
	}
}

/* Calls that need a runtime say so when there is none, and a second start
 * changes nothing. */
TEST(Runtime, WrongState)
{
	EXPECT_EQ(-ESRCH, wend_stop());
	EXPECT_EQ(-ESRCH, wend_stop_until(0));
	EXPECT_EQ(-ESRCH, wt::Go([] { FAIL(); }));
	wt::Start(2);
	wend_config one = {};
	one.procs = 1;
	EXPECT_EQ(-EALREADY, wend_start(&one));
	EXPECT_EQ(-EALREADY, wend_start(nullptr));
	EXPECT_EQ(2, wend_procs());
	wt::Stop();
	EXPECT_EQ(-ESRCH, wend_stop());
}

TEST(Runtime, StopFromATaskIsRefused)
{
	wt::Run([] {
		EXPECT_EQ(-EDEADLK, wend_stop());
		EXPECT_EQ(-EDEADLK, wend_stop_until(0));
		EXPECT_GT(wend_procs(), 0);
	});
}

/* A stop that gives up leaves a runtime that works: the task it would have
 * waited for goes on afterwards, and new ones start. */
TEST(Runtime, StopUntilGivesUp)
{
	wt::Chan c(sizeof(int), 0);
	int got = 0, v = 5;
	bool late = false;

	wt::Start(2);
	ASSERT_EQ(0, wt::Go([&] { EXPECT_EQ(0, wend_chan_recv(c, &got)); }));
	EXPECT_EQ(-ETIMEDOUT, wend_stop_until(0));
	EXPECT_EQ(-ETIMEDOUT, wend_stop_until(wend_after_ms(5)));
	EXPECT_EQ(2, wend_procs());
	ASSERT_EQ(0, wt::Go([&] { late = true; }));
	EXPECT_EQ(0, wend_chan_send(c, &v));
	wt::Stop();
	EXPECT_EQ(5, got);
	EXPECT_TRUE(late);
}

/* A stop also waits for tasks that tasks have started meanwhile. */
TEST(Runtime, StopWaitsForAllGenerations)
{
	std::atomic<int> ended{ 0 };
	std::function<void(int)> tree = [&](int depth) {
		for (int i = 0; depth > 0 && i < 2; i++)
			EXPECT_EQ(0, wt::Go([&, depth] { tree(depth - 1); }));
		wend_yield();
		ended++;
	};

	for (int procs : { 1, 2, 4 }) {
		ended = 0;
		wt::Start(procs);
		ASSERT_EQ(0, wt::Go([&] { tree(7); }));
		wt::Stop();
		EXPECT_EQ(255, ended);
	}
}

TEST(Runtime, StatsCount)
{
	wt::Run([] {
		struct wend_stats before, during, after;
		wt::Chan c(0, 0);

		wend_stats_get(&before);
		EXPECT_EQ(1u, before.tasks_live);
		{
			wt::Group g;

			for (int i = 0; i < 10; i++)
				g.Go([&] { wend_chan_recv(c, nullptr); },
				     "waiter");
			wt::AwaitWaiting("waiter", 10);
			wend_stats_get(&during);
			wend_chan_close(c);
		}
		wend_stats_get(&after);
		EXPECT_EQ(11u, during.tasks_live);
		EXPECT_EQ(before.tasks_started + 10, during.tasks_started);
		EXPECT_EQ(before.tasks_started + 10, after.tasks_started);
		EXPECT_GE(after.switches, before.switches + 10);
		EXPECT_GE(during.stacks, 11u);
		EXPECT_GE(during.workers, 1u);
	});
}
