/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runq.c - ring, fresh deque, global queue.
 *
 * The ring (as in Go's runtime, and before it in Cilk's and others): the
 * owner alone moves tail, everybody moves head by compare-and-swap.
 *
 *      owner pushes                      thief takes n from head h
 *      t = tail; h = head (acquire)      h = head (acquire)
 *      t - h < size? slots[t] = task     t = tail (acquire)  [ring.tail]
 *      tail = t + 1 (release)            copy slots[h .. h + n)
 *         [ring.tail]                    cas head h -> h + n  [ring.head]
 *
 *   [ring.tail]  a thief that sees the new tail sees the task in its slot.
 *   [ring.head]  the owner that sees the new head sees that the copying is
 *                over, so it may write the slots again. A cas that fails
 *                throws the copies away.
 *
 * The fresh deque is Chase and Lev's, with a fixed array: thieves take one at
 * the top; the owner pushes and pops at the bottom.
 *
 *      owner pops                        thief
 *      b = bottom - 1; bottom = b        t = top (acquire)
 *      fence  [fresh.last]               fence  [fresh.last]
 *      t = top                           b = bottom (acquire)
 *      t < b: slots[b] is the owner's    t < b: task = slots[t]
 *      t == b: cas top t -> t + 1        cas top t -> t + 1
 *
 *   [fresh.last]  either the owner sees the thief's top, or the thief sees the
 *                 owner's bottom: for the last task both come to the cas, and
 *                 one wins.
 *
 * A batch of several cannot be stolen from a deque by one cas: the owner may
 * have popped some of them from the other end meanwhile. From the ring it
 * can, as nobody takes from its tail.
 */
#include "runtime/sched/runq.h"

#include <string.h>

#include "runtime/base/rare.h"
#include "runtime/sched/fork.h"
#include "runtime/sched/task.h"

enum { SPILL_FRESH = WEND__FRESH_SIZE / 2, SPILL_RING = WEND__RING_SIZE / 2 };

/* --- ring ----------------------------------------------------------------- */

/* Half of a full ring goes to the global queue, oldest first, then t. */
static bool ring_spill_owner(struct wend__ring *r, struct wend_task *t,
			     uint32_t head)
{
	struct wend_task *chain[SPILL_RING + 1];
	uint32_t i;

	for (i = 0; i < SPILL_RING; i++)
		chain[i] = aptr_load_relaxed(
			&r->slots[(head + i) % WEND__RING_SIZE]);
	/* [ring.head] Pairs with the owner's acquire of head: nothing to hand
	 * over here, the owner is us. */
	wend__point();
	if (!a32_cas_full(&r->head, head, head + SPILL_RING)) {
		WEND__RARE(ring_spill_lost);
		return false;
	}
	WEND__RARE(ring_spill);
	chain[SPILL_RING] = t;
	for (i = 0; i < SPILL_RING; i++)
		chain[i]->link = chain[i + 1];
	wend__global_push_chain(chain[0], t, SPILL_RING + 1);
	return true;
}

void wend__ring_push_owner(struct wend__ring *r, struct wend_task *t)
{
	uint32_t tail = r->tail; /* ours */

	for (;;) {
		uint32_t head = a32_load_acquire(&r->head); /* [ring.head] */

		if (tail - head < WEND__RING_SIZE) {
			aptr_store_relaxed(&r->slots[tail % WEND__RING_SIZE],
					   t);
			a32_store_release(&r->tail, tail + 1); /* [ring.tail] */
			return;
		}
		if (ring_spill_owner(r, t, head))
			return;
	}
}

struct wend_task *wend__ring_take(struct wend__ring *r)
{
	for (;;) {
		uint32_t head = a32_load_acquire(&r->head);
		struct wend_task *t;

		if (head == a32_load_acquire(&r->tail)) /* [ring.tail] */
			return NULL;
		t = aptr_load_relaxed(&r->slots[head % WEND__RING_SIZE]);
		wend__point();
		if (a32_cas_full(&r->head, head, head + 1)) /* [ring.head] */
			return t;
		WEND__RARE(ring_take_lost);
	}
}

struct wend_task *wend__ring_steal(struct wend__ring *from,
				   struct wend__ring *to, uint32_t *count)
{
	uint32_t tail = to->tail; /* ours, and the ring is empty or nearly */

