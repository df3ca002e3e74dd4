/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutex.c - a lock for tasks and threads.
 *
 * state_:
 *   LOCKED    somebody holds it
 *   WAITERS   the queue is not empty, or was a moment ago
 *   WOKEN     a waiter was woken and has not tried yet: wake no other one.
 *             While it is on its way the running holder may unlock and lock
 *             again at full speed.
 *   STARVING  a waiter was passed over for more than a millisecond: nobody may
 *             barge in, unlock hands the lock to the first in the queue
 *
 * WAITERS, WOKEN and STARVING change under the queue's lock, LOCKED by
 * compare-and-swap anywhere.
 *
 *      locker                            unlocker
 *      queue lock                        state -= LOCKED  (full)
 *      cas state |= WAITERS while        WAITERS and not WOKEN:
 *        LOCKED is set                     queue lock; set WOKEN; claim one
 *      enqueue; queue unlock             queue unlock; ready it
 *
 * The cas of the locker fails if the unlocker came between, so either the
 * unlocker sees WAITERS or the locker sees the lock free.
 *
 * Rejected: handing over at each unlock (every exchange a task switch: on two
 * servers several times slower); waking at each unlock without WOKEN (the
 * queue is emptied into tasks that all fail and queue again).
 */
#include <errno.h>

#include <wend/sync.h>
#include <wend/time.h>

#include "runtime/sched/server.h"

enum { LOCKED = 1, WAITERS = 2, WOKEN = 4, STARVING = 8 };
enum { HANDED_OVER = 1 }; /* a waiter's result: the lock is yours */
enum { SPINS = 40, STARVING_NS = 1000000 };

/* --- lock ------------------------------------------------------------------------------ */

/* The holder may be about to unlock on another server: look a few times. */
static bool spin(wend_mutex *m)
{
	if (wend__rt.procs < 2)
		return false;
	for (int i = 0; i < SPINS; i++) {
		if (a32_load_relaxed(&m->state_) == 0 &&
		    a32_cas_acquire(&m->state_, 0, LOCKED))
			return true;
		if (wend__sim)
			return false;
		cpu_relax();
	}
	return false;
}

static inline bool free_for(uint32_t state)
{
	return !(state & (LOCKED | STARVING));
}

/* Take it if it is free; drop clears WOKEN for the one that was woken. */
static bool take(wend_mutex *m, uint32_t drop)
{
	uint32_t old = a32_load_relaxed(&m->state_);

	while (free_for(old)) {
		uint32_t seen = a32_cas_fetch_full(&m->state_, old,
						   (old | LOCKED) & ~drop);

		if (seen == old)
			return true;
		old = seen;
	}
	return false;
}

/* The queue's lock is held: say that there are waiters, unless the lock came
 * free meanwhile. */
static bool announce(wend_mutex *m, uint32_t set, uint32_t drop)
{
	uint32_t old = a32_load_relaxed(&m->state_);

	while (!free_for(old)) {
		uint32_t seen = a32_cas_fetch_full(
			&m->state_, old, (old | WAITERS | set) & ~drop);

		if (seen == old)
			return true;
		old = seen;
	}
	return false;
}

static void queue_lock(wend_mutex *m)
{
	wend__word_lock(&m->waiters_.lock_, WEND__RANK_OBJECT);
}

static void queue_unlock(wend_mutex *m)
{
	wend__word_unlock(&m->waiters_.lock_, WEND__RANK_OBJECT);
}

/* Forget the waiters if there are none; the queue's lock is held. */
static void tidy_locked(wend_mutex *m)
{
	if (!m->waiters_.head_)
		(void)a32_fetch_and_full(&m->state_,
					 ~(uint32_t)(WAITERS | STARVING));
}

static void unlock_slow(wend_mutex *m);

/* A waiter gave up. What it announced may hold others off for nothing. */
static int give_up(wend_mutex *m, int r)
{
	queue_lock(m);
	tidy_locked(m);
	queue_unlock(m);
	unlock_slow(m);
	return r;
}

