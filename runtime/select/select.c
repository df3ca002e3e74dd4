/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select.c - one of several channel operations.
 *
 * Three passes, as in Go's runtime:
 *   1. lock all channels (address order, each once), look from a random case
 *      on for one that can go on now;
 *   2. if there is none, queue a waiter on each, unlock all, wait: whoever
 *      claims the task's one wait performs that case;
 *   3. take the other waiters out again, channel by channel.
 *
 * Pass 1 starts at a random case and goes through a random permutation: going
 * round from a random start would favour a ready case behind unready ones.
 */
#include <errno.h>
#include <stdlib.h>

#include <wend/select.h>

#include "runtime/base/rare.h"
#include "runtime/chan/chan.h"
#include "runtime/sched/preempt.h"

enum { ON_STACK = 16, CASES_MAX = 65536 };

struct one {
	struct wend_chan *chan;   /* in address order: what to lock */
	struct wend__waiter wait; /* of the case with the same index */
	uint32_t order;           /* the random permutation */
};

struct selecting {
	const struct wend_case *cases;
	struct one *all; /* n of them */
	uint32_t n;
	uint32_t locks; /* how many distinct channels */
	int64_t deadline;
	const void *caller;
};

/* --- order --------------------------------------------------------------------------- */

/* The server's, or the thread's own; preemption is off. */
static struct wend__rand *random_here(void)
{
	static __thread struct wend__rand thread_rand;
	struct wend__worker *w = wend__self;
	struct wend__server *s = w ? w->server : NULL;

	if (s)
		return &s->rand;
	if (!thread_rand.state)
		wend__rand_seed(&thread_rand, (uint64_t)wend__now());
	return &thread_rand;
}

static void shuffle(struct selecting *s)
{
	struct wend__rand *rand;

	wend__preempt_off();
	rand = random_here();
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t j = wend__rand_below(rand, i + 1);

		s->all[i].order = s->all[j].order;
		s->all[j].order = i;
	}
	wend__preempt_on();
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct one *)a)->chan;
	uintptr_t y = (uintptr_t)((const struct one *)b)->chan;

	return x < y ? -1 : x > y;
}

static void sort_few(struct one *all, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct wend_chan *c = all[i].chan;
		uint32_t j = i;

		for (; j > 0 && (uintptr_t)all[j - 1].chan > (uintptr_t)c; j--)
			all[j].chan = all[j - 1].chan;
		all[j].chan = c;
	}
}

/* The distinct channels, in address order. Only .chan is filled in yet. */
static void sort_locks(struct selecting *s)
{
	uint32_t out = 0;

	for (uint32_t i = 0; i < s->n; i++)
		s->all[i].chan = s->cases[i].chan;
	if (s->n <= ON_STACK)
		sort_few(s->all, s->n);
	else
		qsort(s->all, s->n, sizeof(s->all[0]), by_address);
	for (uint32_t i = 0; i < s->n; i++)
		if (s->all[i].chan &&
		    (out == 0 || s->all[out - 1].chan != s->all[i].chan))
			s->all[out++].chan = s->all[i].chan;
	s->locks = out;
}

static void lock_all(struct selecting *s)
{
	for (uint32_t i = 0; i < s->locks; i++)
		wend__chan_lock(s->all[i].chan);
}

static void unlock_all(struct selecting *s)
{
	for (uint32_t i = s->locks; i-- > 0;)
		wend__chan_unlock(s->all[i].chan);
}

/* --- the passes ---------------------------------------------------------------------- */

static int taken(const struct selecting *s, uint32_t i, int status)
{
	if (s->cases[i].status)
		*s->cases[i].status = status;
	return (int)i;
}

