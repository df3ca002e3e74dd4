/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_limit.h - waiting for a descriptor under a wend_call_limit.
 */
#ifndef WEND_SCHED_CALL_LIMIT_H
#define WEND_SCHED_CALL_LIMIT_H

#include <wend/limit.h>

#include "runtime/sched/server.h"

/* The task's wait was ended to look at the limit, which lets it go on. */
enum { WEND__CALL_AGAIN = 1 };

/* The limit that the calling task has entered, or NULL. */
static inline wend_call_limit *wend__call_limit(const struct wend_task *t)
{
	return WEND__UNLIKELY(t->flags & WEND__TASK_LIMITED) ? t->limit : NULL;
}

/*
 * wend__call_limit_park - wend__wait(), ended by t's limit as well.
 *
 * *result, for an end by a deadline or by the limit: -ETIMEDOUT, -ECANCELED or
 * WEND__CALL_AGAIN.
 */
struct wend__waiter *wend__call_limit_park(struct wend_task *t,
					   int64_t deadline, const char *why,
					   const void *caller, int *result);

/*
 * wend__call_limit_sleep - as wend_call_limit_wait(), in poll(): the kernel
 * thread waits, at most until deadline, too. l: not NULL.
 */
int wend__call_limit_sleep(wend_call_limit *l, int fd, short events,
			   int64_t deadline);

/* Whether the calls of the calling thread are announced: by runtime/block, which
 * is above this. */
extern bool (*wend__call_limit_counts)(void);

#endif
