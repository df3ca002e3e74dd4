/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - waiting, claiming, cancelling.
 */
#include "runtime/sched/wait.h"

#include <errno.h>

#include <wend/task.h>

#include "compiler-rt/membarrier.h"
#include "runtime/base/rare.h"
#include "runtime/sched/preempt.h"

bool wend__claim(struct wend_task *t, uint32_t ticket)
{
	uint32_t claimed = (ticket & ~(uint32_t)WEND__WAIT_STATES) |
			   WEND__WAIT_CLAIMED;

	wend__point();
	if (WEND__PLANTED(DOUBLE_WAKE)) {
		bool waiting = a32_load_acquire(&t->wait) == ticket;

		wend__point();
		if (waiting)
			a32_store_full(&t->wait, claimed);
		return waiting;
	}
	/* [wait.claim] full: whoever wins writes woken_by and the waiter, and
	 * who sees the task run sees them; the loser sees that it lost. */
	return a32_cas_full(&t->wait, ticket, claimed);
}

struct wend__waiter *wend__waitq_claim(struct wend__waitq *q)
{
	struct wend__waiter *w;

	while ((w = q->head_)) {
		wend__waitq_remove(q, w);
		if (wend__claim(w->task, w->ticket)) {
			w->task->woken_by = w;
			return w;
		}
	}
	return NULL;
}

struct wend__waiter *wend__waitq_claim_chain(struct wend__waitq *q, uint32_t n,
					     uint32_t *claimed)
{
	struct wend__waiter *first = NULL, **end = &first, *w;
	uint32_t count = 0;

	while (count < n && (w = wend__waitq_claim(q))) {
		w->next = NULL;
		*end = w;
		end = &w->next;
		count++;
	}
	if (claimed)
		*claimed = count;
	return first;
}

void wend__ready_chain(struct wend__waiter *w)
{
	while (w) {
		struct wend__waiter *next = w->next; /* w ends with its wait */

		wend__ready(w->task);
		w = next;
	}
}

struct wend_task *wend__wait_begin(bool deaf)
{
	struct wend_task *t = wend__current();
	uint32_t ticket = (t->ticket & ~(uint32_t)WEND__WAIT_STATES) +
			  WEND__WAIT_TICKET;

	wend__preempt_off(); /* until wend__wait() has returned */
	ticket |= WEND__WAIT_WAITING;
	if (deaf || t->shield)
		ticket |= WEND__WAIT_DEAF;
	t->ticket = ticket;
	a8_store_relaxed(&t->state, WEND__WAITING);
	/* Published by the object's unlock; to a canceller by [wait.cancel]. */
	a32_store_release(&t->wait, ticket);
	return t;
}

/* --- deadlines ---------------------------------------------------------------- */

struct deadline {
	struct wend__timer timer;
	struct wend_task *task;
	uint32_t ticket;
};

/*
 * The deadline has passed. When the task was woken otherwise meanwhile, it may
 * be on its way back from the wait, to where this timer ends: read first, then
 * let go, then try. A claim on a task that is gone fails by its ticket.
 */
static int64_t deadline_fire(struct wend__timer *timer, int64_t now)
{
	struct deadline *d = (struct deadline *)timer;
	struct wend_task *t = d->task;
	uint32_t ticket = d->ticket;

	(void)now;
	wend__timer_done(timer);
	if (wend__claim(t, ticket)) {
		t->woken_by = WEND__WOKEN_TIMEOUT;
		wend__ready(t);
	} else {
		WEND__RARE(deadline_lost);
	}
	return INT64_MAX;
}

static void park_until(struct wend_task *t, uint32_t ticket, int64_t deadline)
{
	struct wend__server *s = t->worker->server;
	struct deadline d = {
		.timer = { .fire = deadline_fire },
		.task = t,
		.ticket = ticket,
	};

	if (wend__timer_arm(&s->timers, &d.timer, deadline))
		wend__timer_added(s);
	wend__park(t);
	if (t->woken_by != WEND__WOKEN_TIMEOUT)
		(void)wend__timer_cancel(&d.timer);
}

