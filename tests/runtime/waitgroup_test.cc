/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waitgroup_test.cc - waiting until a number of things are done.
 */
#include "tests/support/wt.h"

#include <signal.h>
#include <string.h>

#include <atomic>
#include <thread>

/* Plain memory written before a done() is seen after the wait. */
TEST(Waitgroup, WaitsForAll)
{
	wt::Run([] {
		wend_waitgroup w = {};
		int value[20] = {};

		EXPECT_EQ(0, wend_waitgroup_wait(&w));
		EXPECT_EQ(0, wend_waitgroup_wait_until(&w, 0));
		wend_waitgroup_add(&w, 20);
		for (int i = 0; i < 20; i++)
			ASSERT_EQ(0, wt::Go([&, i] {
					  if (i % 3 == 0)
						  wend_yield();
					  value[i] = i + 1;
					  wend_waitgroup_done(&w);
				  }));
		EXPECT_EQ(0, wend_waitgroup_wait(&w));
		for (int i = 0; i < 20; i++)
			EXPECT_EQ(i + 1, value[i]);
	});
}

/* The group may lie on the stack of the waiter and end with it at once: the
 * last done() does not touch it any more when the wait has returned. */
TEST(Waitgroup, EndsWithItsBlock)
{
	wt::Run([] {
		for (int i = 0; i < 20; i++) {
			auto w = std::make_unique<wend_waitgroup>();
			wend_waitgroup *p = w.get();

			*w = {};
			wend_waitgroup_add(p, 2);
			for (int k = 0; k < 2; k++)
				ASSERT_EQ(0, wt::Go([p] {
						  wend_waitgroup_done(p);
					  }));
			EXPECT_EQ(0, wend_waitgroup_wait(p));
			memset(p, 0xff, sizeof(*p));
		}
	});
}

/* Several waiters, all are woken; then the group is used again. */
TEST(Waitgroup, ManyWaitersAndAgain)
{
	wt::Run([] {
		wend_waitgroup w = {};

		for (int round = 0; round < 3; round++) {
			std::atomic<int> through{ 0 };
			wt::Group g;

			wend_waitgroup_add(&w, 3);
			for (int i = 0; i < 4; i++)
				g.Go(
					[&] {
						EXPECT_EQ(0,
							  wend_waitgroup_wait(
								  &w));
						through++;
					},
					"waiter");
			wt::AwaitWaiting("waiter", 4);
			wend_waitgroup_add(&w, -2);
			EXPECT_EQ(-ETIMEDOUT, wend_waitgroup_wait_until(&w, 0));
			EXPECT_EQ(0, through);
			wend_waitgroup_done(&w);
			g.Wait();
			EXPECT_EQ(4, through);
		}
	});
}

TEST(Waitgroup, Deadline)
{
	wt::Run([] {
		wend_waitgroup w = {};
		int64_t dl = wend_after(WEND_MILLISECOND);

		wend_waitgroup_add(&w, 1);
		EXPECT_EQ(-ETIMEDOUT, wend_waitgroup_wait_until(&w, dl));
		EXPECT_GE(wend_now(), dl);
		wend_waitgroup_done(&w);
		EXPECT_EQ(0, wend_waitgroup_wait_until(&w, WEND_FOREVER));
	});
}

TEST(Waitgroup, ThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	wt::Start(2);
	for (int round = 0; round < 50; round++) {
		wend_waitgroup w = {};
		std::atomic<int> n{ 0 };

		auto Work = [&] {
			n++;
			wend_waitgroup_done(&w);
		};
		wend_waitgroup_add(&w, 4);
		ASSERT_EQ(0, wt::Go(Work));
		ASSERT_EQ(0, wt::Go(Work));
		std::thread a(Work), b(Work);
		EXPECT_EQ(0, wend_waitgroup_wait(&w));
		EXPECT_EQ(4, n);
		a.join();
		b.join();
	}
	wt::Stop();
}

namespace
{

void BelowZero()
{
	wt::RunOnce(1, [] {
		wend_waitgroup w = {};

		wend_waitgroup_add(&w, 1);
		wend_waitgroup_done(&w);
		wend_waitgroup_done(&w);
	});
}

void TooMany()
{
	wt::RunOnce(1, [] {
		wend_waitgroup w = {};

		wend_waitgroup_add(&w, INT32_MAX);
		wend_waitgroup_add(&w, 1);
	});
}

void FarBelowZero()
{
	wt::RunOnce(1, [] {
		wend_waitgroup w = {};

		wend_waitgroup_add(&w, INT32_MIN);
	});
}

} // namespace

TEST(WaitgroupDeathTest, Misuse)
{
	WT_EXPECT_MISUSE(BelowZero(), "waitgroup");
	WT_EXPECT_MISUSE(TooMany(), "waitgroup");
	WT_EXPECT_MISUSE(FarBelowZero(), "waitgroup");
}
