/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pthread_bench.h - a thread per task: threads and channels for the benches.
 *
 * pthreads have no channel; this one is what a programmer would write with a
 * mutex and two condition variables.
 */
#ifndef BENCH_PTHREAD_PTHREAD_BENCH_H
#define BENCH_PTHREAD_PTHREAD_BENCH_H

#include <pthread.h>

#include "bench/common/bench.h"

bench_fn yield2, yield1k, spawn, mutex8, timers, live;
bench_fn block_call, block_notice, preempt, block_pipe, idle;
bench_fn chan_pp, chan_buf, chan_mpmc, sieve, echo;

/* A task gets its number and what all share. */
typedef void task_fn(void *shared, size_t i);

/*
 * A team of n threads with small stacks of one mapping.  team_start() exits
 * with BENCH_IMPOSSIBLE if the machine does not give that many threads.
 */
struct task_arg {
	task_fn *fn;
	void *shared;
	size_t i;
};

struct team {
	size_t count;
	char *stacks;
	pthread_t *thread;
	struct task_arg *arg;
};

void team_start(struct team *t, size_t n, task_fn *fn, void *shared);
void team_join(struct team *t);

/* Starts and joins n threads; returns the nanoseconds. */
uint64_t together(size_t n, task_fn *fn, void *shared);

/*
 * A channel of int64_t.  capacity 0: a sender waits until its value was
 * taken, which `taken`, the count of values received, tells it.
 *
 * Invariant, lock held: count <= (capacity ? capacity : 1).
 */
struct chan {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t emptied;
	size_t capacity;
	size_t head;
	size_t count;
	uint64_t sent;
	uint64_t taken;
	bool closed;
	int64_t ring[BENCH_CHAN_CAP];
};

void chan_init(struct chan *c, size_t capacity);
void chan_send(struct chan *c, int64_t v);
bool chan_recv(struct chan *c, int64_t *v); /* false: closed and empty */
void chan_close(struct chan *c);

#endif
