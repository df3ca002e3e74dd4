/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.h - servers without work and workers without a server, and whether
 * somebody searches: what idle.c, keeper.c, hire.c, spare.c, release.c and
 * search.c share.
 */
#ifndef WEND_SCHED_IDLE_H
#define WEND_SCHED_IDLE_H

#include "runtime/sched/server.h"

enum wend__search_state {
	WEND__SEARCH_NONE,
	WEND__SEARCH_ACTIVE,
	WEND__SEARCH_NAPPING,
};

/* A running server is given this long to fire its timers itself. */
enum { WEND__BUSY_TIMER_SLACK_NS = 200000 };

/* How often the keeper looks whether a running server leaves operations that
 * have ended lying, once the watchdog has seen that server run. */
enum { WEND__BUSY_IO_LOOK_NS = 5000000 };

struct wend__idle {
	/* read by every push, so on a line of their own */
	uint32_t search __attribute__((aligned(64)));
	uint32_t count;         /* idle servers */
	uint32_t wanted;        /* a worker, in vain, see below */
	uint32_t keeper_wanted; /* the same; the hirer starts one */
	uint32_t keeperless;    /* timers of idle servers, and no keeper */

	struct wend__lock lock __attribute__((aligned(64)));
	struct wend__server *servers; /* idle ones */
	struct wend__worker *spares;
	struct wend__worker *gone; /* without a thread, for reuse */
	uint32_t spare_count;
	uint32_t hired;     /* threads started without a server, on their way */
	int64_t retry_at;   /* the system refused a thread: not before this */
	int64_t trimmed_at; /* when a worker ended last */
	struct wend__worker *keeper;
	int64_t keeper_deadline;       /* INT64_MAX: sleeps without */
	struct wend__worker *searcher; /* valid while NAPPING */
};
extern struct wend__idle wend__idle;

static inline void wend__idle_lock(void)
{
	wend__lock(&wend__idle.lock, WEND__RANK_IDLE);
}

static inline void wend__idle_unlock(void)
{
	wend__unlock(&wend__idle.lock, WEND__RANK_IDLE);
}

/* --- the lists (idle.c) --------------------------------------------------- */

/* Onto and off the list of idle servers; the lock is held. Full fences. */
void wend__idle_push(struct wend__server *s);
void wend__idle_remove(struct wend__server *s);

/* Onto and off the list of spares; the lock is held. Who goes off it is the
 * keeper no more. */
void wend__spares_push(struct wend__worker *w);
void wend__spares_remove(struct wend__worker *w);

/* A spare that watches no server, left on the list; NULL: none. The keeper only
 * if it is the only one. The lock is held. */
struct wend__worker *wend__free_spare(void);

/* Who runs s, off the list: its watcher, or the spare used last, or, when no
 * thread can be had, one that watches another server. NULL: nobody. The lock is
 * held. */
struct wend__worker *wend__spares_take(const struct wend__server *s);

/* Whether starting a thread may succeed, as far as can be told; the lock is
 * held. */
bool wend__threads_to_be_had(void);

/*
 * An idle server with operations under way is watched by the worker that left
 * it: as a spare it sleeps in the server's poller, and takes the server back
 * when one ends. The lock is held, s is on the list.
 */
static inline void wend__watcher_set(struct wend__worker *w,
				     struct wend__server *s)
{
	s->watcher = w;
	w->watches = s;
}

/*
 * s is somebody's again, or has to do without. Its watcher may not be asleep
 * yet; it must not take s for an idle server. If it sleeps it may be the one
 * that another server waits for.
 */
static inline void wend__watcher_clear(struct wend__server *s)
{
	struct wend__worker *w = s->watcher;

	if (!w)
		return;
	s->watcher = NULL;
	w->watches = NULL;
	if (w->spare && a32_load_relaxed(&wend__idle.wanted))
		wend__port->unpark(&w->parker);
}

