/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.c - servers without work, workers without a server, and who watches
 * the timers meanwhile. Who looks for work, and who is woken for it: search.c.
 *
 * Who watches the timers of servers that nobody runs: the *keeper*, one spare
 * worker that sleeps with a deadline, the earliest of all servers' timers.
 * There is one whenever a server is idle and a timer is armed (K1).
 *
 * Rejected: a thread of its own for the timers (one more thread switch for
 * each sleep of an idle program); every idle worker sleeping with its own
 * server's deadline (a server released by a blocked worker has nobody).
 */
#include <errno.h>
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"
#include "runtime/sched/preempt.h"

/* A call that returned within this hardly waited. */
enum { QUICK_NS = 50000 };

/* The system refused a thread: leave it alone for so long. */
enum { RETRY_NS = 10000000 };

/*
 * Spares beyond one for each server and a few more end when they have been
 * spare for so long: a burst of blocking calls is over. Each looks once, so an
 * idle process wakes up no more after that.
 */
enum { SPARES_MORE = 2 };
static const int64_t trim_ns = 10 * INT64_C(1000000000);
static const int64_t trimmed_lately_ns = INT64_C(1000000000);

struct wend__idle wend__idle;

int wend__idle_start(void)
{
	wend__idle = (struct wend__idle){
		.search = WEND__SEARCH_NONE,
		.keeper_deadline = INT64_MAX,
	};
	return 0;
}

/* --- the lists; wend__idle.lock held ------------------------------------------------ */

void wend__idle_push(struct wend__server *s)
{
	a8_store_relaxed(&s->idle, 1);
	aptr_store_relaxed(&s->worker, (struct wend__worker *)NULL);
	s->idle_prev = NULL;
	s->idle_next = wend__idle.servers;
	if (wend__idle.servers)
		wend__idle.servers->idle_prev = s;
	wend__idle.servers = s;
	/* [idle.dance] full, for the look at the queues that follows. */
	(void)a32_fetch_add_full(&wend__idle.count, 1);
}

void wend__idle_remove(struct wend__server *s)
{
	wend__assert(s->idle);
	a8_store_relaxed(&s->idle, 0);
	if (s->idle_prev)
		s->idle_prev->idle_next = s->idle_next;
	else
		wend__idle.servers = s->idle_next;
	if (s->idle_next)
		s->idle_next->idle_prev = s->idle_prev;
	(void)a32_fetch_add_full(&wend__idle.count, (uint32_t)-1);
}

void wend__server_put_idle(struct wend__server *s)
{
	wend__idle_lock();
	wend__idle_push(s);
	wend__idle_unlock();
}

static void spares_push(struct wend__worker *w)
{
	w->spare = true;
	w->spare_next = wend__idle.spares;
	wend__idle.spares = w;
	wend__idle.spare_count++;
}

static void spares_remove(struct wend__worker *w)
{
	struct wend__worker **link = &wend__idle.spares;

	while (*link != w)
		link = &(*link)->spare_next;
	*link = w->spare_next;
	w->spare = false;
	wend__idle.spare_count--;
	if (wend__idle.keeper == w)
		wend__idle.keeper = NULL;
}

/* Whether starting a thread may succeed, as far as can be told. */
static bool threads_to_be_had(void)
{
	return !wend__worker_capped() && wend__now() >= wend__idle.retry_at;
}

/* One that watches no server; the keeper only if it is the only one: another
 * would have to be found in its place. */
static struct wend__worker *free_spare(void)
{
	struct wend__worker *w, *keeper = NULL;

	for (w = wend__idle.spares; w; w = w->spare_next) {
		if (w->watches)
			continue;
		if (w != wend__idle.keeper)
			return w;
		WEND__RARE(keeper_spared);
		keeper = w;
	}
	return keeper;
}

/* No thread can be had, and all spares watch: one is called off. The server it
 * leaves is looked after by those that run, until there is a spare again. */
static struct wend__worker *called_off(void)
{
	struct wend__worker *w = wend__idle.spares;

	if (!w || threads_to_be_had())
		return NULL;
	WEND__RARE(watcher_called_off);
	wend__watcher_clear(w->watches);
	a32_store_relaxed(&wend__idle.keeperless, 1);
	return w;
}

/* Who runs s: its watcher, or the spare used last, for its warm cache. */
static struct wend__worker *spares_take(const struct wend__server *s)
{
	struct wend__worker *w = s->watcher;