static int lock_slow(wend_mutex *m, struct wend__wait_how *how)
{
	uint32_t woken = 0, starving = 0;
	int64_t since = 0;
	int r;

	for (;;) {
		if (take(m, woken))
			return 0;
		if (how->deadline <= 0)
			return -ETIMEDOUT;
		queue_lock(m);
		if (!announce(m, starving, woken)) {
			queue_unlock(m);
			continue;
		}
		how->front = woken;
		r = wend__wait_on(&m->waiters_, how);
		if (r == HANDED_OVER)
			return 0;
		if (r < 0)
			return give_up(m, r);
		woken = WOKEN;
		if (!since)
			since = wend__now();
		else if (wend__now() - since > STARVING_NS)
			starving = STARVING;
	}
}

static __attribute__((noinline)) int lock_contended(wend_mutex *m,
						    int64_t deadline,
						    bool deaf,
						    const void *caller)
{
	struct wend__wait_how how = {
		.why = "mutex lock",
		.where = m,
		.caller = caller,
		.deadline = deadline,
		.deaf = deaf,
	};

	if (spin(m))
		return 0;
	return lock_slow(m, &how);
}

void wend_mutex_lock(wend_mutex *m)
{
	wend__point();
	if (WEND__UNLIKELY(!a32_cas_acquire(&m->state_, 0, LOCKED)))
		(void)lock_contended(m, WEND_FOREVER, true, WEND__CALLER());
}

int wend_mutex_lock_until(wend_mutex *m, int64_t deadline)
{
	wend__point();
	if (WEND__LIKELY(a32_cas_acquire(&m->state_, 0, LOCKED)))
		return 0;
	return lock_contended(m, deadline, false, WEND__CALLER());
}

bool wend_mutex_try(wend_mutex *m)
{
	wend__point();
	return take(m, 0);
}

/* --- unlock ---------------------------------------------------------------------------- */

/* Pass the lock on to the first waiter, still locked. Queue's lock is held. */
static struct wend__waiter *hand_over_locked(wend_mutex *m)
{
	struct wend__waiter *w;
	uint32_t old = a32_load_relaxed(&m->state_);

	if (old & LOCKED)
		return NULL;
	/* Nobody else takes it while STARVING is set. */
	(void)a32_fetch_or_full(&m->state_, LOCKED);
	w = wend__waitq_claim(&m->waiters_);
	if (w)
		w->result = HANDED_OVER;
	else
		(void)a32_fetch_and_full(&m->state_, ~(uint32_t)LOCKED);
	/* The next one starves no longer than this one did, or says so. */
	(void)a32_fetch_and_full(&m->state_, ~(uint32_t)STARVING);
	tidy_locked(m);
	return w;
}

static struct wend__waiter *wake_locked(wend_mutex *m)
{
	uint32_t old = a32_load_relaxed(&m->state_);
	struct wend__waiter *w;

	if (old & (LOCKED | WOKEN))
		return NULL; /* that one will see to it */
	if (!a32_cas_full(&m->state_, old, old | WOKEN))
		return NULL;
	w = wend__waitq_claim(&m->waiters_);
	if (!w)
		(void)a32_fetch_and_full(&m->state_, ~(uint32_t)WOKEN);
	tidy_locked(m);
	return w;
}

static __attribute__((noinline)) void unlock_slow(wend_mutex *m)
{
	struct wend__waiter *w;
	uint32_t state;

	for (;;) {
		state = a32_load_relaxed(&m->state_);
		if (!(state & (WAITERS | STARVING)) ||
		    (state & (LOCKED | WOKEN)) == LOCKED ||
		    ((state & WOKEN) && !(state & STARVING)))
			return;
		queue_lock(m);
		state = a32_load_relaxed(&m->state_);
		w = state & STARVING ? hand_over_locked(m) : wake_locked(m);
		queue_unlock(m);
		if (w) {
			wend__ready(w->task);
			return;
		}
	}
}

void wend_mutex_unlock(wend_mutex *m)
{
	uint32_t old;

	wend__point();
	old = a32_fetch_add_full(&m->state_, (uint32_t)-LOCKED);
	if (WEND__LIKELY(old == LOCKED))
		return;
	if (!(old & LOCKED))
		wend__panic("unlock of an unlocked mutex");
	unlock_slow(m);
}
