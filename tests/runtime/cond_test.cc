/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cond_test.cc - waiting for a change that another task tells.
 */
#include "tests/support/wt.h"

#include <thread>

/* A signal wakes one, a broadcast all; nobody wakes without. */
TEST(Cond, SignalAndBroadcast)
{
	wt::Run([] {
		wend_mutex m = {};
		wend_cond c = {};
		int woken = 0;
		wt::Group g;

		for (int i = 0; i < 5; i++)
			g.Go(
				[&] {
					wend_mutex_lock(&m);
					EXPECT_EQ(0, wend_cond_wait(&c, &m));
					EXPECT_FALSE(wend_mutex_try(&m));
					woken++;
					wend_mutex_unlock(&m);
				},
				"waiter");
		wt::AwaitWaiting("waiter", 5);
		for (int n = 1; n <= 2; n++) {
			wend_cond_signal(&c);
			for (bool seen = false; !seen; wend_yield()) {
				wend_mutex_lock(&m);
				seen = woken >= n;
				wend_mutex_unlock(&m);
			}
		}
		for (int i = 0; i < 10; i++)
			wend_yield();
		wend_mutex_lock(&m);
		EXPECT_EQ(2, woken);
		wend_mutex_unlock(&m);
		wend_cond_broadcast(&c);
		g.Wait();
		EXPECT_EQ(5, woken);
		/* Told to nobody, it is not kept for who comes later. */
		wend_cond_signal(&c);
		wend_cond_broadcast(&c);
		wend_mutex_lock(&m);
		EXPECT_EQ(-ETIMEDOUT,
			  wend_cond_wait_until(&c, &m,
					       wend_after(WEND_MICROSECOND)));
		wend_mutex_unlock(&m);
	});
}

/* The classic: a bounded queue with two conditions. */
TEST(Cond, BoundedQueue)
{
	wt::Run([] {
		constexpr int kTasks = 4, kEach = 20, kRoom = 2;
		wend_mutex m = {};
		wend_cond not_full = {}, not_empty = {};
		int count = 0, in = 0, out = 0, ring[kRoom] = {};
		int64_t sum = 0;
		wt::Group g;

		for (int t = 0; t < kTasks; t++) {
			g.Go([&, t] {
				for (int i = 1; i <= kEach; i++) {
					wend_mutex_lock(&m);
					while (count == kRoom)
						EXPECT_EQ(0, wend_cond_wait(
								     &not_full,
								     &m));
					ring[in++ % kRoom] = t * 100 + i;
					count++;
					wend_cond_signal(&not_empty);
					wend_mutex_unlock(&m);
				}
			});
			g.Go([&, t] {
				for (int i = 1; i <= kEach; i++) {
					wend_mutex_lock(&m);
					while (count == 0)
						EXPECT_EQ(0, wend_cond_wait(
								     &not_empty,
								     &m));
					sum += ring[out++ % kRoom];
					sum -= t * 100 + i;
					count--;
					wend_cond_signal(&not_full);
					wend_mutex_unlock(&m);
				}
			});
		}
		g.Wait();
		EXPECT_EQ(0, sum);
		EXPECT_EQ(0, count);
	});
}

/* The mutex is held again when the deadline passes, and when cancelled. */
TEST(Cond, ErrorsHoldTheMutex)
{
	wt::Run([] {
		wend_mutex m = {};
		wend_cond c = {};
		int64_t dl = wend_after(WEND_MILLISECOND);
		wt::Group g;

		wend_mutex_lock(&m);
		EXPECT_EQ(-ETIMEDOUT, wend_cond_wait_until(&c, &m, dl));
		EXPECT_GE(wend_now(), dl);
		EXPECT_FALSE(wend_mutex_try(&m));
		EXPECT_EQ(-ETIMEDOUT, wend_cond_wait_until(&c, &m, 0));
		EXPECT_FALSE(wend_mutex_try(&m));
		wend_mutex_unlock(&m);

		wend_task *t = g.Go(
			[&] {
				wend_mutex_lock(&m);
				EXPECT_EQ(-ECANCELED, wend_cond_wait(&c, &m));
				EXPECT_FALSE(wend_mutex_try(&m));
				wend_mutex_unlock(&m);
			},
			"waiter");
		wt::AwaitWaiting("waiter");
		wend_mutex_lock(&m);
		wend_task_cancel(t);
		wend_yield();
		wend_mutex_unlock(&m);
	});
}

/* A signal must not be lost on a waiter whose deadline passes at the same
 * time: one of two waiters has a short deadline, one signal is sent, and
 * either the short one got it or the other did. */
TEST(Cond, SignalIsNotLostOnATimeout)
{
	wt::Run([] {
		wend_mutex m = {};
		wend_cond c = {};

		for (int i = 0; i < 4; i++) {
			int got_short = 1, got_long = 1;
			wt::Group g, h;

			g.Go([&] {
				wend_mutex_lock(&m);
				got_short = wend_cond_wait_until(
					&c, &m, wend_after(10000 + i * 500));
				wend_mutex_unlock(&m);
			});
			wend_task *t = h.Go(
				[&] {
					wend_mutex_lock(&m);
					got_long = wend_cond_wait(&c, &m);
					wend_mutex_unlock(&m);
				},
				"long");
			wt::AwaitWaiting("long");
			wend_sleep(10000);
			wend_mutex_lock(&m);
			wend_cond_signal(&c);
			wend_mutex_unlock(&m);
			g.Wait();
			if (got_short == 0)
				wend_task_cancel(t);
			h.Wait();
			EXPECT_EQ(1, (got_short == 0) + (got_long == 0));
		}
	});
}

TEST(Cond, ThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	for (int procs : { 1, 2 }) {
		wend_mutex m = {};
		wend_cond c = {};
		int turn = 0;

		/* A token goes round between a thread and a task. */
		auto Player = [&](int me) {
			for (int i = 0; i < 200; i++) {
				wend_mutex_lock(&m);
				while (turn % 2 != me)
					wend_cond_wait(&c, &m);
				turn++;
				wend_cond_broadcast(&c);
				wend_mutex_unlock(&m);
			}
		};
		wt::Start(procs);
		ASSERT_EQ(0, wt::Go([&] { Player(0); }));
		std::thread t([&] { Player(1); });
		t.join();
		wt::Stop();
		EXPECT_EQ(400, turn);
	}
}
