/* SPDX-License-Identifier: Apache-2.0 */
/*
 * team.c - wend: several tasks with one function.
 */
#include "bench/wend/wend_bench.h"

WEND_TASK(run_task, (task_fn, fn), (void *, shared), (size_t, i),
	  (wend_waitgroup *, running))
{
	fn(shared, i);
	wend_waitgroup_done(running);
}

void start_all(wend_waitgroup *running, size_t n, task_fn fn, void *shared)
{
	wend_waitgroup_add(running, (int)n);
	for (size_t i = 0; i < n; i++)
		must(wend_go(run_task, fn, shared, i, running), "wend_go");
}

uint64_t together(size_t n, task_fn fn, void *shared)
{
	wend_waitgroup running = { 0 };
	uint64_t begin = bench_now_ns();

	start_all(&running, n, fn, shared);
	wend_waitgroup_wait(&running);
	return bench_now_ns() - begin;
}
