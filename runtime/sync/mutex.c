/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutex.c - a lock for tasks and threads.
 *
 * state_ is 1 while somebody holds it. Who waits for it waits in one of a fixed
 * number of queues, by the mutex's address. flags_ change under the queue's
 * lock:
 *   WAITERS   waiters for this mutex are in the queue
 *   WOKEN     a waiter was woken and has not tried yet: wake no other one.
 *             While it is on its way the running holder may unlock and lock
 *             again at full speed.
 *   STARVING  a waiter was passed over for more than a millisecond: unlock
 *             does not free the lock but hands it to the first in the queue
 * queue.attention counts the mutexes of the queue with WAITERS and not WOKEN.
 *
 * An unlock without waiters is a store and a load, no locked instruction: on
 * the machines we know that is half of the cost of an uncontended pair. The
 * fence between the two is the waiter's to pay, who is about to sleep anyway:
 *
 *      unlocker                          waiter, queue lock held
 *      state_ = 0 (release)              set flags_, attention
 *      fence_light    [mutex.sleep]      fence_heavy   [mutex.sleep]
 *      look at attention                 cas state_ 0 -> 1
 *      any: see whom to wake               it was 1: queue up and wait
 *
 * Either the unlocker sees the attention or the waiter sees the lock free. The
 * waiter fences only if it changes a flag: flags that it finds were fenced by
 * who set them, under the same queue lock. Model: docs/models/mutex.pml.
 *
 * Once state_ is 0 another task may take the mutex, unlock it, and free its
 * memory. So after that store the unlocker touches the mutex only if it finds
 * a waiter for it in the queue, which shows that it still exists; that is why
 * the queues are not in the mutexes.
 *
 * Rejected: handing over at each unlock (every exchange a task switch: on two
 * servers many times slower); waking at each unlock without WOKEN (the queue
 * is emptied into tasks that all fail and queue again); one word for all with
 * a compare-and-swap in each unlock.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <wend/sync.h>
#include <wend/time.h>

#include "compiler-rt/membarrier.h"
#include "runtime/base/rare.h"
#include "runtime/sched/server.h"

enum { WAITERS = 1, WOKEN = 2, STARVING = 4 };
enum { HANDED_OVER = 1 }; /* a waiter's result: the lock is yours */
enum { POLLS = 3, FIRST_PAUSES = 4, STARVING_NS = 1000000 };

enum { QUEUES_LOG2 = 8 };

static struct queue {
	struct wend__waitq q; /* a waiter's elem is the mutex */
	uint32_t attention;   /* written under q.lock_, read without */
} __attribute__((aligned(64))) queues[1 << QUEUES_LOG2];

static inline struct queue *queue_of(const wend_mutex *m)
{
	uint64_t hash = (uintptr_t)m * UINT64_C(0x9e3779b97f4a7c15);

	return &queues[hash >> (64 - QUEUES_LOG2)];
}

/* Those who wait in the parent are not there in a child. */
static void forget_waiters(void)
{
	memset(queues, 0, sizeof(queues));
}

__attribute__((constructor)) static void be_told_of_forks(void)
{
	(void)pthread_atfork(NULL, NULL, forget_waiters);
}

static inline bool take(wend_mutex *m)
{
	return a32_load_relaxed(&m->state_) == 0 &&
	       a32_cas_acquire(&m->state_, 0, 1);
}

/* --- the queue; its lock is held ------------------------------------------------------- */

static uint32_t wants_wake(uint32_t flags)
{
	return (flags & (WAITERS | WOKEN)) == WAITERS;
}

static void set_flags(struct queue *q, wend_mutex *m, uint32_t flags)
{
	uint32_t was = wants_wake(m->flags_);

	a32_store_relaxed(&m->flags_, flags);
	a32_store_relaxed(&q->attention,
			  q->attention + wants_wake(flags) - was);
}

static struct wend__waiter *first_waiter(struct queue *q, const wend_mutex *m)
{
	struct wend__waiter *w = q->q.head_;

	while (w && w->elem != m)
		w = w->next;
	return w;
}

/* No waiter is left: unlockers need not look. */
static void tidy(struct queue *q, wend_mutex *m)
{
	if (!first_waiter(q, m))
		set_flags(q, m, m->flags_ & WOKEN);
}

/* Take the first waiter out whose claim is won; NULL: there is none. */
static struct wend__waiter *claim(struct queue *q, const wend_mutex *m)
{
	struct wend__waiter *w;

	while ((w = first_waiter(q, m))) {
		wend__waitq_remove(&q->q, w);
		if (wend__claim(w->task, w->ticket)) {
			w->task->woken_by = w;
			return w;
		}
	}
	return NULL;
}

/* --- lock ------------------------------------------------------------------------------ */

/*
 * The holder may be about to unlock on another server: look a few times, more
 * and more seldom, for each look takes the line away from it. Not where others
 * queue already.
 */
static bool poll(wend_mutex *m)
{
	if (wend__rt.procs < 2 || wend__sim)
		return false;
	for (int i = 0; i < POLLS; i++) {
		if (a32_load_relaxed(&m->flags_))
			return false;
		for (int k = 0; k < FIRST_PAUSES << i; k++)
			cpu_relax();
		if (take(m)) {
			WEND__RARE(mutex_polled);
			return true;
		}
	}
	return false;
}

