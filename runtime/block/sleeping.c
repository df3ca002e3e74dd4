/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sleeping.c - the C library's sleeps: announced, so that the task keeps its
 * kernel thread.
 *
 * Rejected: a timer of the runtime's and no kernel thread, as wend_sleep() has
 * it. The task would go on in whatever thread comes first, and it may be a
 * library that sleeps: SQLite does so while it holds a recursive pthread
 * mutex, which only the thread that locked it can unlock.
 */
#define _GNU_SOURCE
#include <time.h>
#include <unistd.h>

#include "runtime/block/announce.h"

ANNOUNCE(int, nanosleep, (const struct timespec *t, struct timespec *rest),
	 (t, rest))
ANNOUNCE(int, clock_nanosleep,
	 (clockid_t clock, int flags, const struct timespec *t,
	  struct timespec *rest),
	 (clock, flags, t, rest))
ANNOUNCE(int, usleep, (useconds_t us), (us))
ANNOUNCE(unsigned int, sleep, (unsigned int seconds), (seconds))
