/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chans.c - wend: the channel benches.
 */
#include "bench/wend/wend_bench.h"

#include <stdlib.h>

typedef wend_chan_of(int64_t) chan_int;

static chan_int make_chan(size_t capacity)
{
	chan_int c = wend_chan_make(int64_t, capacity);

	if (!c)
		bench_fail("no memory for a channel");
	return c;
}

static void free_chan(chan_int c)
{
	wend_chan_free(wend_chan_raw(c));
}

struct pair {
	chan_int ping, pong;
	int64_t rounds;
};

static void pp_task(void *shared, size_t i)
{
	struct pair *p = shared;
	int64_t v;

	for (int64_t r = 0; r < p->rounds; r++) {
		if (i == 0) {
			wend_chan_put(p->ping, r);
			wend_chan_get(p->pong, &v);
			if (v != r)
				bench_fail("chan_pp: wrong value");
		} else {
			wend_chan_get(p->ping, &v);
			wend_chan_put(p->pong, v);
		}
	}
}

static uint64_t pp_body(uint64_t rounds)
{
	struct pair p = { make_chan(0), make_chan(0), (int64_t)rounds };
	uint64_t elapsed = together(2, pp_task, &p);

	free_chan(p.ping);
	free_chan(p.pong);
	return elapsed;
}

void chan_pp(const struct bench_args *a)
{
	bench_per_op(a, pp_body, 1);
}

struct crowd {
	chan_int c;
	size_t pairs;
	int64_t rounds;
	int64_t sum;
};

static void pass_task(void *shared, size_t i)
{
	struct crowd *p = shared;
	int64_t v, own = 0;

	if (i < p->pairs) {
		for (int64_t r = 1; r <= p->rounds; r++)
			wend_chan_put(p->c, r);
		return;
	}
	for (int64_t r = 0; r < p->rounds; r++) {
		wend_chan_get(p->c, &v);
		own += v;
	}
	__atomic_fetch_add(&p->sum, own, __ATOMIC_RELAXED);
}

/* As many senders as receivers on one channel. */
static uint64_t pass(size_t pairs, uint64_t rounds)
{
	int64_t n = (int64_t)rounds;
	struct crowd p = { make_chan(BENCH_CHAN_CAP), pairs, n, 0 };
	uint64_t elapsed = together(2 * pairs, pass_task, &p);

	if (p.sum != (int64_t)pairs * (n * (n + 1) / 2))
		bench_fail("channel: the sum is %lld", (long long)p.sum);
	free_chan(p.c);
	return elapsed;
}

static uint64_t buf_body(uint64_t rounds)
{
	return pass(1, rounds);
}

static uint64_t mpmc_body(uint64_t rounds)
{
	return pass(BENCH_MPMC, rounds);
}

void chan_buf(const struct bench_args *a)
{
	bench_per_op(a, buf_body, 1);
}

void chan_mpmc(const struct bench_args *a)
{
	bench_per_op(a, mpmc_body, BENCH_MPMC);
}

struct fan {
	chan_int c[BENCH_SELECT];
	int64_t rounds;
	int64_t sum;
};

/* Tasks 0 to 3 send, each on a channel of its own; task 4 selects. */
static void select_task(void *shared, size_t i)
{
	struct fan *f = shared;
	int64_t v = 0;

	if (i < BENCH_SELECT) {
		for (int64_t r = 1; r <= f->rounds; r++)
			wend_chan_put(f->c[i], r);
		return;
	}
	for (int64_t r = 0; r < BENCH_SELECT * f->rounds; r++) {
		int taken = wend_select(WEND_FOREVER, wend_on_recv(f->c[0], &v),
					wend_on_recv(f->c[1], &v),
					wend_on_recv(f->c[2], &v),
					wend_on_recv(f->c[3], &v));

		must(taken, "wend_select");
		f->sum += v;
	}
}

