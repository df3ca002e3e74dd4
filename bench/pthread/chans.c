/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chans.c - pthreads: the channel benches.
 */
#include "bench/pthread/pthread_bench.h"

#include <stdlib.h>

struct pair {
	struct chan ping, pong;
	uint64_t rounds;
};

static void pp_task(void *shared, size_t i)
{
	struct pair *p = shared;
	int64_t v = 0;

	for (int64_t r = 0; r < (int64_t)p->rounds; r++) {
		if (i == 0) {
			chan_send(&p->ping, r);
			if (!chan_recv(&p->pong, &v) || v != r)
				bench_fail("chan_pp: wrong value");
		} else {
			chan_recv(&p->ping, &v);
			chan_send(&p->pong, v);
		}
	}
}

static uint64_t pp_body(uint64_t rounds)
{
	struct pair p;

	chan_init(&p.ping, 0);
	chan_init(&p.pong, 0);
	p.rounds = rounds;
	return together(2, pp_task, &p);
}

void chan_pp(const struct bench_args *a)
{
	bench_per_op(a, pp_body, 1);
}

struct crowd {
	struct chan c;
	size_t pairs;
	uint64_t rounds;
	int64_t sum;
};

static void pass_task(void *shared, size_t i)
{
	struct crowd *p = shared;
	int64_t v = 0, own = 0;

	if (i < p->pairs) {
		for (uint64_t r = 1; r <= p->rounds; r++)
			chan_send(&p->c, (int64_t)r);
		return;
	}
	for (uint64_t r = 0; r < p->rounds; r++) {
		chan_recv(&p->c, &v);
		own += v;
	}
	__atomic_fetch_add(&p->sum, own, __ATOMIC_RELAXED);
}

/* As many senders as receivers on one channel. */
static uint64_t pass(size_t pairs, uint64_t rounds)
{
	struct crowd p = { .pairs = pairs, .rounds = rounds };
	int64_t n = (int64_t)rounds;
	uint64_t elapsed;

	chan_init(&p.c, BENCH_CHAN_CAP);
	elapsed = together(2 * pairs, pass_task, &p);
	if (p.sum != (int64_t)pairs * (n * (n + 1) / 2))
		bench_fail("channel: the sum is %lld", (long long)p.sum);
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

/*
 * Stage 0 of the sieve generates; stage i filters what chan[i - 1] brings by
 * the i-th prime into chan[i].  A stage starts when the prime is known.
 */
struct sieve {
	struct chan *chan;
	int64_t *prime;
	bool stop;
};

static void stage_task(void *shared, size_t i)
{
	struct sieve *s = shared;
	int64_t v = 2;

	if (i == 0) {
		while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
			chan_send(&s->chan[0], v++);
	} else {
		while (chan_recv(&s->chan[i - 1], &v)) {
			if (v % s->prime[i] != 0)
				chan_send(&s->chan[i], v);
		}
	}
	chan_close(&s->chan[i]);
}

struct stage {
	struct sieve *s;
	size_t i;
	struct team team;
};

static void start_stage(void *shared, size_t zero)
{
	struct stage *st = shared;

	(void)zero;
	stage_task(st->s, st->i);
}

static void open_stage(struct stage *st, struct sieve *s, size_t i)
{
	st->s = s;
	st->i = i;
	chan_init(&s->chan[i], 0);
	team_start(&st->team, 1, start_stage, st);
}

/* Times the first n primes; then drains the chain, so that all threads end. */
static uint64_t sieve_run(size_t n, int64_t *last)
{
	struct stage *stage = calloc(n + 1, sizeof(*stage));
	struct sieve s = { .stop = false };
	uint64_t begin = bench_now_ns(), elapsed;

	s.chan = calloc(n + 1, sizeof(*s.chan));
	s.prime = calloc(n + 1, sizeof(*s.prime));
	if (!stage || !s.chan || !s.prime)
		bench_fail("no memory");
	open_stage(&stage[0], &s, 0);
	for (size_t i = 1; i <= n; i++) {
		chan_recv(&s.chan[i - 1], &s.prime[i]);
		open_stage(&stage[i], &s, i);
	}
	*last = s.prime[n];
	elapsed = bench_now_ns() - begin;
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	while (chan_recv(&s.chan[n], &s.prime[0]))
		;
	for (size_t i = 0; i <= n; i++)
		team_join(&stage[i].team);
	free(s.chan);
	free(s.prime);
	free(stage);
	return elapsed;
}

void sieve(const struct bench_args *a)
{
	size_t n = a->quick ? BENCH_SIEVE_QUICK : BENCH_SIEVE;
	int64_t last;
	uint64_t ns;

	sieve_run(50, &last);
	ns = sieve_run(n, &last);
	if (last != (a->quick ? 5279 : 17389))
		bench_fail("sieve: the last prime is %lld", (long long)last);
	bench_result("time", (double)ns / 1e6, "ms");
}
