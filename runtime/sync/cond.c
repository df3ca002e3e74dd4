/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cond.c - condition variables.
 *
 * The waiter is queued before the mutex is unlocked: whoever changes the
 * condition under the mutex afterwards finds it.
 */
#include <errno.h>

#include <wend/sync.h>

#include "runtime/sched/server.h"

static int wait_until(wend_cond *c, wend_mutex *m, int64_t deadline,
		      const void *caller)
{
	struct wend__waiter me, *by;
	struct wend_task *t;

	if (deadline <= 0)
		return -ETIMEDOUT;
	wend__waitq_lock(&c->waiters_);
	t = wend__wait_begin(false);
	wend__waiter_init(&me, t, t->ticket);
	wend__waitq_push(&c->waiters_, &me);
	wend__waitq_unlock(&c->waiters_);
	wend_mutex_unlock(m);
	by = wend__wait(t, deadline, "cond wait", c, caller);
	if (by != &me) {
		wend__waitq_lock(&c->waiters_);
		if (me.queued)
			wend__waitq_remove(&c->waiters_, &me);
		else
			wend__wait_note_lost(by);
		wend__waitq_unlock(&c->waiters_);
	}
	wend_mutex_lock(m);
	if (by == &me)
		return 0;
	return by == WEND__WOKEN_TIMEOUT ? -ETIMEDOUT : -ECANCELED;
}

int wend_cond_wait(wend_cond *c, wend_mutex *m)
{
	return wait_until(c, m, WEND_FOREVER, WEND__CALLER());
}

int wend_cond_wait_until(wend_cond *c, wend_mutex *m, int64_t deadline)
{
	return wait_until(c, m, deadline, WEND__CALLER());
}

static void wake(wend_cond *c, uint32_t n)
{
	struct wend__waiter *chain;

	wend__waitq_lock(&c->waiters_);
	chain = wend__waitq_claim_chain(&c->waiters_, n, NULL);
	wend__waitq_unlock(&c->waiters_);
	wend__ready_chain(chain);
}

void wend_cond_signal(wend_cond *c)
{
	wake(c, 1);
}

void wend_cond_broadcast(wend_cond *c)
{
	wake(c, UINT32_MAX);
}
