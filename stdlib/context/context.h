/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/context.h - how long a piece of work may go on, and what it is for.
 *
 * A context ends once: because somebody cancels it, because its deadline
 * passes, or because the context that it was made from ends. Work that is done
 * for a request is handed the request's context, and hands it (or one made
 * from it) on to whatever it calls.
 *
 *	wend_ctx *c = wend_ctx_with_timeout(parent, 2 * WEND_SECOND);
 *
 *	if (!c)
 *		return -ENOMEM;
 *	r = wend_ctx_run(c, fetch, &request);	(-ETIMEDOUT after 2 s)
 *	wend_ctx_unref(c);
 *
 * Contexts are counted: who makes one holds a reference to it, and a context
 * holds one to its parent. They may be used by all tasks and threads at once.
 * Where a function takes a context, NULL is the background: it never ends and
 * has no values.
 *
 * The runtime runs as long as there is a context with a deadline.
 */
#ifndef WEND_STD_CONTEXT_H
#define WEND_STD_CONTEXT_H

#include <wend/base.h>
#include <wend/chan.h>

WEND_BEGIN_DECLS

typedef struct wend_ctx wend_ctx;

/* The root of all: never ends, has no deadline and no values, never NULL. */
WEND_API wend_ctx *wend_ctx_background(void);

/*
 * wend_ctx_with_cancel   - one that wend_ctx_cancel() can end by itself.
 * wend_ctx_with_deadline - the same, and it ends when deadline passes; one
 *                          that has passed already makes a context that has
 *                          ended.
 * wend_ctx_with_timeout  - the same, duration nanoseconds from now.
 *
 *   parent      the new one ends when it does, at its deadline at the latest
 *
 * Returns  the context, to be given to wend_ctx_unref().
 *          NULL: no memory, or a deadline where the runtime does not run.
 * Source   Go package context, WithCancel, WithDeadline and WithTimeout.
 */
WEND_API WEND_MUST_CHECK wend_ctx *wend_ctx_with_cancel(wend_ctx *parent);
WEND_API WEND_MUST_CHECK wend_ctx *wend_ctx_with_deadline(wend_ctx *parent,
							  int64_t deadline);
WEND_API WEND_MUST_CHECK wend_ctx *wend_ctx_with_timeout(wend_ctx *parent,
							 int64_t duration);

/*
 * wend_ctx_with_value - one that ends with its parent and carries a value.
 *
 *   key         compared as a pointer: the address of a static variable
 *   drop        if not NULL, called as drop(value) when the context is freed,
 *               by whoever gives up the last reference
 *
 * Returns  as above; NULL: no memory, and drop is not called.
 */
WEND_API WEND_MUST_CHECK wend_ctx *wend_ctx_with_value(wend_ctx *parent,
						       const void *key,
						       void *value,
						       void (*drop)(void *));

/* The value nearest to ctx that was given under key; NULL: there is none.
 * It lives as long as ctx. */
WEND_API void *wend_ctx_value(const wend_ctx *ctx, const void *key);

/* One with the values of parent that does not end when parent does: for what
 * has to be finished after a request. NULL: no memory. */
WEND_API WEND_MUST_CHECK wend_ctx *wend_ctx_without_cancel(wend_ctx *parent);

/* Another reference, which is returned; and giving one up. NULL does nothing.
 * Giving up the last one does not cancel: nobody could see it. */
WEND_API wend_ctx *wend_ctx_ref(wend_ctx *ctx);
WEND_API void wend_ctx_unref(wend_ctx *ctx);

/*
 * wend_ctx_cancel - end ctx and all that was made from it, with -ECANCELED.
 *
 *   cause       (_cause) what wend_ctx_cause() is to say, a negative error
 *               number
 *
 * A context that has ended stays as it is. One that has no end of its own
 * (with_value) cancels what it was made from. The background is not cancelled.
 * Context  may wait for a moment, for a lock; is not cancelled itself.
 */
WEND_API void wend_ctx_cancel(wend_ctx *ctx);
WEND_API void wend_ctx_cancel_cause(wend_ctx *ctx, int cause);

