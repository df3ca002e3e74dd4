/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stalls.c - pthreads: threads that stall; the kernel runs the others.
 */
#define _GNU_SOURCE
#include "bench/pthread/pthread_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/common/stall.h"

static void raw_call(void *shared, size_t i)
{
	(void)shared;
	(void)i;
	stall_sleep_ms(BENCH_CALL_MS);
}

static void poll_call(void *fd, size_t i)
{
	(void)i;
	stall_poll_ms(*(int *)fd, BENCH_CALL_MS);
}

void block_call(const struct bench_args *a)
{
	uint64_t ns;
	int pipe[2];

	(void)a;
	if (pipe2(pipe, O_CLOEXEC))
		bench_fail("pipe: %m");
	together(2, poll_call, &pipe[0]);
	ns = together(BENCH_CALLS, raw_call, NULL);
	bench_result("raw", (double)ns / 1e6, "ms");
	ns = together(BENCH_CALLS, poll_call, &pipe[0]);
	bench_result("poll", (double)ns / 1e6, "ms");
	close(pipe[0]);
	close(pipe[1]);
}

/*
 * One stall after another, on one CPU. The second thread is to be ready, but
 * not to run yet, when the first one stalls: it yields all the time. (Woken
 * up, it would go first, and there was nothing to wait for.)
 */
struct duel {
	struct stall *stall;
	struct chan start, done;
	int64_t begin, ran;
	uint32_t ready, go;
};