	if (!w || !w->spare)
		w = free_spare();
	if (!w)
		w = called_off();
	if (!w)
		return NULL;
	if (w == wend__idle.keeper)
		WEND__RARE(keeper_taken);
	spares_remove(w);
	return w;
}

/* --- the keeper ------------------------------------------------------------------ */

/* When somebody must look at timers: at once for an idle server's, a little
 * later for those of a server that runs, which should fire them itself. */
static int64_t timers_due(void)
{
	int64_t due = INT64_MAX;

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];
		int64_t t = wend__timers_next(&s->timers);

		if (!s->idle && wend__io_flying(s)) {
			int64_t look = wend__now() + WEND__BUSY_IO_LOOK_NS;

			due = look < due ? look : due;
		}

		if (t != INT64_MAX && !s->idle)
			t += WEND__BUSY_TIMER_SLACK_NS;
		if (t < due)
			due = t;
	}
	return due;
}

/*
 * K1, after a server became idle or the keeper was taken; wend__idle.lock held.
 * Returns true if there is no worker left to keep: the caller starts one after
 * unlocking.
 */
static bool keeper_needed(void)
{
	if (!wend__idle.servers || timers_due() == INT64_MAX)
		return false;
	if (!wend__idle.keeper) {
		wend__idle.keeper = wend__idle.spares;
		wend__idle.keeper_deadline = INT64_MAX;
		if (wend__idle.keeper)
			WEND__RARE(keeper_appointed);
	}
	a32_store_relaxed(&wend__idle.keeperless, !wend__idle.keeper);
	if (!wend__idle.keeper) {
		WEND__RARE(keeper_missing);
		return true;
	}
	if (timers_due() < wend__idle.keeper_deadline) {
		WEND__RARE(keeper_hurried);
		wend__port->unpark(&wend__idle.keeper->parker); /* looks anew */
	}
	return false;
}

/* A worker for the keeper's place. If no thread can be had, the servers that
 * run look at the timers now and then, as idle.keeperless says; if none runs,
 * the next worker that comes back from the kernel does. */
static void start_keeper(void)
{
	if (wend__worker_start(NULL, false) == -EINPROGRESS) {
		a32_store_full(&wend__idle.keeper_wanted, 1);
		wend__watchdog->hire();
	}
}

void wend__timer_added(struct wend__server *s)
{
	bool start;

	(void)s;
	/* The timer is in its heap; a server that goes idle puts itself on the
	 * list, full fence, and looks at the heaps: one of us sees the other. */
	fence_full();
	if (a32_load_relaxed(&wend__idle.count) == 0)
		return;
	wend__idle_lock();
	start = keeper_needed();
	wend__idle_unlock();
	if (start)
		start_keeper();
}

/* --- starting servers ----------------------------------------------------------------- */

/* By a spare; lock is held, and released if there is one. */
static bool start_by_spare(struct wend__server *s, bool searching)
{
	struct wend__worker *w = spares_take(s);
	bool keeper;

	if (!w)
		return false;
	wend__server_give(w, s);
	w->searching = searching;
	keeper = keeper_needed();
	aword_store_relaxed(&wend__rt.wakes, wend__rt.wakes + 1);
	wend__idle_unlock();
	wend__port->unpark(&w->parker);
	if (keeper)
		start_keeper();
	return true;
}

/* Whether somebody has to be hired, besides those who are on their way; and until
 * when there is none to be had. */
static bool hiring_due(int64_t *retry)
{
	bool due;

	wend__idle_lock();
	*retry = wend__idle.retry_at;
	due = a32_load_relaxed(&wend__idle.wanted) && !free_spare() &&
	      a32_load_relaxed(&wend__idle.count) > wend__idle.hired;
	wend__idle_unlock();
	return due;
}

/* No server is held meanwhile, nor the search: a task that waits for a server
 * may hold the allocator's lock. The new worker takes the server itself. */
int64_t wend__idle_hire(void)
{
	int64_t retry;

	if (a32_swap_full(&wend__idle.keeper_wanted, 0))
		(void)wend__worker_start_here(NULL, false);
	if (!hiring_due(&retry))
		return INT64_MAX;
	if (wend__now() < retry)
		return retry;
	if (wend__worker_start_here(NULL, false) == 0)
		return INT64_MAX;
	/* At the cap a worker that comes back will take the server. */
	retry = wend__worker_capped() ? INT64_MAX : wend__now() + RETRY_NS;
	wend__idle_lock();
	WEND__RARE(server_waits);
	a32_store_relaxed(&wend__rt.worker_waits, wend__rt.worker_waits + 1);
	wend__idle.retry_at = retry == INT64_MAX ? 0 : retry;
	wend__idle_unlock();
	return retry;
}

