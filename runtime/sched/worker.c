/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - the kernel threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <unistd.h>

#include "runtime/base/lone.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/server.h"
#include "runtime/umcg/poller.h"

/* --- memory ----------------------------------------------------------------------- */

/* One whose thread has ended, as fresh memory but for the link of the list that
 * others walk. NULL: there is none. */
static struct wend__worker *take_gone(void)
{
	struct wend__worker *w, *next;

	wend__idle_lock();
	w = wend__idle.gone;
	if (w) {
		wend__idle.gone = w->spare_next;
		next = w->all_next;
		memset(w, 0, sizeof(*w));
		w->all_next = next;
		w->life = WEND__WORKER_RISES;
	}
	wend__idle_unlock();
	return w;
}

static void put_gone(struct wend__worker *w)
{
	wend__idle_lock();
	w->life = WEND__WORKER_GONE;
	/* See forget_gone(). */
	if (!a32_load_relaxed(&wend__rt.exiting)) {
		w->spare_next = wend__idle.gone;
		wend__idle.gone = w;
	}
	wend__idle_unlock();
}

/* --- the thread -------------------------------------------------------------------- */

/* The watch has it started, or not. */
static void take_seat(struct wend__worker *w)
{
	if (wend__port->detect && wend__watchdog &&
	    a32_load_relaxed(&wend__watchdog->threads))
		aptr_store_release(&w->seat, wend__port->detect->enter(w));
}

static void leave_seat(struct wend__worker *w)
{
	struct wend__seat *seat = w->seat;

	if (!seat)
		return;
	aptr_store_release(&w->seat, (struct wend__seat *)NULL);
	wend__port->detect->leave(seat);
}

static void worker_main(void *arg)
{
	struct wend__worker *w = arg;

	wend__self = w;
	w->fiber = wend__fiber_now;
	w->errno_at = &errno;
	aptr_store_release(&w->preempt, &wend__preempt);
	a32_store_relaxed(&w->tid, (uint32_t)gettid());
	if (!wend__sim)
		wend__preempt_off(); /* in the scheduler */
	wend__preempt.lone = a32_load_relaxed(&wend__lone) == WEND__LONE_ON;
	/* Only now: had no thread been had, w would be gone again. */
	if (w->server)
		wend__server_held_by(w->server, w);
	if (!wend__sim) {
		pthread_setname_np(pthread_self(), "wend-worker");
		/* Without a signal stack an overflow is a bare crash. */
		(void)wend__overflow_thread();
	}
	take_seat(w);
	do {
		wend__serve(w);
	} while (wend__spare_wait(w));
	leave_seat(w);
	if (!wend__sim)
		wend__overflow_thread_end();
	wend__self = NULL;
	wend__preempt.lone = 0;
	if (w->life == WEND__WORKER_LEAVES) { /* ours until we are gone */
		if (wend__watchdog)
			wend__watchdog->forget(w);
		wend__parker_free(&w->parker);
		wend__port->thread_leave(&w->thread);
		put_gone(w);
	}
}

/* --- how many --------------------------------------------------------------------- */

bool wend__worker_capped(void)
{
	return a32_load_relaxed(&wend__rt.worker_count) >= wend__rt.worker_cap;
}

/* Counted before it runs: who counts spares against workers must not find them
 * equal while one is on its way. */
static bool count_one_more(void)
{
	uint32_t n, most;

	do {
		n = a32_load_relaxed(&wend__rt.worker_count);
		if (n >= wend__rt.worker_cap)
			return false;
	} while (!a32_cas_full(&wend__rt.worker_count, n, n + 1));
	do {
		most = a32_load_relaxed(&wend__rt.worker_most);
	} while (n + 1 > most &&
		 !a32_cas_full(&wend__rt.worker_most, most, n + 1));
	return true;
}

static void publish(struct wend__worker *w)
{
	struct wend__worker *first;

	do {
		first = aptr_load_relaxed(&wend__rt.workers);
		w->all_next = first;
	} while (!aptr_cas_full(&wend__rt.workers, first, w));
}

