/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutex_test.cc - one holder at a time, between tasks and threads.
 */
#include "tests/support/wt.h"

#include <signal.h>

#include <random>
#include <thread>

TEST(Mutex, LockTryUnlock)
{
	wt::Run([] {
		wend_mutex zero = {}, init = WEND_MUTEX_INIT;

		for (wend_mutex *m : { &zero, &init }) {
			wend_mutex_lock(m);
			EXPECT_FALSE(wend_mutex_try(m));
			EXPECT_EQ(-ETIMEDOUT, wend_mutex_lock_until(m, 0));
			wend_mutex_unlock(m);
			EXPECT_TRUE(wend_mutex_try(m));
			EXPECT_FALSE(wend_mutex_try(m));
			wend_mutex_unlock(m);
			EXPECT_EQ(0, wend_mutex_lock_until(m, 0));
			wend_mutex_unlock(m);
			EXPECT_EQ(0, wend_mutex_lock_until(m, WEND_FOREVER));
			wend_mutex_unlock(m);
		}
	});
}

/* A counter that is no atomic, with a switch in the middle of each step: a
 * second holder would lose counts, and TSan would say so. */
TEST(Mutex, Excludes)
{
	wt::Run([] {
		constexpr int kTasks = 8, kSteps = 30;
		wend_mutex m = {};
		int count = 0;
		wt::Group g;

		for (int i = 0; i < kTasks; i++)
			g.Go([&, i] {
				for (int k = 0; k < kSteps; k++) {
					wend_mutex_lock(&m);
					int was = count;
					if ((i + k) % 3 == 0)
						wend_yield();
					count = was + 1;
					wend_mutex_unlock(&m);
					if ((i + k) % 4 == 0)
						wend_yield();
				}
			});
		g.Wait();
		EXPECT_EQ(kTasks * kSteps, count);
	});
}

/* All ways to lock, with deadlines that often pass: the counter shows that
 * they exclude each other, and that a failure holds nothing. */
TEST(Mutex, ExcludesWithDeadlines)
{
	wt::Run([] {
		wend_mutex m = {};
		int count = 0, sum = 0, got[6] = {};
		wt::Group g;

		for (int i = 0; i < 6; i++)
			g.Go([&, i] {
				std::mt19937_64 rng(wt::Seed() + i);

				for (int k = 0; k < 30; k++) {
					bool have;

					if (rng() % 4 == 0)
						have = wend_mutex_try(&m);
					else
						have = wend_mutex_lock_until(
							       &m,
							       wend_after(
								       rng() %
								       5000)) ==
						       0;
					if (!have) {
						wend_yield();
						continue;
					}
					int was = count;
					if (rng() % 2)
						wend_sleep(rng() % 3000);
					count = was + 1;
					got[i]++;
					wend_mutex_unlock(&m);
				}
			});
		g.Wait();
		for (int n : got)
			sum += n;
		EXPECT_EQ(sum, count);
		EXPECT_TRUE(wend_mutex_try(&m));
		wend_mutex_unlock(&m);
	});
}

/* Not before the deadline, and not after an unlock has been missed. */
TEST(Mutex, DeadlinePasses)
{
	wt::Run([] {
		wend_mutex m = {};
		wt::Group g;

		wend_mutex_lock(&m);
		g.Go([&] {
			int64_t dl = wend_after(WEND_MILLISECOND);

			EXPECT_EQ(-ETIMEDOUT, wend_mutex_lock_until(&m, dl));
			EXPECT_GE(wend_now(), dl);
		});
		g.Wait();
		g.Go(
			[&] {
				EXPECT_EQ(0, wend_mutex_lock_until(
						     &m, WEND_FOREVER));
				wend_mutex_unlock(&m);
			},
			"waiter");
		wt::AwaitWaiting("waiter");
		wend_mutex_unlock(&m);
	});
}

/* Another task may unlock what one has locked. */
TEST(Mutex, UnlockedByAnotherTask)
{
	wt::Run([] {
		wend_mutex m = {};
		wt::Group g;

		wend_mutex_lock(&m);
		g.Go([&] { wend_mutex_unlock(&m); });
		wend_mutex_lock(&m);
		wend_mutex_unlock(&m);
	});
}

/* A task that locks again at once can't keep a waiter out for ever: who has
 * waited for more than a millisecond gets it handed over. Without that the
 * loop below would never end on one server, as it never yields while the
 * mutex is free. */
TEST(Mutex, WaitersAreNotStarved)
{
	wt::Run(
		[] {
			wend_mutex m = {};
			bool served = false, done = false;
			wt::Group g;

			wend_mutex_lock(&m);
			g.Go(
				[&] {
					wend_mutex_lock(&m);
					served = true;
					wend_mutex_unlock(&m);
				},
				"waiter");
			wt::AwaitWaiting("waiter");
			while (!done) {
				wend_sleep(100 * WEND_MICROSECOND);
				wend_mutex_unlock(&m);
				wend_mutex_lock(&m);
				done = served;
			}
			wend_mutex_unlock(&m);
		},
		4);
}

/* Threads and tasks use the same lock. */
TEST(Mutex, ThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	for (int procs : { 1, 2 }) {
		constexpr int kEach = 3, kSteps = 300;
		wend_mutex m = {};
		int count = 0;
		std::vector<std::thread> threads;

		auto Work = [&] {
			for (int k = 0; k < kSteps; k++) {
				wend_mutex_lock(&m);
				int was = count;
				if (k % 8 == 0)
					wend_yield();
				count = was + 1;
				wend_mutex_unlock(&m);
			}
		};
		wt::Start(procs);
		for (int i = 0; i < kEach; i++) {
			ASSERT_EQ(0, wt::Go(Work));
			threads.emplace_back(Work);
		}
		for (auto &t : threads)
			t.join();
		wt::Stop();
		EXPECT_EQ(2 * kEach * kSteps, count);
	}
}

/* A thread's deadline, while a task holds the lock. */
TEST(Mutex, AThreadsDeadline)
{
	WT_NEEDS_THREADS();
	wend_mutex m = {};
	wt::Chan gate(0, 0), locked(0, 0);

	wt::Start(1);
	ASSERT_EQ(0, wt::Go([&] {
			  wend_mutex_lock(&m);
			  wend_chan_send(locked, nullptr);
			  wend_chan_recv(gate, nullptr);
			  wend_mutex_unlock(&m);
		  }));
	EXPECT_EQ(0, wend_chan_recv(locked, nullptr));
	int64_t dl = wend_after_ms(2);
	EXPECT_EQ(-ETIMEDOUT, wend_mutex_lock_until(&m, dl));
	EXPECT_GE(wend_now(), dl);
	EXPECT_FALSE(wend_mutex_try(&m));
	EXPECT_EQ(0, wend_chan_send(gate, nullptr));
	EXPECT_EQ(0, wend_mutex_lock_until(&m, WEND_FOREVER));
	wend_mutex_unlock(&m);
	wt::Stop();
}

namespace
{

void UnlockFree()
{
	wt::RunOnce(1, [] {
		wend_mutex m = {};

		wend_mutex_unlock(&m);
	});
}

void UnlockTwice()
{
	wt::RunOnce(1, [] {
		wend_mutex m = {};

		wend_mutex_lock(&m);
		wend_mutex_unlock(&m);
		wend_mutex_unlock(&m);
	});
}

} // namespace

TEST(MutexDeathTest, Misuse)
{
	WT_EXPECT_MISUSE(UnlockFree(), "mutex");
	WT_EXPECT_MISUSE(UnlockTwice(), "mutex");
}
