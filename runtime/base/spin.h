/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin.h - what a thread does while it waits for another for a moment, and
 * the places where the simulation may let another go first.
 *
 * The port fills wend__spin in (the "sim" port runs all workers in one
 * thread, so a loop that waits must let it switch). In production a point is
 * one load of a flag that never changes and a branch never taken.
 */
#ifndef WEND_BASE_SPIN_H
#define WEND_BASE_SPIN_H

#include <stdbool.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/panic.h"

struct wend__spin_ops {
	/* Called on the turn-th round of a waiting loop, from 0. */
	void (*relax)(unsigned int turn);
	/* An interleaving point; only called while wend__sim is set. */
	void (*point)(void);
};

extern struct wend__spin_ops wend__spin;

/* Whether the simulation runs. Changes only while no worker exists. */
extern bool wend__sim;

/*
 * A bug that a test of the simulation planted, to see that it is found; 0 in
 * every other case. Looked at only behind wend__sim.
 */
enum wend__bug {
	WEND__BUG_NONE,
	WEND__BUG_LOST_WAKE,   /* the idle protocol skips its recheck */
	WEND__BUG_DOUBLE_WAKE, /* a claim is not exclusive */
	WEND__BUG_TIMER_ORDER, /* the timer heap does not sift down */
};
extern enum wend__bug wend__bug;

#define WEND__PLANTED(which)                                                   \
	(WEND__UNLIKELY(wend__sim) && wend__bug == WEND__BUG_##which)

static inline void wend__point(void)
{
	if (WEND__UNLIKELY(wend__sim))
		wend__spin.point();
}

#endif
