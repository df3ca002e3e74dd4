/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks.c - wend: yield, spawn, mutex, fib, timers, parked tasks.
 */
#include "bench/wend/wend_bench.h"

#include <stdlib.h>

static void yield_task(void *rounds, size_t i)
{
	(void)i;
	for (uint64_t r = 0; r < *(uint64_t *)rounds; r++)
		wend_yield();
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

WEND_TASK(count_task, (uint64_t *, ran), (wend_waitgroup *, running))
{
	__atomic_fetch_add(ran, 1, __ATOMIC_RELAXED);
	wend_waitgroup_done(running);
}

static uint64_t spawn_body(uint64_t rounds)
{
	uint64_t ran = 0, begin = bench_now_ns(), elapsed;
	wend_waitgroup running = { 0 };

	for (uint64_t r = 0; r < rounds; r++) {
		wend_waitgroup_add(&running, BENCH_SPAWN_BATCH);
		for (int i = 0; i < BENCH_SPAWN_BATCH; i++)
			must(wend_go(count_task, &ran, &running), "wend_go");
		wend_waitgroup_wait(&running);
	}
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
	wend_mutex lock;
	uint64_t rounds;
	uint64_t count;
};

static void mutex_task(void *shared, size_t i)
{
	struct counter *c = shared;

	(void)i;
	for (uint64_t r = 0; r < c->rounds; r++) {
		wend_mutex_lock(&c->lock);
		c->count++;
		wend_mutex_unlock(&c->lock);
	}
}

static uint64_t mutex_body(uint64_t rounds)
{
	struct counter c = { .rounds = rounds };
	uint64_t elapsed = together(BENCH_MUTEX, mutex_task, &c);

	if (c.count != rounds * BENCH_MUTEX)
		bench_fail("mutex8: counted %llu", (unsigned long long)c.count);
	return elapsed;
}

void mutex8(const struct bench_args *a)
{
	bench_per_op(a, mutex_body, BENCH_MUTEX);
}

/* Both halves are tasks of their own. */
WEND_TASK(fib_task, (unsigned int, n), (uint64_t *, out),
	  (wend_waitgroup *, running))
{
	wend_waitgroup halves = { 0 };
	uint64_t a, b;

	if (n < 2) {
		*out = n;
	} else {
		wend_waitgroup_add(&halves, 2);
		must(wend_go(fib_task, n - 1, &a, &halves), "wend_go");
		must(wend_go(fib_task, n - 2, &b, &halves), "wend_go");
		wend_waitgroup_wait(&halves);
		*out = a + b;
	}
	wend_waitgroup_done(running);
}

static uint64_t fib_run(unsigned int n, uint64_t *out)
{
	wend_waitgroup running = { 0 };
	uint64_t begin = bench_now_ns();

	wend_waitgroup_add(&running, 1);
	must(wend_go(fib_task, n, out, &running), "wend_go");
	wend_waitgroup_wait(&running);
	return bench_now_ns() - begin;
}

void fib(const struct bench_args *a)
{
	uint64_t got, ns;

	fib_run(15, &got);
	ns = fib_run(a->quick ? BENCH_FIB_QUICK : BENCH_FIB, &got);
	if (got != (a->quick ? 28657 : 196418))
		bench_fail("fib: got %llu", (unsigned long long)got);
	bench_result("time", (double)ns / 1e6, "ms");
}

static void sleep_task(void *late, size_t i)
{
	uint64_t wanted = bench_sleep_ns(i);
	uint64_t begin = bench_now_ns();

	wend_sleep((int64_t)wanted);
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

/* Tasks that wait for a gate: a channel that nothing is ever sent to. */
struct gate {
	wend_chan *closing;
	size_t parked;
	wend_waitgroup running;
};

static void park_task(void *shared, size_t i)
{
	struct gate *g = shared;

	(void)i;
	__atomic_fetch_add(&g->parked, 1, __ATOMIC_RELAXED);
	wend_chan_recv(g->closing, NULL);
}

static void park_many(struct gate *g, size_t n)
{
	*g = (struct gate){ .closing = wend_chan_new(0, 0) };
	if (!g->closing)
		bench_fail("no memory");
	start_all(&g->running, n, park_task, g);
	while (__atomic_load_n(&g->parked, __ATOMIC_RELAXED) < n)
		wend_yield();
}

static void release(struct gate *g)
{
	wend_chan_close(g->closing);
	wend_waitgroup_wait(&g->running);
	wend_chan_free(g->closing);
}

void live(const struct bench_args *a)
{
	size_t n = a->quick ? BENCH_LIVE_QUICK : BENCH_LIVE;
	uint64_t before, after, ns;
	struct gate gate;

	park_many(&gate, 100);
	release(&gate);
	before = bench_resident_bytes();
	ns = bench_now_ns();
	park_many(&gate, n);
	ns = bench_now_ns() - ns;
	after = bench_resident_bytes();
	release(&gate);
	bench_result("bytes", (double)(after - before) / (double)n, "B");
	bench_result("time", (double)ns / (double)n, "ns");
}
