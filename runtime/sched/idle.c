/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.c - servers without work, workers without a server, and who wakes them.
 *
 * Work-conserving, cheaply: at most one worker *searches* while servers are
 * idle. Whoever adds work looks at one line:
 *
 *      NONE      nobody searches: if a server is idle, start a searcher
 *      ACTIVE    somebody is looking right now and will see the work
 *      NAPPING   the searcher sleeps some 20 to 50 us between looks. It is
 *                woken for work that nobody will come to otherwise (more). A
 *                task in a next slot will be run by its server in a moment as
 *                a rule, and only if it is not, the searcher takes it. This
 *                is what keeps two tasks that talk to each other on one
 *                server from waking a second one at each message.
 *
 * Stealing a task costs both sides cache misses worth hundreds of nanoseconds.
 * When what was stolen lasted less than a microsecond or two, taking it was a
 * loss, and likely will be again: the thief holds back, longer each time, up
 * to 100 us. It stays ACTIVE meanwhile, so that nobody wakes it.
 *
 * A searcher that finds work stops searching, and starts another searcher if
 * servers are still idle and work is left. One that finds nothing for about a
 * millisecond gives its server up. The last look, and the wake-up it must not
 * miss:
 *
 *      adds work                          searcher gives up
 *      push                               search = NONE
 *      full fence      [idle.dance]       server onto the idle list, count
 *      look at search and idle count      full fence         [idle.dance]
 *      NONE and idle > 0: start one       look at all queues; take the
 *                                         server back if there is work
 *
 * Either the pusher sees the idle server, or the giver-up sees the work.
 * Model: docs/models/idle.pml, with the variant without the second look, and
 * the run in which it loses a wake-up.
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
#include "runtime/sched/server.h"

enum search_state { SEARCH_NONE, SEARCH_ACTIVE, SEARCH_NAPPING };

enum {
	ACTIVE_ROUNDS = 8,
	NAP_FIRST_NS = 20000,
	NAP_MAX_NS = 50000,
	NAPS = 24,
	TINY_NS = 500, /* stolen work below that was not worth it */
	HOLD_FIRST_NS = 5000,
	HOLD_MAX_NS = 100000,
	/* A running server is given this long to fire its timers itself. */
	BUSY_TIMER_SLACK_NS = 200000,
};

static struct {
	/* read by every push, so on a line of their own */
	uint32_t search __attribute__((aligned(64)));
	uint32_t idle_count;

	struct wend__lock lock __attribute__((aligned(64)));
	struct wend__server *servers; /* idle ones */
	struct wend__worker *spares;
	uint32_t spare_count;
	struct wend__worker *keeper;
	int64_t keeper_deadline; /* INT64_MAX: sleeps without */
	struct wend__worker *searcher; /* valid while NAPPING */
} idle;

int wend__idle_start(void)
{
	idle.search = SEARCH_NONE;
	idle.idle_count = 0;
	idle.servers = NULL;
	idle.spares = NULL;
	idle.spare_count = 0;
	idle.keeper = NULL;
	idle.keeper_deadline = INT64_MAX;
	return 0;
}

static void lock(void)
{
	wend__lock(&idle.lock, WEND__RANK_IDLE);
}

static void unlock(void)
{
	wend__unlock(&idle.lock, WEND__RANK_IDLE);
}

/* --- the lists; idle.lock held ------------------------------------------------ */

static void servers_push(struct wend__server *s)
{
	a8_store_relaxed(&s->idle, 1);
	s->worker = NULL;
	s->idle_prev = NULL;
	s->idle_next = idle.servers;
	if (idle.servers)
		idle.servers->idle_prev = s;
	idle.servers = s;
	/* [idle.dance] full, for the look at the queues that follows. */
	(void)a32_fetch_add_full(&idle.idle_count, 1);
}

