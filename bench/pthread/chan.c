/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan.c - a channel of a mutex and two condition variables.
 *
 * One wake-up per change is enough: each value lets one receiver go on, each
 * free slot one sender.  Only an unbuffered sender waits for a certain
 * event, that its own value was taken; several may wait at once, so it is
 * told by a broadcast.
 */
#include "bench/pthread/pthread_bench.h"

#include <string.h>

static size_t slots(const struct chan *c)
{
	return c->capacity ? c->capacity : 1;
}

void chan_init(struct chan *c, size_t capacity)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->filled, NULL);
	pthread_cond_init(&c->emptied, NULL);
	c->capacity = capacity;
}

void chan_send(struct chan *c, int64_t v)
{
	uint64_t ticket;

	pthread_mutex_lock(&c->lock);
	while (c->count == slots(c))
		pthread_cond_wait(&c->emptied, &c->lock);
	c->ring[(c->head + c->count++) % slots(c)] = v;
	ticket = ++c->sent;
	pthread_cond_signal(&c->filled);
	while (c->capacity == 0 && c->taken < ticket)
		pthread_cond_wait(&c->emptied, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

bool chan_recv(struct chan *c, int64_t *v)
{
	bool got;

	pthread_mutex_lock(&c->lock);
	while (c->count == 0 && !c->closed)
		pthread_cond_wait(&c->filled, &c->lock);
	got = c->count > 0;
	if (got) {
		*v = c->ring[c->head];
		c->head = (c->head + 1) % slots(c);
		c->count--;
		c->taken++;
		if (c->capacity == 0)
			pthread_cond_broadcast(&c->emptied);
		else
			pthread_cond_signal(&c->emptied);
	}
	pthread_mutex_unlock(&c->lock);
	return got;
}

void chan_close(struct chan *c)
{
	pthread_mutex_lock(&c->lock);
	c->closed = true;
	pthread_cond_broadcast(&c->filled);
	pthread_mutex_unlock(&c->lock);
}
