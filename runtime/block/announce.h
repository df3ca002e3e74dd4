/* SPDX-License-Identifier: Apache-2.0 */
/*
 * announce.h - how an interposed call of the C library announces itself.
 *
 * The library defines read(), poll() ... itself; the program and the libraries
 * it uses are linked to these. In a task each gives the server up around the
 * C library's own function, the next one of that name. In any other thread,
 * inside the runtime, and with WEND_INTERPOSE=0, it is that function and
 * nothing else. Semantics, errno and cancellation points are the C library's.
 *
 * Each call is an entry of calls.tab, from which most wrappers are made. Those
 * written by hand are defined like this:
 *
 *	BLOCK_EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
 *	{
 *		BLOCK_NEXT(poll)
 *
 *		if (!wend__block_in_task())
 *			return next(fds, n, timeout);
 *		...
 */
#ifndef WEND_BLOCK_ANNOUNCE_H
#define WEND_BLOCK_ANNOUNCE_H

#include <stdbool.h>
#include <time.h>

#include <wend/block.h>

#include "runtime/base/panic.h"
#include "runtime/block/calls.h"
#include "runtime/sched/server.h"

struct wend__block_call {
	const char *name;
	void *wrapper;
	const char *version; /* NULL: there is but one */
};

/* What calls.tab has; the name is NULL where the C library has no such call.
 * Beside it what comes next in the search order, NULL until looked up. */
extern const struct wend__block_call wend__block_calls[WEND__CALLS];
extern void *wend__block_nexts[WEND__CALLS];

/* The slow path of the next. Panics if there is none. */
void *wend__block_look_up(enum wend__call call);

/* Two threads may both look it up, and find the same. */
static inline void *wend__block_next(enum wend__call call)
{
	void *next = aptr_load_relaxed(&wend__block_nexts[call]);

	return WEND__LIKELY(next) ? next : wend__block_look_up(call);
}

/* Whether tasks' calls are announced at all: the runtime has started, on
 * threads, WEND_INTERPOSE does not say otherwise, and this is no child of a
 * fork(), which has none of the threads that would take the server. */
extern uint32_t wend__block_on;

/*
 * Whether calls of this kernel thread are to be announced: it runs a task's
 * own code. The runtime's must not lose its server in between; it makes no
 * call that waits, but an allocator that a program brings along takes mutexes.
 */
static inline bool wend__block_in_task(void)
{
	struct wend__worker *w = wend__self;

	return w && w->task && w->server &&
	       wend__preempt.count == 0 && a32_load_relaxed(&wend__block_on);
}

/*
 * Locks that belong to a kernel thread, not to a task: pthread mutexes and
 * their like. While a task holds one it goes on in no other thread, so a call
 * that blocks keeps its own. n: 1, -1.
 */
static inline void block_held(int n)
{
	struct wend__worker *w = wend__self;

	/* Who unlocks what another task locked, counts less than none. */
	if (w && w->task && (n > 0 || w->task->held > 0))
		w->task->held += (uint32_t)n;
}

/* Whether a wait until that deadline is one that the C library accepts: those
 * that it does not, it refuses even when it need not wait. */
bool wend__block_timed(clockid_t clock, const struct timespec *deadline);

/* A deadline that has passed: the call does not wait. */
extern const struct timespec wend__block_past;

/*
 * Builds with sanitizers only: whether the caller is the sanitizer's runtime,
 * which opens files for its reports under locks of its own. The task that
 * made it report must not be switched away there.
 */
bool wend__block_by_sanitizer(const void *caller);

/* The C library's function of that name; a pointer `next` to it. */
#define NEXT(name) ((__typeof__(name) *)wend__block_next(WEND__CALL_##name))
#define BLOCK_NEXT(name) __typeof__(name) *next = NEXT(name);

#define BLOCK_EXPORT __attribute__((visibility("default")))

#define ANNOUNCE(type, name, params, args)                                     \
	BLOCK_EXPORT type name params                                          \
	{                                                                      \
		type result;                                                   \
		BLOCK_NEXT(name)                                               \
                                                                               \
		if (!wend__block_in_task())                                    \
			return next args;                                      \
		wend_block_begin();                                            \
		result = next args;                                            \
		wend_block_end();                                              \
		return result;                                                 \
	}

#endif
