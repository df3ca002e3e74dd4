/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - what the kernel tells of another thread of this process.
 */
#ifndef WEND_WATCH_LOOK_H
#define WEND_WATCH_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The clock of a thread's CPU time, for clock_gettime() and timers. */
clockid_t wend__thread_clock_id(uint32_t tid);

/* CPU time that a thread has used, ns; -1: there is no such thread. About a
 * microsecond; it stands still while the thread is off the CPU. */
int64_t wend__thread_clock(uint32_t tid);

struct wend__thread_look {
	bool blocked; /* asleep in the kernel, not merely off the CPU */
	bool running; /* runs, or would if it had a CPU */
	int cpu;      /* where it runs or ran last */
};

/* Some ten microseconds. false: it can't be told. */
bool wend__thread_look(uint32_t tid, struct wend__thread_look *out);

#endif