	for (;;) {
		uint32_t head = a32_load_acquire(&from->head);
		uint32_t n = a32_load_acquire(&from->tail) - head;
		struct wend_task *t;

		/* Half, not one: a thief that found work will likely be back,
		 * and each visit costs misses on both sides. More than half a
		 * ring is an inconsistent pair of looks. */
		n -= n / 2;
		if (n == 0)
			return NULL;
		if (n > WEND__RING_SIZE / 2) {
			WEND__RARE(ring_steal_torn);
			continue;
		}
		for (uint32_t i = 0; i < n; i++) {
			t = aptr_load_relaxed(
				&from->slots[(head + i) % WEND__RING_SIZE]);
			aptr_store_relaxed(
				&to->slots[(tail + i) % WEND__RING_SIZE], t);
		}
		wend__point();
		if (!a32_cas_full(&from->head, head, head + n)) {
			WEND__RARE(ring_steal_lost);
			continue;
		}
		*count = n;
		/* The last one copied is for now; it was never published. */
		t = to->slots[(tail + n - 1) % WEND__RING_SIZE];
		if (n > 1)
			a32_store_release(&to->tail, tail + n - 1);
		return t;
	}
}

/* --- fresh deque ---------------------------------------------------------- */

/* Half of a full deque goes to the global queue, the oldest, one by one: the
 * thieves take from the same end. */
static void fresh_spill_owner(struct wend__fresh *f)
{
	struct wend_task *first = NULL, *last = NULL, *t;
	uint32_t n = 0;

	WEND__RARE(fresh_spill);
	while (n < SPILL_FRESH && (t = wend__fresh_take(f))) {
		if (last)
			last->link = t;
		else
			first = t;
		last = t;
		n++;
	}
	if (n)
		wend__global_push_chain(first, last, n);
}

void wend__fresh_push_owner(struct wend__fresh *f, struct wend_task *t)
{
	size_t bottom = f->bottom; /* ours */

	if (bottom - aword_load_acquire(&f->top) >= WEND__FRESH_SIZE)
		fresh_spill_owner(f);
	aptr_store_relaxed(&f->slots[bottom % WEND__FRESH_SIZE], t);
	/* A thief that sees the new bottom sees the task. */
	aword_store_release(&f->bottom, bottom + 1);
}

struct wend_task *wend__fresh_pop_owner(struct wend__fresh *f)
{
	size_t bottom = f->bottom - 1; /* ours */
	size_t top = aword_load_relaxed(&f->top);
	struct wend_task *t;

	/* Empty as far as can be told without a fence: top only grows. */
	if ((intptr_t)(bottom - top) < 0)
		return NULL;
	aword_store_relaxed(&f->bottom, bottom);
	fence_full(); /* [fresh.last] */
	wend__point();
	top = aword_load_acquire(&f->top);
	if ((intptr_t)(bottom - top) > 0)
		return aptr_load_relaxed(&f->slots[bottom % WEND__FRESH_SIZE]);
	t = NULL;
	if (bottom == top) {
		t = aptr_load_relaxed(&f->slots[bottom % WEND__FRESH_SIZE]);
		wend__point();
		if (!aword_cas_full(&f->top, top, top + 1)) {
			WEND__RARE(fresh_last_lost);
			t = NULL;
		} else {
			WEND__OFTEN(fresh_last_won);
		}
	}
	aword_store_relaxed(&f->bottom, bottom + 1);
	return t;
}

struct wend_task *wend__fresh_take(struct wend__fresh *f)
{
	for (;;) {
		size_t top = aword_load_acquire(&f->top);
		size_t bottom;
		struct wend_task *t;

		fence_full(); /* [fresh.last] */
		bottom = aword_load_acquire(&f->bottom);
		if ((intptr_t)(bottom - top) <= 0)
			return NULL;
		t = aptr_load_relaxed(&f->slots[top % WEND__FRESH_SIZE]);
		wend__point();
		if (aword_cas_full(&f->top, top, top + 1))
			return t;
		WEND__RARE(fresh_take_lost);
	}
}

/* --- global queue --------------------------------------------------- */

/*
 * Four lines. Tasks that have run go before tasks that have not, or a burst
 * of wake-ups that did not fit a ring would wait behind all that was ever
 * spawned; now and then it is the other way round. The quick ones go every
 * other time.
 *
 * QUICK and BOUND are tasks that are bound to a thread, which waits for a
 * server. They are taken one by one and handed that server at once, never put
 * into a server's own queues: so whoever has a server and nobody to run it
 * finds them here.
 */