/* s, which nobody has, goes to the worker that t is bound to. */
static void server_to_bound(struct wend__server *s, struct wend_task *t)
{
	struct wend__worker *b = t->bound;
	bool queued;

	WEND__RARE(hand_over);
	wend__server_held_by(s, b);
	t->bound = NULL;
	a8_store_relaxed(&t->state, WEND__RUNNING);
	/* [hand.over] The server's state goes to b with the word that it waits
	 * for: the server, or, QUEUED by the watchdog, the claim. Never the
	 * claim of one that queued itself: it may be gone with its server
	 * already, and the watchdog be at that word again. */
	queued = a32_load_relaxed(&b->preempt->claim) == WEND__CLAIM_QUEUED;
	aptr_store_release(&b->server, s);
	if (queued)
		a32_store_release(&b->preempt->claim, WEND__CLAIM_NONE);
	wend__port->unpark(&b->parker);
}

bool wend__idle_give_to_bound(void)
{
	struct wend__server *s;
	struct wend_task *t = NULL;

	wend__idle_lock();
	s = wend__idle.servers;
	if (s && !free_spare() && wend__global_bound() > 0)
		t = wend__global_take_bound();
	if (t) {
		WEND__RARE(server_handed);
		wend__idle_remove(s);
		wend__watcher_clear(s);
	}
	wend__idle_unlock();
	if (t)
		server_to_bound(s, t);
	return t != NULL;
}

void wend__idle_serve_bound(void)
{
	while (!wend__idle_worth_trying() && wend__idle_give_to_bound())
		;
}

/* s is idle, and nobody could be had for it, nor has come meanwhile: r says
 * whether it is the hirer's turn. Unlocks. */
static void wait_for_worker_unlock(int r)
{
	a32_store_relaxed(&wend__idle.wanted, 1);
	(void)keeper_needed(); /* K1; there is no spare to be it */
	if (r == -EINPROGRESS) {
		wend__idle_unlock();
		wend__watchdog->hire();
		return;
	}
	WEND__RARE(server_waits);
	a32_store_relaxed(&wend__rt.worker_waits, wend__rt.worker_waits + 1);
	wend__idle_unlock();
	wend__idle_serve_bound();
}

bool wend__idle_start_server_unlock(struct wend__server *s, bool searching)
{
	while (!start_by_spare(s, searching)) {
		int r;

		wend__watcher_clear(s);
		wend__idle_unlock();
		r = wend__worker_start(s, searching);
		if (r == 0)
			return true;
		wend__idle_lock();
		wend__idle_push(s);
		if (r != -EINPROGRESS)
			wend__idle.retry_at = wend__worker_capped() ?
						      0 :
						      wend__now() + RETRY_NS;
		if (!free_spare()) {
			wait_for_worker_unlock(r);
			return false;
		}
		WEND__RARE(server_raced);
		wend__idle_remove(s);
	}
	return true;
}

bool wend__idle_spare_or_wanted(void)
{
	bool spare;

	wend__idle_lock();
	spare = free_spare() != NULL;
	if (!spare)
		a32_store_relaxed(&wend__idle.wanted, 1);
	wend__idle_unlock();
	return spare;
}

bool wend__idle_worth_trying(void)
{
	bool worth;

	if (wend__worker_capped())
		return false;
	wend__idle_lock();
	worth = threads_to_be_had();
	wend__idle_unlock();
	return worth;
}

/* --- spare workers -------------------------------------------------------------------- */

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
	       wend__global_count() == 0 && timers_due() == INT64_MAX &&
	       wend__tasks_live() > 0 && !any_flying();
}

/* Does a server that runs leave operations that have ended lying? It is in the
 * same task as at the last look. */
static bool io_left_lying(void)
{
	bool found = false;

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];
		uint32_t tick = a32_load_relaxed(&s->tick);

		found |= !s->idle && tick == s->looked_at && wend__io_ready(s);
		s->looked_at = tick;
	}
	return found;
}

/* An idle server becomes spare w's. */
static void spare_takes(struct wend__worker *w, struct wend__server *s)
{
	wend__idle_remove(s);
	spares_remove(w);
	wend__server_give(w, s);
}

/* The keeper woke up: give it an idle server if there is something to do. It
 * may not leave the one it watches. */
