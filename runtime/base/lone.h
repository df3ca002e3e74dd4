/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lone.h - a spin lock that needs no locked instruction while there is but one
 * server.
 *
 * Whoever runs tasks on the one server has all objects to itself, but for the
 * program's own threads. Until one of them comes, a store and a look do. The
 * first one ends that for the rest of the run.
 *
 *      has the server, preemption off    another thread
 *      inside = 1                        word 0 -> 1 (full)
 *      (compiler fence)   [lone.end]     lone 1 -> ENDING
 *      lone ON, word 0? it has the lock  membarrier()         [lone.end]
 *      else inside = 0, and as others    lone = OFF
 *                                        waits until inside is 0
 *
 * If the left one's look came before lone's change, the membarrier() has made
 * its store visible, and the right one waits. If it came after, it steps back.
 * A third thread that finds ENDING does all of the right side, for it does not
 * know whether the fence is over. word is looked at for a thread that has held
 * the lock since before the server started.
 *
 * For locks of objects that are only taken by tasks and foreign threads; not by
 * workers without a server, nor by the watchdog. Rejected: the same for
 * semaphores' and waitgroups' queues, which have a fast path before the lock.
 *
 * Model: docs/models/lone.pml.
 */
#ifndef WEND_BASE_LONE_H
#define WEND_BASE_LONE_H

#include "runtime/base/lock.h"

enum wend__lone { WEND__LONE_OFF, WEND__LONE_ON, WEND__LONE_ENDING };

/* For this process. A worker of the one server has wend__preempt.lone, too. */
extern uint32_t wend__lone;

/* All zero is unlocked. */
struct wend__lone_lock {
	uint32_t word;   /* 0 free, 1 held by a thread, or wanted by one */
	uint32_t inside; /* 1: held by who has the server */
	uint32_t lone;   /* which of the two it is; the holder's */
};

void wend__lone_lock_slow(struct wend__lone_lock *l);
/* word is ours; wait until nobody else is in, and that for the rest of the run. */
void wend__lone_settle(struct wend__lone_lock *l);

static inline void wend__lone_lock(struct wend__lone_lock *l,
				   enum wend__rank rank)
{
	wend__rank_enter(rank);
	wend__point();
	wend__preempt_off();
	if (wend__preempt.lone) {
		/* What the last holder wrote: it released it by this word. */
		(void)a32_load_acquire(&l->inside);
		a32_store_relaxed(&l->inside, 1);
		fence_compiler(); /* [lone.end] */
		if (WEND__LIKELY(a32_load_relaxed(&wend__lone) ==
					 WEND__LONE_ON &&
				 !a32_load_acquire(&l->word))) {
			l->lone = 1;
			return;
		}
		a32_store_release(&l->inside, 0);
	}
	if (WEND__UNLIKELY(!a32_cas_full(&l->word, 0, 1)))
		wend__lone_lock_slow(l);
	else if (WEND__UNLIKELY(a32_load_acquire(&wend__lone) !=
					WEND__LONE_OFF ||
				a32_load_acquire(&l->inside) || l->lone))
		wend__lone_settle(l);
}

static inline void wend__lone_unlock(struct wend__lone_lock *l,
				     enum wend__rank rank)
{
	wend__rank_leave(rank);
	a32_store_release(l->lone ? &l->inside : &l->word, 0);
	wend__preempt_on();
}

#endif
