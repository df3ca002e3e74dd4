/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel_test.cc - asking a task to end, and holding that off.
 */
#include "tests/support/wt.h"

#include <functional>

namespace
{

/* Each wait that has an error to report, entered by a task that is then
 * cancelled: it returns -ECANCELED, and would for ever otherwise. */
struct Wait {
	const char *name;
	std::function<int()> enter;
};

wend_chan *never;
wend_cond cond;
wend_mutex held, cond_lock;
wend_rwmutex written;
wend_waitgroup busy;
wend_sema empty;
wend_once once;
wend_task *sleeper;

int Recv()
{
	return wend_chan_recv(never, nullptr);
}
int Send()
{
	return wend_chan_send(never, nullptr);
}
int RecvNil()
{
	return wend_chan_recv(nullptr, nullptr);
}
int SendNil()
{
	return wend_chan_send(nullptr, nullptr);
}
int RecvUntil()
{
	return wend_chan_recv_until(never, nullptr,
				    wend_after(WEND_SECOND * 3600 * 24 * 365));
}
int Select()
{
	return wend_select(WEND_FOREVER, wend_on_recv(never, nullptr),
			   wend_on_send(never, nullptr));
}
int SelectNothing()
{
	return wend_select_cases(nullptr, 0, WEND_FOREVER);
}
int Sleep()
{
	return wend_sleep(INT64_MAX);
}
int SleepUntil()
{
	return wend_sleep_until(WEND_FOREVER);
}
int Join()
{
	return wend_join(sleeper, nullptr);
}
int MutexUntil()
{
	return wend_mutex_lock_until(&held, WEND_FOREVER);
}
int ReadUntil()
{
	return wend_rwmutex_rlock_until(&written, WEND_FOREVER);
}
int WriteUntil()
{
	return wend_rwmutex_lock_until(&written, WEND_FOREVER);
}
int CondWait()
{
	int r;

	wend_mutex_lock(&cond_lock);
	r = wend_cond_wait(&cond, &cond_lock);
	wend_mutex_unlock(&cond_lock);
	return r;
}
int WaitgroupWait()
{
	return wend_waitgroup_wait(&busy);
}
int SemaAcquire()
{
	return wend_sema_acquire(&empty);
}
int OnceUntil()
{
	return wend_once_do_until(
		&once, [](void *) { ADD_FAILURE(); }, nullptr, WEND_FOREVER);
}

const Wait waits[] = {
	{ "recv", Recv },
	{ "send", Send },
	{ "recv nil", RecvNil },
	{ "send nil", SendNil },
	{ "recv until", RecvUntil },
	{ "select", Select },
	{ "select nothing", SelectNothing },
	{ "sleep", Sleep },
	{ "sleep until", SleepUntil },
	{ "join", Join },
	{ "mutex", MutexUntil },
	{ "read", ReadUntil },
	{ "write", WriteUntil },
	{ "cond", CondWait },
	{ "waitgroup", WaitgroupWait },
	{ "sema", SemaAcquire },
	{ "once", OnceUntil },
};

/* Make all that is waited for busy, run the body, set all free. */
void WithEverythingBusy(const std::function<void()> &body)
{
	wt::Chan c(0, 0), gate(0, 0);
	wt::Group g;

	never = c;
	once = {};
	g.Go(
		[&] {
			wend_once_do(
				&once,
				[](void *gate) {
					wend_chan_recv((wend_chan *)gate,
						       nullptr);
				},
				(wend_chan *)gate);
		},
		"once runs");
	wt::AwaitWaiting("once runs");
	ASSERT_EQ(0, wt::Go([&] { wend_chan_recv(gate, nullptr); }, nullptr,
			    &sleeper));
	wend_mutex_lock(&held);
	wend_rwmutex_lock(&written);
	wend_waitgroup_add(&busy, 1);
	body();
	wend_waitgroup_done(&busy);
	wend_rwmutex_unlock(&written);
	wend_mutex_unlock(&held);
	wend_chan_close(gate);
	EXPECT_EQ(0, wend_join(sleeper, nullptr));
}

} // namespace

/* The wait a task is in when it is cancelled returns -ECANCELED. */
TEST(Cancel, EndsTheWaitInProgress)
{
	wt::Run(
		[] {
			WithEverythingBusy([] {
				for (const Wait &w : waits) {
					wt::Group g;
					int r = 1;
					bool flag = false;

					wend_task *t = g.Go(
						[&] {
							r = w.enter();
							flag = wend_task_cancelled();
						},
						"cancelled");
					wt::AwaitWaiting("cancelled");
					wend_task_cancel(t);
					g.Wait();
					EXPECT_EQ(-ECANCELED, r) << w.name;
					EXPECT_TRUE(flag);
				}
			});
		},
		4);
}

/* Each wait after it too, at once; and cancelling again changes nothing. */
TEST(Cancel, EndsTheWaitsToCome)
{
	wt::Run([] {
		WithEverythingBusy([] {
			wt::Chan go(0, 0);
			wt::Group g;

			wend_task *t = g.Go([&] {
				wend_chan_recv(go, nullptr);
				for (const Wait &w : waits)
					EXPECT_EQ(-ECANCELED, w.enter())
						<< w.name;
				EXPECT_TRUE(wend_task_cancelled());
			});
			wend_task_cancel(t);
			wend_task_cancel(t);
			wend_chan_close(go);
		});
	});
}

