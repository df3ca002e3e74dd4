/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - rings of ten tasks, each ring with a number going round.
 *
 * Whoever gets the number counts the steps in which it comes down to 1,
 * halving what is even and tripling plus one what is odd, and passes on the
 * next number. After each round the ring rests for a moment, so that the load
 * is many tasks, messages and timers and not simply all of the CPU.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include "examples/load.h"

#define RING 10
#define REST (5 * WEND_MILLISECOND)

struct ring {
	int size;
	_Atomic uint64_t messages;
	_Atomic uint64_t steps;
	chan(uint64_t) link[RING]; /* link[i] leads to task i */
};

struct load {
	long rings;
	struct ring ring[];
};

static uint64_t count_steps(uint64_t n)
{
	uint64_t steps = 0;

	for (; n != 1; steps++)
		n = n % 2 == 0 ? n / 2 : 3 * n + 1;
	return steps;
}

TASK(pass_on, (struct ring *, r), (int, i))
{
	chan(uint64_t) next = r->link[(i + 1) % r->size];
	uint64_t n;

	wend_task_set_name("load");
	while (chan_recv(r->link[i], &n) == 0) {
		atomic_fetch_add(&r->steps, count_steps(n));
		atomic_fetch_add(&r->messages, 1);
		if ((i == 0 && wend_sleep(REST) != 0) ||
		    chan_send(next, n + 1) != 0)
			break;
	}
}

static bool start_ring(wend_nursery *n, struct ring *r, int size)
{
	r->size = size;
	for (int i = 0; i < size; i++) {
		r->link[i] = chan_make(uint64_t, 1);
		if (r->link[i] == NULL)
			return false;
	}
	for (int i = 0; i < size; i++)
		if (nursery_go(n, pass_on, r, i) != 0)
			return false;
	chan_send(r->link[0], (uint64_t)1);
	return true;
}

struct load *load_start(wend_nursery *n, long tasks)
{
	long rings = (tasks + RING - 1) / RING;
	struct load *l = calloc(1, sizeof(*l) +
					   (size_t)rings * sizeof(l->ring[0]));

	if (l == NULL)
		return NULL;
	l->rings = rings;
	for (long i = 0; i < rings; i++, tasks -= RING)
		if (!start_ring(n, &l->ring[i], tasks < RING ? tasks : RING)) {
			wend_nursery_cancel(n);
			wend_nursery_wait(n);
			load_free(l);
			return NULL;
		}
	return l;
}

struct load_work load_done(const struct load *l)
{
	struct load_work done = { 0, 0 };

	for (long i = 0; i < l->rings; i++) {
		done.messages += atomic_load(&l->ring[i].messages);
		done.steps += atomic_load(&l->ring[i].steps);
	}
	return done;
}

void load_free(struct load *l)
{
	for (long i = 0; l != NULL && i < l->rings; i++)
		for (int j = 0; j < RING; j++)
			chan_free(l->ring[i].link[j]);
	free(l);
}