static void servers_remove(struct wend__server *s)
{
	a8_store_relaxed(&s->idle, 0);
	if (s->idle_prev)
		s->idle_prev->idle_next = s->idle_next;
	else
		idle.servers = s->idle_next;
	if (s->idle_next)
		s->idle_next->idle_prev = s->idle_prev;
	(void)a32_fetch_add_full(&idle.idle_count, (uint32_t)-1);
}

void wend__server_put_idle(struct wend__server *s)
{
	lock();
	servers_push(s);
	unlock();
}

static void give(struct wend__worker *w, struct wend__server *s)
{
	s->worker = w;
	w->server = s;
}

static void spares_push(struct wend__worker *w)
{
	w->spare = true;
	w->spare_next = idle.spares;
	idle.spares = w;
	idle.spare_count++;
}

static void spares_remove(struct wend__worker *w)
{
	struct wend__worker **link = &idle.spares;

	while (*link != w)
		link = &(*link)->spare_next;
	*link = w->spare_next;
	w->spare = false;
	idle.spare_count--;
	if (idle.keeper == w)
		idle.keeper = NULL;
}

/* The spare used last, for its warm cache, but the keeper only if it is the
 * only one: another would have to be found in its place. */
static struct wend__worker *spares_take(void)
{
	struct wend__worker *w = idle.spares;

	if (w && w == idle.keeper && w->spare_next)
		w = w->spare_next;
	if (w)
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

		if (t != INT64_MAX && !s->idle)
			t += BUSY_TIMER_SLACK_NS;
		if (t < due)
			due = t;
	}
	return due;
}

/*
 * K1, after a server became idle or the keeper was taken; idle.lock held.
 * Returns true if there is no worker left to keep: the caller starts one after
 * unlocking.
 */
static bool keeper_needed(void)
{
	if (!idle.servers || timers_due() == INT64_MAX)
		return false;
	if (!idle.keeper) {
		idle.keeper = idle.spares;
		idle.keeper_deadline = INT64_MAX;
	}
	if (!idle.keeper)
		return true;
	if (timers_due() < idle.keeper_deadline)
		wend__port->unpark(&idle.keeper->parker); /* looks anew */
	return false;
}

/* A worker for the keeper's place. If no thread can be had, blocked workers
 * that come back look at the timers; nothing is lost, only late. */
static void start_keeper(void)
{
	(void)wend__worker_start(NULL, false);
}

void wend__timer_added(struct wend__server *s)
{
	bool start;

	(void)s;
	if (a32_load_relaxed(&idle.idle_count) == 0)
		return;
	lock();
	start = keeper_needed();
	unlock();
	if (start)
		start_keeper();
}

/* --- waking ------------------------------------------------------------------------ */

/* The idle lock is held, s is off the idle list: run it by a spare or a new
 * worker. Unlocks. Returns 0, or -errno with s idle again. */
static int start_server_unlock(struct wend__server *s, bool searching)
{
	struct wend__worker *w = spares_take();
	bool keeper = false;
	int r;

	if (w) {
		give(w, s);
		w->searching = searching;
		keeper = keeper_needed();
		aword_store_relaxed(&wend__rt.wakes, wend__rt.wakes + 1);
	}
	unlock();
	if (w) {
		wend__port->unpark(&w->parker);
		if (keeper)
			start_keeper();
		return 0;
	}
	r = wend__worker_start(s, searching);
	if (r) {
		lock();
		servers_push(s);
		unlock();
	}
	return r;
}

static void start_searcher(void)
{
	do {
		if (!a32_cas_full(&idle.search, SEARCH_NONE, SEARCH_ACTIVE))
			return;
		lock();
		if (idle.servers) {
			struct wend__server *s = idle.servers;

			servers_remove(s);
			if (start_server_unlock(s, true))
				/* No thread to be had. The work stays queued;
				 * whoever runs a server comes to it. */
				a32_store_full(&idle.search, SEARCH_NONE);
			return;
		}
		unlock();
		a32_store_full(&idle.search, SEARCH_NONE);
		/* One may have become idle while we stood in its way. */
	} while (a32_load_relaxed(&idle.idle_count) > 0);
}