/*
 * wend_ctx_err   - 0 while ctx goes on; -ECANCELED or -ETIMEDOUT once it has
 *                  ended, ever after.
 * wend_ctx_cause - 0; once ctx has ended the cause given, or wend_ctx_err().
 */
WEND_API int wend_ctx_err(const wend_ctx *ctx);
WEND_API int wend_ctx_cause(const wend_ctx *ctx);

/* When it ends at the latest; WEND_FOREVER. For calls that take a deadline. */
WEND_API int64_t wend_ctx_deadline(const wend_ctx *ctx);

/*
 * wend_ctx_done - a channel without elements that is closed when ctx ends.
 *
 *	switch (wend_select(WEND_FOREVER, wend_on_recv(work, &w),
 *			    wend_on_recv(wend_ctx_done(ctx), NULL)))
 *
 * It is ctx's and lives as long; never send to it, nor close it. NULL, the
 * channel on which nothing happens, for what never ends.
 */
WEND_API wend_chan *wend_ctx_done(const wend_ctx *ctx);

/*
 * wend_ctx_sleep - wait for duration nanoseconds, or until ctx ends.
 *
 * Returns  0: the time has passed.
 * Errors   wend_ctx_err(ctx); ECANCELED also if the calling task was cancelled
 */
WEND_API int wend_ctx_sleep(wend_ctx *ctx, int64_t duration);

/*
 * wend_ctx_run - do something that must not outlast ctx.
 *
 *   fn          called as fn(arg) in a task of its own, with a stack of the
 *               usual size and no task-local values; the caller waits for it
 *
 * When ctx ends, or the calling task is cancelled, that task is cancelled
 * (wend_task_cancel()): its waits end with -ECANCELED, a C library call in
 * which it is parked fails with errno ECANCELED. fn is waited for in any case,
 * so it may use what the caller owns.
 *
 * Returns  what fn returns; if that is -ECANCELED and ctx has ended,
 *          wend_ctx_err(ctx).
 * Errors   wend_ctx_err(ctx), ENOMEM, ESRCH (the runtime does not run): fn was
 *          not called
 */
WEND_API int wend_ctx_run(wend_ctx *ctx, int (*fn)(void *arg), void *arg);

/*
 * wend_ctx_after_func - have fn(arg) called in a task of its own when ctx ends;
 *               soon, if it has ended.
 * wend_ctx_after_stop - it need not be called any more; frees after. true: it
 *               was not and will not be called. false: it has been started, and
 *               may be running. NULL does nothing.
 *
 * Returns  a handle, to be given to wend_ctx_after_stop(); it holds a reference
 *          to ctx. NULL: no memory, or the runtime does not run.
 * Source   Go package context, AfterFunc.
 */
typedef struct wend_ctx_after wend_ctx_after;
WEND_API WEND_MUST_CHECK wend_ctx_after *
wend_ctx_after_func(wend_ctx *ctx, void (*fn)(void *arg), void *arg);
WEND_API bool wend_ctx_after_stop(wend_ctx_after *after);

/*
 * A hook: a function that is called by whoever ends the context, at once. For
 * libraries that make a blocked call end: it costs nothing but the structure,
 * which is the caller's, is the first member of something larger, and must
 * stay where it is until it is removed.
 *
 *   fn          must not wait, nor call wend_ctx_ functions on the same
 *               context other than _err, _cause, _deadline and _value.
 *               wend_task_cancel(), wend_chan_close(), wend_sema_release() and
 *               shutdown(2) are fine.
 *
 * wend_ctx_hook_add - fn is called before the return if ctx has ended. The
 *               caller holds a reference to ctx until it has removed the hook.
 * wend_ctx_hook_remove - afterwards fn is not called, nor running, and the
 *               hook may be freed. true: fn was not called.
 */
typedef struct wend_ctx_hook {
	void (*fn)(struct wend_ctx_hook *hook);
	struct wend_ctx_hook *next_, **link_;
} wend_ctx_hook;
WEND_API void wend_ctx_hook_add(wend_ctx *ctx, wend_ctx_hook *hook,
				void (*fn)(wend_ctx_hook *hook));
WEND_API bool wend_ctx_hook_remove(wend_ctx *ctx, wend_ctx_hook *hook);

WEND_END_DECLS

#endif
