/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.c - tasks that run or block for longer than the program wants.
 *
 * How a task is cancelled that may end at any moment: one that runs loses its
 * server first and is queued, which pins it (taken.c). One that blocks cannot
 * come back while we hold the idle lock, as it takes that for its server.
 */
#include <errno.h>

#include <wend/watch.h>

#include "runtime/sched/idle.h"
#include "runtime/watch/watch.h"

static struct wend_watch limits;

static int ask(const struct wend_watch_event *event)
{
	return limits.hook ? limits.hook(event, limits.arg) : WEND_WATCH_REPORT;
}

static void report(const struct wend_watch_event *e)
{
	wend__complain("task %llu \"%s\" %s for %lld ms",
		       (unsigned long long)e->task, e->name,
		       e->kind == WEND_WATCH_RUNS ? "has run" : "has blocked",
		       (long long)(e->length / 1000000));
}

/* The task may be renaming itself; there is always an end. */
__attribute__((no_sanitize("thread"))) static void
copy_name(char *to, const struct wend_task *t)
{
	const char *name = wend__task_name(t);
	int i = 0;

	for (; i < WEND__TASK_NAME - 1 && name[i]; i++)
		to[i] = name[i];
	to[i] = 0;
}

/* Returns whether to cancel the task. */
static bool over_limit(enum wend_watch_kind kind, struct wend_task *t,
		       int64_t since, int64_t now)
{
	char name[WEND__TASK_NAME];
	struct wend_watch_event e = {
		.kind = kind,
		.task = t->id,
		.name = name,
		.since = since,
		.length = now - since,
	};
	int what;

	copy_name(name, t);
	aword_store_relaxed(&wend__watchdog->stalls,
			    wend__watchdog->stalls + 1);
	what = ask(&e);
	if (what & WEND_WATCH_REPORT)
		report(&e);
	return what & WEND_WATCH_CANCEL;
}

bool wend__limit_runs(struct wend__worker *w, int64_t since, int64_t now)
{
	struct wend_task *t = aptr_load_relaxed(&w->task);

	if (!limits.run_limit || now - since < limits.run_limit ||
	    w->reported_at == since || !t)
		return false;
	w->reported_at = since;
	return over_limit(WEND_WATCH_RUNS, t, since, now);
}

/* Since when w has blocked in its task's call; INT64_MAX: it does not. */
static int64_t blocked_since(struct wend__worker *w)
{
	struct wend_task *t = aptr_load_relaxed(&w->task);

	if (!t)
		return INT64_MAX;
	if (a32_load_acquire(&w->preempt->claim) == WEND__CLAIM_TAKEN)
		return w->taken_at;
	return a8_load_relaxed(&t->state) == WEND__BLOCKED ?
		       (int64_t)aword_load_relaxed((size_t *)&w->released_at) :
		       INT64_MAX;
}

static void cancel_blocked(struct wend__worker *w, struct wend_task *t,
			   int64_t since)
{
	wend__idle_lock();
	if (w->task == t && blocked_since(w) == since)
		a8_store_release(&t->cancelled, 1);
	wend__idle_unlock();
}

bool wend__limit_on_blocks(void)
{
	return limits.block_limit > 0;
}

static void look_at(struct wend__worker *w, int64_t now)
{
	int64_t since = blocked_since(w);
	struct wend_task *t = aptr_load_relaxed(&w->task);

	if (since == INT64_MAX || !t || now - since < limits.block_limit ||
	    w->reported_at == since)
		return;
	w->reported_at = since;
	if (over_limit(WEND_WATCH_BLOCKS, t, since, now))
		cancel_blocked(w, t, since);
}

static int64_t quarter(int64_t limit)
{
	int64_t q = limit / 4;

	return q < 10000000 ? q : 10000000;
}

int64_t wend__limit_look(int64_t now)
{
	int64_t next = INT64_MAX;

	if (limits.block_limit) {
		for (struct wend__worker *w =
			     aptr_load_acquire(&wend__rt.workers);
		     w; w = w->all_next)
			look_at(w, now);
		next = now + quarter(limits.block_limit);
	}
	if (limits.run_limit && now + quarter(limits.run_limit) < next)
		next = now + quarter(limits.run_limit);
	return next;
}

void wend__limit_set(const struct wend_watch *watch)
{
	static const struct wend_watch none;

	limits = watch ? *watch : none;
}
