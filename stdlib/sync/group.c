/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c - tasks of which the first that fails ends all.
 *
 * A member is in the list from when it has been started until it ends, so that
 * it can be cancelled. Either may come first: whoever comes second, the starter
 * or the task, gives the handle up and frees the member.
 *
 * The hook runs under the context's lock and takes the group's; so nothing of
 * the context is called with the group's lock held.
 */
#include <errno.h>
#include <stdlib.h>

#include <wend/select.h>
#include <wend/std/sync.h>
#include <wend/sync.h>
#include <wend/task.h>

struct member {
	struct member *next, **link; /* NULL: not in the list */
	wend_sync_group *group;
	wend_task *task;
	bool ended;
	int (*fn)(wend_ctx *ctx, void *arg);
	void *arg;
};

struct wend_sync_group {
	wend_ctx_hook hook; /* first: hooks are cast back */
	wend_ctx *ctx;
	wend_chan *slots; /* an element for each that runs; NULL: no limit */
	wend_waitgroup running;
	wend_mutex lock;
	struct member *members;
	bool over; /* the context has ended */
	int error; /* of the first that failed */
};

/* --- the list, its lock held ------------------------------------------------------------ */

static void insert_locked(wend_sync_group *g, struct member *m)
{
	m->next = g->members;
	if (m->next)
		m->next->link = &m->next;
	m->link = &g->members;
	g->members = m;
}

static void remove_locked(struct member *m)
{
	*m->link = m->next;
	if (m->next)
		m->next->link = m->link;
}

static void cancel_all(wend_ctx_hook *hook)
{
	wend_sync_group *g = (wend_sync_group *)hook;

	wend_mutex_lock(&g->lock);
	g->over = true;
	for (struct member *m = g->members; m; m = m->next)
		wend_task_cancel(m->task);
	wend_mutex_unlock(&g->lock);
}

/* --- a member ------------------------------------------------------------------------------ */

static void free_member(struct member *m)
{
	wend_task_release(m->task);
	free(m);
}

static void leave(wend_sync_group *g, struct member *m)
{
	bool second;

	wend_mutex_lock(&g->lock);
	second = m->link != NULL;
	if (second)
		remove_locked(m);
	else
		m->ended = true;
	wend_mutex_unlock(&g->lock);
	if (second)
		free_member(m);
}

static void enter(wend_sync_group *g, struct member *m)
{
	bool second;

	wend_mutex_lock(&g->lock);
	second = m->ended;
	if (!second) {
		insert_locked(g, m);
		if (g->over)
			wend_task_cancel(m->task);
	}
	wend_mutex_unlock(&g->lock);
	if (second)
		free_member(m);
}

static void fail(wend_sync_group *g, int error)
{
	bool first;

	wend_mutex_lock(&g->lock);
	first = g->error == 0;
	if (first)
		g->error = error;
	wend_mutex_unlock(&g->lock);
	if (first)
		wend_ctx_cancel_cause(g->ctx, error);
}

static void free_slot(wend_sync_group *g)
{
	if (g->slots)
		(void)!wend_chan_recv_try(g->slots, NULL);
}

static void run_member(void *args)
{
	struct member *m = *(struct member **)args;
	wend_sync_group *g = m->group;
	int r = m->fn(g->ctx, m->arg);

	if (r < 0)
		fail(g, r);
	leave(g, m);
	free_slot(g);
	wend_waitgroup_done(&g->running); /* the last that we do with it */
}

/* --- starting --------------------------------------------------------------------------------- */

static int take_slot(wend_sync_group *g, int64_t deadline)
{
	int r = wend_ctx_err(g->ctx);

	if (r || !g->slots)
		return r;
	r = wend_select(deadline, wend_on_send(g->slots, NULL),
			wend_on_recv(wend_ctx_done(g->ctx), NULL));
	return r == 1 ? wend_ctx_err(g->ctx) : r;
}

static int start(wend_sync_group *g, int (*fn)(wend_ctx *ctx, void *arg),
		 void *arg)
{
	struct member *m = calloc(1, sizeof(*m));
	wend_attr attr = { 0 };
	int r;

	if (!m)
		return -ENOMEM;
	m->group = g;
	m->fn = fn;
	m->arg = arg;
	attr.handle = &m->task;
	wend_waitgroup_add(&g->running, 1);
	r = wend_spawn(&attr, run_member, &m, sizeof(m));
	if (r) {
		free(m);
		wend_waitgroup_done(&g->running);
		return r;
	}
	enter(g, m);
	return 0;
}

int wend_sync_group_go_until(wend_sync_group *g,
			     int (*fn)(wend_ctx *ctx, void *arg), void *arg,
			     int64_t deadline)
{
	int r = take_slot(g, deadline);

	if (r)
		return r;
	/* The group stays until we are through, however soon the task ends. */
	wend_waitgroup_add(&g->running, 1);
	r = start(g, fn, arg);
	if (r)
		free_slot(g);
	wend_waitgroup_done(&g->running);
	return r;
}

int wend_sync_group_go(wend_sync_group *g, int (*fn)(wend_ctx *ctx, void *arg),
		       void *arg)
{
	return wend_sync_group_go_until(g, fn, arg, WEND_FOREVER);
}

int wend_sync_group_go_try(wend_sync_group *g,
			   int (*fn)(wend_ctx *ctx, void *arg), void *arg)
{
	int r = wend_sync_group_go_until(g, fn, arg, 0);

	return r == -ETIMEDOUT && !wend_ctx_err(g->ctx) ? -EAGAIN : r;
}

/* --- the group ---------------------------------------------------------------------------------- */

wend_sync_group *wend_sync_group_new(wend_ctx *parent, unsigned int limit)
{
	wend_sync_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->ctx = wend_ctx_with_cancel(parent);
	if (limit)
		g->slots = wend_chan_new(0, limit);
	if (!g->ctx || (limit && !g->slots)) {
		wend_ctx_unref(g->ctx);
		wend_chan_free(g->slots);
		free(g);
		return NULL;
	}
	wend_ctx_hook_add(g->ctx, &g->hook, cancel_all);
	return g;
}

wend_ctx *wend_sync_group_ctx(wend_sync_group *g)
{
	return g->ctx;
}

static void wait_shielded(wend_sync_group *g)
{
	bool shield = wend_task_shield(true);

	(void)wend_waitgroup_wait(&g->running);
	(void)wend_task_shield(shield);
}

int wend_sync_group_wait_until(wend_sync_group *g, int64_t deadline)
{
	int r = wend_waitgroup_wait_until(&g->running, deadline);

	if (r == -ETIMEDOUT)
		return r;
	if (r == -ECANCELED) {
		fail(g, r);
		wait_shielded(g);
	}
	wend_mutex_lock(&g->lock);
	r = g->error;
	wend_mutex_unlock(&g->lock);
	return r;
}

int wend_sync_group_wait(wend_sync_group *g)
{
	return wend_sync_group_wait_until(g, WEND_FOREVER);
}

void wend_sync_group_free(wend_sync_group *g)
{
	if (!g)
		return;
	wend_ctx_cancel(g->ctx);
	wait_shielded(g);
	(void)wend_ctx_hook_remove(g->ctx, &g->hook);
	wend_ctx_unref(g->ctx);
	wend_chan_free(g->slots);
	free(g);
}
