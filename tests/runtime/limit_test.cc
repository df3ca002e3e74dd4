/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_test.cc - wend_watch_set(), wend_nopreempt_begin(), WEND_SLICE and
 * WEND_WATCH: what a program says about who may run or block, and how long.
 */
#include "tests/support/wt.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <unistd.h>

#include "tests/runtime/raw.h"

namespace
{

struct Event {
	wend_watch_kind kind;
	uint64_t task;
	std::string name;
	int64_t since, length;
};

/* A hook that notes what it is told, and answers the same each time. */
struct Hook {
	explicit Hook(int answer_) : answer(answer_)
	{
	}

	wt::Log<Event> log;
	int answer;

	static int Call(const wend_watch_event *e, void *arg)
	{
		Hook *h = static_cast<Hook *>(arg);

		h->log.Add({ e->kind, e->task, e->name, e->since, e->length });
		return h->answer;
	}
	int Set(int64_t run_limit, int64_t block_limit)
	{
		const wend_watch watch = { run_limit, block_limit, Call, this };

		return wend_watch_set(&watch);
	}
};

/* CPU time of the calling thread. */
int64_t CpuTime()
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * WEND_SECOND + t.tv_nsec;
}

void Compute(int64_t ns)
{
	int64_t end = CpuTime() + ns;

	while (CpuTime() < end)
		;
}

class Limit : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

TEST_F(Limit, RunsTooLong)
{
	wt::Run([] {
		Hook hook(WEND_WATCH_IGNORE);

		ASSERT_EQ(0, hook.Set(20 * WEND_MILLISECOND, 0));
		wend_task_set_name("long one");
		while (hook.log.Get().empty())
			;
		ASSERT_EQ(0, wend_watch_set(NULL));

		const Event e = hook.log.Get()[0];

		EXPECT_EQ(WEND_WATCH_RUNS, e.kind);
		EXPECT_EQ(wend_task_id(), e.task);
		EXPECT_EQ("long one", e.name);

		struct wend_stats stats;

		wend_stats_get(&stats);
		EXPECT_EQ(hook.log.Get().size(), stats.stalls);
		EXPECT_GE(e.length, 20 * WEND_MILLISECOND);
		EXPECT_LE(e.since, wend_now());
	});
}

TEST_F(Limit, BlocksTooLong)
{
	wt::Run([] {
		Hook hook(WEND_WATCH_IGNORE);
		int fds[2];
		char c;

		ASSERT_EQ(0, pipe(fds));
		ASSERT_EQ(0, hook.Set(0, 5 * WEND_MILLISECOND));

		wt::Group g;

		g.Go(
			[&] {
				wend_block_begin();
				EXPECT_EQ(1, raw::Read(fds[0], &c, 1));
				wend_block_end();
			},
			"reader");
		while (hook.log.Get().empty())
			wend_sleep(WEND_MILLISECOND);
		EXPECT_EQ(1, write(fds[1], "x", 1));
		g.Wait();
		ASSERT_EQ(0, wend_watch_set(NULL));
		EXPECT_EQ(1u, hook.log.Get().size()) << "once a call";
		EXPECT_EQ(WEND_WATCH_BLOCKS, hook.log.Get()[0].kind);
		EXPECT_EQ("reader", hook.log.Get()[0].name);
		close(fds[0]);
		close(fds[1]);
	});
}

TEST_F(Limit, BlocksUnannounced)
{
	wt::Run([] {
		Hook hook(WEND_WATCH_IGNORE);

		ASSERT_EQ(0, hook.Set(0, 5 * WEND_MILLISECOND));

		wt::Group g;
		std::atomic<bool> over{ false };

		/* Somebody must want the server, or nobody looks for it. */
		g.Go([&] {
			while (!over)
				wend_yield();
		});
		g.Go([&] {
			for (int i = 0; i < 100 && hook.log.Get().empty(); i++)
				raw::Sleep(100 * WEND_MILLISECOND);
			over = true;
		});
		g.Wait();
		ASSERT_EQ(0, wend_watch_set(NULL));
		EXPECT_FALSE(hook.log.Get().empty());
	});
}

