/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - work that ends when a context does, and work that begins then.
 *
 * A cancelled task stays cancelled, so what a context is to interrupt is done
 * in a task of its own, which is all that is cancelled: the caller goes on.
 */
#include <errno.h>
#include <stdlib.h>

#include <wend/std/context.h>
#include <wend/sync.h>
#include <wend/task.h>
#include <wend/time.h>

/* --- until it ends ---------------------------------------------------------------- */

struct run {
	wend_ctx_hook hook; /* first: hooks are cast back */
	wend_task *task;
	wend_waitgroup running;
	int (*fn)(void *arg);
	void *arg;
	int result;
};

static void run_task(void *args)
{
	struct run *r = *(struct run **)args;

	r->result = r->fn(r->arg);
	wend_waitgroup_done(&r->running);
}

static void cancel_run(wend_ctx_hook *hook)
{
	wend_task_cancel(((struct run *)hook)->task);
}

static void await_run(struct run *r)
{
	bool shield;

	if (wend_waitgroup_wait(&r->running) != -ECANCELED)
		return;
	wend_task_cancel(r->task);
	shield = wend_task_shield(true);
	(void)wend_waitgroup_wait(&r->running);
	(void)wend_task_shield(shield);
}

int wend_ctx_run(wend_ctx *ctx, int (*fn)(void *arg), void *arg)
{
	struct run r = { .fn = fn, .arg = arg }, *self = &r;
	wend_attr attr = { .name = wend_task_name(), .handle = &r.task };
	int err = wend_ctx_err(ctx);

	if (err)
		return err;
	wend_waitgroup_add(&r.running, 1);
	err = wend_spawn(&attr, run_task, &self, sizeof(self));
	if (err)
		return err;
	wend_ctx_hook_add(ctx, &r.hook, cancel_run);
	await_run(&r);
	/* Only then the handle: the hook uses it. */
	(void)wend_ctx_hook_remove(ctx, &r.hook);
	wend_task_release(r.task);
	err = wend_ctx_err(ctx);
	return r.result == -ECANCELED && err ? err : r.result;
}

/* --- when it has ended -------------------------------------------------------------- */

/*
 * The call is a timer's that is armed when the context ends: a timer that finds
 * no memory for its task tries again, so the call may be late but is not lost.
 */
struct wend_ctx_after {
	wend_ctx_hook hook; /* first */
	wend_ctx *ctx;
	wend_timer *call;
};

static void call_now(wend_ctx_hook *hook)
{
	(void)wend_timer_reset(((wend_ctx_after *)hook)->call, 0);
}

wend_ctx_after *wend_ctx_after_func(wend_ctx *ctx, void (*fn)(void *arg),
				    void *arg)
{
	wend_ctx_after *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->call = wend_timer_func(WEND_FOREVER, fn, arg);
	if (!a->call) {
		free(a);
		return NULL;
	}
	a->ctx = wend_ctx_ref(ctx);
	wend_ctx_hook_add(ctx, &a->hook, call_now);
	return a;
}

bool wend_ctx_after_stop(wend_ctx_after *after)
{
	bool stopped;

	if (!after)
		return false;
	(void)wend_ctx_hook_remove(after->ctx, &after->hook);
	/* Armed for ever or for now, it has not begun. */
	stopped = wend_timer_stop(after->call);
	wend_timer_free(after->call);
	wend_ctx_unref(after->ctx);
	free(after);
	return stopped;
}
