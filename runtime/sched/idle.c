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
#include "runtime/sched/idle.h"
#include "runtime/base/rare.h"

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
	s->worker = NULL;
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

/* The spare used last, for its warm cache, but the keeper only if it is the
 * only one: another would have to be found in its place. */
static struct wend__worker *spares_take(void)
{
	struct wend__worker *w = wend__idle.spares;

	if (w && w == wend__idle.keeper) {
		if (w->spare_next) {
			WEND__RARE(keeper_spared);
			w = w->spare_next;
		} else {
			WEND__RARE(keeper_taken);
		}
	}
	if (w)
		spares_remove(w);
	return w;
}

/* --- whether there are threads ------------------------------------------------- */

/* No worker could be started; lock is held. If there may be more, it was the
 * system that said no. */
static void note_refused(void)
{
	if (a32_load_relaxed(&wend__rt.worker_count) < wend__rt.worker_cap)
		wend__idle.retry_at = wend__now() + RETRY_NS;
}

bool wend__idle_worth_trying(void)
{
	bool worth;

	if (a32_load_relaxed(&wend__rt.worker_count) >= wend__rt.worker_cap)
		return false;
	wend__idle_lock();
	worth = wend__now() >= wend__idle.retry_at;
	wend__idle_unlock();
	return worth;
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
	if (!wend__idle_worth_trying() || wend__worker_start(NULL, false) == 0)
		return;
	wend__idle_lock();
	note_refused();
	wend__idle_unlock();
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

/* An idle server, one with work if there is one; lock is held. */
static struct wend__server *idle_with_work(void)
{
	struct wend__server *s = wend__idle.servers;

	while (s && wend__queues_empty(s))
		s = s->idle_next;
	return s ? s : wend__idle.servers;
}

/* An idle server to a worker that waits for one, which is to be woken; NULL:
 * there are not both. Lock is held. */
static struct wend__worker *serve_one_bound(void)
{
	struct wend__server *s = idle_with_work();
	struct wend_task *t = s ? wend__global_take_bound() : NULL;
	struct wend__worker *b;

	if (!t)
		return NULL;
	WEND__RARE(server_handed);
	b = t->bound; /* as long as it waits */
	wend__idle_remove(s);
	s->worker = b;
	aptr_store_release(&b->server, s); /* [hand.over] */
	return b;
}

void wend__idle_serve_bound(void)
{
	while (wend__global_has_bound()) {
		struct wend__worker *b;

		wend__idle_lock();
		b = serve_one_bound();
		wend__idle_unlock();
		if (!b)
			return;
		wend__port->unpark(&b->parker);
	}
}

/* By a spare; lock is held, and released if there is one. */
static bool start_by_spare(struct wend__server *s, bool searching)
{
	struct wend__worker *w = spares_take();
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

/* Nobody could be had for s, nor has come meanwhile; lock is held. */
static void wait_for_worker(void)
{
	WEND__RARE(server_waits);
	a32_store_relaxed(&wend__rt.worker_waits, wend__rt.worker_waits + 1);
	a32_store_relaxed(&wend__idle.wanted, 1);
	(void)keeper_needed(); /* K1; there is no spare to be it */
}

bool wend__idle_start_server_unlock(struct wend__server *s, bool searching)
{
	while (!start_by_spare(s, searching)) {
		wend__idle_unlock();
		if (wend__worker_start(s, searching) == 0)
			return true;
		wend__idle_lock();
		wend__idle_push(s);
		note_refused();
		if (!wend__idle.spares) {
			wait_for_worker();
			wend__idle_unlock();
			wend__idle_serve_bound();
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
	spare = wend__idle.spares != NULL;
	if (!spare)
		a32_store_relaxed(&wend__idle.wanted, 1);
	wend__idle_unlock();
	return spare;
}

/* --- spare workers -------------------------------------------------------------------- */

/* Is every server idle and nobody in the kernel, or elsewhere, who could make
 * a task ready? wend__idle.lock held. */
static bool all_asleep(void)
{
	return a32_load_relaxed(&wend__rt.deadlocks) == WEND__DEADLOCKS_FIND &&
	       a32_load_relaxed(&wend__idle.count) == wend__rt.procs &&
	       wend__idle.spare_count ==
		       a32_load_relaxed(&wend__rt.worker_count) &&
	       wend__global_count() == 0 && timers_due() == INT64_MAX &&
	       wend__tasks_live() > 0;
}

/* The keeper woke up: give it an idle server if timers are due. */
static void keeper_look(struct wend__worker *w)
{
	struct wend__server *s;

	if (timers_due() > wend__now())
		return;
	for (s = wend__idle.servers; s; s = s->idle_next)
		if (wend__timers_next(&s->timers) <= wend__now())
			break;
	if (!s)
		s = wend__idle.servers;
	if (!s) {
		WEND__RARE(keeper_idle_less);
		return;
	}
	WEND__RARE(keeper_due);
	wend__idle_remove(s);
	spares_remove(w);
	wend__server_give(w, s);
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

/* A server waits for a worker, and w, a spare, has nothing to do. */
static bool serve_wanting(struct wend__worker *w)
{
	struct wend__server *s;

	if (!a32_load_relaxed(&wend__idle.wanted))
		return false;
	a32_store_relaxed(&wend__idle.wanted, 0);
	s = idle_with_work();
	if (!s)
		return false;
	WEND__RARE(server_served);
	spares_remove(w);
	wend__idle_remove(s); /* full [idle.wanted] */
	wend__server_give(w, s);
	return true;
}

static bool too_many_spares(void)
{
	return wend__idle.spare_count > wend__rt.procs + SPARES_MORE;
}

/*
 * Whether w, a spare whose time has come, is to end; if so it is no spare any
 * more. A keeper of timers stays. So must a worker with requests of its own
 * under way in the kernel, which would end with its thread: there are none yet.
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
	if (!too_many_spares() || w->life != WEND__WORKER_RUNS ||
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

	if (deadline == INT64_MAX)
		deadline = look_for_deadlock();
	if (w->trim_at < deadline)
		deadline = w->trim_at;
	wend__idle_unlock();
	(void)wend__port->park(&w->parker, deadline);
	wend__idle_lock();
}

bool wend__spare_wait(struct wend__worker *w)
{
	bool keeper = false;

	wend__idle_lock();
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
	bool work = !wend__queues_empty(s), keeper;

	aword_store_relaxed(&s->blocks, s->blocks + 1);
	w->last = s;
	w->released_at = wend__now();
	w->server = NULL;
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
	t->bound = NULL;
}

void wend__hand_over(struct wend__worker *w, struct wend_task *t)
{
	struct wend__worker *b = t->bound;
	struct wend__server *s = w->server;

	WEND__RARE(hand_over);
	w->server = NULL;
	s->worker = b;
	/* [hand.over] The permit carries the server's state to b. */
	aptr_store_release(&b->server, s);
	wend__port->unpark(&b->parker);
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