void wend__work_added(bool more)
{
	uint32_t search = a32_load_relaxed(&idle.search); /* [idle.dance] */

	if (search == SEARCH_NONE) {
		if (a32_load_relaxed(&idle.idle_count) > 0)
			start_searcher();
	} else if (search == SEARCH_NAPPING && more) {
		if (a32_cas_full(&idle.search, SEARCH_NAPPING, SEARCH_ACTIVE))
			wend__port->unpark(
				&aptr_load_acquire(&idle.searcher)->parker);
	}
}

/* --- searching ------------------------------------------------------------------------ */

static bool queues_empty(struct wend__server *s)
{
	return wend__ring_empty(&s->ring) && wend__fresh_empty(&s->fresh) &&
	       !aptr_load_acquire(&s->next);
}

static bool work_anywhere(void)
{
	if (wend__global_count())
		return true;
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		if (!queues_empty(&wend__rt.servers[i]))
			return true;
	return false;
}

void wend__search_end(struct wend__worker *w)
{
	w->searching = false;
	/* [idle.dance] full: what is pushed from now on is its pusher's to
	 * announce; what was pushed before we look for here. */
	a32_store_full(&idle.search, SEARCH_NONE);
	if (a32_load_relaxed(&idle.idle_count) > 0 && work_anywhere())
		start_searcher();
}

/* Take from one other server. still: its next slot too, for it has stood
 * still since the last look. */
static struct wend_task *steal_from(struct wend__server *thief,
				    struct wend__server *victim, bool still)
{
	struct wend_task *t;
	uint32_t n = 1;

	t = wend__ring_steal(&victim->ring, &thief->ring, &n);
	if (!t)
		t = wend__fresh_take(&victim->fresh);
	if (!t && still && aptr_load_relaxed(&victim->next))
		t = aptr_swap_acquire(&victim->next, (struct wend_task *)NULL);
	if (t)
		aword_store_relaxed(&thief->steals, thief->steals + n);
	return t;
}

/* Timers that are due on a server that does not come to them. What they make
 * ready lands in our own queues. */
static bool run_late_timers(struct wend__server *victim, int64_t now)
{
	int64_t next = wend__timers_next(&victim->timers);

	if (next == INT64_MAX ||
	    next > now - (a8_load_relaxed(&victim->idle) ? 0 : BUSY_TIMER_SLACK_NS))
		return false;
	wend__timers_run(&victim->timers, now);
	return true;
}

/*
 * One round over all servers from a random one. ticks: what each server's tick
 * was at the last round that ended in a nap; NULL: next slots are not taken.
 */
static struct wend_task *search_round(struct wend__server *s,
				      const uint32_t *ticks)
{
	uint32_t n = wend__rt.procs, at = wend__rand_below(&s->rand, n);
	int64_t now = wend__now();
	struct wend_task *t;

	for (uint32_t i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
		struct wend__server *victim = &wend__rt.servers[at];

		if (victim == s)
			continue;
		t = steal_from(s, victim,
			       ticks && ticks[at] == a32_load_relaxed(
							     &victim->tick));
		if (t)
			return t;
		if (run_late_timers(victim, now)) {
			t = aptr_swap_acquire(&s->next,
					      (struct wend_task *)NULL);
			if (!t)
				t = wend__ring_take(&s->ring);
			if (!t)
				t = wend__fresh_pop_owner(&s->fresh);
			if (t)
				return t;
		}
	}
	return wend__global_take_owner(&s->ring, &s->fresh,
				       wend__global_count() / n + 1);
}

