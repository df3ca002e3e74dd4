/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nursery.c - tasks that end before their block does.
 *
 * The nursery keeps a handle to each task until the end, to cancel it by. A
 * task reports its result at its end (on_end), so that the first failure
 * cancels the others at once, whichever task is looked at first.
 */
#include <errno.h>
#include <stdlib.h>

#include <wend/nursery.h>

struct wend__nursery_task {
	struct wend__nursery_task *next;
	struct wend_nursery *nursery;
	wend_task *handle;
};

static void cancel_locked(wend_nursery *n)
{
	if (n->cancelled_)
		return;
	n->cancelled_ = true;
	for (struct wend__nursery_task *t = n->tasks_; t; t = t->next)
		wend_task_cancel(t->handle);
}

/* Note an error; the first one counts, and cancels. */
static void fail(wend_nursery *n, int error)
{
	wend_mutex_lock(&n->lock_);
	if (n->result == 0)
		n->result = error;
	cancel_locked(n);
	wend_mutex_unlock(&n->lock_);
}

void wend_nursery_cancel(wend_nursery *n)
{
	wend_mutex_lock(&n->lock_);
	cancel_locked(n);
	wend_mutex_unlock(&n->lock_);
}

static void on_end(void *arg, int result)
{
	struct wend__nursery_task *t = arg;
	wend_nursery
		*n = t->nursery;

	if (result)
		fail(n, result);
	wend_waitgroup_done(&n->running_);
}

int wend__nursery_begin(wend_nursery *n, wend_attr *attr)
{
	struct wend__nursery_task *t;
	bool cancelled;

	wend_mutex_lock(&n->lock_);
	cancelled = n->cancelled_;
	wend_mutex_unlock(&n->lock_);
	if (cancelled)
		return -ECANCELED;
	t = malloc(sizeof(*t));
	if (!t) {
		fail(n, -ENOMEM);
		return -ENOMEM;
	}
	t->nursery = n;
	*attr = (wend_attr){
		.handle = &t->handle,
		.on_end = on_end,
		.on_end_arg = t,
	};
	wend_waitgroup_add(&n->running_, 1);
	return 0;
}

int wend__nursery_started(wend_nursery *n, wend_attr *attr, int result)
{
	struct wend__nursery_task *t = attr->on_end_arg;

	if (result) {
		free(t);
		fail(n, result);
		wend_waitgroup_done(&n->running_);
		return result;
	}
	wend_mutex_lock(&n->lock_);
	t->next = n->tasks_;
	n->tasks_ = t;
	if (n->cancelled_) /* while it was being started */
		wend_task_cancel(t->handle);
	wend_mutex_unlock(&n->lock_);
	return 0;
}

static void release_all(wend_nursery *n)
{
	struct wend__nursery_task *t = n->tasks_, *next;

	for (; t; t = next) {
		next = t->next;
		wend_task_release(t->handle);
		free(t);
	}
	n->tasks_ = NULL;
}

int wend_nursery_wait(wend_nursery *n)
{
	if (wend_waitgroup_wait(&n->running_) == -ECANCELED) {
		bool shield = wend_task_shield(true);

		fail(n, -ECANCELED);
		(void)wend_waitgroup_wait(&n->running_);
		(void)wend_task_shield(shield);
	}
	/* The last task may be inside done() still, the one that failed inside
	 * fail(): the lock is free when it is through. */
	wend_mutex_lock(&n->lock_);
	n->done_ = true;
	wend_mutex_unlock(&n->lock_);
	release_all(n);
	return n->result;
}
