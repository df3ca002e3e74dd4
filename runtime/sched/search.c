/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.c - looking for work, and waking who looks.
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
 * When what was stolen lasted less than half a microsecond, taking it was a
 * loss, and likely will be again: the thief holds back, longer each time, up
 * to 100 us. It stays ACTIVE meanwhile, so that nobody wakes it.
 *
 * A searcher that finds work stops searching, and starts another searcher if
 * servers are still idle and work is left. One that finds nothing for about a
 * millisecond gives its server up; at once, if nobody started it but its server
 * ran dry, and has operations under way: it will be woken by those, and a timer
 * for each nap costs more than the tasks that come in between (a fifth of what
 * an echo server on two CPUs does). The last look, and the wake-up it must not
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
 */
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"

enum {
	ACTIVE_ROUNDS = 8,
	NAP_FIRST_NS = 20000,
	NAP_MAX_NS = 50000,
	NAPS = 24,
	TINY_NS = 500, /* stolen work below that was not worth it */
	HOLD_FIRST_NS = 5000,
	HOLD_MAX_NS = 100000,
};

/* --- waking ------------------------------------------------------------------------ */

static void start_searcher(void)
{
	/* [idle.wanted] */
	if (a32_load_relaxed(&wend__idle.wanted) &&
	    !wend__idle_worth_trying()) {
		wend__idle_serve_bound();
		return;
	}
	do {
		if (!a32_cas_full(&wend__idle.search, WEND__SEARCH_NONE,
				  WEND__SEARCH_ACTIVE))
			return;
		wend__idle_lock();
		if (wend__idle.servers) {
			struct wend__server *s = wend__idle.servers;

			wend__idle_remove(s);
			if (wend__idle_start_server_unlock(s, true))
				return;
			/* No thread to be had. The work stays queued; whoever
			 * runs a server comes to it, or takes this one. While
			 * we stood in its way, one may have looked at the
			 * queues no closer than to see that we search. */
			a32_store_full(&wend__idle.search, WEND__SEARCH_NONE);
			wend__idle_serve_bound();
			if (wend__idle_spare_or_wanted())
				continue;
			return;
		}
		wend__idle_unlock();
		a32_store_full(&wend__idle.search, WEND__SEARCH_NONE);
		WEND__RARE(search_raced);
		/* One may have become idle while we stood in its way. */
	} while (a32_load_relaxed(&wend__idle.count) > 0);
}

void wend__work_added(bool more)
{
	uint32_t search = a32_load_relaxed(
		&wend__idle.search); /* [idle.dance] */

	if (search == WEND__SEARCH_NONE) {
		if (a32_load_relaxed(&wend__idle.count) > 0)
			start_searcher();
	} else if (search == WEND__SEARCH_NAPPING && more) {
		wend__point();
		if (!a32_cas_full(&wend__idle.search, WEND__SEARCH_NAPPING,
				  WEND__SEARCH_ACTIVE)) {
			WEND__RARE(search_kick_lost);
			return;
		}
		WEND__RARE(search_kicked);
		wend__port->unpark(
			&aptr_load_acquire(&wend__idle.searcher)->parker);
	}
}

/* --- searching ------------------------------------------------------------------------ */

static bool work_anywhere(void)
{
	if (wend__global_count())
		return true;
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		if (!wend__queues_empty(&wend__rt.servers[i]))
			return true;
	return false;
}

bool wend__work_unseen(void)
{
	return a32_load_relaxed(&wend__idle.search) == WEND__SEARCH_NONE ?
		       work_anywhere() :
		       wend__global_count() > 0;
}

void wend__search_end(struct wend__worker *w)
{
	w->searching = false;
	/* [idle.dance] full: what is pushed from now on is its pusher's to
	 * announce; what was pushed before we look for here. */
	a32_store_full(&wend__idle.search, WEND__SEARCH_NONE);
	if (a32_load_relaxed(&wend__idle.count) > 0 && work_anywhere()) {
		WEND__RARE(search_passed_on);
		start_searcher();
	}
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
	if (!t && still && aptr_load_relaxed(&victim->next)) {
		t = aptr_swap_acquire(&victim->next, (struct wend_task *)NULL);
		if (t)
			WEND__RARE(next_stolen);
	}
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
	    next > now - (a8_load_relaxed(&victim->idle) ?
				  0 :
				  WEND__BUSY_TIMER_SLACK_NS))
		return false;
	WEND__RARE(late_timers);
	wend__timers_run(&victim->timers, now);
	return true;
}

/* The owner's own queues, which others made something ready into. */
static struct wend_task *take_own(struct wend__server *s)
{
	struct wend_task *t = aptr_swap_acquire(&s->next,
						(struct wend_task *)NULL);

	if (!t)
		t = wend__ring_take(&s->ring);
	return t ? t : wend__fresh_pop_owner(&s->fresh);
}

void wend__timers_keeperless(struct wend__worker *w)
{
	int64_t now = wend__now();

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];

		if (!a8_load_relaxed(&s->idle))
			continue;
		if (run_late_timers(s, now))
			WEND__RARE(timers_keeperless);
		if (wend__io_steal(w, s))
			WEND__RARE(io_watcherless);
	}
}

/*
 * One round over all servers from a random one. ticks: what each server's tick
 * was at the last round that ended in a nap; NULL: next slots are not taken.
 */
