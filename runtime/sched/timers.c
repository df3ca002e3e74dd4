/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers.c - the 4-ary heap.
 *
 * Invariants, h->lock held:
 *   T1  slots[i].when >= slots[(i - 1) / 4].when
 *   T2  slots[i].timer->index == i, ->heap == h, ->when == slots[i].when
 *   T3  next == the least when of heap and overflow list, INT64_MAX if none
 *
 * Four children a node: half the levels of a binary heap, and the four lie in
 * one cache line.
 */
#include "runtime/sched/timers.h"

#include <stdlib.h>
#include "runtime/base/rare.h"

enum { FIRST_CAPACITY = 64, NOT_IN_HEAP = UINT32_MAX };

void wend__timers_init(struct wend__timers *h)
{
	*h = (struct wend__timers){ .next = INT64_MAX };
}

void wend__timers_free(struct wend__timers *h)
{
	free(h->slots);
	wend__timers_init(h);
}

static void place(struct wend__timers *h, uint32_t i,
		  struct wend__timer_slot slot)
{
	h->slots[i] = slot;
	slot.timer->index = i;
}

static void sift_up(struct wend__timers *h, uint32_t i,
		    struct wend__timer_slot slot)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / 4;

		if (h->slots[parent].when <= slot.when)
			break;
		place(h, i, h->slots[parent]);
		i = parent;
	}
	place(h, i, slot);
}

static void sift_down(struct wend__timers *h, uint32_t i,
		      struct wend__timer_slot slot)
{
	for (;;) {
		uint32_t child = 4 * i + 1, least = child, end = child + 4;

		if (child >= h->count || WEND__PLANTED(TIMER_ORDER))
			break;
		if (end > h->count)
			end = h->count;
		while (++child < end)
			if (h->slots[child].when < h->slots[least].when)
				least = child;
		if (slot.when <= h->slots[least].when)
			break;
		place(h, i, h->slots[least]);
		i = least;
	}
	place(h, i, slot);
}

static void heap_remove(struct wend__timers *h, uint32_t i)
{
	struct wend__timer_slot last = h->slots[--h->count];

	if (i == h->count)
		return;
	if (i > 0 && last.when < h->slots[(i - 1) / 4].when)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

static bool grow(struct wend__timers *h)
{
	uint32_t capacity = h->capacity ? 2 * h->capacity : FIRST_CAPACITY;
	struct wend__timer_slot *slots = realloc(h->slots,
						 capacity * sizeof(*slots));

	if (!slots)
		return false;
	h->slots = slots;
	h->capacity = capacity;
	return true;
}

static struct wend__timer *overflow_first(const struct wend__timers *h)
{
	struct wend__timer *first = h->overflow;

	for (struct wend__timer *t = first; t; t = t->next)
		if (t->when < first->when)
			first = t;
	return first;
}

static void overflow_remove(struct wend__timers *h, struct wend__timer *t)
{
	struct wend__timer **link = &h->overflow;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
}

/* T3; others look at next without the lock, as a hint of when to come. */
static void update_next(struct wend__timers *h)
{
	int64_t next = h->count ? h->slots[0].when : INT64_MAX;

	if (WEND__UNLIKELY(h->overflow != NULL)) {
		const struct wend__timer *t = overflow_first(h);

		if (t->when < next)
			next = t->when;
	}
	aword_store_relaxed((size_t *)&h->next, (size_t)next);
}

static void insert(struct wend__timers *h, struct wend__timer *t, int64_t when)
{
	t->when = when;
	if (h->count == h->capacity && !grow(h)) {
		WEND__RARE(timer_overflow);
		t->index = NOT_IN_HEAP;
		t->next = h->overflow;
		h->overflow = t;
	} else {
		struct wend__timer_slot slot = { when, t };

		h->count++;
		sift_up(h, h->count - 1, slot);
	}
	aptr_store_relaxed(&t->heap, h);
}

static void extract(struct wend__timers *h, struct wend__timer *t)
{
	if (WEND__LIKELY(t->index != NOT_IN_HEAP))
		heap_remove(h, t->index);
	else
		overflow_remove(h, t);
}

bool wend__timer_arm(struct wend__timers *h, struct wend__timer *t,
		     int64_t when)
{
	bool first;

	wend__lock(&h->lock, WEND__RANK_TIMERS);
	first = when < h->next;
	insert(h, t, when);
	if (first)
		aword_store_relaxed((size_t *)&h->next, (size_t)when);
	wend__unlock(&h->lock, WEND__RANK_TIMERS);
	return first;
}

bool wend__timer_cancel(struct wend__timer *t)
{
	/* [timer.heap] NULL: it has fired, and whoever set it so is done with
	 * t. Otherwise the heap's lock decides; it may be firing just now. */
	struct wend__timers *h = aptr_load_acquire(&t->heap);
	bool armed;

	if (!h)
		return false;
	wend__lock(&h->lock, WEND__RANK_TIMERS);
	armed = t->heap == h;
	if (armed) {
		if (t->index == NOT_IN_HEAP)
			WEND__RARE(timer_overflow_cancelled);
		extract(h, t);
		aptr_store_relaxed(&t->heap, (struct wend__timers *)NULL);
		update_next(h);
	} else {
		WEND__RARE(timer_firing);
	}
	wend__unlock(&h->lock, WEND__RANK_TIMERS);
	return armed;
}

static struct wend__timer *first_due(struct wend__timers *h, int64_t now)
{
	if (h->count && h->slots[0].when <= now)
		return h->slots[0].timer;
	if (WEND__UNLIKELY(h->overflow != NULL)) {
		struct wend__timer *t = overflow_first(h);

		if (t->when <= now)
			return t;
	}
	return NULL;
}

void wend__timers_run(struct wend__timers *h, int64_t now)
{
	struct wend__timer *t;

	wend__lock(&h->lock, WEND__RANK_TIMERS);
	while ((t = first_due(h, now))) {
		int64_t again;

		if (t->index == NOT_IN_HEAP)
			WEND__RARE(timer_overflow_fired);
		extract(h, t);
		again = t->fire(t, now);
		if (again != INT64_MAX)
			insert(h, t, again);
	}
	update_next(h);
	wend__unlock(&h->lock, WEND__RANK_TIMERS);
}