TEST_F(Limit, CancelsWhoRuns)
{
	if (wt::kTsan)
		GTEST_SKIP() << "ThreadSanitizer holds signals back";
	wt::Run([] {
		Hook hook(WEND_WATCH_CANCEL);
		wt::Group g;

		ASSERT_EQ(0, hook.Set(10 * WEND_MILLISECOND, 0));
		g.Go([] {
			while (!wend_task_cancelled())
				;
		});
		g.Wait();
		ASSERT_EQ(0, wend_watch_set(NULL));
		EXPECT_FALSE(wend_task_cancelled());
	});
}

TEST_F(Limit, CancelsWhoBlocks)
{
	wt::Run([] {
		Hook hook(WEND_WATCH_CANCEL);
		wt::Group g;
		std::atomic<bool> seen{ false };

		ASSERT_EQ(0, hook.Set(0, 5 * WEND_MILLISECOND));
		g.Go([&] {
			for (int i = 0; i < 100 && !wend_task_cancelled();
			     i++) {
				wend_block_begin();
				raw::Sleep(50 * WEND_MILLISECOND);
				wend_block_end();
			}
			seen = wend_task_cancelled();
		});
		g.Wait();
		ASSERT_EQ(0, wend_watch_set(NULL));
		EXPECT_TRUE(seen);
	});
}

TEST_F(Limit, Reports)
{
	wt::Run([] {
		const wend_watch watch = { 10 * WEND_MILLISECOND, 0, NULL,
					   NULL };
		struct wend_stats stats;
		wt::StderrCapture err;
		std::string text;

		wend_task_set_name("busy");
		ASSERT_EQ(0, wend_watch_set(&watch));
		do {
			Compute(20 * WEND_MILLISECOND);
			wend_stats_get(&stats);
		} while (stats.stalls == 0);
		/* Returns when what is being reported has been. */
		ASSERT_EQ(0, wend_watch_set(NULL));
		text = err.Text();
		EXPECT_TRUE(wt::HasLine(
			text,
			"wend: task [0-9]+ \"busy\" has run for [0-9]+ ms"))
			<< text;
	});
}

TEST_F(Limit, BadLimits)
{
	const wend_watch bad[] = {
		{ -1, 0, NULL, NULL },
		{ 0, -1, NULL, NULL },
		{ WEND_MILLISECOND - 1, 0, NULL, NULL },
		{ 0, 1, NULL, NULL },
	};

	EXPECT_EQ(-ESRCH, wend_watch_set(NULL));
	wt::Run([&] {
		for (const wend_watch &w : bad)
			EXPECT_EQ(-EINVAL, wend_watch_set(&w));
	});
}

TEST_F(Limit, OffByTheEnvironment)
{
	wt::Env off("WEND_WATCH", "0");

	wt::Run([] {
		EXPECT_EQ(-ENOTSUP, wend_watch_set(NULL));
		/* And nothing is taken from a task that computes. */
		wt::Group g;

		g.Go([] {});
		Compute(50 * WEND_MILLISECOND);
		struct wend_stats stats;

		wend_stats_get(&stats);
		EXPECT_EQ(0u, stats.preempts);
	});
}

