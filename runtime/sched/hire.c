/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hire.c - a worker for an idle server: a spare, one with a new thread, or, if
 * no thread can be had, one that is back from the kernel and waits.
 */
#include <errno.h>
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/preempt.h"

/* The system refused a thread: leave it alone for so long. */
enum { RETRY_NS = 10000000 };

/* By a spare; lock is held, and released if there is one. */
static bool start_by_spare(struct wend__server *s, bool searching)
{
	struct wend__worker *w = wend__spares_take(s);
	bool keeper;

	if (!w)
		return false;
	wend__server_give(w, s);
	w->searching = searching;
	keeper = wend__keeper_needed();
	aword_store_relaxed(&wend__rt.wakes, wend__rt.wakes + 1);
	wend__idle_unlock();
	wend__port->unpark(&w->parker);
	if (keeper)
		wend__keeper_start();
	return true;
}

/* Whether somebody has to be hired, besides those who are on their way; and until
 * when there is none to be had. One more than is wanted now: where a thread was
 * missing, another will be as a rule. */
static bool hiring_due(int64_t *retry)
{
	uint32_t count;
	bool due;

	wend__idle_lock();
	*retry = wend__idle.retry_at;
	count = a32_load_relaxed(&wend__idle.count);
	due = a32_load_relaxed(&wend__idle.wanted) && !wend__free_spare() &&
	      count > 0 && count >= wend__idle.hired;
	wend__idle_unlock();
	return due;
}

/* No server is held meanwhile, nor the search: a task that waits for a server
 * may hold the allocator's lock. The new worker takes the server itself. */
int64_t wend__idle_hire(void)
{
	int64_t retry;

	if (a32_swap_full(&wend__idle.keeper_wanted, 0))
		(void)wend__worker_start_here(NULL, false);
	if (!hiring_due(&retry))
		return INT64_MAX;
	if (wend__now() < retry)
		return retry;
	while (wend__worker_start_here(NULL, false) == 0)
		if (!hiring_due(&retry))
			return INT64_MAX;
	/* At the cap a worker that comes back will take the server. */
	retry = wend__worker_capped() ? INT64_MAX : wend__now() + RETRY_NS;
	wend__idle_lock();
	WEND__RARE(server_waits);
	a32_store_relaxed(&wend__rt.worker_waits, wend__rt.worker_waits + 1);
	wend__idle.retry_at = retry == INT64_MAX ? 0 : retry;
	wend__idle_unlock();
	return retry;
}

void wend__server_to_bound(struct wend__server *s, struct wend_task *t)
{
	struct wend__worker *b = t->bound;
	bool queued;

	WEND__RARE(hand_over);
	wend__server_held_by(s, b);
	t->bound = NULL;
	a8_store_relaxed(&t->state, WEND__RUNNING);
	/* [hand.over] The server's state goes to b with the word that it waits
	 * for: the server, or, QUEUED by the watchdog, the claim. Never the
	 * claim of one that queued itself: it may be gone with its server
	 * already, and the watchdog be at that word again. */
	queued = a32_load_relaxed(&b->preempt->claim) == WEND__CLAIM_QUEUED;
	aptr_store_release(&b->server, s);
	if (queued && wend__worker_seat(b)) {
		/* The kernel holds it. [watch.seat] */
		a32_store_release(&b->preempt->claim, WEND__CLAIM_GOING);
		wend__port->detect->resume(wend__worker_seat(b), s->id);
		a32_store_release(&b->preempt->claim, WEND__CLAIM_NONE);
		return;
	}
	if (queued)
		a32_store_release(&b->preempt->claim, WEND__CLAIM_NONE);
	wend__port->unpark(&b->parker);
}

bool wend__idle_give_to_bound(void)
{
	struct wend__server *s;
	struct wend_task *t = NULL;

	wend__idle_lock();
	s = wend__idle.servers;
	if (s && !wend__free_spare() && wend__global_bound() > 0)
		t = wend__global_take_bound();
	if (t) {
		WEND__RARE(server_handed);
		wend__idle_remove(s);
		wend__watcher_clear(s);
	}
	wend__idle_unlock();
	if (t)
		wend__server_to_bound(s, t);
	return t != NULL;
}

void wend__idle_serve_bound(void)
{
	while (!wend__idle_worth_trying() && wend__idle_give_to_bound())
		;
}

/* s is idle, and nobody could be had for it, nor has come meanwhile: r says
 * whether it is the hirer's turn. Unlocks. */
static void wait_for_worker_unlock(int r)
{
	a32_store_relaxed(&wend__idle.wanted, 1);
	(void)wend__keeper_needed(); /* K1; there is no spare to be it */
	if (r == -EINPROGRESS) {
		wend__idle_unlock();
		wend__watchdog->hire();
		return;
	}
	WEND__RARE(server_waits);
	a32_store_relaxed(&wend__rt.worker_waits, wend__rt.worker_waits + 1);
	wend__idle_unlock();
	wend__idle_serve_bound();
}

bool wend__idle_start_server_unlock(struct wend__server *s, bool searching)
{
	while (!start_by_spare(s, searching)) {
		int r;

		wend__watcher_clear(s);
		wend__idle_unlock();
		r = wend__worker_start(s, searching);
		if (r == 0)
			return true;
		wend__idle_lock();
		wend__idle_push(s);
		if (r != -EINPROGRESS)
			wend__idle.retry_at = wend__worker_capped() ?
						      0 :
						      wend__now() + RETRY_NS;
		if (!wend__free_spare()) {
			wait_for_worker_unlock(r);
			return false;
		}
		WEND__RARE(server_raced);
		wend__idle_remove(s);
	}
	return true;
}

bool wend__idle_spare_or_wanted(void)
{
	bool spare;

	wend__idle_lock();
	spare = wend__free_spare() != NULL;
	if (!spare)
		a32_store_relaxed(&wend__idle.wanted, 1);
	wend__idle_unlock();
	return spare;
}

bool wend__idle_worth_trying(void)
{
	bool worth;

	if (wend__worker_capped())
		return false;
	wend__idle_lock();
	worth = wend__threads_to_be_had();
	wend__idle_unlock();
	return worth;
}
