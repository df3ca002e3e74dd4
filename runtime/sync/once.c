/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once.c - run a function once.
 */
#include <wend/sync.h>
#include <wend/time.h>

#include <errno.h>

#include "runtime/sched/server.h"

enum { NEW, RUNS, DONE };

static void finish(wend_once *o)
{
	struct wend__waiter *chain;

	wend__waitq_lock(&o->waiters_);
	/* [once.done] Who sees DONE sees all that fn did. */
	a32_store_release(&o->state_, DONE);
	chain = wend__waitq_claim_chain(&o->waiters_, UINT32_MAX, NULL);
	wend__waitq_unlock(&o->waiters_);
	wend__ready_chain(chain);
}

static int do_until(wend_once *o, void (*fn)(void *arg), void *arg,
		    int64_t deadline, bool deaf, const void *caller)
{
	const struct wend__wait_how how = {
		.why = "once",
		.where = o,
		.caller = caller,
		.deadline = deadline,
		.deaf = deaf,
	};
	uint32_t state;

	if (WEND__LIKELY(a32_load_acquire(&o->state_) ==
			 DONE)) /* [once.done] */
		return 0;
	wend__waitq_lock(&o->waiters_);
	state = o->state_;
	if (state == RUNS && deadline > 0)
		return wend__wait_on(&o->waiters_, &how);
	if (state == NEW)
		a32_store_relaxed(&o->state_, RUNS);
	wend__waitq_unlock(&o->waiters_);
	if (state == RUNS)
		return -ETIMEDOUT;
	if (state == NEW) {
		fn(arg);
		finish(o);
	}
	return 0;
}

void wend_once_do(wend_once *o, void (*fn)(void *arg), void *arg)
{
	(void)do_until(o, fn, arg, WEND_FOREVER, true, WEND__CALLER());
}

int wend_once_do_until(wend_once *o, void (*fn)(void *arg), void *arg,
		       int64_t deadline)
{
	return do_until(o, fn, arg, deadline, false, WEND__CALLER());
}