/* The index of the case that was performed, or -EAGAIN. Locks are held. */
static int try_all(struct selecting *s, struct wend__waiter **wake)
{
	for (uint32_t k = 0; k < s->n; k++) {
		uint32_t i = s->all[k].order;
		const struct wend_case *c = &s->cases[i];
		int status;

		if (!c->chan)
			continue;
		if (c->op == WEND_OP_SEND ?
			    wend__chan_send_now(c->chan, c->elem, &status,
						wake) :
			    wend__chan_recv_now(c->chan, c->elem, &status,
						wake))
			return taken(s, i, status);
	}
	return -EAGAIN;
}

static struct wend__waitq *queue_of(const struct wend_case *c)
{
	return c->op == WEND_OP_SEND ? &c->chan->sendq : &c->chan->recvq;
}

static void enqueue_all(struct selecting *s, struct wend_task *t)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct wend_case *c = &s->cases[i];
		struct wend__waiter *w = &s->all[i].wait;

		wend__waiter_init(w, t, t->ticket);
		w->index = (int32_t)i;
		w->elem = c->elem;
		if (c->chan)
			wend__waitq_push(queue_of(c), w);
	}
}

/* A case's waiter was taken out by a waker that then lost the claim to by. */
static void note_lost(const struct wend__waiter *by)
{
	if (by == WEND__WOKEN_TIMEOUT)
		WEND__RARE(select_lost_deadline);
	else if (by == WEND__WOKEN_CANCEL)
		WEND__RARE(select_lost_cancel);
	else
		WEND__RARE(select_lost_case);
}

/* by: the waiter that was claimed, out of its queue already; its fields are
 * ours to read. A waiter that lost a claim has been taken out too. */
static void dequeue_all(struct selecting *s, const struct wend__waiter *by)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct wend_case *c = &s->cases[i];
		struct wend__waiter *w = &s->all[i].wait;

		if (!c->chan || w == by)
			continue;
		wend__chan_lock(c->chan);
		if (w->queued)
			wend__waitq_remove(queue_of(c), w);
		else
			note_lost(by);
		wend__chan_unlock(c->chan);
	}
}

static int perform(struct selecting *s)
{
	struct wend__waiter *by, *wake = NULL;
	struct wend_task *t;
	int r;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->cases[i].chan)
			__builtin_prefetch(s->cases[i].chan, 1);
	shuffle(s);
	sort_locks(s);
	lock_all(s);
	r = try_all(s, &wake);
	if (r >= 0 || s->deadline <= 0) {
		unlock_all(s);
		if (wake)
			wend__ready(wake->task);
		return r >= 0 ? r : -ETIMEDOUT;
	}
	t = wend__wait_begin(false);
	enqueue_all(s, t);
	unlock_all(s);
	by = wend__wait(t, s->deadline, "select", s->cases[0].chan, s->caller);
	dequeue_all(s, by);
	if (by == WEND__WOKEN_TIMEOUT)
		return -ETIMEDOUT;
	if (by == WEND__WOKEN_CANCEL)
		return -ECANCELED;
	if (by->result)
		WEND__RARE(select_closed);
	return taken(s, (uint32_t)by->index, by->result);
}

static int select_none(int64_t deadline, const void *caller)
{
	struct wend_task *t;

	if (deadline <= 0)
		return -ETIMEDOUT;
	t = wend__wait_begin(false);
	return wend__wait(t, deadline, "select (no cases)", NULL, caller) ==
			       WEND__WOKEN_TIMEOUT ?
		       -ETIMEDOUT :
		       -ECANCELED;
}

int wend_select_cases(const struct wend_case *cases, size_t n, int64_t deadline)
{
	struct one few[ON_STACK];
	struct selecting s = {
		.cases = cases,
		.all = few,
		.n = (uint32_t)n,
		.deadline = deadline,
		.caller = WEND__CALLER(),
	};
	int r;

	if (n > CASES_MAX)
		return -EINVAL;
	if (n == 0)
		return select_none(deadline, s.caller);
	if (n > ON_STACK) {
		s.all = malloc(n * sizeof(s.all[0]));
		if (!s.all)
			return -ENOMEM;
	}
	r = perform(&s);
	if (s.all != few)
		free(s.all);
	return r;
}
