/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port.h - what stands below the scheduler, and all it sees of it.
 *
 * UMCG's events, and what they are here:
 *
 *      UMCG                        a port
 *      worker registers            thread_start()
 *      worker or server WAITs      park(), until unpark() or a deadline
 *      a server runs a worker,     unpark()
 *        a wake-up
 *      worker BLOCKs, WAKEs        the worker itself says so around announced
 *                                  calls (runtime/block); a port whose kernel
 *                                  detects it says so by its detect
 *      worker EXITs                the thread's main returns
 *
 * A parker is one thread's place to wait. It holds at most one permit:
 * unpark() puts it there, park() takes it, waiting while there is none. So a
 * wake-up that comes before the wait is not lost, and two are one.
 *
 * Ports: kernel (kernel_v04.c), where there is UMCG; emul (emul.c), every stock
 * kernel; sim (sim.c), one thread, virtual time, all choices from a seed.
 */
#ifndef WEND_UMCG_PORT_H
#define WEND_UMCG_PORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler-rt/clock.h"
#include "compiler-rt/fiber.h"
#include "runtime/base/spin.h"
#include "runtime/umcg/detect.h"

enum {
	WEND__PARKER_NONE,
	WEND__PARKER_PERMIT,
	WEND__PARKER_POLLING, /* sleeps in wend__poller_park() */
};

struct wend__parker {
	uint32_t permit; /* see above; emul: the futex */
	int kick;        /* poller.c: its eventfd, plus 1; 0: none yet */
};

/* emul: wake who sleeps in wend__poller_park() (poller.c). */
void wend__parker_kick(struct wend__parker *p);

/* One of the runtime's own threads (a virtual one under sim). */
struct wend__thread {
	void (*main)(void *arg);
	void *arg;
	pthread_t id; /* emul */
	void *sim;    /* sim */
};

struct wend__port {
	const char *name;

	/* Set up for a run, and undo it; -errno. */
	int (*start)(uint64_t seed);
	void (*stop)(void);

	/* In the child of a fork: as before the start. */
	void (*forked)(void);

	/* Start a thread that calls t->main(t->arg); -EAGAIN or -ENOMEM. It
	 * must be joined, after its main has returned or will soon; or its
	 * main calls thread_leave(), returns soon, and t is not looked at
	 * any more. */
	int (*thread_start)(struct wend__thread *t);
	void (*thread_join)(struct wend__thread *t);
	void (*thread_leave)(struct wend__thread *t);

	/* Wait for the permit: 0, or -ETIMEDOUT once deadline has passed
	 * (WEND_FOREVER: never). Called by threads of the runtime and of the
	 * program alike. */
	int (*park)(struct wend__parker *p, int64_t deadline);
	void (*unpark)(struct wend__parker *p);

	/* The clock; used only under sim, see wend__now(). */
	int64_t (*now)(void);

	/* NULL: the kernel says nothing, and is watched from outside. */
	const struct wend__detect *detect;
};

/* The port that runs; the last one between runs. */
extern const struct wend__port *wend__port;

extern const struct wend__port wend__port_kernel;
extern const struct wend__port wend__port_emul;
extern const struct wend__port wend__port_sim;

/* Whether this machine has what the kernel port needs. */
bool wend__port_kernel_there(void);

/* Around a wait of the runtime's own: it is no block of the task's. For what
 * park() does not do; the worker's, or any thread's. */
bool wend__seat_pause(void);
void wend__seat_go_on(bool paused);

/* The port of that name, or NULL. */
const struct wend__port *wend__port_find(const char *name);

/* Nanoseconds on the port's clock. */
static inline int64_t wend__now(void)
{
	return WEND__UNLIKELY(wend__sim) ? wend__port->now() : wend__clock_ns();
}

/*
 * The worker that this kernel thread is; NULL in a thread of the program.
 * Written by the worker itself, once; under sim by whoever switches virtual
 * threads.
 *
 * Read it when a call comes in from a task, not after a switch: the compiler
 * may hold on to the address, which is the old thread's. After a switch the
 * task's own field says who runs it.
 */
struct wend__worker;
extern __thread struct wend__worker *wend__self
	__attribute__((tls_model("initial-exec")));

/* Sanitizers: the fibre this thread runs on; NULL: the thread's own. */
extern __thread struct wend__fiber *wend__fiber_now
	__attribute__((tls_model("initial-exec")));

/* Called by sim when nobody can ever run again, before it gives up: says how
 * many tasks are ready and unserved. The scheduler fills it in. */
extern unsigned int (*wend__port_stuck)(void);

#endif
