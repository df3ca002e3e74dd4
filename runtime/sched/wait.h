/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.h - waiting for one of several events, and who may end a wait.
 *
 * A task that waits may be woken by an object's other side, by a deadline or
 * by cancellation, and by several objects at once in a select. Exactly one of
 * them wins: the one whose compare-and-swap moves task.wait from
 * (ticket, WAITING) to (ticket, CLAIMED). The winner writes task.woken_by,
 * then makes the task ready. Each wait has a new ticket, so a late canceller
 * cannot claim the wrong one by accident of an old look.
 *
 *      waiting task, object locked       waker, object locked
 *      wait = ticket|WAITING             pop a waiter
 *      enqueue waiter                    CAS wait WAITING -> CLAIMED
 *      unlock                              lost: pop the next one
 *      look for cancellation             woken_by = waiter; unlock
 *      park                              wend__ready(task)
 *
 *      waiting task                      canceller
 *      wait = ticket|WAITING             cancelled = 1
 *      fence_light  [wait.cancel]        fence_heavy  [wait.cancel]
 *      look at cancelled                 look at wait, claim if WAITING
 *
 * A waiter lies on the waiting task's stack, queued only under the object's
 * lock. Who is woken by another event takes its waiters out of the queues
 * again, under the locks, before it returns: so a waker that holds the lock
 * may touch every waiter it finds queued.
 */
#ifndef WEND_SCHED_WAIT_H
#define WEND_SCHED_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <wend/sync.h> /* struct wend__waitq */

#include "runtime/base/lock.h"

struct wend_task;

enum {
	WEND__WAIT_NONE = 0,
	WEND__WAIT_WAITING = 1,
	WEND__WAIT_CLAIMED = 2,
	WEND__WAIT_DEAF = 4, /* with WAITING: cancellation must not claim */
	WEND__WAIT_STATES = 7,
	WEND__WAIT_TICKET = 8,
};

struct wend__waiter {
	struct wend__waiter *next, *prev;
	struct wend_task *task;
	void *elem;      /* the object's business */
	uint32_t ticket; /* what task->wait is while this wait stands */
	int32_t index;   /* which case of a select */
	int result;      /* written by the waker under the lock */
	bool queued;
};

/* What ended a wait besides a waiter: values of task.woken_by. */
#define WEND__WOKEN_TIMEOUT ((struct wend__waiter *)1)
#define WEND__WOKEN_CANCEL  ((struct wend__waiter *)2)

/* --- queues of waiters ---------------------------------------------------- */

/* A queue has a lock of its own, for an object that needs no other. */
static inline void wend__waitq_lock(struct wend__waitq *q)
{
	wend__word_lock(&q->lock_, WEND__RANK_OBJECT);
}

static inline void wend__waitq_unlock(struct wend__waitq *q)
{
	wend__word_unlock(&q->lock_, WEND__RANK_OBJECT);
}

/* The object's lock is held for what follows. */

static inline void wend__waitq_push(struct wend__waitq *q,
				    struct wend__waiter *w)
{
	struct wend__waiter *tail = q->tail_;

	w->next = NULL;
	w->prev = tail;
	w->queued = true;
	if (tail)
		tail->next = w;
	else
		q->head_ = w;
	q->tail_ = w;
}

/* Before all others: for one that was woken and lost the race. */
static inline void wend__waitq_push_front(struct wend__waitq *q,
					  struct wend__waiter *w)
{
	struct wend__waiter *head = q->head_;

	w->prev = NULL;
	w->next = head;
	w->queued = true;
	if (head)
		head->prev = w;
	else
		q->tail_ = w;
	q->head_ = w;
}

static inline void wend__waitq_remove(struct wend__waitq *q,
				      struct wend__waiter *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		q->head_ = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		q->tail_ = w->prev;
	w->queued = false;
}

/* Take out the first waiter whose claim is won, its woken_by written; the
 * caller makes its task ready, after unlocking as a rule. NULL: none. */
struct wend__waiter *wend__waitq_claim(struct wend__waitq *q);

/* Claim up to n waiters, in order, chained by next: for wend__ready_chain()
 * after unlocking. *claimed, if not NULL, is how many. */
struct wend__waiter *wend__waitq_claim_chain(struct wend__waitq *q, uint32_t n,
					     uint32_t *claimed);
void wend__ready_chain(struct wend__waiter *first);

/* --- one wait ------------------------------------------------------------- */

/*
 * wend__wait_begin - the calling task (or thread) is about to wait.
 *
 *   deaf        cancellation does not end this wait
 *
 * Returns the task, with a new ticket in task->wait for waiters to carry.
 * Nothing is published yet.
 */
struct wend_task *wend__wait_begin(bool deaf);

/* Fill a waiter in for t's current wait. */
static inline void wend__waiter_init(struct wend__waiter *w,
				     struct wend_task *t, uint32_t ticket)
{
	w->task = t;
	w->ticket = ticket;
	w->elem = NULL;
	w->index = 0;
	w->result = 0;
	w->queued = false;
}

/*
 * wend__wait - wait until claimed. The waiters are queued, the locks released.
 *
 *   why, where  for dumps: static text, the object
 *   caller      for dumps: the address the public call returns to
 *
 * Returns who ended the wait (task.woken_by).
 */
struct wend__waiter *wend__wait(struct wend_task *t, int64_t deadline,
				const char *why, const void *where,
				const void *caller);

/*
 * wend__wait_on - the whole of a wait on one queue: q->lock_ is held, rank
 * OBJECT; it is released. A task's waiter is queued, waits, and is taken out
 * again if something else ended the wait.
 *
 * Returns  the waker's result (0 as a rule), -ETIMEDOUT, -ECANCELED.
 */
struct wend__wait_how {
	const char *why;
	const void *where;
	const void *caller;
	int64_t deadline;
	bool deaf;  /* not cancellable */
	bool front; /* queue before the others */
	void *elem;
};
int wend__wait_on(struct wend__waitq *q, const struct wend__wait_how *how);

/* For the record: by won a wait, and the waiter was out of its queue already,
 * so a waker had taken it and lost the claim. */
void wend__wait_note_lost(const struct wend__waiter *by);

/* Claim t's wait; true: the caller must make t ready. */
bool wend__claim(struct wend_task *t, uint32_t ticket);

#define WEND__CALLER() __builtin_return_address(0)

#endif
