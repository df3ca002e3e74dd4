/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sema.c - a counting semaphore, first come, first served.
 *
 * Invariant, the queue's lock held: count_ > 0 => nobody waits. A release
 * hands units to waiters and keeps the rest.
 */
#include <errno.h>

#include <wend/sync.h>
#include <wend/time.h>

#include "runtime/sched/server.h"

static int acquire_until(wend_sema *s, int64_t deadline, const void *caller)
{
	const struct wend__wait_how how = {
		.why = "semaphore",
		.where = s,
		.caller = caller,
		.deadline = deadline,
	};
	bool got;

	wend__waitq_lock(&s->waiters_);
	got = s->count_ > 0;
	if (got)
		s->count_--;
	else if (deadline > 0)
		return wend__wait_on(&s->waiters_, &how);
	wend__waitq_unlock(&s->waiters_);
	return got ? 0 : -ETIMEDOUT;
}

int wend_sema_acquire(wend_sema *s)
{
	return acquire_until(s, WEND_FOREVER, WEND__CALLER());
}

int wend_sema_acquire_until(wend_sema *s, int64_t deadline)
{
	return acquire_until(s, deadline, WEND__CALLER());
}

bool wend_sema_try(wend_sema *s)
{
	return acquire_until(s, 0, WEND__CALLER()) == 0;
}

void wend_sema_release(wend_sema *s, uint32_t n)
{
	struct wend__waiter *chain;
	uint32_t given;

	wend__waitq_lock(&s->waiters_);
	chain = wend__waitq_claim_chain(&s->waiters_, n, &given);
	if (__builtin_add_overflow(s->count_, n - given, &s->count_))
		wend__panic("the count of a semaphore passes 2^32 - 1");
	wend__waitq_unlock(&s->waiters_);
	wend__ready_chain(chain);
}
