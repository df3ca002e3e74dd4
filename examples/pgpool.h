/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpool.h - the parts of pgpool.
 *
 *	pgpool.c          the command line, the pool, the tasks that ask
 *	pgpool_latency.c  how long something took, of very many times
 */
#ifndef EXAMPLES_PGPOOL_H
#define EXAMPLES_PGPOOL_H

#include <stdint.h>

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

#endif
