/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks.c - pthreads: yield, spawn, mutex, timers, parked threads.
 */
#define _GNU_SOURCE
#include "bench/pthread/pthread_bench.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

static void yield_task(void *rounds, size_t i)
{
	(void)i;
	for (uint64_t r = 0; r < *(uint64_t *)rounds; r++)
		sched_yield();
}

static uint64_t yield2_body(uint64_t rounds)
{
	return together(2, yield_task, &rounds);
}

static uint64_t yield1k_body(uint64_t rounds)
{
	return together(BENCH_YIELD_MANY, yield_task, &rounds);
}

void yield2(const struct bench_args *a)
{
	bench_per_op(a, yield2_body, 2);
}

void yield1k(const struct bench_args *a)
{
	bench_per_op(a, yield1k_body, BENCH_YIELD_MANY);
}

static void count_task(void *ran, size_t i)
{
	(void)i;
	__atomic_fetch_add((uint64_t *)ran, 1, __ATOMIC_RELAXED);
}

static uint64_t spawn_body(uint64_t rounds)
{
	uint64_t ran = 0, begin = bench_now_ns(), elapsed;

	for (uint64_t r = 0; r < rounds; r++)
		together(BENCH_SPAWN_BATCH, count_task, &ran);
	elapsed = bench_now_ns() - begin;
	if (ran != rounds * BENCH_SPAWN_BATCH)
		bench_fail("spawn: %llu ran", (unsigned long long)ran);
	return elapsed;
}

void spawn(const struct bench_args *a)
{
	bench_per_op(a, spawn_body, BENCH_SPAWN_BATCH);
}

struct counter {
	pthread_mutex_t lock;
	uint64_t rounds;
	uint64_t count;
};

static void mutex_task(void *shared, size_t i)
{
	struct counter *c = shared;

	(void)i;
	for (uint64_t r = 0; r < c->rounds; r++) {
		pthread_mutex_lock(&c->lock);
		c->count++;
		pthread_mutex_unlock(&c->lock);
	}
}

static uint64_t mutex_body(uint64_t rounds)
{
	struct counter c = { PTHREAD_MUTEX_INITIALIZER, rounds, 0 };
	uint64_t elapsed = together(BENCH_MUTEX, mutex_task, &c);

	if (c.count != rounds * BENCH_MUTEX)
		bench_fail("mutex8: counted %llu", (unsigned long long)c.count);
	return elapsed;
}

void mutex8(const struct bench_args *a)
{
	bench_per_op(a, mutex_body, BENCH_MUTEX);
}

static void sleep_task(void *late, size_t i)
{
	uint64_t wanted = bench_sleep_ns(i);
	struct timespec t = { 0, (long)wanted };
	uint64_t begin = bench_now_ns();

	nanosleep(&t, NULL);
	((int64_t *)late)[i] = (int64_t)(bench_now_ns() - begin - wanted);
}

void timers(const struct bench_args *a)
{
	size_t n = a->quick ? BENCH_TIMERS_QUICK : BENCH_TIMERS;
	int64_t *late = calloc(n, sizeof(*late));
	uint64_t cpu, ns;

	if (!late)
		bench_fail("no memory");
	together(100, sleep_task, late);
	cpu = bench_cpu_ns();
	ns = together(n, sleep_task, late);
	cpu = bench_cpu_ns() - cpu;
	bench_result("total", (double)ns / 1e6, "ms");
	bench_lateness(late, n);
	bench_result("cpu", (double)cpu / 1e6, "ms");
	free(late);
}

/* `open` and `parked` are the lock's; the last to park tells `full`. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	pthread_cond_t full;
	bool open;
	size_t parked;
	size_t expected;
};

static void park_task(void *shared, size_t i)
{
	struct gate *g = shared;

	(void)i;
	pthread_mutex_lock(&g->lock);
	if (++g->parked == g->expected)
		pthread_cond_signal(&g->full);
	while (!g->open)
		pthread_cond_wait(&g->opened, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void park_many(struct team *t, struct gate *g, size_t n)
{
	*g = (struct gate){ PTHREAD_MUTEX_INITIALIZER,
			    PTHREAD_COND_INITIALIZER,
			    PTHREAD_COND_INITIALIZER,
			    false,
			    0,
			    n };
	team_start(t, n, park_task, g);
	pthread_mutex_lock(&g->lock);
	while (g->parked < n)
		pthread_cond_wait(&g->full, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void release(struct team *t, struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->opened);
	pthread_mutex_unlock(&g->lock);
	team_join(t);
}

void live(const struct bench_args *a)
{
	size_t n = a->quick ? BENCH_LIVE_QUICK : BENCH_LIVE;
	uint64_t before, after, ns;
	struct team team;
	struct gate gate;

	park_many(&team, &gate, 100);
	release(&team, &gate);
	before = bench_resident_bytes();
	ns = bench_now_ns();
	park_many(&team, &gate, n);
	ns = bench_now_ns() - ns;
	after = bench_resident_bytes();
	release(&team, &gate);
	bench_result("bytes", (double)(after - before) / (double)n, "B");
	bench_result("time", (double)ns / (double)n, "ns");
}