/* What does not have to wait is done by a cancelled task as by any. */
TEST(Cancel, WhatNeedNotWaitSucceeds)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 2), start(0, 0);
		wend_mutex m = WEND_MUTEX_INIT;
		wend_sema s = WEND_SEMA_INIT(1);
		wend_waitgroup w = {};
		wt::Group g;

		wend_task *t = g.Go([&] {
			int v = 1;

			EXPECT_EQ(-ECANCELED, wend_chan_recv(start, nullptr));
			EXPECT_EQ(0, wend_chan_send(c, &v));
			v = 0;
			EXPECT_EQ(0, wend_chan_recv(c, &v));
			EXPECT_EQ(1, v);
			EXPECT_EQ(0, wend_select(WEND_FOREVER,
						 wend_on_send(c, &v)));
			EXPECT_EQ(0, wend_mutex_lock_until(&m, WEND_FOREVER));
			wend_mutex_unlock(&m);
			wend_mutex_lock(&m);
			wend_mutex_unlock(&m);
			EXPECT_EQ(0, wend_sema_acquire(&s));
			EXPECT_EQ(0, wend_waitgroup_wait(&w));
		});
		wend_task_cancel(t);
	});
}

/* A lock that cannot be cancelled is waited for, and held afterwards. */
TEST(Cancel, PlainLocksAreWaitedFor)
{
	wt::Run([] {
		wend_mutex m = WEND_MUTEX_INIT;
		wend_rwmutex rw = {};
		wt::Group g;

		wend_mutex_lock(&m);
		wend_rwmutex_lock(&rw);
		wend_task *a = g.Go(
			[&] {
				wend_mutex_lock(&m);
				EXPECT_FALSE(wend_mutex_try(&m));
				wend_mutex_unlock(&m);
			},
			"locker");
		wend_task *b = g.Go(
			[&] {
				wend_rwmutex_rlock(&rw);
				EXPECT_FALSE(wend_rwmutex_try(&rw));
				wend_rwmutex_runlock(&rw);
			},
			"locker");
		wt::AwaitWaiting("locker", 2);
		wend_task_cancel(a);
		wend_task_cancel(b);
		for (int i = 0; i < 3; i++)
			wend_yield();
		wend_mutex_unlock(&m);
		wend_rwmutex_unlock(&rw);
	});
}

/* Under a shield waits go on; after it the next one is refused. */
TEST(Cancel, ShieldHoldsItOff)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		wt::Group g;
		int v = 8;

		wend_task *t = g.Go(
			[&] {
				int got = 0;

				EXPECT_FALSE(wend_task_shield(true));
				EXPECT_EQ(0, wend_chan_recv(c, &got));
				EXPECT_EQ(8, got);
				EXPECT_TRUE(wend_task_cancelled());
				EXPECT_EQ(0, wend_sleep(WEND_MICROSECOND));
				EXPECT_TRUE(wend_task_shield(true));
				EXPECT_TRUE(wend_task_shield(true));
				EXPECT_EQ(0, wend_sleep(WEND_MICROSECOND));
				EXPECT_TRUE(wend_task_shield(false));
				EXPECT_FALSE(wend_task_shield(false));
				EXPECT_EQ(-ECANCELED,
					  wend_chan_recv(c, nullptr));
			},
			"shielded");
		wt::AwaitWaiting("shielded");
		wend_task_cancel(t);
		for (int i = 0; i < 3; i++)
			wend_yield();
		EXPECT_EQ(0, wend_chan_send(c, &v));
	});
}

/* Cancelling a task that has ended, while a reference is left. */
TEST(Cancel, AnEndedTask)
{
	wt::Run([] {
		wt::Chan done(0, 0);
		wend_task *t;
		int r = 1;

		ASSERT_EQ(0, wt::Go([&] { wend_chan_send(done, nullptr); },
				    nullptr, &t));
		EXPECT_EQ(0, wend_chan_recv(done, nullptr));
		for (int i = 0; i < 20; i++)
			wend_yield();
		wend_task_cancel(t);
		EXPECT_EQ(0, wend_join(t, &r));
		EXPECT_EQ(0, r);
	});
}

/* A cancellation against a send to the same task: the element is received, or
 * the sender keeps it. Never neither, never both. */
TEST(Cancel, RacesWithASend)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0), over(0, 0);
		wt::Group g;
		int v = 3, got = 0, sent = 1, received = 1;

		wend_task *t = g.Go([&] {
			received = wend_chan_recv(c, &got);
			wend_chan_close(over);
		});
		g.Go([&] {
			sent = wend_select(WEND_FOREVER, wend_on_send(c, &v),
					   wend_on_recv(over, nullptr));
		});
		g.Go([&] { wend_task_cancel(t); });
		g.Wait();
		EXPECT_TRUE(sent == 0 || sent == 1);
		EXPECT_EQ(sent == 0 ? 0 : -ECANCELED, received);
		EXPECT_EQ(sent == 0 ? 3 : 0, got);
	});
}
