/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.h - the tasks' stacks: address space in slabs, memory by touching.
 *
 * A stack is bound to a task when the task first runs, not when it is
 * spawned: a task that waits to start costs no stack, and one that runs to
 * its end leaves a warm one to the next. What spawn takes is a *credit*, the
 * right to a stack of the default size, so that a task that was started never
 * finds none:
 *
 *   S1  credits (held by tasks + in caches + free) + slack <= stacks mapped,
 *       slack being STACK_CACHE_MAX for each server's cache
 *   S2  a task that is bound to a default-size stack holds a credit
 *
 *   So whoever binds finds one: suppose its own cache and the global list are
 *   empty. All mapped stacks are then bound, to tasks other than this one, or
 *   in the other servers' caches: mapped <= (credits - 1) + (servers - 1) *
 *   STACK_CACHE_MAX < credits + slack <= mapped.
 *
 * Stacks of other sizes are bound at the spawn and need no credit.
 *
 * Layout of one stack, high to low: a few cache lines of colour, so that the
 * tops of many stacks do not fall on the same cache sets; the frames; the
 * guard page.
 */
#ifndef WEND_STACK_STACK_H
#define WEND_STACK_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "compiler-rt/fiber.h"

enum {
	WEND__STACK_MIN = 16 * 1024,
	WEND__STACK_MAX = 1024 * 1024 * 1024,
	STACK_CACHE_MAX = 32, /* stacks in one server's cache, at most */
	STACK_CREDITS = 32,   /* credits moved at a time */
};

struct wend__stack {
	struct wend__stack *next; /* in a cache or free list */
	char *bottom;             /* lowest byte, of the guard page */
	char *top;                /* where the first frame goes; 64-aligned */
	void *owner;         /* the task bound to it; for overflow reports */
	uint32_t size;       /* bytes, guard and colour included */
	uint32_t fiber_uses; /* sanitizers, see wend__stack_fiber() */
	struct wend__fiber fiber;
	uint8_t class_log2;
	uint8_t guarded;
};

/* One server's stacks and credits; only its owner touches it. */
struct wend__stack_cache {
	struct wend__stack *list;
	uint32_t count;
	uint32_t credits;
};

/*
 * Set up for stacks of size bytes (a power of two, WEND__STACK_MIN to
 * WEND__STACK_MAX) and for that many caches. -ENOMEM: nothing is left behind.
 */
int wend__stacks_start(size_t size, unsigned int caches);

/* Unmap everything. No task is left. */
void wend__stacks_stop(void);

/* In the child of a fork: forget all stacks. The caller may stand on one; an
 * overflow of that is still reported. */
void wend__stacks_forked(void);

/* Take a credit, by way of the cache, or of nobody's (cache NULL). 0, -ENOMEM. */
int wend__stack_credit_slow(struct wend__stack_cache *cache);
static inline int wend__stack_credit_get(struct wend__stack_cache *cache)
{
	if (cache && cache->credits) {
		cache->credits--;
		return 0;
	}
	return wend__stack_credit_slow(cache);
}
/* Give one back; cache NULL as above. */
void wend__stack_credit_put(struct wend__stack_cache *cache);

/* Make s's lowest page a guard, as well as can be (guard.c). */
void wend__guard_install(struct wend__stack *s);

/* What a stack that is made now would get, in words. */
const char *wend__guard_name(void);

/* A default-size stack for a task that holds a credit. Cannot fail. */
struct wend__stack *wend__stack_get_slow(struct wend__stack_cache *cache);
static inline struct wend__stack *
wend__stack_get(struct wend__stack_cache *cache)
{
	struct wend__stack *s = cache->list;

	if (!s)
		return wend__stack_get_slow(cache);
	cache->list = s->next;
	cache->count--;
	if (!s->guarded)
		wend__guard_install(s);
	return s;
}

/* A stack of size bytes, a power of two in range; NULL: no memory. */
struct wend__stack *wend__stack_get_sized(size_t size);

/* Give a stack back. */
void wend__stack_put_slow(struct wend__stack_cache *cache,
			  struct wend__stack *s);
static inline void wend__stack_put(struct wend__stack_cache *cache,
				   struct wend__stack *s)
{
	extern uint8_t wend__stack_default_log2;

	if (s->class_log2 != wend__stack_default_log2 ||
	    cache->count >= STACK_CACHE_MAX) {
		wend__stack_put_slow(cache, s);
		return;
	}
	s->next = cache->list;
	cache->list = s;
	cache->count++;
}

/*
 * The sanitizers' fibre of a stack on which a task is about to start. Making
 * one takes ThreadSanitizer up to milliseconds, so it stays with the stack;
 * but a task never returns from its first frames, which stay on the fibre's
 * shadow stack, so it is made anew now and then. No code without sanitizers.
 */
struct wend__fiber *wend__stack_fiber_slow(struct wend__stack *s);
static inline struct wend__fiber *wend__stack_fiber(struct wend__stack *s)
{
	return WEND__ASAN || WEND__TSAN ? wend__stack_fiber_slow(s) : &s->fiber;
}

/* The default size, and the log2 of a size's class. */
size_t wend__stack_default_size(void);

/* Whether the lowest frame bytes were overwritten, where no guard page could
 * be had; always false otherwise. */
int wend__stack_smashed(const struct wend__stack *s);

/* The stack that holds an address, or NULL. Safe in a signal handler. */
struct wend__stack *wend__stack_find(const void *address);

/* How many stacks are mapped now. */
uint64_t wend__stacks_mapped(void);

/*
 * overflow.c: reports of overflows, from SIGSEGV and SIGBUS.
 *
 * wend__overflow_start  installs the handlers; describe(owner, buf, size)
 *                       writes who the owner of a stack is
 * wend__overflow_thread gives the calling thread a signal stack; -errno.
 *                       wend__overflow_thread_end takes it away.
 */
int wend__overflow_start(void (*describe)(void *owner, char *buf, size_t size));
void wend__overflow_stop(void);
int wend__overflow_thread(void);
void wend__overflow_thread_end(void);

#endif
