/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preempt.c - taking a server from its worker, and the worker's coming back.
 * The protocol is in preempt.h; who decides is runtime/watch.
 */
#include "runtime/sched/preempt.h"

#include <wend/watch.h>

#include "compiler-rt/membarrier.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"

/* --- the worker ------------------------------------------------------------------------- */

/* It was taken, and we are the first to know. */
static void come_back(struct wend__worker *w)
{
	w->last = w->server;
	aptr_store_relaxed(&w->server, (struct wend__server *)NULL);
	aword_store_relaxed((size_t *)&w->released_at, (size_t)wend__now());
	wend__server_acquire(w);
	a8_store_relaxed(&w->task->state, WEND__RUNNING);
}

/* Queued by the watchdog: who hands a server over ends the claim. */
static void wait_queued(struct wend__worker *w)
{
	while (a32_load_acquire(&w->preempt->claim) == WEND__CLAIM_QUEUED)
		(void)wend__port->park(&w->parker, INT64_MAX);
}

static void claimed(void)
{
	struct wend__worker *w = wend__self;
	struct wend__preempt *p = w->preempt;
	uint32_t claim;
	unsigned int turn = 0;

	if (p->count > 1)
		return; /* it comes to nothing */
	while ((claim = a32_load_acquire(&p->claim)) != WEND__CLAIM_NONE)
		if (claim == WEND__CLAIM_QUEUED) {
			WEND__RARE(taken_waited);
			wait_queued(w);
			/* [preempt.claim] */
		} else if (claim == WEND__CLAIM_GOING) {
			wend__spin.relax(turn++);
		} else if (a32_cas_full(&p->claim, claim, WEND__CLAIM_NONE)) {
			if (claim == WEND__CLAIM_TAKEN) {
				WEND__RARE(taken_back);
				come_back(w);
			} else {
				WEND__RARE(claim_denied);
			}
		}
}

void wend__preempt_start(void)
{
	wend__preempt_claimed = claimed;
}

/* In the handler: give the server up, if that was what the signal is for. */
static void give_up(struct wend__worker *w)
{
	struct wend__preempt *p = w->preempt;

	/* It may have given its server up for an announced call, since it was
	 * asked: then nobody waits for it. */
	if (w->task->nopreempt || !w->server) {
		(void)a32_cas_full(&p->claim, WEND__CLAIM_STOPPING,
				   WEND__CLAIM_NONE);
		return;
	}
	if (!a32_cas_full(&p->claim, WEND__CLAIM_STOPPING, WEND__CLAIM_TAKEN))
		return;
	WEND__RARE(stop_heard);
	a32_store_release(&w->stopped, 1);
	wend__watchdog->stopped();
	/* Until it is passed on. Not until the claim has changed: it may be
	 * TAKEN once more by the time that we look, as from one that sleeps. */
	while (a32_load_acquire(&w->stopped))
		(void)wend__port->park(&w->parker, INT64_MAX);
}

void wend__server_stopped(struct wend__worker *w)
{
	if (w->preempt->count > 0) { /* it says no on its next way in */
		WEND__RARE(stop_inside);
		return;
	}
	give_up(w);
	wait_queued(w);
}

void wend_nopreempt_begin(void)
{
	struct wend__worker *w = wend__self;
	struct wend_task *t;

	if (!w || !w->task)
		return;
	wend__preempt_off();
	t = w->task;
	if (t->nopreempt == UINT8_MAX)
		wend__panic("wend_nopreempt_begin() nested too deep");
	a8_store_relaxed(&t->nopreempt, (uint8_t)(t->nopreempt + 1));
	wend__preempt_on();
}

void wend_nopreempt_end(void)
{
	struct wend__worker *w = wend__self;
	struct wend_task *t;

	if (!w || !w->task)
		return;
	t = w->task;
	if (t->nopreempt == 0)
		wend__panic("wend_nopreempt_end() without "
			    "wend_nopreempt_begin()");
	a8_store_relaxed(&t->nopreempt, (uint8_t)(t->nopreempt - 1));
}

/* --- the watchdog ------------------------------------------------------------------------ */

/* True for as long as the claim stays. */
bool wend__worker_may_lose(struct wend__worker *w)
{
	struct wend_task *t = aptr_load_relaxed(&w->task);

	return t && a32_load_acquire(&w->preempt->count) == 0 &&
	       a8_load_relaxed(&t->nopreempt) == 0;
}

static bool runs_in_seat(const struct wend__worker *w)
{
	enum wend__seat_state state;

	if (!wend__worker_seat(w))
		return false;
	state = wend__port->detect->state(wend__worker_seat(w));
	return state != WEND__SEAT_BLOCKED && state != WEND__SEAT_HELD &&
	       state != WEND__SEAT_STOPPED;
}

struct wend__server *wend__server_take(struct wend__worker *w)
{
	struct wend__preempt *p = w->preempt;
	struct wend__server *s = NULL;

	if (!a32_cas_full(&p->claim, WEND__CLAIM_NONE, WEND__CLAIM_CLAIMING)) {
		/* One that was to stop may have blocked before it heard. */
		if (!a32_cas_full(&p->claim, WEND__CLAIM_STOPPING,
				  WEND__CLAIM_CLAIMING))
			return NULL;
		WEND__RARE(stop_blocked);
	}
	wend__fence_heavy(); /* [preempt.claim] */
	/* [watch.seat] One that the kernel watches is off the CPU, or keeps it. */
	if (wend__worker_may_lose(w) && !runs_in_seat(w))
		s = aptr_load_acquire(&w->server);
	if (!s) {
		WEND__RARE(claim_inside);
		(void)a32_cas_full(&p->claim, WEND__CLAIM_CLAIMING,
				   WEND__CLAIM_NONE);
		return NULL;
	}
	if (!a32_cas_full(&p->claim, WEND__CLAIM_CLAIMING, WEND__CLAIM_TAKEN))
		return NULL;
	WEND__RARE(server_taken);
	return s;
}

bool wend__server_stop(struct wend__worker *w)
{
	return wend__worker_may_lose(w) &&
	       a32_cas_full(&w->preempt->claim, WEND__CLAIM_NONE,
			    WEND__CLAIM_STOPPING);
}

void wend__server_pass_on(struct wend__server *s)
{
	wend__idle_lock();
	(void)wend__idle_start_server_unlock(s, false);
}

bool wend__taken_queue(struct wend__worker *w, bool cancel)
{
	struct wend_task *t;

	if (!a32_cas_full(&w->preempt->claim, WEND__CLAIM_TAKEN,
			  WEND__CLAIM_QUEUED))
		return false;
	WEND__RARE(taken_queued);
	t = w->task; /* it cannot leave its task without a server */
	a8_store_relaxed(&t->state, WEND__READY);
	t->bound = w;
	if (cancel)
		a8_store_release(&t->cancelled, 1);
	wend__global_push_bound(t, false);
	fence_full(); /* [idle.dance] */
	wend__work_added(true);
	return true;
}

bool wend__server_wanted(struct wend__server *s, int64_t now)
{
	return wend__global_bound() > 0 || wend__server_wanted_soon(s, now);
}

bool wend__server_wanted_soon(struct wend__server *s, int64_t now)
{
	return !wend__queues_empty(s) ||
	       wend__global_count() > wend__global_bound() ||
	       wend__timers_next(&s->timers) <= now || wend__io_pending(s);
}
