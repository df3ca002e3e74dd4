/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release.c - a worker gives its server up to block in the kernel, and gets
 * one back; or gives it to another, whose task is bound to its thread.
 */
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"

/* A call that returned within this hardly waited. */
enum { QUICK_NS = 50000 };

void wend__server_release(struct wend__worker *w)
{
	struct wend__server *s = w->server;
	/* Somebody is to look after operations that are under way, too. */
	bool work = !wend__queues_empty(s) || wend__io_flying(s), keeper;

	aword_store_relaxed(&s->blocks, s->blocks + 1);
	w->last = s;
	/* Read by who watches for long calls. */
	aword_store_relaxed((size_t *)&w->released_at, (size_t)wend__now());
	wend__worker_rests(w);
	aptr_store_relaxed(&w->server, (struct wend__server *)NULL);
	wend__idle_lock();
	if (work) {
		(void)wend__idle_start_server_unlock(s, false);
		return;
	}
	wend__idle_push(s); /* full [idle.dance] */
	keeper = wend__keeper_needed();
	wend__idle_unlock();
	if (keeper)
		wend__keeper_start();
	/* What was queued while no server was idle, too. */
	if (wend__work_unseen()) {
		WEND__RARE(release_unseen);
		wend__work_added(true);
	}
}

/* A server that is idle, the one held last if it can be. */
static bool take_idle_server(struct wend__worker *w)
{
	struct wend__server *s;

	wend__idle_lock();
	s = w->last->idle ? w->last : wend__idle.servers;
	if (s) {
		wend__idle_remove(s);
		wend__server_give(w, s);
	}
	wend__idle_unlock();
	return s != NULL;
}

/*
 * The worker's task goes to the global queue, bound to its thread, and the
 * worker sleeps until some server's owner comes to it and hands over.
 */
void wend__server_acquire(struct wend__worker *w)
{
	struct wend_task *t = w->task;

	if (take_idle_server(w)) {
		wend__worker_runs(w);
		return;
	}
	WEND__RARE(return_queued);
	a8_store_relaxed(&t->state, WEND__READY);
	t->bound = w;
	/* accept() with a connection pending, say: it gave its server up for
	 * nothing, and is not to pay for that with a whole turn of the line. */
	wend__global_push_bound(t, wend__now() - w->released_at < QUICK_NS);
	fence_full(); /* [idle.dance] */
	wend__work_added(true);
	while (wend__port->park(&w->parker, INT64_MAX) ||
	       !aptr_load_acquire(&w->server))
		WEND__RARE(return_stale);
	wend__worker_runs(w);
}

void wend__hand_over(struct wend__worker *w, struct wend_task *t)
{
	struct wend__server *s = w->server;

	wend__worker_rests(w);
	aptr_store_relaxed(&w->server, (struct wend__server *)NULL);
	wend__server_to_bound(s, t);
}
