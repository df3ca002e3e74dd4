/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taken.c - the workers that lost their servers.
 *
 * Those that blocked come back some time, in their task's code, where nobody
 * hears of it until they call the runtime. Wake detection: their CPU clocks
 * are looked at in turn, a few at a time; who has used CPU and runs is stopped
 * and queued.
 */
#include <stddef.h>

#include "runtime/watch/look.h"
#include "runtime/watch/watch.h"

enum { LOOKS = 24 }; /* in one go; a microsecond each */

/* A ring; the watchdog's, or under its lock. */
static struct wend__worker *first;
static uint32_t count;

/*
 * The CPU time that they have used without a server, less an eighth of the time
 * of each server: so much more than the servers' may be used in all.
 */
enum { SHARE = 8 };
static int64_t extra, extra_at;

static void list_remove(struct wend__worker *w)
{
	w->taken_prev->taken_next = w->taken_next;
	w->taken_next->taken_prev = w->taken_prev;
	if (first == w)
		first = count == 1 ? NULL : w->taken_next;
	w->taken_next = NULL;
	count--;
}

/* It has a server again, since the last look at it at the earliest. */
static void back(struct wend__worker *w, int64_t now)
{
	size_t *sum = w->taken_preempted ? &wend__watchdog->preempt_ns :
					   &wend__watchdog->detect_ns;

	aword_store_relaxed(sum, *sum + (size_t)(now - w->taken_at));
	list_remove(w);
}

static void list_add(struct wend__worker *w)
{
	if (!first) {
		w->taken_next = w->taken_prev = first = w;
	} else {
		w->taken_next = first;
		w->taken_prev = first->taken_prev;
		w->taken_prev->taken_next = w;
		first->taken_prev = w;
	}
	count++;
}

void wend__taken_add(struct wend__worker *w, bool preempted)
{
	if (!w->taken_next)
		list_add(w);
	w->taken_at = wend__now();
	w->taken_preempted = preempted;
	w->taken_tid = w->tid;
	w->taken_clock = wend__thread_clock(w->tid);
}

/* It came back from the kernel, and runs. ThreadSanitizer holds signals back
 * until the next call that blocks: there it goes on until it calls us. */
static void stop_soon(struct wend__worker *w, int64_t now)
{
	if (WEND__TSAN)
		return;
	if (wend__taken_queue(w, false))
		w->stop_asked_at = 0;
	wend__signal_worker(w, now);
}

/* Who sleeps on is left alone, its other fields in no near cache. */
static void look(struct wend__worker *w, int64_t now)
{
	int64_t clock = wend__thread_clock(w->taken_tid);
	int64_t used = clock - w->taken_clock;
	struct wend__thread_look l;

	if (used == 0)
		return;
	w->taken_clock = clock;
	if (a32_load_acquire(&w->preempt->claim) < WEND__CLAIM_TAKEN) {
		back(w, now);
		return;
	}
	if (wend__worker_seat(w)) /* the kernel says when it is back */
		return;
	extra += used;
	if (wend__thread_look(w->taken_tid, &l) && l.running)
		stop_soon(w, now);
}

bool wend__taken_extra_used(int64_t now)
{
	extra -= (now - extra_at) / SHARE * wend__rt.procs;
	extra_at = now;
	if (extra < 0)
		extra = 0;
	return extra > 0;
}

uint32_t wend__taken_look(int64_t now)
{
	for (uint32_t i = 0, n = count < LOOKS ? count : LOOKS; i < n; i++) {
		struct wend__worker *w = first;

		first = w->taken_next;
		look(w, now);
	}
	return count;
}

void wend__taken_forget(struct wend__worker *w)
{
	if (w->taken_next)
		list_remove(w);
	wend__signal_forget(w);
}

void wend__taken_forked(void)
{
	first = NULL;
	count = 0;
}
