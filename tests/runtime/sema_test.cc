/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sema_test.cc - a counting semaphore, first come, first served.
 */
#include "tests/support/wt.h"

#include <signal.h>

#include <atomic>
#include <random>
#include <thread>

TEST(Sema, CountsUnits)
{
	wt::Run([] {
		wend_sema s = WEND_SEMA_INIT(2), zero = {};

		EXPECT_TRUE(wend_sema_try(&s));
		EXPECT_EQ(0, wend_sema_acquire(&s));
		EXPECT_FALSE(wend_sema_try(&s));
		EXPECT_EQ(-ETIMEDOUT, wend_sema_acquire_until(&s, 0));
		wend_sema_release(&s, 0);
		EXPECT_FALSE(wend_sema_try(&s));
		wend_sema_release(&s, 3);
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(0, wend_sema_acquire_until(&s, 0));
		EXPECT_FALSE(wend_sema_try(&s));
		EXPECT_FALSE(wend_sema_try(&zero));
	});
}

/* Never more inside than there are units. */
TEST(Sema, LimitsHowManyAreInside)
{
	wt::Run([] {
		wend_sema s = WEND_SEMA_INIT(3);
		std::atomic<int> inside{ 0 };
		wt::Group g;

		for (int i = 0; i < 10; i++)
			g.Go([&, i] {
				for (int k = 0; k < 10; k++) {
					EXPECT_EQ(0, wend_sema_acquire(&s));
					int n = ++inside;
					EXPECT_LE(n, 3);
					if ((i + k) % 2)
						wend_yield();
					inside--;
					wend_sema_release(&s, 1);
				}
			});
		g.Wait();
		for (int i = 0; i < 3; i++)
			EXPECT_TRUE(wend_sema_try(&s));
		EXPECT_FALSE(wend_sema_try(&s));
	});
}

/* Who waits longest is first; a newcomer does not get ahead of waiters. */
TEST(Sema, FirstComeFirstServed)
{
	wt::Run([] {
		constexpr int kWaiters = 6;
		wend_sema s = {};
		wt::Log<int> order;
		wt::Group g;

		for (int i = 0; i < kWaiters; i++) {
			g.Go(
				[&, i] {
					EXPECT_EQ(0, wend_sema_acquire(&s));
					order.Add(i);
					wend_sema_release(&s, 1);
				},
				"waiter");
			wt::AwaitWaiting("waiter", i + 1);
		}
		wend_sema_release(&s, 1);
		EXPECT_EQ(0, wend_sema_acquire(&s));
		order.Add(kWaiters);
		g.Wait();
		auto list = order.Get();
		ASSERT_EQ((size_t)kWaiters + 1, list.size());
		for (int i = 0; i <= kWaiters; i++)
			EXPECT_EQ(i, list[i]);
	});
}

/* One release of several units wakes that many. */
TEST(Sema, ReleaseOfMany)
{
	wt::Run([] {
		wend_sema s = {};
		std::atomic<int> through{ 0 };
		wt::Group g;

		for (int i = 0; i < 6; i++)
			g.Go(
				[&] {
					EXPECT_EQ(0, wend_sema_acquire(&s));
					through++;
				},
				"waiter");
		wt::AwaitWaiting("waiter", 6);
		wend_sema_release(&s, 4);
		while (through < 4)
			wend_yield();
		for (int i = 0; i < 10; i++)
			wend_yield();
		EXPECT_EQ(4, through);
		wend_sema_release(&s, 3);
		g.Wait();
		EXPECT_TRUE(wend_sema_try(&s));
		EXPECT_FALSE(wend_sema_try(&s));
	});
}

/* A unit given at the moment a waiter gives up is not lost: what was released
 * is what was acquired plus what is left. */
TEST(Sema, DeadlinesLoseNoUnit)
{
	wt::Run([] {
		wend_sema s = {};
		std::atomic<int> acquired{ 0 }, running{ 5 };
		int released = 0, left = 0;
		wt::Group g;

		for (int i = 0; i < 5; i++)
			g.Go([&, i] {
				std::mt19937_64 rng(wt::Seed() + i);

				for (int k = 0; k < 20; k++) {
					int64_t dl = wend_after(rng() % 3000);

					if (wend_sema_acquire_until(&s, dl) ==
					    0)
						acquired++;
				}
				running--;
			});
		while (running > 0) {
			wend_sema_release(&s, 1);
			released++;
			wend_sleep(500);
		}
		g.Wait();
		while (wend_sema_try(&s))
			left++;
		EXPECT_EQ(released, acquired + left);
	});
}

/* The waiter in front gives up: the one behind it gets the unit. */
TEST(Sema, CancelledInFront)
{
	wt::Run([] {
		wend_sema s = {};
		wt::Group g;

		wend_task *t = g.Go(
			[&] { EXPECT_EQ(-ECANCELED, wend_sema_acquire(&s)); },
			"first");
		wt::AwaitWaiting("first");
		g.Go([&] { EXPECT_EQ(0, wend_sema_acquire(&s)); }, "second");
		wt::AwaitWaiting("second");
		wend_task_cancel(t);
		wend_yield();
		wt::Group h;
		h.Go([&] { wend_sema_release(&s, 1); });
		g.Wait();
	});
}

TEST(Sema, ThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	wend_sema s = WEND_SEMA_INIT(2);
	std::atomic<int> inside{ 0 }, total{ 0 };
	std::vector<std::thread> threads;

	auto Work = [&] {
		for (int k = 0; k < 200; k++) {
			EXPECT_EQ(0, wend_sema_acquire(&s));
			EXPECT_LE(++inside, 2);
			if (k % 8 == 0)
				wend_yield();
			inside--;
			total++;
			wend_sema_release(&s, 1);
		}
	};
	wt::Start(2);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, wt::Go(Work));
		threads.emplace_back(Work);
	}
	for (auto &t : threads)
		t.join();
	wt::Stop();
	EXPECT_EQ(1200, total);
}

namespace
{

void TooManyUnits()
{
	wt::RunOnce(1, [] {
		wend_sema s = WEND_SEMA_INIT(1);

		wend_sema_release(&s, UINT32_MAX);
	});
}

} // namespace

TEST(SemaDeathTest, Misuse)
{
	WT_EXPECT_MISUSE(TooManyUnits(), "sema");
}
