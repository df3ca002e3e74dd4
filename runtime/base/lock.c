/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c - the contended lock, and the rank check of debug builds.
 */
#include "runtime/base/lock.h"

/* Wait reading, so that the line stays shared until the lock is free. */
void wend__lock_slow(uint32_t *word)
{
	unsigned int turn = 0;

	do {
		while (a32_load_relaxed(word) != 0)
			wend__spin.relax(turn++);
	} while (!a32_cas_acquire(word, 0, 1));
}

#ifdef WEND_DEBUG
/*
 * How many locks of each rank this thread holds. Locks are never held over a
 * switch, so a thread's counts are its own; the simulation switches workers
 * inside one thread, where the counts would mix: no check there.
 */
static __thread unsigned int held[WEND__RANK_MEMORY + 1];

void wend__rank_enter(enum wend__rank rank)
{
	if (wend__sim)
		return;
	for (int r = (int)rank; r <= WEND__RANK_MEMORY; r++)
		if (held[r] && !(r == (int)rank && r == WEND__RANK_CHAN))
			wend__panic("internal: lock of rank %d taken under %d",
				    (int)rank, r);
	held[rank]++;
}

void wend__rank_leave(enum wend__rank rank)
{
	if (!wend__sim)
		held[rank]--;
}
#endif
