/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - what the parts of the watch share.
 *
 *      watch.c    the watchdog: one thread that looks at the servers
 *      bell.c     the doorbells: a thread of class SCHED_IDLE for each server,
 *                 which the kernel runs as soon as the worker leaves its CPU
 *      taken.c    the workers that lost their servers, until they come back
 *      signal.c   stopping one that runs without a server
 *      hire.c     a thread that starts workers
 *      limit.c    tasks that run or block for longer than the program wants
 *      look.c     what the kernel tells of a thread
 *
 * Nothing here runs while all servers are idle.
 */
#ifndef WEND_WATCH_WATCH_H
#define WEND_WATCH_WATCH_H

#include "runtime/sched/preempt.h"

/* --- the watchdog (watch.c) ------------------------------------------------ */

/* Have it look at once; from any thread, and under any lock. */
void wend__watch_kick(void);

/* --- starting workers (hire.c) ---------------------------------------------- */

int wend__hire_start(void);
void wend__hire_stop(void);
void wend__hire(void);

/* --- doorbells (bell.c) ---------------------------------------------------- */

struct wend__bell {
	struct wend__server *server;
	struct wend__parker parker;
	struct wend__thread thread;
	uint8_t started;  /* the watchdog's */
	uint32_t taken;   /* its last ring was right */
	int64_t patience; /* ns to wait after one that was not */
	uint32_t rung; /* 1: the worker has left the CPU; asks the watchdog */
	uint32_t cpu;  /* where the worker was when it armed */
	uint32_t stopping;
};

/* Start its thread; -errno. Without one, the watchdog's looks must do. */
int wend__bell_start(struct wend__bell *b);
void wend__bell_stop(struct wend__bell *b);

/* The watchdog's answer to a ring, or work for one that sleeps. */
void wend__bell_go_on(struct wend__bell *b, bool taken);

/* --- workers without their servers (taken.c); the watchdog's ---------------- */

/* w lost its server just now. preempted: while it computed. */
void wend__taken_add(struct wend__worker *w, bool preempted);

/* Look at some of them. Returns how many there are. */
uint32_t wend__taken_look(int64_t now);

/* Whether they have run for as long as they may, lately. */
bool wend__taken_extra_used(int64_t now);

/* The list is the parent's. */
void wend__taken_forked(void);

/* w ends: forget it. */
void wend__taken_forget(struct wend__worker *w);

/* --- the signal (signal.c) --------------------------------------------------- */

int wend__signal_start(void);
void wend__signal_stop(void);

/* Have the next tick that finds w's thread running stop it. */
void wend__signal_worker(struct wend__worker *w, int64_t now);

/* w's thread has ended. */
void wend__signal_forget(struct wend__worker *w);

/* --- limits (limit.c); the watchdog's ---------------------------------------- */

/* w has run one task since then; true: it is to be cancelled. */
bool wend__limit_runs(struct wend__worker *w, int64_t since, int64_t now);

/* Look at all workers that block. Returns when to look again, or INT64_MAX. */
int64_t wend__limit_look(int64_t now);

/* Whether there is a limit for those that block. */
bool wend__limit_on_blocks(void);

struct wend_watch;
void wend__limit_set(const struct wend_watch *watch);

#endif