static void yield_until(const uint32_t *word)
{
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void set_word(uint32_t *word, uint32_t v)
{
	__atomic_store_n(word, v, __ATOMIC_RELEASE);
}

static void second(void *shared, size_t i)
{
	struct duel *d = shared;
	int64_t v;

	(void)i;
	while (chan_recv(&d->start, &v)) {
		set_word(&d->ready, 1);
		yield_until(&d->go);
		d->ran = (int64_t)bench_now_ns();
		stall_end(d->stall);
		chan_send(&d->done, 0);
	}
}

static size_t fight(struct duel *d, int64_t *late, size_t rounds, int pause_ms)
{
	int64_t v;

	for (size_t r = 0; r < rounds; r++) {
		if (pause_ms)
			usleep((useconds_t)pause_ms * 1000);
		set_word(&d->ready, 0);
		set_word(&d->go, 0);
		stall_prepare(d->stall);
		chan_send(&d->start, 0);
		yield_until(&d->ready);
		d->begin = (int64_t)bench_now_ns();
		set_word(&d->go, 1);
		stall_enter(d->stall);
		chan_recv(&d->done, &v);
		if (stall_rescued(d->stall))
			return r;
		late[r] = d->ran - d->begin;
	}
	return rounds;
}

static bool begin_duel(struct duel *d, enum stall_kind kind)
{
	d->stall = stall_new(kind);
	if (!d->stall) {
		bench_note("%s: %s", stall_name(kind), strerror(errno));
		return false;
	}
	chan_init(&d->start, 1);
	chan_init(&d->done, 1);
	return true;
}

static void note_rescue(const char *name)
{
	bench_note("%s: never: no other thread ran for %d ms", name,
		   STALL_PATIENCE_MS);
}

static void notice(const struct bench_args *a, enum stall_kind kind)
{
	static int64_t late[BENCH_HOT];
	size_t hot = a->quick ? BENCH_HOT_QUICK : BENCH_HOT;
	size_t cold = a->quick ? BENCH_COLD_QUICK : BENCH_COLD;
	char prefix[32];
	struct team team;
	struct duel d;

	if (!begin_duel(&d, kind))
		return;
	team_start(&team, 1, second, &d);
	if (fight(&d, late, 3, 0) == 3 && fight(&d, late, hot, 0) == hot) {
		snprintf(prefix, sizeof(prefix), "%s_", stall_name(kind));
		bench_times(prefix, late, hot, BENCH_US, false);
		if (fight(&d, late, cold, BENCH_PAUSE_MS) == cold) {
			snprintf(prefix, sizeof(prefix), "%s_cold_",
				 stall_name(kind));
			bench_times(prefix, late, cold, BENCH_US, false);
		}
	}
	if (stall_rescued(d.stall))
		note_rescue(stall_name(kind));
	chan_close(&d.start);
	team_join(&team);
	stall_free(d.stall);
}

void block_notice(const struct bench_args *a)
{
	for (int kind = STALL_READ; kind <= STALL_FAULT; kind++)
		notice(a, (enum stall_kind)kind);
}

void preempt(const struct bench_args *a)
{
	static int64_t late[BENCH_LOOPS];
	size_t rounds = a->quick ? BENCH_LOOPS_QUICK : BENCH_LOOPS;
	struct team team;
	struct duel d;

	if (!begin_duel(&d, STALL_LOOP))
		bench_fail("no memory");
	team_start(&team, 1, second, &d);
	if (fight(&d, late, 1, 0) == 1 && fight(&d, late, rounds, 0) == rounds)
		bench_times("", late, rounds, BENCH_MS, true);
	if (stall_rescued(d.stall))
		note_rescue("loop");
	chan_close(&d.start);
	team_join(&team);
	stall_free(d.stall);
}

static struct team crowd_team;

static void join_task(void *c, size_t i)
{
	crowd_join(c, i);
}

static void gather(struct crowd *c)
{
	team_start(&crowd_team, BENCH_CROWD, join_task, c);
	while (crowd_joined(c) < BENCH_CROWD && !crowd_rescued(c))
		usleep(1000);
}

static void disperse(void)
{
	team_join(&crowd_team);
}

struct work {
	uint64_t end_ns;
	uint64_t rounds;
};

static void compute_task(void *shared, size_t i)
{
	struct work *w = shared;

	(void)i;
	__atomic_fetch_add(&w->rounds, stall_compute(w->end_ns),
			   __ATOMIC_RELAXED);
}

static uint64_t compute(uint64_t end_ns)
{
	struct work w = { end_ns, 0 };

	together(BENCH_COMPUTING, compute_task, &w);
	return w.rounds;
}

void block_pipe(const struct bench_args *a)
{
	static const struct bench_crowd_ops ops = { compute, gather, disperse };

	bench_block_pipe(a, &ops);
}

/* Half of the threads wait for a condition, half read empty pipes. */
struct idlers {
	struct chan never;
	int (*pipe)[2];
	size_t readers;
	size_t begun;
};

static void idle_task(void *shared, size_t i)
{
	struct idlers *idle = shared;
	int64_t v;
	char b;

	__atomic_fetch_add(&idle->begun, 1, __ATOMIC_RELAXED);
	if (i >= idle->readers)
		chan_recv(&idle->never, &v);
	else if (read(idle->pipe[i][0], &b, 1) != -2)
		bench_fail("idle: a read returned");
}

static void sleep_s(int seconds)
{
	sleep((unsigned int)seconds);
}

/* The threads end with the process. */
void idle(const struct bench_args *a)
{
	static struct idlers all;
	static struct team team;

	all.readers = bench_pipes(BENCH_IDLE / 2);
	all.pipe = calloc(all.readers, sizeof(*all.pipe));
	if (!all.pipe)
		bench_fail("no memory");
	chan_init(&all.never, 1);
	for (size_t i = 0; i < all.readers; i++) {
		if (pipe2(all.pipe[i], O_CLOEXEC))
			bench_fail("pipe: %m");
	}
	team_start(&team, BENCH_IDLE, idle_task, &all);
	while (__atomic_load_n(&all.begun, __ATOMIC_RELAXED) < BENCH_IDLE)
		usleep(1000);
	bench_idle(a, sleep_s);
	fflush(stdout);
	_exit(0);
}
