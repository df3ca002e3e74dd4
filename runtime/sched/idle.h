/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.h - what idle.c and search.c share: the idle servers, the spare
 * workers, and whether somebody searches.
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

struct wend__idle {
	/* read by every push, so on a line of their own */
	uint32_t search __attribute__((aligned(64)));
	uint32_t count;      /* idle servers */
	uint32_t wanted;     /* a worker, in vain, see below */
	uint32_t keeperless; /* timers of idle servers, and no keeper */

	struct wend__lock lock __attribute__((aligned(64)));
	struct wend__server *servers; /* idle ones */
	struct wend__worker *spares;
	struct wend__worker *gone; /* without a thread, for reuse */
	uint32_t spare_count;
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

/* Onto and off the list of idle servers; the lock is held. Full fences. */
void wend__idle_push(struct wend__server *s);
void wend__idle_remove(struct wend__server *s);

/* s, off the list, becomes w's; the lock is held or w is not running. */
static inline void wend__server_give(struct wend__worker *w,
				     struct wend__server *s)
{
	s->worker = w;
	w->server = s;
}

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
 *
 * A worker that comes back and finds no idle server waits for one with its task
 * in the global queue. If a server is about to become idle just then, for want
 * of a worker, the two must find each other:
 *
 *      worker comes back               server finds no worker
 *      its task into the global queue  onto the idle list
 *      full fence     [idle.dance]     full fence     [idle.dance]
 *      wanted, and a server idle:      a bound task in the global queue:
 *      wend__idle_serve_bound()        wend__idle_serve_bound()
 *
 * Model: docs/models/limits.pml, with a variant without each of these.
 */
bool wend__idle_start_server_unlock(struct wend__server *s, bool searching);

/* Idle servers to workers that wait for one, as many as there are of both. */
void wend__idle_serve_bound(void);

/* Whether a spare is there, to try again with. If not: idle.wanted is set. */
bool wend__idle_spare_or_wanted(void);

/* Whether starting a worker may succeed, as far as can be told. */
bool wend__idle_worth_trying(void);

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
