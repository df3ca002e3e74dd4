/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c - the contended lock, and the rank check of debug builds.
 */
#include "runtime/base/lock.h"
#include "runtime/base/rare.h"

__thread struct wend__preempt wend__preempt;
void (*wend__preempt_claimed)(void);

/*
 * Stay away, longer each time: each look takes the line from the holder, and
 * one that comes back late leaves the other time for several sections in a
 * row, without a cache miss for each.
 */
void wend__lock_slow(uint32_t *word)
{
	enum { PAUSES_MAX = 32, POLITE_TURNS = 16 };
	unsigned int turn = 0, pauses = 1;

	WEND__RARE(lock_slow);
	do {
		do {
			if (turn == POLITE_TURNS)
				WEND__RARE(lock_polite);
			/* Long enough for any section of ours: the holder has
			 * lost its CPU, or it is the simulation. */
			if (turn >= POLITE_TURNS || wend__sim)
				wend__spin.relax(turn);
			for (unsigned int i = 0; i < pauses; i++)
				cpu_relax();
			if (pauses < PAUSES_MAX)
				pauses *= 2;
			turn++;
		} while (a32_load_relaxed(word) != 0);
	} while (!a32_cas_acquire(word, 0, 1));
}

#ifdef WEND_DEBUG
/*
 * How many locks of each rank this thread holds. Locks are never held over a
 * switch, so a thread's counts are its own; the simulation switches workers
 * inside one thread, where the counts would mix: no check there.
 */
static __thread unsigned int held[WEND__RANK_POLLER + 1];

void wend__rank_enter(enum wend__rank rank)
{
	if (wend__sim)
		return;
	for (int r = (int)rank; r <= WEND__RANK_POLLER; r++)
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
