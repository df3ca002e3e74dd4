/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers.h - each server's timers: a 4-ary heap by deadline.
 *
 * A timer's memory is its user's (for a wait with a deadline, the waiting
 * task's stack). It lies in at most one heap; the heap's lock guards it while
 * it does. It fires under that lock, so whoever cancels it knows on return
 * that it has fired to the end or never will.
 *
 * The owner of a server runs its timers between tasks. When the server is
 * idle or stands still, another one does (keeper.c).
 */
#ifndef WEND_SCHED_TIMERS_H
#define WEND_SCHED_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/lock.h"

struct wend__timers;

struct wend__timer {
	int64_t when;
	/* Called under the heap's lock, at or after when, the timer out of the
	 * heap. It may wake and start tasks. It returns the time to be armed
	 * for again, or calls wend__timer_done() as the last it does with t
	 * and returns INT64_MAX. */
	int64_t (*fire)(struct wend__timer *t, int64_t now);
	struct wend__timers *heap; /* NULL: not armed */
	uint32_t index;
	struct wend__timer *next; /* in the heap's overflow list */
};

struct wend__timer_slot {
	int64_t when; /* beside the pointer: sifting reads no timer */
	struct wend__timer *timer;
};

struct wend__timers {
	int64_t next; /* earliest deadline or INT64_MAX; read without the lock */
	struct wend__lock lock;
	uint32_t count;
	uint32_t capacity;
	struct wend__timer_slot *slots;
	/* Timers for which the heap could not grow: out of memory makes them
	 * slow to find, never lost. */
	struct wend__timer *overflow;
};

void wend__timers_init(struct wend__timers *h);
void wend__timers_free(struct wend__timers *h);

/* Arm t, which is not armed. true: it is now the earliest. */
bool wend__timer_arm(struct wend__timers *h, struct wend__timer *t,
		     int64_t when);

/* Disarm t. true: it was armed and has not fired. */
bool wend__timer_cancel(struct wend__timer *t);

/* For fire: this firing was the last, t may be gone from here on.
 * [timer.heap] Pairs with the unlocked look in wend__timer_cancel(). */
static inline void wend__timer_done(struct wend__timer *t)
{
	aptr_store_release(&t->heap, (struct wend__timers *)NULL);
}

/* Fire all that is due. */
void wend__timers_run(struct wend__timers *h, int64_t now);

static inline int64_t wend__timers_next(const struct wend__timers *h)
{
	return (int64_t)aword_load_relaxed((const size_t *)&h->next);
}

#endif
