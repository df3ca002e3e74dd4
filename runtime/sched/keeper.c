/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.c - who watches the timers of servers that nobody runs.
 *
 * The *keeper*: one spare worker that sleeps with a deadline, the earliest of
 * all servers' timers. There is one whenever a server is idle and a timer is
 * armed (K1).
 *
 * Rejected: a thread of its own for the timers (one more thread switch for
 * each sleep of an idle program); every idle worker sleeping with its own
 * server's deadline (a server released by a blocked worker has nobody).
 */
#include <errno.h>
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"

/* At once for an idle server's timers, a little later for those of a server
 * that runs, which should fire them itself. */
static int64_t timers_first(void)
{
	int64_t first = INT64_MAX;

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];
		int64_t t = wend__timers_next(&s->timers);

		if (t != INT64_MAX && !s->idle)
			t += WEND__BUSY_TIMER_SLACK_NS;
		if (t < first)
			first = t;
	}
	return first;
}

/* Whether a server that runs, and may not come to them, has operations under
 * way. */
static bool busy_io(void)
{
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		if (!a8_load_relaxed(&wend__rt.servers[i].idle) &&
		    wend__io_flying(&wend__rt.servers[i]))
			return true;
	return false;
}

static int64_t or_look_at_io(int64_t due)
{
	int64_t look = wend__now() + WEND__BUSY_IO_LOOK_NS;

	return look < due ? look : due;
}

int64_t wend__timers_due(void)
{
	int64_t due = timers_first();

	return busy_io() ? or_look_at_io(due) : due;
}

/* Whether the watchdog reminds the keeper. */
static bool reminded(void)
{
	return wend__watchdog && a32_load_relaxed(&wend__watchdog->threads) > 0;
}

/* Timers cannot wait. What a server that runs leaves lying can, for the watchdog
 * to come by: a task of some microseconds, after which its server is idle again,
 * is not worth waking the keeper for. */
bool wend__keeper_needed(void)
{
	int64_t due;
	bool io;

	if (!wend__idle.servers)
		return false;
	due = timers_first();
	io = busy_io();
	if (due == INT64_MAX && !io)
		return false;
	if (!wend__idle.keeper) {
		wend__idle.keeper = wend__idle.spares;
		wend__idle.keeper_deadline = INT64_MAX;
		if (wend__idle.keeper)
			WEND__RARE(keeper_appointed);
	}
	a32_store_relaxed(&wend__idle.keeperless, !wend__idle.keeper);
	if (!wend__idle.keeper) {
		WEND__RARE(keeper_missing);
		return true;
	}
	if (io && !reminded())
		due = or_look_at_io(due);
	if (due < wend__idle.keeper_deadline) {
		WEND__RARE(keeper_hurried);
		wend__port->unpark(&wend__idle.keeper->parker); /* looks anew */
	}
	return false;
}

/* No fence for what is looked at without the lock: the next look, 10 ms later,
 * makes up for what this one does not see. */
void wend__keeper_remind(void)
{
	uint32_t idle = a32_load_relaxed(&wend__idle.count);

	if (idle == 0 || idle == wend__rt.procs || !busy_io())
		return;
	wend__idle_lock();
	if (wend__idle.servers && wend__idle.keeper &&
	    wend__timers_due() < wend__idle.keeper_deadline) {
		WEND__RARE(keeper_reminded);
		wend__port->unpark(&wend__idle.keeper->parker);
	}
	wend__idle_unlock();
}

/* If no thread can be had, the servers that run look at the timers now and
 * then, as idle.keeperless says; if none runs, the next worker that comes back
 * from the kernel does. */
void wend__keeper_start(void)
{
	if (wend__worker_start(NULL, false) == -EINPROGRESS) {
		a32_store_full(&wend__idle.keeper_wanted, 1);
		wend__watchdog->hire();
	}
}

void wend__timer_added(struct wend__server *s)
{
	bool start;

	(void)s;
	/* The timer is in its heap; a server that goes idle puts itself on the
	 * list, full fence, and looks at the heaps: one of us sees the other. */
	fence_full();
	if (a32_load_relaxed(&wend__idle.count) == 0)
		return;
	wend__idle_lock();
	start = wend__keeper_needed();
	wend__idle_unlock();
	if (start)
		wend__keeper_start();
}

/* Does a server that runs leave operations that have ended lying? It is in the
 * same task as at the last look. */
static bool io_left_lying(void)
{
	bool found = false;

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];
		uint32_t tick = a32_load_relaxed(&s->tick);

		found |= !s->idle && tick == s->looked_at && wend__io_ready(s);
		s->looked_at = tick;
	}
	return found;
}

/* The keeper may not leave the server that it watches. */
void wend__keeper_look(struct wend__worker *w)
{
	struct wend__server *s;

	if (!io_left_lying() && wend__timers_due() > wend__now())
		return;
	for (s = wend__idle.servers; s; s = s->idle_next)
		if (wend__timers_next(&s->timers) <= wend__now())
			break;
	if (w->watches)
		s = w->watches;
	if (!s)
		s = wend__idle.servers;
	if (!s) {
		WEND__RARE(keeper_idle_less);
		return;
	}
	WEND__RARE(keeper_due);
	wend__spare_takes(w, s);
}

int64_t wend__spare_deadline(struct wend__worker *w)
{
	int64_t due;

	if (wend__idle.keeper == w)
		wend__idle.keeper = NULL;
	if (!wend__idle.servers)
		return INT64_MAX;
	due = wend__timers_due();
	if (wend__idle.keeper && due >= wend__idle.keeper_deadline)
		return INT64_MAX;
	if (wend__idle.keeper)
		WEND__RARE(keeper_relieved);
	wend__idle.keeper = w;
	wend__idle.keeper_deadline = due;
	a32_store_relaxed(&wend__idle.keeperless, 0);
	return due;
}
