/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan.h - a channel's inside, for chan.c and select.
 *
 * Invariants, c->lock held:
 *   I1  count > 0          => no receiver waits
 *   I2  count < capacity   => no sender waits
 *   I3  closed             => nobody waits
 *   I4  an unbuffered channel has senders or receivers waiting, not both,
 *       except cases of one select that has both on it
 *   I5  the oldest element is at slots[head], the count ones wrap around
 *
 * "waits" means a waiter whose wait is not claimed; those of a select that
 * went on elsewhere may lie in a queue until their task takes them out.
 * A wend__waiter's elem is where the element comes from or goes to (NULL: it
 * is dropped); its result is 0 or -EPIPE.
 *
 * Lock: rank CHAN; several only in address order (select). Tasks are made
 * ready after it is released.
 */
#ifndef WEND_CHAN_CHAN_H
#define WEND_CHAN_CHAN_H

#include <stdbool.h>
#include <string.h>

#include <wend/chan.h>

#include "runtime/base/lone.h"
#include "runtime/sched/wait.h"

struct wend_chan {
	struct wend__lone_lock lock;
	uint32_t closed;
	size_t count; /* read without the lock by wend_chan_len() */
	size_t head;
	size_t capacity;
	size_t elem_size;
	struct wend__waitq sendq, recvq; /* their lock_ is not used */
	char *slots;
};

static inline void wend__chan_lock(struct wend_chan *c)
{
	wend__lone_lock(&c->lock, WEND__RANK_CHAN);
}

static inline void wend__chan_unlock(struct wend_chan *c)
{
	wend__lone_unlock(&c->lock, WEND__RANK_CHAN);
}

/*
 * Try to send or receive now; c->lock is held, and stays held.
 *
 * Returns  true: done, *result is 0 or -EPIPE; *wake is a waiter whose task
 *          the caller must make ready after unlocking, or NULL.
 *          false: it would wait.
 */
bool wend__chan_send_now(struct wend_chan *c, const void *elem, int *result,
			 struct wend__waiter **wake);
bool wend__chan_recv_now(struct wend_chan *c, void *elem, int *result,
			 struct wend__waiter **wake);

#endif
