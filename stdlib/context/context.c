/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c - the tree of contexts: references, values, and whose scope it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "stdlib/context/scope.h"

struct wend_ctx {
	atomic_uint refs;
	bool owner;          /* of the scope; else it is the parent's */
	struct scope *scope; /* NULL: never ends */
	wend_ctx *parent;    /* a reference; NULL: none */
	const void *key;     /* NULL: no value */
	void *value;
	void (*drop)(void *value);
};

static struct wend_ctx background;

wend_ctx *wend_ctx_background(void)
{
	return &background;
}

static struct scope *scope_of(const wend_ctx *ctx)
{
	return ctx ? ctx->scope : NULL;
}

/* --- references ---------------------------------------------------------------- */

wend_ctx *wend_ctx_ref(wend_ctx *ctx)
{
	if (ctx && ctx != &background)
		atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
	return ctx;
}

void wend_ctx_unref(wend_ctx *ctx)
{
	/* The last one sees all that the others did with it. */
	while (ctx && ctx != &background &&
	       atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) ==
		       1) {
		wend_ctx *parent = ctx->parent;

		if (ctx->drop)
			ctx->drop(ctx->value);
		if (ctx->owner)
			wend__scope_drop(ctx->scope);
		free(ctx);
		ctx = parent;
	}
}

/* --- making ---------------------------------------------------------------------- */

static wend_ctx *new_ctx(wend_ctx *parent)
{
	wend_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	atomic_init(&ctx->refs, 1);
	ctx->parent = wend_ctx_ref(parent);
	return ctx;
}

wend_ctx *wend_ctx_with_deadline(wend_ctx *parent, int64_t deadline)
{
	wend_ctx *ctx = new_ctx(parent);

	if (!ctx)
		return NULL;
	ctx->scope = wend__scope_new(scope_of(parent), deadline);
	ctx->owner = ctx->scope != NULL;
	if (!ctx->owner) {
		wend_ctx_unref(ctx);
		return NULL;
	}
	return ctx;
}

wend_ctx *wend_ctx_with_cancel(wend_ctx *parent)
{
	return wend_ctx_with_deadline(parent, WEND_FOREVER);
}

wend_ctx *wend_ctx_with_timeout(wend_ctx *parent, int64_t duration)
{
	return wend_ctx_with_deadline(parent, wend_after(duration));
}

wend_ctx *wend_ctx_with_value(wend_ctx *parent, const void *key, void *value,
			      void (*drop)(void *))
{
	wend_ctx *ctx = new_ctx(parent);

	if (!ctx)
		return NULL;
	ctx->scope = scope_of(parent);
	ctx->key = key;
	ctx->value = value;
	ctx->drop = drop;
	return ctx;
}

wend_ctx *wend_ctx_without_cancel(wend_ctx *parent)
{
	return new_ctx(parent);
}

/* --- looking ---------------------------------------------------------------------- */

void *wend_ctx_value(const wend_ctx *ctx, const void *key)
{
	for (; ctx; ctx = ctx->parent)
		if (ctx->key == key)
			return ctx->value;
	return NULL;
}

int wend_ctx_err(const wend_ctx *ctx)
{
	struct scope *s = scope_of(ctx);

	return s ? atomic_load_explicit(&s->err, memory_order_acquire) : 0;
}

int wend_ctx_cause(const wend_ctx *ctx)
{
	/* err first: the cause is written before it, and never again. */
	return wend_ctx_err(ctx) ? ctx->scope->cause : 0;
}

int64_t wend_ctx_deadline(const wend_ctx *ctx)
{
	struct scope *s = scope_of(ctx);

	return s ? s->deadline : WEND_FOREVER;
}

wend_chan *wend_ctx_done(const wend_ctx *ctx)
{
	struct scope *s = scope_of(ctx);

	return s ? s->done : NULL;
}

int wend_ctx_sleep(wend_ctx *ctx, int64_t duration)
{
	int r = wend_chan_recv_until(wend_ctx_done(ctx), NULL,
				     wend_after(duration));

	if (r == -EPIPE)
		return wend_ctx_err(ctx);
	return r == -ETIMEDOUT ? 0 : r;
}

/* --- ending ----------------------------------------------------------------------- */

void wend_ctx_cancel_cause(wend_ctx *ctx, int cause)
{
	struct scope *s = scope_of(ctx);

	if (s)
		wend__scope_end(s, -ECANCELED, cause);
}

void wend_ctx_cancel(wend_ctx *ctx)
{
	wend_ctx_cancel_cause(ctx, -ECANCELED);
}

void wend_ctx_hook_add(wend_ctx *ctx, wend_ctx_hook *hook,
		       void (*fn)(wend_ctx_hook *hook))
{
	struct scope *s = scope_of(ctx);

	hook->fn = fn;
	if (s)
		wend__scope_hook_add(s, hook);
}

bool wend_ctx_hook_remove(wend_ctx *ctx, wend_ctx_hook *hook)
{
	struct scope *s = scope_of(ctx);

	return s ? wend__scope_hook_remove(s, hook) : true;
}
