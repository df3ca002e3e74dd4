/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - a task for each connection, and an end without a loss.
 *
 * Invariants, s->lock held:
 *   I1  conns is the number of handlers' tasks that were started and have not
 *       freed their connection; those in the list run, the others are about to
 *       enter it or have left it
 *   I2  serving is the number of tasks in wend_net_server_serve(); their
 *       listeners are in the list
 *   I3  stopping => every listener in the list was closed, and stopping() was
 *       called for each connection in the list; closing => each was closed
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "stdlib/net/socket.h"

enum { PAUSE_MS_MIN = 5, PAUSE_MS_MAX = 1000 };

/* One handler; on its task's stack. */
struct handling {
	wend_conn *conn;
	struct handling *next, **link;
};

/* One task in serve; on its stack. */
struct serving {
	wend_net_listener *listener;
	struct serving *next, **link;
};

struct wend_net_server {
	wend_net_handler handler;
	void *arg;
	wend_net_server_opts opts;
	wend_mutex lock;
	wend_cond changed;
	struct handling *handlings;
	struct serving *servings;
	uint32_t conns, serving;
	bool stopping, closing;
};

/* --- one connection ---------------------------------------------------------------- */

/* Into the list, or told at once what the others were told. */
static void enter(wend_net_server *s, struct handling *me)
{
	wend_mutex_lock(&s->lock);
	me->link = &s->handlings;
	me->next = s->handlings;
	if (me->next)
		me->next->link = &me->next;
	s->handlings = me;
	if (s->stopping && s->opts.stopping)
		s->opts.stopping(me->conn, s->arg);
	if (s->closing)
		(void)wend_conn_close(me->conn);
	wend_mutex_unlock(&s->lock);
}

static void leave(wend_net_server *s, struct handling *me)
{
	wend_mutex_lock(&s->lock);
	*me->link = me->next;
	if (me->next)
		me->next->link = me->link;
	wend_mutex_unlock(&s->lock);
}

/* The last that a task does with s. */
static void count_down(wend_net_server *s)
{
	wend_mutex_lock(&s->lock);
	s->conns--;
	wend_cond_broadcast(&s->changed);
	wend_mutex_unlock(&s->lock);
}

struct start {
	wend_net_server *server;
	wend_conn *conn;
};

static void handle(void *args)
{
	wend_net_server *s = ((struct start *)args)->server;
	struct handling me = { .conn = ((struct start *)args)->conn };

	if (!s->opts.wrap || s->opts.wrap(&me.conn, s->opts.wrap_arg) == 0) {
		enter(s, &me);
		s->handler(me.conn, s->arg);
		leave(s, &me);
	}
	wend_conn_free(me.conn);
	count_down(s);
}

/* --- serving ----------------------------------------------------------------------- */

/* Start the handler; the connection is its own, or freed. */
static int start(wend_net_server *s, wend_conn *c)
{
	const struct start args = { s, c };
	const wend_attr attr = {
		.name = s->opts.name ? s->opts.name : "conn",
		.stack_size = s->opts.stack_size,
	};
	int r;

	wend_mutex_lock(&s->lock);
	s->conns++;
	wend_mutex_unlock(&s->lock);
	r = wend_spawn(&attr, handle, &args, sizeof(args));
	if (r < 0) {
		wend_conn_free(c);
		count_down(s);
	}
	return r;
}

/* Wait until there may be one more. 0, or -errno. */
static int wait_for_room(wend_net_server *s)
{
	int r = 0;

	wend_mutex_lock(&s->lock);
	while (r == 0 && !s->stopping && s->opts.max_conns &&
	       s->conns >= s->opts.max_conns)
		r = wend_cond_wait(&s->changed, &s->lock);
	if (s->stopping)
		r = -ECANCELED;
	wend_mutex_unlock(&s->lock);
	return r;
}

static bool is_shortage(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOBUFS || r == -ENOMEM;
}