enum { QUICK, BOUND, RESUMED, FRESH, LINES };
enum { FRESH_TURNS = 8 };

static struct {
	struct wend__lock lock;
	uint32_t count; /* these three: written under the lock, read without */
	uint32_t resumed; /* all but those in FRESH */
	uint32_t bound;   /* those in QUICK and BOUND */
	uint32_t turn;
	struct line {
		struct wend_task *head, *tail;
	} lines[LINES];
} global __attribute__((aligned(64)));

void wend__global_forked(void)
{
	memset(&global, 0, sizeof(global));
}

static void count_add(unsigned int line, uint32_t n)
{
	if (line != FRESH)
		a32_store_relaxed(&global.resumed, global.resumed + n);
	if (line == QUICK || line == BOUND)
		a32_store_relaxed(&global.bound, global.bound + n);
	a32_store_release(&global.count, global.count + n);
}

static void push(unsigned int which, struct wend_task *first,
		 struct wend_task *last, uint32_t n)
{
	struct line *line = &global.lines[which];

	last->link = NULL;
	wend__lock(&global.lock, WEND__RANK_GLOBAL);
	if (line->tail)
		line->tail->link = first;
	else
		line->head = first;
	line->tail = last;
	count_add(which, n);
	wend__unlock(&global.lock, WEND__RANK_GLOBAL);
}

void wend__global_push_chain(struct wend_task *first, struct wend_task *last,
			     uint32_t n)
{
	push(first->state == WEND__FRESH ? FRESH : RESUMED, first, last, n);
}

void wend__global_push(struct wend_task *t)
{
	wend__global_push_chain(t, t, 1);
}

void wend__global_push_bound(struct wend_task *t, bool quick)
{
	if (quick)
		WEND__RARE(global_quick);
	push(quick ? QUICK : BOUND, t, t, 1);
}

uint32_t wend__global_count(void)
{
	return a32_load_acquire(&global.count);
}

uint32_t wend__global_resumed(void)
{
	return a32_load_relaxed(&global.resumed);
}

/* A chain of at most want, NULL at its end. Lock is held. */
static struct wend_task *take_locked(unsigned int which, uint32_t want)
{
	struct line *line = &global.lines[which];
	struct wend_task *first = line->head, *last = first;
	uint32_t n = 1;

	if (!first)
		return NULL;
	for (; n < want && last->link; n++)
		last = last->link;
	line->head = last->link;
	if (!line->head)
		line->tail = NULL;
	last->link = NULL;
	count_add(which, -n);
	return first;
}

/* From the line whose turn it is, or the next that is not empty. */
static struct wend_task *take_in_turn_locked(uint32_t want)
{
	uint32_t turn = global.turn++;
	struct wend_task *t = NULL;

	if (turn % FRESH_TURNS == 0)
		t = take_locked(FRESH, want);
	else if (turn % 2 == 0)
		t = take_locked(QUICK, 1);
	if (!t && turn / 2 % 2)
		t = take_locked(BOUND, 1);
	if (!t)
		t = take_locked(RESUMED, want);
	if (!t)
		t = take_locked(BOUND, 1);
	if (!t)
		t = take_locked(QUICK, 1);
	return t ? t : take_locked(FRESH, want);
}

uint32_t wend__global_bound(void)
{
	return a32_load_relaxed(&global.bound);
}

struct wend_task *wend__global_take_bound(void)
{
	struct wend_task *t;

	wend__lock(&global.lock, WEND__RANK_GLOBAL);
	t = take_locked(QUICK, 1);
	if (!t)
		t = take_locked(BOUND, 1);
	wend__unlock(&global.lock, WEND__RANK_GLOBAL);
	return t;
}

struct wend_task *wend__global_take_owner(struct wend__ring *ring,
					  struct wend__fresh *fresh,
					  uint32_t want)
{
	struct wend_task *first, *t, *next;

	if (wend__global_count() == 0)
		return NULL;
	if (want > WEND__RING_SIZE / 2)
		want = WEND__RING_SIZE / 2;
	wend__lock(&global.lock, WEND__RANK_GLOBAL);
	first = take_in_turn_locked(want);
	wend__unlock(&global.lock, WEND__RANK_GLOBAL);
	if (!first)
		return NULL;
	for (t = first->link; t; t = next) {
		next = t->link;
		if (t->state == WEND__FRESH)
			wend__fresh_push_owner(fresh, t);
		else
			wend__ring_push_owner(ring, t);
	}
	return first;
}