/* Say that there is a waiter, and see whether it has to wait; queue's lock is
 * held. false: the mutex is ours. */
static bool announce(struct queue *q, wend_mutex *m, uint32_t set,
		     uint32_t drop)
{
	uint32_t flags = (m->flags_ & ~drop) | WAITERS | set;

	if (flags != m->flags_) {
		set_flags(q, m, flags);
		wend__fence_heavy(); /* [mutex.sleep] */
	}
	wend__point();
	if (!take(m))
		return true;
	WEND__RARE(mutex_free_late);
	tidy(q, m);
	return false;
}

static void wake_one(wend_mutex *m);

/* A waiter gave up. What it announced may hold others off for nothing. */
static int give_up(struct queue *q, wend_mutex *m, int r)
{
	WEND__RARE(mutex_gave_up);
	wend__waitq_lock(&q->q);
	tidy(q, m);
	wend__waitq_unlock(&q->q);
	wake_one(m);
	return r;
}

static int wait_for(wend_mutex *m, struct wend__wait_how *how)
{
	struct queue *q = queue_of(m);
	uint32_t woken = 0, starving = 0;
	int64_t since = 0;
	int r;

	for (;;) {
		wend__waitq_lock(&q->q);
		if (!announce(q, m, starving, woken)) {
			wend__waitq_unlock(&q->q);
			return 0;
		}
		if (woken)
			WEND__RARE(mutex_raced);
		how->front = woken;
		r = wend__wait_on(&q->q, how);
		if (r == HANDED_OVER)
			return 0;
		if (r < 0)
			return give_up(q, m, r);
		woken = WOKEN;
		if (!since)
			since = wend__now();
		else if (wend__now() - since > STARVING_NS)
			starving = STARVING;
	}
}

static __attribute__((noinline)) int lock_slow(wend_mutex *m, int64_t deadline,
					       bool deaf, const void *caller)
{
	struct wend__wait_how how = {
		.why = "mutex lock",
		.where = m,
		.caller = caller,
		.deadline = deadline,
		.deaf = deaf,
		.elem = m,
	};

	if (deadline <= 0)
		return -ETIMEDOUT;
	if (poll(m))
		return 0;
	return wait_for(m, &how);
}

void wend_mutex_lock(wend_mutex *m)
{
	wend__point();
	if (WEND__UNLIKELY(!a32_cas_acquire(&m->state_, 0, 1)))
		(void)lock_slow(m, WEND_FOREVER, true, WEND__CALLER());
}

int wend_mutex_lock_until(wend_mutex *m, int64_t deadline)
{
	wend__point();
	if (WEND__LIKELY(a32_cas_acquire(&m->state_, 0, 1)))
		return 0;
	return lock_slow(m, deadline, false, WEND__CALLER());
}

bool wend_mutex_try(wend_mutex *m)
{
	wend__point();
	return take(m);
}

/* --- unlock ---------------------------------------------------------------------------- */

/* The mutex was freed, and there may be waiters: one of them is to try. */
static __attribute__((noinline)) void wake_one(wend_mutex *m)
{
	struct queue *q = queue_of(m);
	struct wend__waiter *w = NULL;

	wend__waitq_lock(&q->q);
	/* No waiter for it: m may be gone. */
	if (first_waiter(q, m) && wants_wake(m->flags_) &&
	    a32_load_relaxed(&m->state_) == 0) {
		w = claim(q, m);
		if (w)
			set_flags(q, m, m->flags_ | WOKEN);
		tidy(q, m);
	}
	wend__waitq_unlock(&q->q);
	if (!w) {
		WEND__RARE(mutex_wake_none);
		return;
	}
	WEND__RARE(mutex_woken);
	wend__ready(w->task);
}

/* Keep it locked, for the first waiter; false: there is none. */
static __attribute__((noinline)) bool hand_over(wend_mutex *m)
{
	struct queue *q = queue_of(m);
	struct wend__waiter *w;

	wend__waitq_lock(&q->q);
	w = claim(q, m);
	if (w)
		w->result = HANDED_OVER;
	/* The next one starves no longer than this one did, or says so. */
	set_flags(q, m, m->flags_ & ~(uint32_t)STARVING);
	tidy(q, m);
	wend__waitq_unlock(&q->q);
	if (!w) {
		WEND__RARE(mutex_handed_none);
		return false;
	}
	WEND__RARE(mutex_handed);
	wend__ready(w->task);
	return true;
}

void wend_mutex_unlock(wend_mutex *m)
{
	wend__point();
	if (WEND__UNLIKELY(a32_load_relaxed(&m->state_) != 1))
		wend__panic("unlock of an unlocked mutex");
	if (WEND__UNLIKELY(a32_load_relaxed(&m->flags_) & STARVING) &&
	    hand_over(m))
		return;
	a32_store_release(&m->state_, 0);
	wend__point();
	wend__fence_light(); /* [mutex.sleep] */
	if (WEND__UNLIKELY(a32_load_relaxed(&queue_of(m)->attention)))
		wake_one(m);
}