static uint64_t select_body(uint64_t rounds)
{
	int64_t n = (int64_t)rounds;
	struct fan f = { .rounds = n };
	uint64_t elapsed;

	for (int i = 0; i < BENCH_SELECT; i++)
		f.c[i] = make_chan(0);
	elapsed = together(BENCH_SELECT + 1, select_task, &f);
	if (f.sum != BENCH_SELECT * (n * (n + 1) / 2))
		bench_fail("select4: the sum is %lld", (long long)f.sum);
	for (int i = 0; i < BENCH_SELECT; i++)
		free_chan(f.c[i]);
	return elapsed;
}

void select4(const struct bench_args *a)
{
	bench_per_op(a, select_body, BENCH_SELECT);
}

WEND_TASK(node, (chan_int, out), (int64_t, first), (int64_t, size))
{
	int64_t part = size / 10, sum = 0, v;
	chan_int in;

	if (size == 1) {
		wend_chan_put(out, first);
		return;
	}
	in = make_chan(0);
	for (int i = 0; i < 10; i++)
		must(wend_go(node, in, first + i * part, part), "wend_go");
	for (int i = 0; i < 10; i++) {
		wend_chan_get(in, &v);
		sum += v;
	}
	free_chan(in);
	wend_chan_put(out, sum);
}

static uint64_t skynet_run(int64_t leaves)
{
	chan_int out = make_chan(0);
	uint64_t begin = bench_now_ns(), elapsed;
	int64_t sum;

	must(wend_go(node, out, 0, leaves), "wend_go");
	wend_chan_get(out, &sum);
	elapsed = bench_now_ns() - begin;
	if (sum != leaves * (leaves - 1) / 2)
		bench_fail("skynet: the sum is %lld", (long long)sum);
	free_chan(out);
	return elapsed;
}

void skynet(const struct bench_args *a)
{
	uint64_t ns;

	skynet_run(1000);
	ns = skynet_run(a->quick ? BENCH_SKYNET_QUICK : BENCH_SKYNET);
	bench_result("time", (double)ns / 1e6, "ms");
}

WEND_TASK(generate, (chan_int, out), (const bool *, stop),
	  (wend_waitgroup *, running))
{
	for (int64_t v = 2; !__atomic_load_n(stop, __ATOMIC_RELAXED); v++)
		wend_chan_put(out, v);
	wend_chan_close(wend_chan_raw(out));
	wend_waitgroup_done(running);
}

WEND_TASK(filter, (chan_int, in), (chan_int, out), (int64_t, prime),
	  (wend_waitgroup *, running))
{
	int64_t v;

	while (wend_chan_get(in, &v) == 0) {
		if (v % prime != 0)
			wend_chan_put(out, v);
	}
	wend_chan_close(wend_chan_raw(out));
	wend_waitgroup_done(running);
}

/* Times the first n primes; then drains the chain, so that all tasks end. */
static uint64_t sieve_run(size_t n, int64_t *last)
{
	chan_int *c = calloc(n + 1, sizeof(*c));
	uint64_t begin = bench_now_ns(), elapsed;
	wend_waitgroup running = { 0 };
	bool stop = false;
	int64_t v;

	if (!c)
		bench_fail("no memory");
	c[0] = make_chan(0);
	wend_waitgroup_add(&running, (int)n + 1);
	must(wend_go(generate, c[0], &stop, &running), "wend_go");
	for (size_t i = 0; i < n; i++) {
		wend_chan_get(c[i], last);
		c[i + 1] = make_chan(0);
		must(wend_go(filter, c[i], c[i + 1], *last, &running),
		     "wend_go");
	}
	elapsed = bench_now_ns() - begin;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	while (wend_chan_get(c[n], &v) == 0)
		;
	wend_waitgroup_wait(&running);
	for (size_t i = 0; i <= n; i++)
		free_chan(c[i]);
	free(c);
	return elapsed;
}

void sieve(const struct bench_args *a)
{
	int64_t last = 0;
	uint64_t ns;

	sieve_run(100, &last);
	ns = sieve_run(a->quick ? BENCH_SIEVE_QUICK : BENCH_SIEVE, &last);
	if (last != (a->quick ? 5279 : 17389))
		bench_fail("sieve: the last prime is %lld", (long long)last);
	bench_result("time", (double)ns / 1e6, "ms");
}
