/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan.c - channels. Invariants and locks: chan.h.
 *
 * A sender that finds a waiting receiver copies straight into the receiver's
 * variable, and makes it the next to run: the common exchange of two tasks on
 * one server is one copy and one switch.
 */
#include "runtime/chan/chan.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/sched/server.h"

/* --- elements ------------------------------------------------------------------------ */

static void copy_elem(const struct wend_chan *c, void *to, const void *from)
{
	/* The sizes that channels mostly have, without a call. */
	if (c->elem_size == sizeof(uint64_t) && to && from)
		memcpy(to, from, sizeof(uint64_t));
	else if (c->elem_size == sizeof(uint32_t) && to && from)
		memcpy(to, from, sizeof(uint32_t));
	else if (c->elem_size && to && from)
		memcpy(to, from, c->elem_size);
}

static void zero_elem(const struct wend_chan *c, void *to)
{
	if (c->elem_size && to)
		memset(to, 0, c->elem_size);
}

static char *slot(const struct wend_chan *c, size_t i)
{
	i += c->head;
	if (i >= c->capacity)
		i -= c->capacity;
	return c->slots + i * c->elem_size;
}

static void put(struct wend_chan *c, const void *elem)
{
	copy_elem(c, slot(c, c->count), elem);
	aword_store_relaxed(&c->count, c->count + 1);
}

static void get(struct wend_chan *c, void *elem)
{
	copy_elem(c, elem, slot(c, 0));
	if (++c->head == c->capacity)
		c->head = 0;
	aword_store_relaxed(&c->count, c->count - 1);
}

/* --- without waiting ----------------------------------------------------------------- */

bool wend__chan_send_now(struct wend_chan *c, const void *elem, int *result,
			 struct wend__waiter **wake)
{
	struct wend__waiter *w;

	*wake = NULL;
	*result = 0;
	if (WEND__UNLIKELY(c->closed)) {
		*result = -EPIPE;
		return true;
	}
	if (c->recvq.head_ && (w = wend__waitq_claim(&c->recvq))) {
		copy_elem(c, w->elem, elem);
		*wake = w;
		return true;
	}
	if (c->count < c->capacity) {
		put(c, elem);
		return true;
	}
	return false;
}

bool wend__chan_recv_now(struct wend_chan *c, void *elem, int *result,
			 struct wend__waiter **wake)
{
	struct wend__waiter *w = NULL;

	*wake = NULL;
	*result = 0;
	if (c->count > 0) {
		get(c, elem);
		/* Room for the sender that has waited longest. */
		if (c->sendq.head_ && (w = wend__waitq_claim(&c->sendq)))
			put(c, w->elem);
		*wake = w;
		return true;
	}
	if (c->sendq.head_ && (w = wend__waitq_claim(&c->sendq))) {
		copy_elem(c, elem, w->elem);
		*wake = w;
		return true;
	}
	if (WEND__UNLIKELY(c->closed)) {
		zero_elem(c, elem);
		*result = -EPIPE;
		return true;
	}
	return false;
}

/* --- with waiting --------------------------------------------------------------------- */

/* A nil channel: nothing will ever happen on it. */
static int wait_nil(int64_t deadline, const char *why, const void *caller)
{
	struct wend_task *t;
	struct wend__waiter *by;

	if (deadline <= 0)
		return -ETIMEDOUT;
	t = wend__wait_begin(false);
	by = wend__wait(t, deadline, why, NULL, caller);
	return by == WEND__WOKEN_TIMEOUT ? -ETIMEDOUT : -ECANCELED;
}

/* c->lock is held; it is released. */
static int wait_on(struct wend_chan *c, struct wend__waitq *q, void *elem,
		   int64_t deadline, const char *why, const void *caller)
{
	struct wend__waiter me, *by;
	struct wend_task *t;

	if (deadline <= 0) {
		wend__chan_unlock(c);
		return -ETIMEDOUT;
	}
	t = wend__wait_begin(false);
	wend__waiter_init(&me, t, t->ticket);
	me.elem = elem;
	wend__waitq_push(q, &me);
	wend__chan_unlock(c);
	by = wend__wait(t, deadline, why, c, caller);
	if (by == &me)
		return me.result;
	wend__chan_lock(c);
	if (me.queued)
		wend__waitq_remove(q, &me);
	else
		wend__wait_note_lost(by);
	wend__chan_unlock(c);
	return by == WEND__WOKEN_TIMEOUT ? -ETIMEDOUT : -ECANCELED;
}

