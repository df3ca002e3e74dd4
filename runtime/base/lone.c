/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lone.c - the way of those who do not have the only server to themselves.
 */
#include "runtime/base/lone.h"

#include "compiler-rt/membarrier.h"
#include "runtime/base/rare.h"

uint32_t wend__lone;

static void end(void)
{
	if (a32_cas_full(&wend__lone, WEND__LONE_ON, WEND__LONE_ENDING))
		WEND__RARE(lone_ended);
	wend__fence_heavy(); /* [lone.end] */
	a32_store_release(&wend__lone, WEND__LONE_OFF);
}

void wend__lone_settle(struct wend__lone_lock *l)
{
	unsigned int turn = 0;

	if (a32_load_acquire(&wend__lone) != WEND__LONE_OFF)
		end();
	while (a32_load_acquire(&l->inside))
		wend__spin.relax(turn++);
	wend__preempt.lone = 0;
	l->lone = 0;
}

void wend__lone_lock_slow(struct wend__lone_lock *l)
{
	wend__lock_slow(&l->word);
	fence_full();
	wend__lone_settle(l);
}
