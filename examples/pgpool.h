/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpool.h - the parts of pgpool.
 *
 *	pgpool.c          the command line, how the tasks start and end
 *	pgpool_ask.c      the pool, and what a task does with it
 *	pgpool_latency.c  how long something took, of very many times
 */
#ifndef EXAMPLES_PGPOOL_H
#define EXAMPLES_PGPOOL_H

#include <stdint.h>
#include <postgresql/libpq-fe.h>
#include <wend/short.h>
#include <wend/std/context.h>

/*
 * Counts of times by their highest five bits, so that any number of them needs
 * the same room, and what is read out is at most a sixteenth too small.
 * All zero is empty. Tasks add at once.
 */
#define LATENCY_BITS 4
struct latency {
	uint64_t counts[64 << LATENCY_BITS];
	int64_t most;
};

void latency_add(struct latency *l, int64_t ns);

/* "NAME  50 %  90 %  99 %  the longest" as a line of a table. */
void latency_print(const struct latency *l, const char *name);

struct run {
	const char *dsn;
	long tasks, conns, queries;

	wend_ctx *ctx;
	chan(PGconn *) pool;
	int opened, complaints;
	uint64_t answers;
	struct latency wait, query;
};

/* The first error is the one that counts and is printed; those of cancelled
 * calls do not. */
void complain(struct run *r, const char *what);

void pool_open(struct run *r);
void pool_close(struct run *r);

/* A task's work, with a struct run. */
int ask_often(wend_ctx *ctx, void *arg);

#endif
