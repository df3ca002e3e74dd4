/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sleep.c - the clock, and waiting for a time.
 */
#include <errno.h>

#include <wend/task.h>
#include <wend/time.h>

#include "runtime/sched/server.h"

int64_t wend_now(void)
{
	return wend__now();
}

int64_t wend_after(int64_t duration)
{
	int64_t now = wend__now();

	if (duration <= 0)
		return now;
	return duration > INT64_MAX - now ? WEND_FOREVER : now + duration;
}

static int sleep_until(int64_t deadline, const void *caller)
{
	struct wend_task *t;

	if (deadline <= wend__now()) {
		wend_yield();
		return wend_task_cancelled() && !wend__current()->shield ?
			       -ECANCELED :
			       0;
	}
	t = wend__wait_begin(false);
	return wend__wait(t, deadline, "sleep", NULL, caller) ==
			       WEND__WOKEN_CANCEL ?
		       -ECANCELED :
		       0;
}

int wend_sleep_until(int64_t deadline)
{
	return sleep_until(deadline, WEND__CALLER());
}

int wend_sleep(int64_t duration)
{
	return sleep_until(wend_after(duration), WEND__CALLER());
}