static void keeper_look(struct wend__worker *w)
{
	struct wend__server *s;

	if (!io_left_lying() && timers_due() > wend__now())
		return;
	for (s = wend__idle.servers; s; s = s->idle_next)
		if (wend__timers_next(&s->timers) <= wend__now())
			break;
	if (w->watches)
		s = w->watches;
	if (!s)
		s = wend__idle.servers;
	if (!s) {
		WEND__RARE(keeper_idle_less);
		return;
	}
	WEND__RARE(keeper_due);
	spare_takes(w, s);
}

/* Until when a spare sleeps. It becomes the keeper if there is none, or none
 * that gets up early enough. */
static int64_t spare_deadline(struct wend__worker *w)
{
	int64_t due;

	if (wend__idle.keeper == w)
		wend__idle.keeper = NULL;
	if (!wend__idle.servers)
		return INT64_MAX;
	due = timers_due();
	if (wend__idle.keeper && due >= wend__idle.keeper_deadline)
		return INT64_MAX;
	if (wend__idle.keeper)
		WEND__RARE(keeper_relieved);
	wend__idle.keeper = w;
	wend__idle.keeper_deadline = due;
	a32_store_relaxed(&wend__idle.keeperless, 0);
	return due;
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
	w = free_spare();
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
	spares_remove(w);
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
	    (wend__idle.keeper == w && timers_due() != INT64_MAX))
		return false;
	WEND__RARE(worker_trimmed);
	spares_remove(w);
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
 * is again on return. */
static void spare_sleep(struct wend__worker *w)
{
	int64_t deadline = spare_deadline(w);
	struct wend__server *watched;

	if (deadline == INT64_MAX)
		deadline = look_for_deadlock();
	if (w->trim_at < deadline)
		deadline = w->trim_at;
	watched = w->watches;
	wend__idle_unlock();
	wend__io_park(w, watched, deadline);
	wend__idle_lock();
}

bool wend__spare_wait(struct wend__worker *w)
{
	bool keeper = false;

	wend__idle_lock();
	if (w->hired)
		wend__idle.hired--;
	w->hired = false;
	spares_push(w);
	w->trim_at = too_many_spares() ? wend__now() + trim_ns : INT64_MAX;
	while (!w->server && !serve_wanting(w)) {
		if (a32_load_relaxed(&wend__rt.exiting)) {
			spares_remove(w);
			break;
		}
		if (trim(w))
			break;
		spare_sleep(w);
		if (!w->server && w->watches && wend__io_ready(w->watches)) {
			WEND__RARE(watcher_woke);
			spare_takes(w, w->watches);
			keeper = keeper_needed();
		}
		if (!w->server && wend__idle.keeper == w) {
			keeper_look(w);
			keeper = keeper_needed();
		}
	}
	wend__idle_unlock();
	if (keeper && w->server)
		start_keeper();
	return w->server != NULL;
}

void wend__spares_wake(void)
{
	wend__idle_lock();
	for (struct wend__worker *w = wend__idle.spares; w; w = w->spare_next)
		wend__port->unpark(&w->parker);
	wend__idle_unlock();
}

/* --- blocking in the kernel ------------------------------------------------------------- */

void wend__server_release(struct wend__worker *w)
{
	struct wend__server *s = w->server;
	/* Somebody is to look after operations that are under way, too. */
	bool work = !wend__queues_empty(s) || wend__io_flying(s), keeper;

	aword_store_relaxed(&s->blocks, s->blocks + 1);
	w->last = s;
	/* Read by who watches for long calls. */
	aword_store_relaxed((size_t *)&w->released_at, (size_t)wend__now());
	aptr_store_relaxed(&w->server, (struct wend__server *)NULL);
	wend__idle_lock();
	if (work) {
		(void)wend__idle_start_server_unlock(s, false);
		return;
	}
	wend__idle_push(s); /* full [idle.dance] */
	keeper = keeper_needed();
	wend__idle_unlock();
	if (keeper)
		start_keeper();
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

	if (take_idle_server(w))
		return;
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
}

void wend__hand_over(struct wend__worker *w, struct wend_task *t)
{
	struct wend__server *s = w->server;

	aptr_store_relaxed(&w->server, (struct wend__server *)NULL);
	server_to_bound(s, t);
}

unsigned int wend__ready_count(void)
{
	unsigned int n = wend__global_count();

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];

		n += a32_load_relaxed(&s->ring.tail) -
		     a32_load_relaxed(&s->ring.head);
		n += (unsigned int)(aword_load_relaxed(&s->fresh.bottom) -
				    aword_load_relaxed(&s->fresh.top));
		n += aptr_load_relaxed(&s->next) != NULL;
	}
	return n;
}