static struct wend_task *search_round(struct wend__worker *w,
				      const uint32_t *ticks)
{
	struct wend__server *s = w->server;
	uint32_t n = wend__rt.procs, at = wend__rand_below(&s->rand, n);
	int64_t now = wend__now();
	struct wend_task *t;
	bool own = wend__io_step(w);

	if (wend__timers_next(&s->timers) <= now) {
		WEND__RARE(search_timers);
		wend__timers_run(&s->timers, now);
		own = true;
	}
	if (own && (t = take_own(s)))
		return t;
	for (uint32_t i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
		struct wend__server *victim = &wend__rt.servers[at];
		bool still, found;

		if (victim == s)
			continue;
		still = ticks && ticks[at] == a32_load_relaxed(&victim->tick);
		t = steal_from(s, victim, still);
		if (t)
			return t;
		found = run_late_timers(victim, now);
		/* An idle one has a watcher. */
		if (still && !a8_load_relaxed(&victim->idle))
			found |= wend__io_steal(w, victim);
		if (found && (t = take_own(s)))
			return t;
	}
	return wend__global_take_owner(&s->ring, &s->fresh,
				       wend__global_count() / n + 1);
}

/* Sleep a little, unless there is work already; not past our own timers, to
 * which others come late. */
static void nap(struct wend__worker *w, int64_t length)
{
	int64_t until = wend__now() + length;
	int64_t timer = wend__timers_next(&w->server->timers);

	if (timer < until)
		until = timer;

	wend__point();
	/* A kick meant for the last searcher may read this one: it gets up
	 * early, that is all. */
	aptr_store_release(&wend__idle.searcher, w);
	/* Release: searcher is set for who sees NAPPING. Full: [idle.dance],
	 * against a push that saw ACTIVE. */
	a32_store_full(&wend__idle.search, WEND__SEARCH_NAPPING);
	if (wend__global_count() == 0)
		(void)wend__io_park(w, w->server, until);
	else
		WEND__RARE(nap_skipped);
	/* Ours again, whoever says so. */
	(void)a32_cas_full(&wend__idle.search, WEND__SEARCH_NAPPING,
			   WEND__SEARCH_ACTIVE);
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
	WEND__RARE(hold_back);
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

/* dry: nobody started the search, w has run out of work. */
static struct wend_task *search(struct wend__worker *w, bool dry)
{
	uint32_t ticks[WEND__SERVERS_MAX];
	struct wend_task *t;
	int64_t length = NAP_FIRST_NS;

	for (unsigned int i = 0; i < ACTIVE_ROUNDS; i++) {
		t = search_round(w, NULL);
		if (t)
			return t;
		wend__spin.relax(i);
	}
	if (dry && wend__io_flying(w->server))
		return NULL;
	for (unsigned int i = 0; i < NAPS; i++) {
		note_ticks(ticks);
		nap(w, length);
		t = search_round(w, ticks);
		if (t || a32_load_relaxed(&wend__rt.halted) ||
		    a32_load_relaxed(&wend__rt.stopping))
			return t;
		length += length / 2;
		if (length > NAP_MAX_NS)
			length = NAP_MAX_NS;
	}
	return NULL;
}

/* --- giving up ------------------------------------------------------------------------- */

/* The last task has ended: tell who waits in wend_stop(). */
static void tell_stopper(void)
{
	if (!a32_load_acquire(&wend__rt.stopping) || wend__tasks_live() > 0)
		return;
	WEND__RARE(stopper_told);
	wend__port->unpark(&wend__rt.stopper);
}

/* Put the server on the idle list. true: work came meanwhile, and the server
 * is ours still. */
static bool go_idle(struct wend__worker *w, bool searched)
{
	struct wend__server *s = w->server;
	bool again;

	wend__worker_rests(w);
	aptr_store_relaxed(&w->server, (struct wend__server *)NULL);
	if (searched) {
		w->searching = false;
		a32_store_full(&wend__idle.search, WEND__SEARCH_NONE);
	}
	wend__idle_lock();
	wend__idle_push(s); /* full [idle.dance] */
	if (wend__io_flying(s))
		wend__watcher_set(w, s);
	wend__idle_unlock();
	wend__point();
	tell_stopper();
	if (WEND__PLANTED(LOST_WAKE))
		return false;
	if (!wend__work_unseen())
		return false;
	wend__idle_lock();
	again = s->idle;
	if (!again) {
		WEND__RARE(idle_gone);
	} else {
		WEND__RARE(idle_again);
		wend__idle_remove(s);
		wend__server_give(w, s);
	}
	wend__idle_unlock();
	if (again)
		wend__worker_runs(w);
	return again;
}

struct wend_task *wend__find_elsewhere(struct wend__worker *w)
{
	bool dry = !w->searching, searched = !dry;
	struct wend_task *t;

	if (wend__rt.procs > 1 && dry)
		searched = w->searching = a32_cas_full(&wend__idle.search,
						       WEND__SEARCH_NONE,
						       WEND__SEARCH_ACTIVE);
	if (searched) {
		hold_back(w);
		t = search(w, dry);
		if (t) {
			w->stole_at = wend__now();
			return t;
		}
	}
	(void)go_idle(w, searched);
	return NULL;
}
