/* SPDX-License-Identifier: Apache-2.0 */
/*
 * team.c - many threads at once.
 *
 * Stacks are cut from one mapping, without guards: one mapping per stack
 * would meet vm.max_map_count before it meets the limit on threads.
 */
#define _GNU_SOURCE
#include "bench/pthread/pthread_bench.h"

#include <stdlib.h>
#include <sys/mman.h>

#define STACK_SIZE 32768

static void *run_task(void *p)
{
	struct task_arg *arg = p;

	arg->fn(arg->shared, arg->i);
	return NULL;
}

void team_start(struct team *t, size_t n, task_fn *fn, void *shared)
{
	pthread_attr_t attr;

	t->count = n;
	t->thread = calloc(n, sizeof(*t->thread));
	t->arg = calloc(n, sizeof(*t->arg));
	t->stacks = mmap(NULL, n * STACK_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!t->thread || !t->arg || t->stacks == MAP_FAILED)
		bench_impossible("no memory for so many threads");
	pthread_attr_init(&attr);
	for (size_t i = 0; i < n; i++) {
		t->arg[i] = (struct task_arg){ fn, shared, i };
		pthread_attr_setstack(&attr, t->stacks + i * STACK_SIZE,
				      STACK_SIZE);
		if (pthread_create(&t->thread[i], &attr, run_task, &t->arg[i]))
			bench_impossible("the system has not so many threads");
	}
	pthread_attr_destroy(&attr);
}

void team_join(struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		pthread_join(t->thread[i], NULL);
	munmap(t->stacks, t->count * STACK_SIZE);
	free(t->thread);
	free(t->arg);
}

uint64_t together(size_t n, task_fn *fn, void *shared)
{
	uint64_t begin = bench_now_ns();
	struct team t;

	team_start(&t, n, fn, shared);
	team_join(&t);
	return bench_now_ns() - begin;
}
