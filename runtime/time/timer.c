/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.c - timers with a channel or a function, and tickers.
 *
 * The heap's lock is taken under no other lock, and fire() runs under it; a
 * channel's lock and what a spawn takes rank above it. Calls of the program on
 * one timer are kept in turn by a mutex: between cancelling and arming again
 * nobody else may arm.
 */
#include <stdlib.h>

#include <wend/chan.h>
#include <wend/runtime.h>
#include <wend/sync.h>
#include <wend/task.h>
#include <wend/time.h>

#include "runtime/sched/preempt.h"

enum { RETRY_NS = 1000000 };

struct wend_timer {
	struct wend__timer timer; /* first: fire() casts */
	wend_mutex calls;
	wend_chan *chan; /* NULL: a function */
	void (*fn)(void *arg);
	void *arg;
	int64_t period; /* 0: fires once */
};

/* --- firing, under the heap's lock ------------------------------------------------------- */

/* The next tick after now, in phase. */
static int64_t next_tick(const struct wend_timer *t, int64_t when, int64_t now)
{
	int64_t missed = (now - when) / t->period;

	if (__builtin_add_overflow(when, (missed + 1) * t->period, &when))
		return INT64_MAX - 1;
	return when;
}

static int64_t fire_chan(struct wend__timer *timer, int64_t now)
{
	struct wend_timer *t = (struct wend_timer *)timer;

	/* Full: the receiver is slow, and misses this one. */
	(void)!wend_chan_send_try(t->chan, &now);
	if (t->period)
		return next_tick(t, timer->when, now);
	wend__timer_done(timer);
	return INT64_MAX;
}

struct call {
	void (*fn)(void *arg);
	void *arg;
};

static void run_call(void *args)
{
	struct call *c = args;

	c->fn(c->arg);
}

static int64_t fire_func(struct wend__timer *timer, int64_t now)
{
	struct wend_timer *t = (struct wend_timer *)timer;
	struct call call = { t->fn, t->arg };

	if (wend_spawn(NULL, run_call, &call, sizeof(call)))
		return now + RETRY_NS;
	wend__timer_done(timer);
	return INT64_MAX;
}

/* --- arming --------------------------------------------------------------------------------- */

/* The caller's server, or any for a thread that has none. */
static struct wend__server *home(void)
{
	struct wend__worker *w = wend__self;
	struct wend__server *s = w ? w->server : NULL;

	return s ? s : &wend__rt.servers[0];
}

static void arm(struct wend_timer *t, int64_t deadline)
{
	struct wend__server *s;

	wend__preempt_off();
	s = home();
	/* One that never fires counts as armed all the same. */
	if (wend__timer_arm(&s->timers, &t->timer, deadline))
		wend__timer_added(s);
	wend__preempt_on();
}

static struct wend_timer *new_timer(bool with_chan)
{
	struct wend_timer *t;

	if (!wend_procs())
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	if (with_chan) {
		t->timer.fire = fire_chan;
		t->chan = wend_chan_new(sizeof(int64_t), 1);
		if (!t->chan) {
			free(t);
			return NULL;
		}
	}
	return t;
}

wend_timer *wend_timer_new(int64_t deadline)
{
	struct wend_timer *t = new_timer(true);

	if (t)
		arm(t, deadline);
	return t;
}

wend_timer *wend_timer_func(int64_t deadline, void (*fn)(void *arg), void *arg)
{
	struct wend_timer *t = new_timer(false);

	if (!t)
		return NULL;
	t->timer.fire = fire_func;
	t->fn = fn;
	t->arg = arg;
	arm(t, deadline);
	return t;
}

wend_timer *wend_ticker_new(int64_t period)
{
	struct wend_timer *t;

	if (period <= 0)
		return NULL;
	t = new_timer(true);
	if (!t)
		return NULL;
	t->period = period;
	arm(t, wend_after(period));
	return t;
}

wend_chan *wend_timer_chan(wend_timer *t)
{
	return t->chan;
}

bool wend_timer_stop(wend_timer *t)
{
	bool armed;

	wend_mutex_lock(&t->calls);
	armed = wend__timer_cancel(&t->timer);
	wend_mutex_unlock(&t->calls);
	return armed;
}

bool wend_timer_reset(wend_timer *t, int64_t deadline)
{
	bool armed;

	wend_mutex_lock(&t->calls);
	armed = wend__timer_cancel(&t->timer);
	arm(t, deadline);
	wend_mutex_unlock(&t->calls);
	return armed;
}

void wend_timer_free(wend_timer *t)
{
	if (!t)
		return;
	(void)wend__timer_cancel(&t->timer);
	wend_chan_free(t->chan);
	free(t);
}
