/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.c - the lists of servers without work and of workers without a server
 * (spares).
 *
 * Who looks for work, and who is woken for it: search.c. Who runs an idle
 * server: hire.c. What a spare does: spare.c. Who watches the timers
 * meanwhile: keeper.c.
 */
#include <stddef.h>

#include "compiler-rt/atomic.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"

struct wend__idle wend__idle;

int wend__idle_start(void)
{
	wend__idle = (struct wend__idle){
		.search = WEND__SEARCH_NONE,
		.keeper_deadline = INT64_MAX,
	};
	return 0;
}

/* --- idle servers --------------------------------------------------------- */

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

/* --- spares --------------------------------------------------------------- */

void wend__spares_push(struct wend__worker *w)
{
	w->spare = true;
	w->spare_next = wend__idle.spares;
	wend__idle.spares = w;
	wend__idle.spare_count++;
}

void wend__spares_remove(struct wend__worker *w)
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

bool wend__threads_to_be_had(void)
{
	return !wend__worker_capped() && wend__now() >= wend__idle.retry_at;
}

/* The keeper comes last: another would have to be found in its place. */
struct wend__worker *wend__free_spare(void)
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

	if (!w || wend__threads_to_be_had())
		return NULL;
	WEND__RARE(watcher_called_off);
	wend__watcher_clear(w->watches);
	a32_store_relaxed(&wend__idle.keeperless, 1);
	return w;
}

/* The spare used last has the warmest cache. */
struct wend__worker *wend__spares_take(const struct wend__server *s)
{
	struct wend__worker *w = s->watcher;

	if (!w || !w->spare)
		w = wend__free_spare();
	if (!w)
		w = called_off();
	if (!w)
		return NULL;
	if (w == wend__idle.keeper)
		WEND__RARE(keeper_taken);
	wend__spares_remove(w);
	return w;
}
