/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend_bench.h - what wend's benches share.
 *
 * Only the public interface is used.  Every bench runs in the first task.
 */
#ifndef BENCH_WEND_WEND_BENCH_H
#define BENCH_WEND_WEND_BENCH_H

#include <wend/wend.h>

#include "bench/common/bench.h"

bench_fn yield2, yield1k, spawn, mutex8, fib, timers, live;
bench_fn block_call, block_notice, preempt, block_pipe, announced, idle;
bench_fn chan_pp, chan_buf, chan_mpmc, select4, skynet, sieve, echo;

/* A task gets what all share, and its number. */
typedef void (*task_fn)(void *shared, size_t i);

/* Starts n tasks; each is done()d in `running` when it ends. */
void start_all(wend_waitgroup *running, size_t n, task_fn fn, void *shared);

/* Runs fn in n tasks and waits for them; returns the nanoseconds. */
uint64_t together(size_t n, task_fn fn, void *shared);

/* Ends the program when a call failed that must not (result below 0). */
static inline void must(int result, const char *what)
{
	if (result < 0)
		bench_fail("%s: error %d", what, -result);
}

#endif