/* Sleep a little, unless there is work already. */
static void nap(struct wend__worker *w, int64_t length)
{
	int64_t until = wend__now() + length;

	/* A kick meant for the last searcher may read this one: it gets up
	 * early, that is all. */
	aptr_store_release(&idle.searcher, w);
	/* Release: searcher is set for who sees NAPPING. Full: [idle.dance],
	 * against a push that saw ACTIVE. */
	a32_store_full(&idle.search, SEARCH_NAPPING);
	if (wend__global_count() == 0)
		(void)wend__port->park(&w->parker, until);
	/* Ours again, whoever says so. */
	(void)a32_cas_full(&idle.search, SEARCH_NAPPING, SEARCH_ACTIVE);
}

static void note_ticks(uint32_t *ticks)
{
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		ticks[i] = a32_load_relaxed(&wend__rt.servers[i].tick);
}

/* Work that was stolen is done already: wait before stealing more. */
static void hold_back(struct wend__worker *w)
{
	int64_t now = wend__now(), until;

	if (now - w->stole_at > TINY_NS) {
		w->hold_back = 0;
		return;
	}
	w->hold_back *= 2;
	if (w->hold_back < HOLD_FIRST_NS)
		w->hold_back = HOLD_FIRST_NS;
	if (w->hold_back > HOLD_MAX_NS)
		w->hold_back = HOLD_MAX_NS;
	until = now + w->hold_back;
	/* A permit left over from a search would end it at once. */
	while (wend__port->park(&w->parker, until) == 0 &&
	       !a32_load_relaxed(&wend__rt.stopping))
		;
}

static struct wend_task *search(struct wend__worker *w)
{
	uint32_t ticks[WEND__SERVERS_MAX];
	struct wend_task *t;
	int64_t length = NAP_FIRST_NS;

	for (unsigned int i = 0; i < ACTIVE_ROUNDS; i++) {
		t = search_round(w->server, NULL);
		if (t)
			return t;
		wend__spin.relax(i);
	}
	for (unsigned int i = 0; i < NAPS; i++) {
		note_ticks(ticks);
		nap(w, length);
		t = search_round(w->server, ticks);
		if (t || a32_load_relaxed(&wend__rt.halted) ||
		    a32_load_relaxed(&wend__rt.stopping))
			return t;
		length += length / 2;
		if (length > NAP_MAX_NS)
			length = NAP_MAX_NS;
	}
	return NULL;
}

/* --- giving up and going on ------------------------------------------------------------- */

/* Is every server idle and nobody in the kernel, or elsewhere, who could make
 * a task ready? idle.lock held. */
static bool all_asleep(void)
{
	return a8_load_relaxed(&wend__rt.find_deadlocks) &&
	       a32_load_relaxed(&idle.idle_count) == wend__rt.procs &&
	       idle.spare_count == a32_load_relaxed(&wend__rt.worker_count) &&
	       wend__global_count() == 0 && timers_due() == INT64_MAX &&
	       wend__tasks_live() > 0 && wend__deadlock_certain();
}

/* The last task has ended: tell who waits in wend_stop(). */
static void tell_stopper(void)
{
	if (a32_load_acquire(&wend__rt.stopping) && wend__tasks_live() == 0)
		wend__port->unpark(&wend__rt.stopper);
}

/* Put the server on the idle list. true: work came meanwhile, and the server
 * is ours still. */
static bool go_idle(struct wend__worker *w, bool searched)
{
	struct wend__server *s = w->server;
	bool again;

	w->server = NULL;
	if (searched) {
		w->searching = false;
		a32_store_full(&idle.search, SEARCH_NONE);
	}
	lock();
	servers_push(s); /* full [idle.dance] */
	unlock();
	wend__point();
	tell_stopper();
	if (WEND__PLANTED(LOST_WAKE))
		return false;
	again = searched || wend__rt.procs == 1 ? work_anywhere()
						: wend__global_count() > 0;
	if (!again)
		return false;
	lock();
	again = s->idle;
	if (again) {
		servers_remove(s);
		give(w, s);
	}
	unlock();
	return again;
}

