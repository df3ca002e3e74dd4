/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/watch.h - what watches over tasks that run or block for long, and the
 * rare code that must not be preempted.
 *
 * A task that blocks in the kernel in a call that nobody announced, or that
 * computes for longer than its slice (WEND_SLICE, default 10 ms) while others
 * wait, loses its server to another worker. The task's thread is stopped
 * where it is, by a signal (SIGSTKFLT), until a server is free again: inside
 * malloc(), with a lock held, anywhere but in this library. Its system calls
 * are restarted: EINTR is not seen.
 */
#ifndef WEND_WATCH_H
#define WEND_WATCH_H

#include <wend/base.h>

WEND_BEGIN_DECLS

/*
 * wend_nopreempt_begin - the calling task keeps its server from here on ...
 * wend_nopreempt_end   - ... until here. They nest, up to 255 deep.
 *
 * For what cannot stand a stop of some milliseconds: a spin lock of the
 * program's own whose holder others wait for in a busy loop, a device's timing.
 * A call that blocks in there and is not announced stalls the server. Calls
 * of this library may be made; the region is the task's and moves with it.
 * In a thread that is no task both do nothing.
 * Misuse   an end without a begin.
 */
WEND_API void wend_nopreempt_begin(void);
WEND_API void wend_nopreempt_end(void);

/* What a task did for longer than it should. */
enum wend_watch_kind {
	WEND_WATCH_RUNS = 1, /* ran without letting go of its server */
	WEND_WATCH_BLOCKS,   /* has blocked in the kernel, announced or not */
};

struct wend_watch_event {
	enum wend_watch_kind kind;
	uint64_t task;    /* its number */
	const char *name; /* its name or ""; valid during the hook's call */
	int64_t since;    /* when it began, as wend_now() tells time */
	int64_t length;   /* how long ago that is, ns */
};

/* What is to happen, from the hook; they may be added up. */
enum {
	WEND_WATCH_IGNORE = 0,
	WEND_WATCH_REPORT = 1, /* write one line to standard error */
	WEND_WATCH_CANCEL = 2, /* as wend_task_cancel() */
};

/*
 * struct wend_watch - limits, and what to do about who is over one.
 *
 * All zero: nothing is looked for. Without a hook each case is reported.
 */
struct wend_watch {
	int64_t run_limit;   /* ns; 0: none. At least a millisecond */
	int64_t block_limit; /* ns; 0: none. At least a millisecond */
	int (*hook)(const struct wend_watch_event *event, void *arg);
	void *arg;
};

/*
 * wend_watch_set - set the limits, or with NULL none.
 *
 * The hook is called by the runtime's watching thread, once for each time
 * that a task is over a limit. It may make any call of this library that does
 * not wait; while it runs, nothing else is watched. *watch is copied. When
 * the call returns, the hook set before is not called any more.
 *
 * Limits are looked at some times in their length, so a hook comes up to a
 * quarter of the limit late (at most 10 ms more on an idle machine).
 *
 * Returns 0; -ESRCH when the runtime does not run, -EINVAL for a limit that
 * is negative or below a millisecond, -ENOTSUP where nothing is watched
 * (WEND_WATCH=0, the simulation).
 * Context  a task or any thread, but not the hook.
 */
WEND_API int wend_watch_set(const struct wend_watch *watch);

WEND_END_DECLS

#endif
