/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/nursery.h - structured concurrency: tasks that end before their block.
 *
 *	wend_nursery(n) {
 *		wend_nursery_go(&n, fetch, url_a);
 *		wend_nursery_go(&n, fetch, url_b);
 *	}
 *	if (n.result < 0) ...
 *
 * At the end of the block the nursery waits for all its tasks. The first that
 * fails (wend_task_fail()) or cannot be started cancels the others, and
 * n.result is its error; 0 when none failed. The block must not be left by
 * return, goto or break; continue ends it early, as its end does.
 */
#ifndef WEND_NURSERY_H
#define WEND_NURSERY_H

#include <wend/base.h>
#include <wend/sync.h>
#include <wend/task.h>

WEND_BEGIN_DECLS

struct wend__nursery_task;

typedef struct wend_nursery {
	int result;
	wend_mutex lock_;
	wend_waitgroup running_;
	struct wend__nursery_task *tasks_;
	bool cancelled_;
	bool done_;
} wend_nursery;

/*
 * wend_nursery_go - wend_go() into a nursery.
 *
 * Returns 0, or the error, which is also noted as the nursery's result and
 * cancels its tasks: callers need not look. A nursery that is cancelled
 * already starts nothing and returns -ECANCELED.
 * Context  any task of the nursery, or the block's own; not after the end of
 *          the block.
 */
#define wend_nursery_go(n, ...)                                                \
	__extension__({                                                        \
		wend_attr wend__attr;                                          \
		int wend__r = wend__nursery_begin((n), &wend__attr);           \
		if (wend__r == 0)                                              \
			wend__r = wend__nursery_started(                       \
				(n), &wend__attr,                              \
				wend_go_with(&wend__attr, __VA_ARGS__));       \
		wend__r;                                                       \
	})
WEND_API int wend__nursery_begin(wend_nursery *n, wend_attr *attr);
WEND_API int wend__nursery_started(wend_nursery *n, wend_attr *attr,
				   int result);

/* Cancel all tasks of the nursery; result stays as it is. */
WEND_API void wend_nursery_cancel(wend_nursery *n);

/*
 * wend_nursery_wait - wait for all tasks; the end of the block does it.
 * If the waiting task is cancelled, so are the tasks, and they are still
 * waited for: result is -ECANCELED then, if it was 0.
 * Returns n->result.
 */
WEND_API int wend_nursery_wait(wend_nursery *n);

WEND_END_DECLS

#define wend_nursery(n)                                                        \
	wend_nursery                                                           \
		n;                                                             \
	for (wend__nursery_init(&n); !n.done_; wend_nursery_wait(&n))

static inline void wend__nursery_init(wend_nursery *n)
{
	const wend_nursery empty = {
		0, WEND_MUTEX_INIT, { 0, { 0, NULL, NULL } }, NULL, false, false
	};

	*n = empty;
}

#endif
