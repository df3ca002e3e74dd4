/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spare.c - a worker without a server: it sleeps until it is given one, finds
 * one that wants it, or ends.
 *
 * On its way it may be the keeper of the timers (keeper.c), or watch the
 * operations of the server that it left (idle.h). The last one to fall asleep
 * looks whether that is a deadlock.
 */
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"

/*
 * Spares beyond one for each server and a few more end when they have been
 * spare for so long: a burst of blocking calls is over. Each looks once, so an
 * idle process wakes up no more after that.
 */
enum { SPARES_MORE = 2 };
static const int64_t trim_ns = 10 * INT64_C(1000000000);
static const int64_t trimmed_lately_ns = INT64_C(1000000000);

/* Whether operations of some task are under way. */
static bool any_flying(void)
{
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		if (wend__io_flying(&wend__rt.servers[i]))
			return true;
	return false;
}

/* Is every server idle and nobody in the kernel, or elsewhere, who could make
 * a task ready? wend__idle.lock held. */
static bool all_asleep(void)
{
	return a32_load_relaxed(&wend__rt.deadlocks) == WEND__DEADLOCKS_FIND &&
	       a32_load_relaxed(&wend__idle.count) == wend__rt.procs &&
	       wend__idle.spare_count ==
		       a32_load_relaxed(&wend__rt.worker_count) &&
	       wend__global_count() == 0 && wend__timers_due() == INT64_MAX &&
	       wend__tasks_live() > 0 && !any_flying();
}

void wend__spare_takes(struct wend__worker *w, struct wend__server *s)
{
	wend__idle_remove(s);
	wend__spares_remove(w);
	wend__server_give(w, s);
}

/* The first idle server that somebody is to look after: it has work, or has
 * operations under way that nobody watches. Lock is held. */
static struct wend__server *needy_server(void)
{
	struct wend__server *s = wend__idle.servers;

	while (s && wend__queues_empty(s) &&
	       (s->watcher || !wend__io_flying(s)))
		s = s->idle_next;
	return s;
}

/* One has been taken care of; another may be left. Lock is held. */
static void want_more(void)
{
	struct wend__worker *w;

	if (!needy_server())
		return;
	w = wend__free_spare();
	if (w) {
		wend__port->unpark(&w->parker);
		return;
	}
	a32_store_relaxed(&wend__idle.wanted, 1);
	if (wend__watchdog && a32_load_relaxed(&wend__watchdog->threads))
		wend__watchdog->hire();
}

/* A server waits for a worker, and w, a spare, has nothing to do. */
static bool serve_wanting(struct wend__worker *w)
{
	struct wend__server *s = needy_server();

	if (!s && !a32_load_relaxed(&wend__idle.wanted))
		return false;
	a32_store_relaxed(&wend__idle.wanted, 0);
	if (!s)
		s = wend__idle.servers;
	if (!s)
		return false;
	WEND__RARE(server_served);
	wend__spares_remove(w);
	wend__idle_remove(s); /* full [idle.wanted] */
	if (w->watches && w->watches != s) {
		WEND__RARE(watcher_left);
		wend__watcher_clear(w->watches);
	}
	wend__server_give(w, s);
	want_more();
	return true;
}

static bool too_many_spares(void)
{
	return wend__idle.spare_count > wend__rt.procs + SPARES_MORE;
}

/*
 * Whether w, a spare whose time has come, is to end; if so it is no spare any
 * more. A keeper of timers stays, and a server's watcher, and who has sent
 * operations to a ring: they would end with its thread.
 */
static bool trim(struct wend__worker *w)
{
	int64_t now;

	if (w->trim_at == INT64_MAX)
		return false;
	now = wend__now();
	if (now < w->trim_at)
		return false;
	w->trim_at = INT64_MAX;
	if (!too_many_spares() || w->watches || w->submitted ||
	    w->life != WEND__WORKER_RUNS ||
	    (wend__idle.keeper == w && wend__timers_due() != INT64_MAX))
		return false;
	WEND__RARE(worker_trimmed);
	wend__spares_remove(w);
	w->life = WEND__WORKER_LEAVES;
	wend__idle.trimmed_at = now;
	(void)a32_fetch_add_full(&wend__rt.worker_count, (uint32_t)-1);
	return true;
}

/*
 * Every worker is a spare. Is that the end? A worker's thread that has just
 * been trimmed may still be seen among the process's threads, and looks like
 * one of the program's: look again a little later, then. Returns when.
 */
static int64_t look_for_deadlock(void)
{
	bool certain;
	int64_t now;

	if (!all_asleep())
		return INT64_MAX;
	wend__idle_unlock();
	certain = wend__deadlock_certain();
	wend__idle_lock();
	/* A thread that has ended by now may have woken a task before. */
	if (certain && all_asleep()) {
		wend__idle_unlock();
		wend__deadlock();
	}
	now = wend__now();
	return wend__idle.trimmed_at &&
			       now - wend__idle.trimmed_at < trimmed_lately_ns ?
		       now + trimmed_lately_ns :
		       INT64_MAX;
}

/* Sleep until woken, or until w has something to look at; lock is held, and
 * is again on return. Returns whether operations of the server that it watches
 * have ended. */
static bool spare_sleep(struct wend__worker *w)
{
	int64_t deadline = wend__spare_deadline(w);
	struct wend__server *watched;
	bool ended;

	if (deadline == INT64_MAX)
		deadline = look_for_deadlock();
	if (w->trim_at < deadline)
		deadline = w->trim_at;
	watched = w->watches;
	wend__idle_unlock();
	ended = wend__io_park(w, watched, deadline);
	wend__idle_lock();
	return ended;
}

bool wend__spare_wait(struct wend__worker *w)
{
	bool keeper = false, ended;

	wend__idle_lock();
	if (w->hired)
		wend__idle.hired--;
	w->hired = false;
	wend__spares_push(w);
	w->trim_at = too_many_spares() ? wend__now() + trim_ns : INT64_MAX;
	while (!w->server && !serve_wanting(w)) {
		if (a32_load_relaxed(&wend__rt.exiting)) {
			wend__spares_remove(w);
			break;
		}
		if (trim(w))
			break;
		ended = spare_sleep(w);
		if (!w->server && w->watches && ended) {
			WEND__RARE(watcher_woke);
			wend__spare_takes(w, w->watches);
			keeper = wend__keeper_needed();
		}
		if (!w->server && wend__idle.keeper == w) {
			wend__keeper_look(w);
			keeper = wend__keeper_needed();
		}
	}
	wend__idle_unlock();
	if (keeper && w->server)
		wend__keeper_start();
	return w->server != NULL;
}

void wend__spares_wake(void)
{
	wend__idle_lock();
	for (struct wend__worker *w = wend__idle.spares; w; w = w->spare_next)
		wend__port->unpark(&w->parker);
	wend__idle_unlock();
}