static inline int send_until(struct wend_chan *c, const void *elem,
			     int64_t deadline, const void *caller)
{
	struct wend__waiter *wake;
	int result;

	if (WEND__UNLIKELY(!c))
		return wait_nil(deadline, "chan send (nil channel)", caller);
	wend__chan_lock(c);
	if (!wend__chan_send_now(c, elem, &result, &wake))
		return wait_on(c, &c->sendq, (void *)(uintptr_t)elem, deadline,
			       "chan send", caller);
	wend__chan_unlock(c);
	if (wake)
		wend__ready(wake->task);
	return result;
}

static inline int recv_until(struct wend_chan *c, void *elem, int64_t deadline,
			     const void *caller)
{
	struct wend__waiter *wake;
	int result;

	if (WEND__UNLIKELY(!c))
		return wait_nil(deadline, "chan receive (nil channel)", caller);
	wend__chan_lock(c);
	if (!wend__chan_recv_now(c, elem, &result, &wake))
		return wait_on(c, &c->recvq, elem, deadline, "chan receive",
			       caller);
	wend__chan_unlock(c);
	if (wake)
		wend__ready(wake->task);
	return result;
}

int wend_chan_send(wend_chan *c, const void *elem)
{
	return send_until(c, elem, WEND_FOREVER, WEND__CALLER());
}

int wend_chan_send_until(wend_chan *c, const void *elem, int64_t deadline)
{
	return send_until(c, elem, deadline, WEND__CALLER());
}

int wend_chan_send_try(wend_chan *c, const void *elem)
{
	int r = send_until(c, elem, 0, WEND__CALLER());

	return r == -ETIMEDOUT ? -EAGAIN : r;
}

int wend_chan_recv(wend_chan *c, void *elem)
{
	return recv_until(c, elem, WEND_FOREVER, WEND__CALLER());
}

int wend_chan_recv_until(wend_chan *c, void *elem, int64_t deadline)
{
	return recv_until(c, elem, deadline, WEND__CALLER());
}

int wend_chan_recv_try(wend_chan *c, void *elem)
{
	int r = recv_until(c, elem, 0, WEND__CALLER());

	return r == -ETIMEDOUT ? -EAGAIN : r;
}

/* --- making, closing, freeing ------------------------------------------------------------ */

wend_chan *wend_chan_new(size_t elem_size, size_t capacity)
{
	size_t bytes;
	struct wend_chan *c;

	if (__builtin_mul_overflow(elem_size, capacity, &bytes) ||
	    bytes > PTRDIFF_MAX - sizeof(*c))
		return NULL;
	c = calloc(1, sizeof(*c) + bytes);
	if (!c)
		return NULL;
	c->capacity = capacity;
	c->elem_size = elem_size;
	c->slots = (char *)(c + 1);
	return c;
}

/*
 * All waiters are taken out under one lock: whoever sees the channel closed
 * may free it, and then we must not come back to it.
 */
void wend_chan_close(wend_chan *c)
{
	struct wend__waiter *receivers, *senders, *w;

	if (!c)
		wend__panic("close of a nil channel");
	wend__chan_lock(c);
	if (c->closed)
		wend__panic("close of a closed channel");
	c->closed = 1;
	receivers = wend__waitq_claim_chain(&c->recvq, UINT32_MAX, NULL);
	senders = wend__waitq_claim_chain(&c->sendq, UINT32_MAX, NULL);
	for (w = receivers; w; w = w->next) {
		zero_elem(c, w->elem);
		w->result = -EPIPE;
	}
	for (w = senders; w; w = w->next)
		w->result = -EPIPE;
	wend__chan_unlock(c);
	wend__ready_chain(receivers);
	wend__ready_chain(senders);
}

void wend_chan_free(wend_chan *c)
{
	if (!c)
		return;
	/* The last user may have been woken while its waker still unlocks. */
	wend__chan_lock(c);
	if (c->recvq.head_ || c->sendq.head_)
		wend__panic("free of a channel on which a task waits");
	wend__chan_unlock(c);
	free(c);
}

size_t wend_chan_len(const wend_chan *c)
{
	return c ? aword_load_relaxed(&c->count) : 0;
}

size_t wend_chan_cap(const wend_chan *c)
{
	return c ? c->capacity : 0;
}
