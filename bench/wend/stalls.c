/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stalls.c - wend: tasks that stall, in ways that the runtime is or is not
 * told about.
 */
#define _GNU_SOURCE
#include "bench/wend/wend_bench.h"

#include <dlfcn.h>
#include <fcntl.h>
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
		bench_fail("pipe: error %d", errno);
	together(2, poll_call, &pipe[0]);
	ns = together(BENCH_CALLS, raw_call, NULL);
	bench_result("raw", (double)ns / 1e6, "ms");
	ns = together(BENCH_CALLS, poll_call, &pipe[0]);
	bench_result("poll", (double)ns / 1e6, "ms");
	close(pipe[0]);
	close(pipe[1]);
}

/*
 * One stall after another. `start` makes the second task ready, which cannot
 * run then, with one server; it looks at the clock when it does.
 */
struct duel {
	struct stall *stall;
	wend_chan *start, *done;
	int64_t begin, ran;
};

WEND_TASK(second, (struct duel *, d))
{
	while (wend_chan_recv(d->start, NULL) == 0) {
		d->ran = (int64_t)bench_now_ns();
		stall_end(d->stall);
		must(wend_chan_send(d->done, NULL), "send");
	}
	must(wend_chan_send(d->done, NULL), "send");
}

/* Rounds that went well: fewer than asked for, if the stall was rescued. */
static size_t fight(struct duel *d, int64_t *late, size_t rounds, int pause_ms)
{
	for (size_t r = 0; r < rounds; r++) {
		if (pause_ms)
			wend_sleep(pause_ms * WEND_MILLISECOND);
		stall_prepare(d->stall);
		must(wend_chan_send(d->start, NULL), "send");
		d->begin = (int64_t)bench_now_ns();
		stall_enter(d->stall);
		must(wend_chan_recv(d->done, NULL), "recv");
		if (stall_rescued(d->stall))
			return r;
		late[r] = d->ran - d->begin;
	}
	return rounds;
}

static void end_duel(struct duel *d)
{
	wend_chan_close(d->start);
	must(wend_chan_recv(d->done, NULL), "recv");
	wend_chan_free(d->start);
	wend_chan_free(d->done);
	stall_free(d->stall);
}

static bool begin_duel(struct duel *d, enum stall_kind kind)
{
	*d = (struct duel){ .stall = stall_new(kind) };
	if (!d->stall) {
		bench_note("%s: %s", stall_name(kind), strerror(errno));
		return false;
	}
	d->start = wend_chan_new(0, 1);
	d->done = wend_chan_new(0, 1);
	if (!d->start || !d->done)
		bench_fail("no memory");
	must(wend_go(second, d), "wend_go");
	return true;
}

static void note_rescue(const char *name)
{
	bench_note("%s: never: no other task ran for %d ms", name,
		   STALL_PATIENCE_MS);
}

static void notice(const struct bench_args *a, enum stall_kind kind)
{
	static int64_t late[BENCH_HOT];
	size_t hot = a->quick ? BENCH_HOT_QUICK : BENCH_HOT;
	size_t cold = a->quick ? BENCH_COLD_QUICK : BENCH_COLD;
	char prefix[32];
	struct duel d;

	if (!begin_duel(&d, kind))
		return;
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
	end_duel(&d);
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
	struct duel d;

	if (!begin_duel(&d, STALL_LOOP))
		bench_fail("no memory");
	if (fight(&d, late, 1, 0) == 1 && fight(&d, late, rounds, 0) == rounds)
		bench_times("", late, rounds, BENCH_MS, true);
	if (stall_rescued(d.stall))
		note_rescue("loop");
	end_duel(&d);
}

static wend_waitgroup crowd_running;

static void join_task(void *c, size_t i)
{
	crowd_join(c, i);
}

static void gather(struct crowd *c)
{
	start_all(&crowd_running, BENCH_CROWD, join_task, c);
	while (crowd_joined(c) < BENCH_CROWD && !crowd_rescued(c))
		wend_yield();
}

static void disperse(void)
{
	wend_waitgroup_wait(&crowd_running);
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

/* The C library's function, past the one that announces. */
void announced(const struct bench_args *a)
{
	bench_write *bare = (bench_write *)dlsym(RTLD_NEXT, "write");

	if (!bare)
		bench_fail("no write() in the C library");
	bench_announced(a, write, bare);
}

/* Half of the tasks wait for a channel, half read empty pipes. */
struct idlers {
	wend_chan *never;
	int (*pipe)[2];
	size_t readers;
	size_t begun;
};

static void idle_task(void *shared, size_t i)
{
	struct idlers *idle = shared;
	char b;

	__atomic_fetch_add(&idle->begun, 1, __ATOMIC_RELAXED);
	if (i >= idle->readers)
		wend_chan_recv(idle->never, NULL);
	else if (read(idle->pipe[i][0], &b, 1) != -2)
		bench_fail("idle: a read returned");
}

static void sleep_s(int seconds)
{
	wend_sleep(seconds * WEND_SECOND);
}

/* The tasks end with the process. */
void idle(const struct bench_args *a)
{
	static struct idlers all;
	static wend_waitgroup running;

	all.readers = bench_pipes(BENCH_IDLE / 2);
	all.never = wend_chan_new(0, 0);
	all.pipe = calloc(all.readers, sizeof(*all.pipe));
	if (!all.never || !all.pipe)
		bench_fail("no memory");
	for (size_t i = 0; i < all.readers; i++) {
		if (pipe2(all.pipe[i], O_CLOEXEC))
			bench_fail("pipe: error %d", errno);
	}
	start_all(&running, BENCH_IDLE, idle_task, &all);
	while (__atomic_load_n(&all.begun, __ATOMIC_RELAXED) < BENCH_IDLE)
		wend_yield();
	bench_idle(a, sleep_s);
}
