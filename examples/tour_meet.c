/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_meet.c - tasks that meet: channels, select, timers, locks.
 */
#include "examples/tour.h"

/* --- tasks --------------------------------------------------------------- */

TASK(add, (int, n), (int *, sum))
{
	__atomic_add_fetch(sum, n, __ATOMIC_RELAXED);
	if (n == 3)
		wend_task_fail(-ENOENT);
}

void step_tasks(void)
{
	wend_task *tasks[3] = { NULL };
	int sum = 0, result = 0;

	for (int i = 0; i < 3; i++)
		sure(go_with((&(wend_attr){ .handle = &tasks[i] }), add, i + 1,
			     &sum));
	for (int i = 0; i < 3; i++)
		wend_join(tasks[i], &result);
	say("three tasks have ended: 1 + 2 + 3 = %d", sum);
	say("the last one says how: %s", text_of(result));
}

/* --- channels ------------------------------------------------------------ */

TASK(send_squares, (int, n), (chan(int), out))
{
	for (int i = 1; i <= n; i++)
		chan_send(out, i * i);
	chan_close(out);
}

void step_channels(void)
{
	chan(int) squares = must(chan_make(int, 0)),
		  two = must(chan_make(int, 2));
	int v, r;

	sure(go(send_squares, 5, squares));
	printf("  received");
	while ((r = chan_recv(squares, &v)) == 0)
		printf(" %d", v);
	printf(", then: %s\n", text_of(r));

	for (int i = 0; i < 2; i++)
		chan_send(two, i);
	say("room for %zu, %zu in it; a third, without waiting: %s",
	    chan_cap(two), chan_len(two), text_of(chan_send_until(two, 2, 0)));
	chan_free(squares);
	chan_free(two);
}

/* --- select -------------------------------------------------------------- */

void step_select(void)
{
	chan(int) a = must(chan_make(int, 1)), b = must(chan_make(int, 1)),
		  nil = NULL;
	int v = 0, taken[2] = { 0, 0 }, status = 0, r;

	r = select_(0, on_recv(a, &v), on_recv(b, &v));
	say("nothing is there, and no time to wait: %s", text_of(r));
	chan_send(b, 7);
	r = select_(WEND_FOREVER, on_recv(a, &v), on_recv(b, &v));
	say("case %d is ready, with %d", r, v);
	r = select_(WEND_FOREVER, on_recv(nil, &v), on_send(a, 8));
	say("a NULL channel is never ready: case %d", r);

	chan_send(b, 9); /* a has its 8 */
	for (int i = 0; i < 1000; i++) {
		r = select_(WEND_FOREVER, on_recv(a, &v), on_recv(b, &v));
		taken[r]++;
		if (r == 0)
			chan_send(a, i);
		else
			chan_send(b, i);
	}
	say("both ready a thousand times: %s",
	    taken[0] > 300 && taken[1] > 300 ? "each gets its share" :
					       "one is left out");
	chan_close(a);
	chan_recv(a, NULL);
	r = select_(WEND_FOREVER, on_recv_status(a, &v, &status));
	say("a closed channel is always ready: case %d, %s", r,
	    text_of(status));
	chan_free(a);
	chan_free(b);
}

/* --- timers -------------------------------------------------------------- */

static void send_one(void *arg)
{
	wend_chan_send(arg, NULL);
}

void step_timers(void)
{
	int64_t begin = wend_now(), at[3];
	wend_chan *called = must(wend_chan_new(0, 1));
	wend_timer *never = must(
		wend_timer_new(wend_after(3600 * WEND_SECOND)));
	wend_timer *tick = must(wend_ticker_new(5 * WEND_MILLISECOND));
	wend_timer *call;

	wend_sleep(10 * WEND_MILLISECOND);
	say("slept for 10 ms: %s", wend_now() - begin >= 10 * WEND_MILLISECOND ?
					   "at least" :
					   "not quite");
	for (int i = 0; i < 3; i++)
		wend_chan_recv(wend_timer_chan(tick), &at[i]);
	say("three ticks, %s",
	    at[0] < at[1] && at[1] < at[2] ? "in order" : "in disorder");
	call = must(wend_timer_func(wend_after_ms(1), send_one, called));
	wend_chan_recv(called, NULL);
	say("a function was called after 1 ms");
	say("a timer of an hour: %s",
	    wend_timer_stop(never) ? "stopped in time" : "too late");
	wend_timer_free(never);
	wend_timer_free(tick);
	wend_timer_free(call);
	wend_chan_free(called);
}

/* --- locks --------------------------------------------------------------- */

static struct {
	wend_mutex lock;
	wend_once once;
	wend_sema three;
	wend_waitgroup working;
	int counter, calls, inside;
	bool crowded;
} shared;

static void count_call(void *arg)
{
	shared.calls++;
}

TASK(work_together)
{
	wend_once_do(&shared.once, count_call, NULL);
	for (int i = 0; i < 100; i++) {
		wend_mutex_lock(&shared.lock);
		shared.counter++;
		wend_mutex_unlock(&shared.lock);
	}
	wend_sema_acquire(&shared.three);
	if (__atomic_add_fetch(&shared.inside, 1, __ATOMIC_RELAXED) > 3)
		__atomic_store_n(&shared.crowded, true, __ATOMIC_RELAXED);
	yield();
	__atomic_sub_fetch(&shared.inside, 1, __ATOMIC_RELAXED);
	wend_sema_release(&shared.three, 1);
	wend_waitgroup_done(&shared.working);
}

void step_locks(void)
{
	memset(&shared, 0, sizeof(shared));
	wend_sema_release(&shared.three, 3);
	wend_waitgroup_add(&shared.working, 100);
	for (int i = 0; i < 100; i++)
		sure(go(work_together));
	wend_waitgroup_wait(&shared.working);
	say("100 tasks count to 100 under one mutex: %d", shared.counter);
	say("a function of a once is called: %d time", shared.calls);
	say("in a semaphore of 3: %s",
	    shared.crowded ? "too many" : "never more than 3");
}
