/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h - a task: what it runs, where it is, what it waits for.
 *
 * States, who owns the stack and the link in each, and the legal moves
 * (wend__task_move() asserts them):
 *
 *      state     stack            link              next states
 *      FRESH     none yet         a run queue's     RUNNING
 *      READY     its saved ctx    a run queue's     RUNNING
 *      RUNNING   the worker       nobody's          READY WAITING BLOCKED DEAD
 *      WAITING   its saved ctx    nobody's          READY
 *      BLOCKED   its worker's     nobody's          READY RUNNING
 *                thread, in the
 *                kernel
 *      DEAD      being freed      the free list's   FRESH
 *
 * The state is for people and for assertions: it is written by whoever owns
 * the task at that moment, read by dumps without a lock. What the protocols
 * turn on are two words:
 *
 *   on_cpu   1 from the switch into the task until the switch away from it
 *            has saved its registers. A task can be made ready, and be taken
 *            from a run queue, before that: whoever takes it waits for 0.
 *
 *      parking task T, worker A          waker B, then worker C
 *      wait = WAITING; enqueue, unlock   claim: wait WAITING -> CLAIMED
 *      ...                               push T on a run queue
 *      switch away, registers saved      C pops T
 *      on_cpu = 0 (release)              until on_cpu == 0 (acquire)
 *                                        switch to T
 *
 *            C must not wait for it while it stands on the stack of a task
 *            whose own on_cpu another worker might wait for in turn: it goes
 *            to its scheduler's stack first, which clears that one. With
 *            this, an object's lock is released before the switch, not by
 *            the next task after it (the park-commit function of Go): the
 *            section is shorter, and nothing of the object is touched after.
 *            Model: docs/models/park.pml.
 *
 *   wait     the ticket of the current wait and whether it was claimed, see
 *            wait.h.
 */
#ifndef WEND_SCHED_TASK_H
#define WEND_SCHED_TASK_H

#include <stddef.h>
#include <stdint.h>

#include "compiler-rt/ctx.h"
#include "compiler-rt/fiber.h"
#include "runtime/base/lock.h"
#include "runtime/sched/wait.h"
#include "runtime/stack/stack.h"
#include "runtime/umcg/port.h"

struct wend__worker;
struct wend__server;

enum wend__task_state {
	WEND__DEAD, /* 0: memory fresh from the kernel is a dead task */
	WEND__FRESH,
	WEND__READY,
	WEND__RUNNING,
	WEND__WAITING,
	WEND__BLOCKED,
};

enum {
	WEND__TASK_ARGS = 64, /* bytes of arguments kept in the task */
	WEND__TASK_NAME = 32, /* with the terminating 0 */
	WEND__TASK_ARGS_MAX = 64 * 1024,
};

/* task.flags */
enum {
	WEND__TASK_THREAD = 1,   /* stands for a thread of the program */
	WEND__TASK_SIZED = 2,    /* own stack size: bound at spawn, no credit */
	WEND__TASK_BIG_ARGS = 4, /* args is from malloc */
	WEND__TASK_NAMED = 8,
	WEND__TASK_FORKED = 16,  /* in a child: there is no way back, fork.c */
	WEND__TASK_LIMITED = 32, /* limit counts */
};

/*
 * The first three cache lines are all that a spawn, a run and an end touch of
 * a task without extras. Whatever is for extras lies behind them.
 */
struct wend_task {
	/* line 0: switching */
	struct wend__ctx ctx;
	struct wend_task *link;      /* in a run queue or free list */
	uint32_t wait;               /* see wait.h */
	uint32_t ticket;             /* of the current wait; its task's alone */
	uint32_t on_cpu;             /* see above */
	uint32_t refs;               /* 1 while it lives, 1 for each handle */
	struct wend__worker *worker; /* who runs it; written before a switch */
	struct wend__worker *bound;  /* its stack is this thread's, for now */
	struct wend__stack *stack;
	uint8_t state;
	uint8_t flags;
	uint8_t cancelled;
	uint8_t shield;
	uint8_t ended;     /* under ends.lock_ */
	uint8_t nopreempt; /* > 0: its worker keeps its server */

	/* line 1: start and end, waiting */
	void (*entry)(void *args) __attribute__((aligned(64)));
	void *args;
	void (*on_end)(void *arg, int result);
	void **locals;
	struct wend__waiter *woken_by; /* written by who won the claim */
	const char *why;               /* what it waits for; static text */
	uint64_t id;
	int result;

	uint32_t held; /* locks of its kernel thread's, see block/announce.h */

	/* line 2 */
	char inline_args[WEND__TASK_ARGS] __attribute__((aligned(64)));

	struct wend__fiber *fiber; /* its stack's */
	void *on_end_arg;
	const void *where;             /* the object that it waits for */
	const void *caller;            /* the code that called the wait */
	struct wend_call_limit *limit; /* if flags has TASK_LIMITED */
	struct wend__waitq ends;       /* who joins it */
	struct wend__parker parker;    /* of a thread's stand-in */
	char name[WEND__TASK_NAME];    /* if flags has TASK_NAMED */
} __attribute__((aligned(64)));

/* Move a task from one state to another; any other move is a bug of ours. */
static inline void wend__task_move(struct wend_task *t,
				   enum wend__task_state from,
				   enum wend__task_state to)
{
	wend__assert(t->state == from);
	(void)from;
	a8_store_relaxed(&t->state, (uint8_t)to);
}

/* --- memory (task.c) ------------------------------------------------------ */

/* One server's free task structures; only its owner touches it. */
struct wend__task_cache {
	struct wend_task *list;
	uint32_t count;
	uint64_t id_next, id_end; /* numbers not given out yet */
};

/* A dead task with an id; NULL: no memory. cache NULL: from the common pool. */
struct wend_task *wend__task_alloc(struct wend__task_cache *cache);
void wend__task_free(struct wend__task_cache *cache, struct wend_task *t);

/* Give all memory back. No task lives. */
void wend__tasks_stop(void);

/* Call f for each task that is not dead; they run on meanwhile. */
void wend__tasks_each(void (*f)(struct wend_task *t, void *arg), void *arg);

/* Take the n-th reference away; frees with the last. */
void wend__task_unref(struct wend__task_cache *cache, struct wend_task *t);

/* The stand-in of the calling thread of the program: lies in its thread-local
 * storage, so there always is one. */
struct wend_task *wend__thread_task(void);

void wend__task_set_name(struct wend_task *t, const char *name);
const char *wend__task_name(const struct wend_task *t);
const char *wend__task_state_name(const struct wend_task *t);

#endif
