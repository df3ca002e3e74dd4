/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waitgroup.c - wait until a count falls to zero.
 *
 * The waitgroup may lie on the stack of the one who waits, and be gone as soon
 * as the wait returns. So the count falls to 0 only under the queue's lock,
 * and a wait looks at it only under that lock: the unlock of whoever counted
 * it to 0 is the last that anybody else does with it.
 */
#include <errno.h>
#include <limits.h>

#include <wend/sync.h>
#include <wend/time.h>

#include "runtime/sched/server.h"

static uint32_t checked_sum(uint32_t count, int n)
{
	int64_t sum = (int64_t)count + n;

	if (sum < 0)
		wend__panic("the count of a waitgroup falls below 0");
	if (sum > INT_MAX)
		wend__panic("the count of a waitgroup passes %d", INT_MAX);
	return (uint32_t)sum;
}

/* Change the count, but not to 0: false then. */
static bool add_above_zero(wend_waitgroup *w, int n)
{
	uint32_t old = a32_load_relaxed(&w->count_);

	for (;;) {
		uint32_t sum = checked_sum(old, n), seen;

		if (sum == 0)
			return false;
		/* Full: what was done before is in order with the last. */
		seen = a32_cas_fetch_full(&w->count_, old, sum);
		if (seen == old)
			return true;
		old = seen;
	}
}

void wend_waitgroup_add(wend_waitgroup *w, int n)
{
	struct wend__waiter *chain = NULL;

	wend__point();
	while (!add_above_zero(w, n)) {
		uint32_t old;
		bool zero;

		wend__waitq_lock(&w->waiters_);
		old = a32_load_relaxed(&w->count_);
		zero = checked_sum(old, n) == 0 &&
		       a32_cas_full(&w->count_, old, 0);
		if (zero)
			chain = wend__waitq_claim_chain(&w->waiters_,
							UINT32_MAX, NULL);
		wend__waitq_unlock(&w->waiters_);
		if (zero)
			break;
	}
	wend__ready_chain(chain);
}

void wend_waitgroup_done(wend_waitgroup *w)
{
	wend_waitgroup_add(w, -1);
}

static int wait_until(wend_waitgroup *w, int64_t deadline, const void *caller)
{
	const struct wend__wait_how how = {
		.why = "waitgroup",
		.where = w,
		.caller = caller,
		.deadline = deadline,
	};

	uint32_t count;

	wend__waitq_lock(&w->waiters_);
	count = a32_load_acquire(&w->count_);
	if (count > 0 && deadline > 0)
		return wend__wait_on(&w->waiters_, &how);
	wend__waitq_unlock(&w->waiters_);
	return count > 0 ? -ETIMEDOUT : 0;
}

int wend_waitgroup_wait(wend_waitgroup *w)
{
	return wait_until(w, WEND_FOREVER, WEND__CALLER());
}

int wend_waitgroup_wait_until(wend_waitgroup *w, int64_t deadline)
{
	return wait_until(w, deadline, WEND__CALLER());
}
