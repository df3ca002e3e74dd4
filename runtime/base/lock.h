/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - the spin lock that guards the runtime's short sections.
 *
 * Held for some dozens of instructions, never over a switch, a wait or a call
 * into the program: so its holder is not preempted (preempt.h), or others would
 * spin for a whole slice. All zero is unlocked.
 *
 * Ranks: a thread takes locks in rising rank only, of one rank at most one at
 * a time, except CHAN in a select (address order). Debug builds check it.
 *
 *      TIMERS   a server's timer heap; timers fire under it
 *      OBJECT   a nursery, a task's joiners, a mutex, ...: any wait queue
 *      CHAN     a channel
 *      IDLE     spare workers and idle servers
 *      GLOBAL   the global run queue
 *      MEMORY   stacks, task structures
 *      POLLER   a server's poller; may be held over a system call
 */
#ifndef WEND_BASE_LOCK_H
#define WEND_BASE_LOCK_H

#include "runtime/base/preempt.h"
#include "runtime/base/spin.h"

enum wend__rank {
	WEND__RANK_TIMERS = 1,
	WEND__RANK_OBJECT,
	WEND__RANK_CHAN,
	WEND__RANK_IDLE,
	WEND__RANK_GLOBAL,
	WEND__RANK_MEMORY,
	WEND__RANK_POLLER,
};

struct wend__lock {
	uint32_t word; /* 0 free, 1 held */
};

void wend__lock_slow(uint32_t *word);

#ifdef WEND_DEBUG
void wend__rank_enter(enum wend__rank rank);
void wend__rank_leave(enum wend__rank rank);
#else
#define wend__rank_enter(rank) ((void)(rank))
#define wend__rank_leave(rank) ((void)(rank))
#endif

/* [lock.word] The acquire pairs with the release in unlock: what the last
 * holder wrote is visible to the next. */
static inline void wend__word_lock(uint32_t *word, enum wend__rank rank)
{
	wend__rank_enter(rank);
	wend__point();
	wend__preempt_off();
	if (WEND__UNLIKELY(!a32_cas_acquire(word, 0, 1)))
		wend__lock_slow(word);
}

static inline void wend__word_unlock(uint32_t *word, enum wend__rank rank)
{
	wend__rank_leave(rank);
	a32_store_release(word, 0);
	wend__preempt_on();
}

static inline void wend__lock(struct wend__lock *l, enum wend__rank rank)
{
	wend__word_lock(&l->word, rank);
}

static inline void wend__unlock(struct wend__lock *l, enum wend__rank rank)
{
	wend__word_unlock(&l->word, rank);
}

#endif