struct wend_task *wend__find_elsewhere(struct wend__worker *w)
{
	bool searched = w->searching;
	struct wend_task *t;

	if (wend__rt.procs > 1 && !searched)
		searched = w->searching = a32_cas_full(
			&idle.search, SEARCH_NONE, SEARCH_ACTIVE);
	if (searched) {
		hold_back(w);
		t = search(w);
		if (t) {
			w->stole_at = wend__now();
			return t;
		}
	}
	(void)go_idle(w, searched);
	return NULL;
}

/* The keeper woke up: give it an idle server if timers are due. */
static void keeper_look(struct wend__worker *w)
{
	struct wend__server *s;

	if (timers_due() > wend__now())
		return;
	for (s = idle.servers; s; s = s->idle_next)
		if (wend__timers_next(&s->timers) <= wend__now())
			break;
	if (!s)
		s = idle.servers;
	if (!s)
		return;
	servers_remove(s);
	spares_remove(w);
	give(w, s);
}

/* Until when a spare sleeps. It becomes the keeper if there is none, or none
 * that gets up early enough. */
static int64_t spare_deadline(struct wend__worker *w)
{
	int64_t due;

	if (idle.keeper == w)
		idle.keeper = NULL;
	if (!idle.servers)
		return INT64_MAX;
	due = timers_due();
	if (idle.keeper && due >= idle.keeper_deadline)
		return INT64_MAX;
	idle.keeper = w;
	idle.keeper_deadline = due;
	return due;
}

bool wend__spare_wait(struct wend__worker *w)
{
	bool keeper = false;
	int64_t deadline;

	lock();
	spares_push(w);
	while (!w->server) {
		if (a32_load_relaxed(&wend__rt.exiting)) {
			spares_remove(w);
			break;
		}
		deadline = spare_deadline(w);
		if (deadline == INT64_MAX && all_asleep()) {
			unlock();
			wend__deadlock();
		}
		unlock();
		(void)wend__port->park(&w->parker, deadline);
		lock();
		if (!w->server && idle.keeper == w) {
			keeper_look(w);
			keeper = keeper_needed();
		}
	}
	unlock();
	if (keeper && w->server)
		start_keeper();
	return w->server != NULL;
}

void wend__spares_wake(void)
{
	lock();
	for (struct wend__worker *w = idle.spares; w; w = w->spare_next)
		wend__port->unpark(&w->parker);
	unlock();
}

void wend__idle_stop(void)
{
	wend__assert(!idle.spares);
}

/* --- blocking in the kernel ------------------------------------------------------------- */

void wend__server_release(struct wend__worker *w)
{
	struct wend__server *s = w->server;
	bool work = !queues_empty(s), keeper;

	aword_store_relaxed(&s->blocks, s->blocks + 1);
	w->last = s;
	w->server = NULL;
	lock();
	if (work) {
		(void)start_server_unlock(s, false);
		return;
	}
	servers_push(s); /* full [idle.dance] */
	keeper = keeper_needed();
	unlock();
	if (keeper)
		start_keeper();
	if (wend__global_count())
		wend__work_added(true);
}

/* A server that is idle, the one held last if it can be. */
static bool take_idle_server(struct wend__worker *w)
{
	struct wend__server *s;

	lock();
	s = w->last->idle ? w->last : idle.servers;
	if (s) {
		servers_remove(s);
		give(w, s);
	}
	unlock();
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
	a8_store_relaxed(&t->state, WEND__READY);
	t->bound = w;
	wend__global_push(t);
	fence_full(); /* [idle.dance] */
	wend__work_added(true);
	while (wend__port->park(&w->parker, INT64_MAX) ||
	       !aptr_load_acquire(&w->server))
		;
	t->bound = NULL;
}

void wend__hand_over(struct wend__worker *w, struct wend_task *t)
{
	struct wend__worker *b = t->bound;
	struct wend__server *s = w->server;

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