/* Wait for a while, or until something has ended. 0, or -errno. */
static int take_a_pause(wend_net_server *s, int64_t pause)
{
	int r = 0;

	wend_mutex_lock(&s->lock);
	if (!s->stopping)
		r = wend_cond_wait_until(&s->changed, &s->lock,
					 wend_after(pause));
	wend_mutex_unlock(&s->lock);
	return r == -ETIMEDOUT ? 0 : r;
}

static int serve(wend_net_server *s, wend_net_listener *l)
{
	int64_t pause = 0;
	wend_conn *c;
	int r;

	for (;;) {
		r = wait_for_room(s);
		if (r == 0)
			r = wend_net_accept(l, &c);
		if (r == 0)
			r = start(s, c);
		if (r == 0) {
			pause = 0;
			continue;
		}
		if (!is_shortage(r))
			return r;
		pause = pause ? 2 * pause : PAUSE_MS_MIN * WEND_MILLISECOND;
		if (pause > PAUSE_MS_MAX * WEND_MILLISECOND)
			pause = PAUSE_MS_MAX * WEND_MILLISECOND;
		r = take_a_pause(s, pause);
		if (r < 0)
			return r;
	}
}

int wend_net_server_serve(wend_net_server *s, wend_net_listener *l)
{
	struct serving me = { .listener = l };
	bool stopping;
	int r;

	wend_mutex_lock(&s->lock);
	s->serving++;
	me.link = &s->servings;
	me.next = s->servings;
	if (me.next)
		me.next->link = &me.next;
	s->servings = &me;
	if (s->stopping)
		wend_net_listener_close(l);
	wend_mutex_unlock(&s->lock);

	r = serve(s, l);

	wend_mutex_lock(&s->lock);
	stopping = s->stopping;
	*me.link = me.next;
	if (me.next)
		me.next->link = me.link;
	s->serving--;
	wend_cond_broadcast(&s->changed);
	wend_mutex_unlock(&s->lock);
	return stopping ? 0 : r;
}

/* --- the end ----------------------------------------------------------------------- */

/* With the lock. */
static void stop(wend_net_server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	for (struct serving *v = s->servings; v; v = v->next)
		wend_net_listener_close(v->listener);
	for (struct handling *h = s->handlings; h && s->opts.stopping;
	     h = h->next)
		s->opts.stopping(h->conn, s->arg);
	wend_cond_broadcast(&s->changed);
}

/* With the lock. */
static void close_all(wend_net_server *s)
{
	if (s->closing)
		return;
	s->closing = true;
	for (struct handling *h = s->handlings; h; h = h->next)
		(void)wend_conn_close(h->conn);
}

int wend_net_server_shutdown(wend_net_server *s, int64_t deadline)
{
	int r = 0;

	wend_mutex_lock(&s->lock);
	stop(s);
	while (r == 0 && (s->conns || s->serving))
		r = wend_cond_wait_until(&s->changed, &s->lock, deadline);
	if (!s->conns && !s->serving)
		r = 0;
	else
		close_all(s);
	wend_mutex_unlock(&s->lock);
	return r;
}

uint32_t wend_net_server_conns(wend_net_server *s)
{
	uint32_t n;

	wend_mutex_lock(&s->lock);
	n = s->conns;
	wend_mutex_unlock(&s->lock);
	return n;
}

bool wend_net_server_stopping(wend_net_server *s)
{
	bool stopping;

	wend_mutex_lock(&s->lock);
	stopping = s->stopping;
	wend_mutex_unlock(&s->lock);
	return stopping;
}

wend_net_server *wend_net_server_new(wend_net_handler handler, void *arg,
				     const wend_net_server_opts *opts)
{
	wend_net_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->handler = handler;
	s->arg = arg;
	if (opts)
		s->opts = *opts;
	return s;
}

void wend_net_server_free(wend_net_server *s)
{
	bool shielded;

	if (!s)
		return;
	/* A cancelled task, too, must not leave before the others have. */
	shielded = wend_task_shield(true);
	wend_mutex_lock(&s->lock);
	stop(s);
	close_all(s);
	while (s->conns || s->serving)
		(void)wend_cond_wait(&s->changed, &s->lock);
	wend_mutex_unlock(&s->lock);
	(void)wend_task_shield(shielded);
	free(s);
}
