/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign_test.cc - every call from threads that are no workers, while tasks
 * run. The locks' tests have a part of it each.
 */
#include "tests/support/wt.h"

#include <atomic>
#include <thread>

using wt::RecvInt;
using wt::SendInt;

/* The thread that started the runtime talks with tasks; under "sim" it drives
 * them while it waits. */
TEST(Foreign, TheFirstThreadTalksWithTasks)
{
	wt::RunFromThread([] {
		wt::Chan in(sizeof(int), 0), out(sizeof(int), 2);
		wend_task *t;

		ASSERT_EQ(0, wt::Go(
				     [&] {
					     int v;

					     while ((v = RecvInt(in)) >= 0)
						     SendInt(out, v * v);
					     wend_chan_close(out);
				     },
				     nullptr, &t));
		for (int i = 0; i < 30; i++) {
			EXPECT_EQ(0, SendInt(in, i));
			EXPECT_EQ(i * i, RecvInt(out));
		}
		wend_chan_close(in);
		EXPECT_EQ(-EPIPE, RecvInt(out));
		EXPECT_EQ(0, wend_join(t, nullptr));
	});
}

/* Its waits have deadlines as a task's have. */
TEST(Foreign, TheFirstThreadsDeadlines)
{
	wt::RunFromThread([] {
		wt::Chan c(sizeof(int), 0);
		int v = 3;
		int64_t dl = wend_after_ms(2);

		EXPECT_EQ(-ETIMEDOUT, wend_chan_recv_until(c, &v, dl));
		EXPECT_GE(wend_now(), dl);
		EXPECT_EQ(-EAGAIN, wend_chan_send_try(c, &v));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(c, &v, 0));
		dl = wend_after_ms(2);
		EXPECT_EQ(-ETIMEDOUT, wend_select(dl, wend_on_recv(c, &v),
						  wend_on_send(c, &v)));
		EXPECT_GE(wend_now(), dl);
		dl = wend_after_ms(2);
		EXPECT_EQ(0, wend_sleep_until(dl));
		EXPECT_GE(wend_now(), dl);
		EXPECT_EQ(0, wend_sleep(WEND_MICROSECOND));
		EXPECT_EQ(3, v);
	});
}

/* It waits with timers, waitgroups, joins and locks. */
TEST(Foreign, TheFirstThreadWaitsForAllKinds)
{
	wt::RunFromThread([] {
		wend_waitgroup w = {};
		wend_mutex m = {};
		wend_sema s = {};
		wend_task *t;
		int r = 0;
		wend_timer *timer = wend_timer_new(wend_after_ms(1));

		ASSERT_NE(nullptr, timer);
		EXPECT_EQ(0, wend_chan_recv(wend_timer_chan(timer), nullptr));
		wend_timer_free(timer);
		wend_waitgroup_add(&w, 1);
		wend_mutex_lock(&m);
		ASSERT_EQ(0, wt::Go(
				     [&] {
					     wend_sleep(WEND_MICROSECOND);
					     wend_waitgroup_done(&w);
					     wend_mutex_unlock(&m);
					     wend_sema_release(&s, 1);
					     wend_task_fail(17);
				     },
				     nullptr, &t));
		EXPECT_EQ(0, wend_waitgroup_wait(&w));
		wend_mutex_lock(&m);
		EXPECT_EQ(0, wend_sema_acquire(&s));
		EXPECT_EQ(0, wend_join(t, &r));
		EXPECT_EQ(17, r);
		wend_mutex_unlock(&m);
	});
}

/* Several threads spawn while the tasks run; every task runs once. */
TEST(Foreign, SpawnFromThreads)
{
	WT_NEEDS_THREADS();
	constexpr int kThreads = 3, kEach = 300;
	std::atomic<int> ran{ 0 };
	std::vector<std::thread> threads;

	wt::Start(2);
	for (int i = 0; i < kThreads; i++)
		threads.emplace_back([&] {
			for (int k = 0; k < kEach; k++) {
				wend_task *t = nullptr;

				EXPECT_EQ(0, wt::Go([&] { ran++; }, nullptr,
						    k % 2 ? &t : nullptr));
				if (t) {
					EXPECT_EQ(0, wend_join(t, nullptr));
				}
			}
		});
	for (auto &t : threads)
		t.join();
	wt::Stop();
	EXPECT_EQ(kThreads * kEach, ran);
}

