/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/inspect.h - looking at a running program.
 */
#ifndef WEND_INSPECT_H
#define WEND_INSPECT_H

#include <wend/base.h>

WEND_BEGIN_DECLS

/*
 * wend_dump - write a line for each task to a descriptor: number, name,
 * state, and for one that waits what it waits for and the code that called.
 *
 *	task 7 "reader": waiting for chan receive at 0x5581...
 *
 * The tasks run on meanwhile: each line was true at some moment of the call.
 * Context  anywhere but a signal handler.
 */
WEND_API void wend_dump(int fd);

/*
 * struct wend_stats - counts since the start, and what is there now. They are
 * gathered without stopping anything: each is right by itself, the set is not
 * one instant's.
 */
struct wend_stats {
	uint64_t tasks_live; /* started and not ended */
	uint64_t tasks_started;
	uint64_t switches;     /* a server took up another task */
	uint64_t steals;       /* tasks taken from another server's queue */
	uint64_t blocks;       /* announced calls that gave a server up */
	uint64_t detects;      /* calls nobody announced, seen to block */
	uint64_t preempts;     /* tasks stopped after their slice */
	uint64_t detect_ns;    /* how long those that are back were away */
	uint64_t preempt_ns;   /* the same, of those that were stopped */
	uint64_t stalls;       /* tasks that were over a limit (wend/watch.h) */
	uint64_t wakes;        /* servers started for work that came */
	uint64_t workers;      /* kernel threads that exist now */
	uint64_t stacks;       /* stacks mapped now, used or cached */
	uint64_t workers_most; /* at one time */
	uint64_t workers_cap;  /* allowed: wend_config.max_workers */
	uint64_t workers_waits; /* times that a server found no worker */
};
WEND_API void wend_stats_get(struct wend_stats *s);

WEND_END_DECLS

#endif
