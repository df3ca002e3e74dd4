/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h - what ends: the part of a context that cancelling works on.
 *
 * Contexts with values only share the scope of the context that they were made
 * from, so a tree of scopes is smaller than the tree of contexts.
 *
 * Invariants, s->lock held:
 *   S1  err != 0  =>  done is closed, there are no children and no hooks
 *   S2  a child c in the list has c->linked and c->parent == s
 * A child's list links and its linked belong to the parent's lock. Locks are
 * taken one at a time; what a hook takes comes after the scope's lock.
 *
 * References: one of the context that owns the scope, one of each child, one
 * of the timer while it is armed or its call is under way. The list of children
 * holds none: a scope leaves it, under the parent's lock, before its owner's
 * reference is given up.
 */
#ifndef STDLIB_CONTEXT_SCOPE_H
#define STDLIB_CONTEXT_SCOPE_H

#include <stdatomic.h>

#include <wend/std/context.h>
#include <wend/sync.h>
#include <wend/time.h>

struct scope {
	atomic_uint refs;
	atomic_int err; /* 0, then the error: written once, under the lock */
	int cause;      /* written before err */
	int64_t deadline;
	wend_chan *done;
	struct scope *parent; /* NULL: none */

	wend_mutex lock;
	wend_timer *timer; /* NULL: none; freed with the scope */
	wend_ctx_hook *hooks;
	struct scope *children;

	struct scope *next, **link; /* parent->lock */
	bool linked;
};

/* A scope in parent (NULL: none), with its one reference; NULL: no memory. */
struct scope *wend__scope_new(struct scope *parent, int64_t deadline);

/* Its owner is gone: leave the tree, and give the reference up. */
void wend__scope_drop(struct scope *s);

/* End s and all below it; the caller has a reference. */
void wend__scope_end(struct scope *s, int err, int cause);

void wend__scope_hook_add(struct scope *s, wend_ctx_hook *hook);
bool wend__scope_hook_remove(struct scope *s, wend_ctx_hook *hook);

#endif