/* Threads and tasks on both sides of one channel: each value once. */
TEST(Foreign, ChannelsBetweenThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	for (size_t cap : { 0, 1, 32 }) {
		constexpr int kEach = 300, kSides = 2;
		wt::Chan c(sizeof(int), cap);
		std::atomic<int> seen[2 * kSides * kEach] = {};
		std::atomic<int> senders{ 2 * kSides };
		std::vector<std::thread> threads;

		auto Send = [&](int base) {
			for (int i = 0; i < kEach; i++)
				EXPECT_EQ(0, SendInt(c, base + i));
			if (--senders == 0)
				wend_chan_close(c);
		};
		auto Recv = [&] {
			int v;

			while ((v = RecvInt(c)) >= 0)
				seen[v]++;
			EXPECT_EQ(-EPIPE, v);
		};
		wt::Start(2);
		for (int i = 0; i < kSides; i++) {
			ASSERT_EQ(0, wt::Go([&, i] { Send(2 * i * kEach); }));
			ASSERT_EQ(0, wt::Go(Recv));
			threads.emplace_back(
				[&, i] { Send((2 * i + 1) * kEach); });
			threads.emplace_back(Recv);
		}
		for (auto &t : threads)
			t.join();
		wt::Stop();
		for (auto &n : seen)
			ASSERT_EQ(1, n);
	}
}

/* Selects of threads and tasks meet each other. */
TEST(Foreign, SelectBetweenThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	constexpr int kRounds = 500;
	wt::Chan a(sizeof(int), 0), b(sizeof(int), 0);
	std::atomic<int64_t> sent{ 0 }, received{ 0 };

	auto Play = [&](int me) {
		wend_chan *p = me % 2 ? a : b, *q = me % 2 ? b : a;

		for (int i = 1; i <= kRounds; i++) {
			int v = me * 10000 + i, w = 0;
			int n = wend_select(wend_after_ms(1),
					    wend_on_recv(p, &w),
					    wend_on_send(q, &v));

			if (n == 0)
				received += w;
			if (n == 1)
				sent += v;
		}
	};
	wt::Start(2);
	ASSERT_EQ(0, wt::Go([&] { Play(0); }));
	ASSERT_EQ(0, wt::Go([&] { Play(1); }));
	std::thread s([&] { Play(2); }), t([&] { Play(3); });
	s.join();
	t.join();
	wt::Stop();
	EXPECT_EQ(sent, received);
	EXPECT_GT(sent, 0);
}

/* A thread cancels a task, and releases what it holds of it. */
TEST(Foreign, CancelFromAThread)
{
	WT_NEEDS_THREADS();
	wt::Start(2);
	for (int i = 0; i < 100; i++) {
		int r = 1;
		wend_task *t;

		ASSERT_EQ(0,
			  wt::Go([&] { r = wend_chan_recv(nullptr, nullptr); },
				 nullptr, &t));
		std::thread([t] { wend_task_cancel(t); }).join();
		EXPECT_EQ(0, wend_join(t, nullptr));
		EXPECT_EQ(-ECANCELED, r);
	}
	wt::Stop();
}

/* Threads make, reset and stop timers that tasks wait for. */
TEST(Foreign, TimersOfThreads)
{
	WT_NEEDS_THREADS();
	std::vector<std::thread> threads;

	wt::Start(2);
	for (int k = 0; k < 3; k++)
		threads.emplace_back([] {
			for (int i = 0; i < 50; i++) {
				wend_timer *t = wend_timer_new(
					wend_after(3600 * WEND_SECOND));
				wend_task *task;
				int64_t at = 0;

				ASSERT_NE(nullptr, t);
				ASSERT_EQ(
					0,
					wt::Go(
						[&] {
							wend_chan_recv(
								wend_timer_chan(
									t),
								&at);
						},
						nullptr, &task));
				int64_t dl = wend_after(i * 1000);
				EXPECT_TRUE(wend_timer_reset(t, dl));
				EXPECT_EQ(0, wend_join(task, nullptr));
				EXPECT_GE(at, dl);
				wend_timer_free(t);
			}
		});
	for (auto &t : threads)
		t.join();
	wt::Stop();
}

/* Each thread's errno is its own, also where the header routes it. */
TEST(Foreign, ErrnoOfAThread)
{
	WT_NEEDS_THREADS();
	wt::Start(1);
	errno = ERANGE;
	std::thread([] {
		EXPECT_EQ(0, errno);
		errno = EDOM;
	}).join();
	EXPECT_EQ(ERANGE, errno);
	EXPECT_EQ(&errno, wend_errno_location());
	wt::Stop();
}