/* The thread runs; w was on the list of all before, so it may be waited for. */
static void risen(struct wend__worker *w)
{
	wend__idle_lock();
	w->life = WEND__WORKER_RUNS;
	wend__idle_unlock();
}

static void set_hired(struct wend__worker *w, bool hired)
{
	if (w->hired == hired)
		return;
	wend__idle_lock();
	w->hired = hired;
	wend__idle.hired += hired ? 1 : (uint32_t)-1;
	wend__idle_unlock();
}

static int start(struct wend__worker *w, struct wend__server *s, bool searching)
{
	bool again = w->life == WEND__WORKER_RISES;
	int r;

	w->server = s;
	w->no_preempt.count = 1;
	w->preempt = &w->no_preempt;
	w->searching = searching;
	w->trim_at = INT64_MAX;
	w->thread.main = worker_main;
	w->thread.arg = w;
	set_hired(w, !s);
	r = wend__port->thread_start(&w->thread);
	if (r) {
		set_hired(w, false);
		if (again)
			put_gone(w);
		else
			free(w);
		return r;
	}
	if (again) {
		WEND__RARE(worker_again);
		risen(w);
	} else {
		publish(w);
	}
	return 0;
}

int wend__worker_start_here(struct wend__server *s, bool searching)
{
	struct wend__worker *w;
	int r = -EAGAIN;

	if (!count_one_more()) {
		WEND__RARE(worker_capped);
		return -EAGAIN;
	}
	if (getpid() != wend__rt.pid) { /* vfork(), see fork.c */
		WEND__RARE(worker_vforked);
		goto no_thread;
	}
	w = take_gone();
	if (!w)
		w = calloc(1, sizeof(*w));
	r = w ? start(w, s, searching) : -ENOMEM;
	if (r == 0)
		return 0;
	WEND__RARE(worker_refused);
no_thread:
	(void)a32_fetch_add_full(&wend__rt.worker_count, (uint32_t)-1);
	return r;
}

/*
 * Starting a thread allocates, and the allocator's lock may be held by a task that
 * waits for a server. So nobody does it who has one, or keeps others from
 * getting one: there is a thread that does nothing else.
 */
int wend__worker_start(struct wend__server *s, bool searching)
{
	if (wend__sim || !wend__watchdog ||
	    a32_load_relaxed(&wend__watchdog->threads) == 0)
		return wend__worker_start_here(s, searching);
	if (!wend__worker_capped())
		return -EINPROGRESS;
	WEND__RARE(worker_capped);
	return -EAGAIN;
}

/* --- the end ---------------------------------------------------------------------- */

static uint8_t life_of(struct wend__worker *w)
{
	uint8_t life;

	wend__idle_lock();
	life = w->life;
	wend__idle_unlock();
	return life;
}

/* Until its thread has ended, or will not look at it any more. */
static void join(struct wend__worker *w)
{
	unsigned int turn = 0;
	uint8_t life;

	/* As rt.exiting is set, one that runs will not leave any more. One that
	 * rises runs soon, or is put back. */
	while ((life = life_of(w)) == WEND__WORKER_LEAVES ||
	       life == WEND__WORKER_RISES)
		wend__spin.relax(turn++);
	if (life == WEND__WORKER_RUNS)
		wend__port->thread_join(&w->thread);
}

/* Those that are gone stay so from here on, and so do those that will be, for
 * rt.exiting is set: they are freed, and what is started is new. */
static void forget_gone(void)
{
	wend__idle_lock();
	wend__idle.gone = NULL;
	wend__idle_unlock();
}

/* A worker may start another while it ends; that one is published before the
 * first has ended. So look again until there is none. */
void wend__workers_join(void)
{
	struct wend__worker *w, *next;

	forget_gone();
	while ((w = aptr_swap_full(&wend__rt.workers,
				   (struct wend__worker *)NULL)))
		for (; w; w = next) {
			next = w->all_next;
			join(w);
			wend__parker_free(&w->parker);
			free(w);
		}
	wend__rt.worker_count = 0;
}
