/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c - ending once, and passing it on to all below. Invariants: scope.h.
 *
 * A tree is ended from a work list, not by recursion: a chain of contexts may
 * be longer than a task's stack allows.
 */
#include "stdlib/context/scope.h"

#include <errno.h>
#include <stdlib.h>

/* --- references ---------------------------------------------------------------- */

static void get(struct scope *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

static void put(struct scope *s)
{
	/* The last one sees all that the others did with it. */
	while (s && atomic_fetch_sub_explicit(&s->refs, 1,
					      memory_order_acq_rel) == 1) {
		struct scope *parent = s->parent;

		wend_timer_free(s->timer);
		wend_chan_free(s->done);
		free(s);
		s = parent;
	}
}

/* --- the tree ------------------------------------------------------------------ */

static void insert_locked(struct scope *parent, struct scope *s)
{
	s->next = parent->children;
	if (s->next)
		s->next->link = &s->next;
	s->link = &parent->children;
	parent->children = s;
	s->linked = true;
}

static void remove_locked(struct scope *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->linked = false;
}

static void unlink_from_parent(struct scope *s)
{
	if (!s->parent)
		return;
	wend_mutex_lock(&s->parent->lock);
	if (s->linked)
		remove_locked(s);
	wend_mutex_unlock(&s->parent->lock);
}

/* 0, or the error of a parent that has ended: then s is not in its list. */
static int link_to_parent(struct scope *s, struct scope *parent)
{
	int err;

	get(parent);
	s->parent = parent;
	wend_mutex_lock(&parent->lock);
	err = atomic_load_explicit(&parent->err, memory_order_relaxed);
	if (!err)
		insert_locked(parent, s);
	wend_mutex_unlock(&parent->lock);
	return err;
}

/* --- ending -------------------------------------------------------------------- */

static void run_hooks_locked(struct scope *s)
{
	wend_ctx_hook *h;

	while ((h = s->hooks)) {
		s->hooks = h->next_;
		if (h->next_)
			h->next_->link_ = &s->hooks;
		h->link_ = NULL;
		h->fn(h);
	}
}

/* Move the children to a work list, with a reference each. */
static void take_children_locked(struct scope *s, struct scope **work)
{
	struct scope *c;

	while ((c = s->children)) {
		remove_locked(c);
		get(c);
		c->next = *work;
		*work = c;
	}
}

static void end_one(struct scope *s, int err, int cause, struct scope **work)
{
	wend_timer *timer;

	wend_mutex_lock(&s->lock);
	if (atomic_load_explicit(&s->err, memory_order_relaxed)) {
		wend_mutex_unlock(&s->lock);
		return;
	}
	s->cause = cause;
	/* Who sees the error sees the cause; pairs with wend_ctx_cause(). */
	atomic_store_explicit(&s->err, err, memory_order_release);
	wend_chan_close(s->done);
	run_hooks_locked(s);
	take_children_locked(s, work);
	timer = s->timer;
	wend_mutex_unlock(&s->lock);
	if (timer && wend_timer_stop(timer))
		put(s);
}

void wend__scope_end(struct scope *s, int err, int cause)
{
	struct scope *work = NULL;

	get(s);
	unlink_from_parent(s);
	while (s) {
		end_one(s, err, cause, &work);
		put(s);
		s = work;
		if (s)
			work = s->next;
	}
}

/* In a task of its own. */
static void deadline_passed(void *arg)
{
	struct scope *s = arg;

	wend__scope_end(s, -ETIMEDOUT, -ETIMEDOUT);
	put(s);
}

/* false: no timer could be had. */
static bool arm(struct scope *s)
{
	bool armed = true;

	if (s->deadline <= wend_now()) {
		wend__scope_end(s, -ETIMEDOUT, -ETIMEDOUT);
		return true;
	}
	/* Locked: the parent may end s meanwhile, and stops what is there. */
	wend_mutex_lock(&s->lock);
	if (!atomic_load_explicit(&s->err, memory_order_relaxed)) {
		get(s);
		s->timer = wend_timer_func(s->deadline, deadline_passed, s);
		armed = s->timer != NULL;
	}
	wend_mutex_unlock(&s->lock);
	if (!armed)
		put(s);
	return armed;
}

/* --- making and dropping --------------------------------------------------------- */

static struct scope *new_scope(int64_t deadline)
{
	struct scope *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->done = wend_chan_new(0, 0);
	if (!s->done) {
		free(s);
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->deadline = deadline;
	return s;
}

struct scope *wend__scope_new(struct scope *parent, int64_t deadline)
{
	int64_t limit = parent ? parent->deadline : WEND_FOREVER;
	bool earlier = deadline < limit;
	struct scope *s = new_scope(earlier ? deadline : limit);
	int err = 0;

	if (!s)
		return NULL;
	if (parent)
		err = link_to_parent(s, parent);
	if (err)
		wend__scope_end(s, err, parent->cause);
	else if (earlier && !arm(s)) {
		wend__scope_drop(s);
		return NULL;
	}
	return s;
}

void wend__scope_drop(struct scope *s)
{
	wend_timer *timer;

	unlink_from_parent(s);
	wend_mutex_lock(&s->lock);
	timer = s->timer;
	wend_mutex_unlock(&s->lock);
	if (timer && wend_timer_stop(timer))
		put(s);
	put(s);
}

/* --- hooks ----------------------------------------------------------------------- */

void wend__scope_hook_add(struct scope *s, wend_ctx_hook *hook)
{
	wend_mutex_lock(&s->lock);
	hook->link_ = NULL;
	if (atomic_load_explicit(&s->err, memory_order_relaxed)) {
		hook->fn(hook);
	} else {
		hook->next_ = s->hooks;
		if (hook->next_)
			hook->next_->link_ = &hook->next_;
		hook->link_ = &s->hooks;
		s->hooks = hook;
	}
	wend_mutex_unlock(&s->lock);
}

bool wend__scope_hook_remove(struct scope *s, wend_ctx_hook *hook)
{
	bool linked;

	/* Hooks run under the lock: when we have it, ours does not. */
	wend_mutex_lock(&s->lock);
	linked = hook->link_ != NULL;
	if (linked) {
		*hook->link_ = hook->next_;
		if (hook->next_)
			hook->next_->link_ = hook->link_;
		hook->link_ = NULL;
	}
	wend_mutex_unlock(&s->lock);
	return linked;
}
