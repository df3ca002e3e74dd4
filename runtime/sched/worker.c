/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - the kernel threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include <pthread.h>
#include <unistd.h>

#include "runtime/sched/server.h"
#include "runtime/umcg/poller.h"

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
	if (w->server)
		wend__server_held_by(w->server, w);
	if (!wend__sim) {
		pthread_setname_np(pthread_self(), "wend-worker");
		/* Without a signal stack an overflow is a bare crash. */
		(void)wend__overflow_thread();
	}
	do {
		wend__serve(w);
	} while (wend__spare_wait(w));
	if (!wend__sim)
		wend__overflow_thread_end();
	wend__self = NULL;
}

static void publish(struct wend__worker *w)
{
	struct wend__worker *first;

	do {
		first = aptr_load_relaxed(&wend__rt.workers);
		w->all_next = first;
	} while (!aptr_cas_full(&wend__rt.workers, first, w));
}

int wend__worker_start(struct wend__server *s, bool searching)
{
	struct wend__worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->server = s;
	w->no_preempt.count = 1;
	w->preempt = &w->no_preempt;
	w->searching = searching;
	w->thread.main = worker_main;
	w->thread.arg = w;
	if (s)
		wend__server_held_by(s, w);
	/* Counted before it runs: who counts spares against workers must not
	 * find them equal while one is on its way. */
	(void)a32_fetch_add_full(&wend__rt.worker_count, 1);
	r = wend__port->thread_start(&w->thread);
	if (r) {
		(void)a32_fetch_add_full(&wend__rt.worker_count, (uint32_t)-1);
		if (s)
			s->worker = NULL;
		free(w);
		return r;
	}
	publish(w);
	return 0;
}

/* A worker may start another while it ends; that one is published before the
 * first has ended. So look again until there is none. */
void wend__workers_join(void)
{
	struct wend__worker *w, *next;

	while ((w = aptr_swap_full(&wend__rt.workers,
				   (struct wend__worker *)NULL)))
		for (; w; w = next) {
			next = w->all_next;
			wend__port->thread_join(&w->thread);
			wend__parker_free(&w->parker);
			free(w);
		}
	wend__rt.worker_count = 0;
}