/* s, off the list, becomes w's; the lock is held or w is not running. */
static inline void wend__server_give(struct wend__worker *w,
				     struct wend__server *s)
{
	wend__watcher_clear(s);
	wend__server_held_by(s, w);
	aptr_store_relaxed(&w->server, s);
	if (WEND__UNLIKELY(wend__watchdog &&
			   a32_load_relaxed(&wend__watchdog->asleep)))
		wend__watchdog->wake();
}

/* --- the keeper of the timers (keeper.c) ---------------------------------- */

/* When somebody must look at timers, or at operations of a server that runs;
 * INT64_MAX: never. */
int64_t wend__timers_due(void);

/*
 * K1, after a server became idle or the keeper was taken; the lock is held.
 * Returns true if there is no worker left to keep: the caller calls
 * wend__keeper_start() after unlocking.
 */
bool wend__keeper_needed(void);

/* For the watchdog, now and then while a server runs: have the keeper look at
 * that server's operations, too, if it sleeps for longer. The lock is not held. */
void wend__keeper_remind(void);

/* A worker for the keeper's place; the lock is not held. */
void wend__keeper_start(void);

/* The keeper woke up: give it an idle server if there is something to do. The
 * lock is held. */
void wend__keeper_look(struct wend__worker *w);

/* Until when spare w sleeps; it becomes the keeper if there is none, or none
 * that gets up early enough. The lock is held. */
int64_t wend__spare_deadline(struct wend__worker *w);

/* --- workers for idle servers (hire.c) ------------------------------------ */

/*
 * The lock is held, s is off the idle list: have it run by a spare or a new
 * worker. Unlocks. false: there is none to be had, and s is idle again.
 *
 * Then nobody may see the work that s was wanted for: every thread that could
 * run it is in the kernel, or busy. So idle.wanted is set, and the next worker
 * that has nothing to do takes a server instead of going to sleep. While it is
 * set, adding work tries to start no more workers:
 *
 *      adds work                       becomes a spare, lock held
 *      push                            wanted = 0, takes an idle server
 *      full fence     [idle.wanted]    full fence (off the list) [idle.wanted]
 *      wanted: leaves it at that       looks at all queues
 *
 * Either the pusher sees that nobody is wanted any more, or the worker sees
 * the work. wanted is set under the lock, when there is no spare.
 */
bool wend__idle_start_server_unlock(struct wend__server *s, bool searching);

/* s, which nobody has, goes to the worker that t is bound to. */
void wend__server_to_bound(struct wend__server *s, struct wend_task *t);

/* Start the workers that others may not start themselves. Returns when to try
 * again; INT64_MAX: when called for. */
int64_t wend__idle_hire(void);

/* No thread has come for an idle server: give it to a worker that is back from
 * the kernel and waits with its task. The one who starts threads may be waiting
 * for a lock that this task holds. false: there is no such worker, or server. */
bool wend__idle_give_to_bound(void);

/* The same for all of them, where no thread can be had. While one can, it is
 * to come: else tasks that were preempted would have every server, and pass it
 * on among themselves. */
void wend__idle_serve_bound(void);

/* Whether a spare is there, to try again with. If not: idle.wanted is set. */
bool wend__idle_spare_or_wanted(void);

/* wend__threads_to_be_had() for who does not hold the lock. */
bool wend__idle_worth_trying(void);

/* --- spares (spare.c) ----------------------------------------------------- */

/* Spare w, which is no spare then, has idle server s; the lock is held. */
void wend__spare_takes(struct wend__worker *w, struct wend__server *s);

/* --- looking for work (search.c) ------------------------------------------ */

/*
 * A server has just been put on the idle list (full fence): is there work that
 * nobody will come to? Who searches now will see the idle server when the
 * search ends. A search that went on a moment ago says nothing: it may have
 * ended since without seeing this server.
 */
bool wend__work_unseen(void);

static inline bool wend__queues_empty(struct wend__server *s)
{
	return wend__ring_empty(&s->ring) && wend__fresh_empty(&s->fresh) &&
	       !aptr_load_acquire(&s->next);
}

#endif
