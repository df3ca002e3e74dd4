/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin.c - polite waiting on a real kernel.
 */
#include "runtime/base/spin.h"

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

#include "compiler-rt/syscall.h"

enum { PAUSE_TURNS = 64, YIELD_TURNS = 1024 };

/*
 * Whoever is waited for is in a section of a few dozen instructions. If it
 * takes longer the kernel has taken its CPU away: let the kernel give it back,
 * and after a long while sleep, in case the scheduling policies differ so that
 * a yield does not reach it.
 */
static void relax(unsigned int turn)
{
	struct timespec nap = { 0, 50000 };

	if (turn < PAUSE_TURNS)
		cpu_relax();
	else if (turn < YIELD_TURNS)
		(void)wend__syscall3(SYS_sched_yield, 0, 0, 0);
	else
		(void)wend__syscall3(SYS_nanosleep, (long)&nap, 0, 0);
}

struct wend__spin_ops wend__spin = { relax, NULL };
bool wend__sim;
enum wend__bug wend__bug;
