/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - other tasks in the same process, that compute and pass messages.
 */
#ifndef EXAMPLES_LOAD_H
#define EXAMPLES_LOAD_H

#include <wend/short.h>

/* What they have done so far. */
struct load_work {
	uint64_t messages; /* passed from task to task */
	uint64_t steps;    /* computed */
};

struct load;

/* Start that many tasks in the nursery n; they run until it is cancelled.
 * NULL: no memory. load_free(): after the nursery's end. */
struct load *load_start(wend_nursery *n, long tasks);
struct load_work load_done(const struct load *l);
void load_free(struct load *l);

#endif