static void thread_park(struct wend_task *t, uint32_t ticket, int64_t deadline)
{
	if (wend__port->park(&t->parker, deadline) == 0)
		return;
	if (wend__claim(t, ticket)) {
		t->woken_by = WEND__WOKEN_TIMEOUT;
		return;
	}
	/* Somebody has just claimed us: the permit is on its way. */
	WEND__RARE(thread_late_claim);
	(void)wend__port->park(&t->parker, INT64_MAX);
}

/* --- waiting -------------------------------------------------------------------- */

/* Cancelled before the wait was in sight of the canceller: end it here. */
static bool cancelled_already(struct wend_task *t, uint32_t ticket)
{
	if (ticket & WEND__WAIT_DEAF)
		return false;
	wend__fence_light(); /* [wait.cancel] */
	if (WEND__LIKELY(!a8_load_relaxed(&t->cancelled)))
		return false;
	if (!wend__claim(t, ticket)) {
		WEND__RARE(cancel_early_lost);
		return false;
	}
	WEND__RARE(cancel_early);
	t->woken_by = WEND__WOKEN_CANCEL;
	return true;
}

struct wend__waiter *wend__wait(struct wend_task *t, int64_t deadline,
				const char *why, const void *where,
				const void *caller)
{
	/* Ours until claimed; the word may already say CLAIMED. */
	uint32_t ticket = t->ticket;

	struct wend__waiter *by;

	t->why = why;
	t->where = where;
	t->caller = caller;
	wend__point();
	if (WEND__UNLIKELY(t->flags & WEND__TASK_THREAD)) {
		if (!cancelled_already(t, ticket))
			thread_park(t, ticket, deadline);
		a8_store_relaxed(&t->state, WEND__RUNNING);
		wend__preempt_on();
		return t->woken_by;
	}
	if (cancelled_already(t, ticket))
		;
	else if (deadline == INT64_MAX)
		wend__park(t);
	else
		park_until(t, ticket, deadline);
	a8_store_relaxed(&t->state, WEND__RUNNING);
	by = t->woken_by;
	wend__preempt_on_in(t);
	return by;
}

void wend__wait_note_lost(const struct wend__waiter *by)
{
	if (by == WEND__WOKEN_TIMEOUT)
		WEND__RARE(waker_lost_deadline);
	else
		WEND__RARE(waker_lost_cancel);
}

int wend__wait_on(struct wend__waitq *q, const struct wend__wait_how *how)
{
	struct wend_task *t = wend__wait_begin(how->deaf);
	struct wend__waiter me, *by;

	wend__waiter_init(&me, t, t->ticket);
	me.elem = how->elem;
	if (how->front)
		wend__waitq_push_front(q, &me);
	else
		wend__waitq_push(q, &me);
	wend__waitq_unlock(q);
	by = wend__wait(t, how->deadline, how->why, how->where, how->caller);
	if (by == &me)
		return me.result;
	wend__waitq_lock(q);
	if (me.queued)
		wend__waitq_remove(q, &me);
	else
		wend__wait_note_lost(by);
	wend__waitq_unlock(q);
	return by == WEND__WOKEN_TIMEOUT ? -ETIMEDOUT : -ECANCELED;
}

void wend_task_cancel(wend_task *t)
{
	uint32_t wait;

	a8_store_release(&t->cancelled, 1);
	wend__fence_heavy(); /* [wait.cancel] */
	for (;;) {
		wait = a32_load_acquire(&t->wait);
		if ((wait & WEND__WAIT_STATES) != WEND__WAIT_WAITING)
			return; /* does not wait, or deaf: sees it later */
		if (wend__claim(t, wait))
			break;
		WEND__RARE(cancel_lost);
	}
	WEND__RARE(cancel_woke);
	t->woken_by = WEND__WOKEN_CANCEL;
	wend__ready(t);
}
