/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preempt.h - where a thread must not lose its server.
 *
 * A worker that runs a task may have its server taken from it at any
 * instruction of the task's own code (runtime/sched/preempt.h). Never inside
 * the runtime: each part that holds one of its locks, or works on what belongs
 * to the server, turns preemption off before and on after. It nests. The
 * count is the kernel thread's. It is 1 whenever tasks are switched, and in
 * the scheduler.
 */
#ifndef WEND_BASE_PREEMPT_H
#define WEND_BASE_PREEMPT_H

#include <stdint.h>

#include "compiler-rt/atomic.h"

struct wend__preempt {
	uint32_t count; /* written by its own thread, read by the watchdog */
	uint32_t claim; /* enum wend__claim, runtime/sched/preempt.h */
	uint32_t lone;  /* its server is the only one: lone.h */
};

extern __thread struct wend__preempt wend__preempt
	__attribute__((tls_model("initial-exec")));

/* The scheduler's: the claim is not NONE, and the count has just become 1.
 * Returns when the worker has a server. */
extern void (*wend__preempt_claimed)(void);

/*
 * wend__preempt_off - from here on the thread, if it is a worker with a task,
 * has a server and keeps it. One that was taken meanwhile is got back first.
 *
 * A plain store and a plain load: their order is the watchdog's affair, who
 * uses membarrier() between its own [preempt.claim].
 */
static inline void wend__preempt_off(void)
{
	a32_store_relaxed(&wend__preempt.count, wend__preempt.count + 1);
	fence_compiler();
	/* Acquire: with NONE comes the server that was handed over. */
	if (__builtin_expect(a32_load_acquire(&wend__preempt.claim) != 0, 0))
		wend__preempt_claimed();
}

/* Not after a switch: a compiler may compute the address of thread-local data
 * once for a whole function. There it is wend__preempt_on_in(). */
static inline void wend__preempt_on(void)
{
	/* Release: who finds it 0 and takes the server sees all of it. */
	a32_store_release(&wend__preempt.count, wend__preempt.count - 1);
}

#endif