/* What the environment asks for, or the line that says why not. */
TEST_F(Limit, Slices)
{
	static const struct {
		const char *text;
		int64_t ns; /* 0: refused */
	} cases[] = {
		{ "10ms", 10 * WEND_MILLISECOND },
		{ "500us", 500 * WEND_MICROSECOND },
		{ "1s", WEND_SECOND },
		{ "100000ns", 100 * WEND_MICROSECOND },
		{ "off", -1 },
		{ "10", 0 },
		{ "ms", 0 },
		{ "-1ms", 0 },
		{ "1 ms", 0 },
		{ "99us", 0 },
		{ "1001s", 0 },
		{ "9223372036854775807s", 0 },
		{ "99999999999999999999s", 0 },
	};

	for (const auto &c : cases) {
		wt::Env slice("WEND_SLICE", c.text);
		wt::StderrCapture err;

		if (c.ns) {
			ASSERT_EQ(0, wend_start(NULL)) << c.text;
			EXPECT_EQ(0, wend_stop());
		} else {
			EXPECT_EQ(-EINVAL, wend_start(NULL)) << c.text;
			EXPECT_TRUE(wt::HasLine(err.Text(), "WEND_SLICE=", true))
				<< c.text;
		}
	}

	wend_config bad = {};
	wend_config never = {};
	wt::StderrCapture err;

	bad.slice = 1;
	never.slice = -1;
	EXPECT_EQ(-EINVAL, wend_start(&bad));
	EXPECT_EQ(0, wend_start(&never));
	EXPECT_EQ(0, wend_stop());
}

TEST_F(Limit, NoPreemptionInARegion)
{
	if (wt::kTsan)
		GTEST_SKIP() << "ThreadSanitizer holds signals back";

	wt::Env slice("WEND_SLICE", "1ms");

	wt::RunOn(1, [] {
		std::atomic<int> others{ 0 };
		wt::Group g;

		wend_nopreempt_begin();
		wend_nopreempt_begin();
		g.Go([&] { others++; });
		Compute(30 * WEND_MILLISECOND);
		EXPECT_EQ(0, others);
		wend_nopreempt_end();
		Compute(30 * WEND_MILLISECOND);
		EXPECT_EQ(0, others) << "the outer one goes on";
		wend_nopreempt_end();
		while (others == 0)
			;
		g.Wait();
	});
}

/* The region is the task's: it may wait in there, and moves with it. */
TEST_F(Limit, WaitsInARegion)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		wt::Group g;

		g.Go([&] {
			for (int i = 0; i < 100; i++)
				EXPECT_EQ(0, wend_chan_send(c, &i));
		});
		wend_nopreempt_begin();
		for (int i = 0, v; i < 100; i++) {
			ASSERT_EQ(0, wend_chan_recv(c, &v));
			EXPECT_EQ(i, v);
		}
		wend_nopreempt_end();
		g.Wait();
	});
}

TEST_F(Limit, MisuseOfARegion)
{
	WT_EXPECT_MISUSE(wt::RunOnce(1, [] { wend_nopreempt_end(); }),
			 "wend_nopreempt_end.. without");
	WT_EXPECT_MISUSE(wt::RunOnce(1,
				     [] {
					     for (;;)
						     wend_nopreempt_begin();
				     }),
			 "nested too deep");
	/* In a thread that is no task both do nothing. */
	wend_nopreempt_begin();
	wend_nopreempt_end();
	wend_nopreempt_end();
}

/* What is counted. */
TEST_F(Limit, Counts)
{
	if (wt::kTsan)
		GTEST_SKIP() << "ThreadSanitizer holds signals back";

	wt::Env slice("WEND_SLICE", "1ms");

	wt::RunOn(1, [] {
		struct wend_stats stats;
		std::atomic<bool> done{ false };
		wt::Group g;

		g.Go([&] { done = true; });
		while (!done)
			;
		g.Wait();
		/* The watchdog looks at who is back some time later. */
		do
			wend_stats_get(&stats);
		while (stats.preempt_ns == 0);
		EXPECT_GE(stats.preempts, 1u);
		done = false;
		g.Go([&] { done = true; });
		while (!done)
			raw::Sleep(20 * WEND_MILLISECOND);
		g.Wait();
		wend_stats_get(&stats);
		EXPECT_GE(stats.detects, 1u);
	});
}

} // namespace
