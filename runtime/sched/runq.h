/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runq.h - the run queues of one server, and the global one.
 *
 *   next    one slot: the task made ready last, run first, for its data is in
 *           the cache and its waker is likely to wait soon. Thieves leave it
 *           alone unless its server has stood still for a while.
 *   ring    ready tasks that have run before, first in first out. The owner
 *           pushes at the tail; the owner and thieves take from the head,
 *           thieves half of all.
 *   fresh   tasks that have not run, last in first out for the owner: a tree
 *           of spawns is then walked depth first, which needs the fewest
 *           stacks and finds the warmest. Thieves take the oldest, the root
 *           of the largest part. (Go has one queue for both, and walks such
 *           a tree breadth first.)
 *   global  overflow of all rings, and what is made ready by threads that
 *           have no server. Every server looks at it now and then even if it
 *           has work of its own, so that nothing in it starves.
 */
#ifndef WEND_SCHED_RUNQ_H
#define WEND_SCHED_RUNQ_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/lock.h"

struct wend_task;

enum {
	WEND__RING_SIZE = 256, /* powers of two */
	WEND__FRESH_SIZE = 1024,
};

struct wend__ring {
	uint32_t head __attribute__((aligned(64))); /* all: cas */
	uint32_t tail __attribute__((aligned(64))); /* owner */
	struct wend_task *slots[WEND__RING_SIZE];
};

struct wend__fresh {
	size_t top __attribute__((aligned(64)));    /* all: cas */
	size_t bottom __attribute__((aligned(64))); /* owner */
	struct wend_task *slots[WEND__FRESH_SIZE];
};

/* _owner: only the server's owner may call. Pushes spill to the global queue
 * when full. Takes return NULL when there is nothing. */
void wend__ring_push_owner(struct wend__ring *r, struct wend_task *t);
struct wend_task *wend__ring_take(struct wend__ring *r);
/* Move half of from's tasks to the owner's ring; returns one of them. */
struct wend_task *wend__ring_steal(struct wend__ring *from,
				   struct wend__ring *to_owner,
				   uint32_t *count);

void wend__fresh_push_owner(struct wend__fresh *f, struct wend_task *t);
struct wend_task *wend__fresh_pop_owner(struct wend__fresh *f);
struct wend_task *wend__fresh_take(struct wend__fresh *f);

static inline bool wend__ring_empty(const struct wend__ring *r)
{
	return a32_load_acquire(&r->head) == a32_load_acquire(&r->tail);
}

static inline bool wend__fresh_empty(const struct wend__fresh *f)
{
	return (intptr_t)(aword_load_acquire(&f->bottom) -
			  aword_load_acquire(&f->top)) <= 0;
}

/* The same for the owner of the only server there is: no thieves, so neither a
 * locked instruction nor a fence. They are half of what a yield would cost. */
static inline struct wend_task *wend__ring_take_alone(struct wend__ring *r)
{
	uint32_t head = r->head;

	if (head == r->tail)
		return NULL;
	a32_store_relaxed(&r->head, head + 1);
	return r->slots[head % WEND__RING_SIZE];
}

static inline struct wend_task *wend__fresh_pop_alone(struct wend__fresh *f)
{
	size_t bottom = f->bottom;

	if (bottom == f->top)
		return NULL;
	aword_store_relaxed(&f->bottom, bottom - 1);
	return f->slots[(bottom - 1) % WEND__FRESH_SIZE];
}

/* The global queue: its own lock, rank GLOBAL. */
void wend__global_push(struct wend_task *t);
/* A task bound to a thread. quick: ahead of the line, at most every other turn:
 * for one that gave its server up for a call that then hardly waited. */
void wend__global_push_bound(struct wend_task *t, bool quick);
/* One that is bound, or NULL; and how many there are. */
struct wend_task *wend__global_take_bound(void);
uint32_t wend__global_bound(void);
/* A chain linked by link, n long. */
void wend__global_push_chain(struct wend_task *first, struct wend_task *last,
			     uint32_t n);
/* Up to want tasks, at most half a ring: one to run now, the others into the
 * owner's queues, which should have room. */
struct wend_task *wend__global_take_owner(struct wend__ring *ring,
					  struct wend__fresh *fresh,
					  uint32_t want);
uint32_t wend__global_count(void);
/* How many of them have run before. */
uint32_t wend__global_resumed(void);

#endif
