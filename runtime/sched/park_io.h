/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park_io.h - a task waits for an operation on a descriptor without keeping a
 * kernel thread: the operation is its server's poller's meanwhile.
 */
#ifndef WEND_SCHED_PARK_IO_H
#define WEND_SCHED_PARK_IO_H

#include <limits.h>
#include <poll.h>

#include "runtime/sched/server.h"
#include "runtime/umcg/poller.h"

enum wend__io_mode {
	WEND__IO_UNKNOWN, /* nobody needed it yet */
	WEND__IO_THREADS, /* a call that blocks keeps its kernel thread */
	WEND__IO_EPOLL,   /* the task waits for the descriptor to be ready */
	WEND__IO_URING,   /* the kernel does the whole operation */
};

/* The operation was not started, for want of a poller or of room in it: let
 * the thread block in it. No error of the kernel's. */
enum { WEND__IO_NOT_PARKED = INT_MIN };

/* At most so many descriptors are waited for at once in a poller. */
enum { WEND__IO_POLL_MAX = 8 };

/* WEND_PARK, at the start of a run; -EINVAL after one line on stderr. */
int wend__io_start(void);
/* Which way it is; finds out at the first call. */
enum wend__io_mode wend__io_mode(void);

/*
 * wend__io_run - do op; the calling task waits for its end.
 *
 *   deadline    of waiting, on the runtime's clock; the task's wend_call_limit
 *               counts, too
 *   why         for dumps: static text
 *
 * Only in a task, with WEND__IO_URING. What op points to is the kernel's until
 * the return. An operation that is cancelled but succeeds has succeeded.
 *
 * Returns  the operation's result, or its -errno; -ECANCELED, -ETIMEDOUT;
 *          WEND__IO_NOT_PARKED.
 */
int wend__io_run(const struct wend__io_op *op, int64_t deadline,
		 const char *why, const void *caller);

/*
 * wend__io_wait - wait until one of n descriptors may be ready, n from 1 to
 * WEND__IO_POLL_MAX. Only in a task, with WEND__IO_URING or WEND__IO_EPOLL.
 *
 * Returns  0 (ask the kernel again for what, revents is not written),
 *          -ECANCELED, -ETIMEDOUT, WEND__IO_NOT_PARKED.
 */
int wend__io_wait(const struct pollfd *fds, unsigned int n, int64_t deadline,
		  const char *why, const void *caller);

/*
 * wend__io_batch - whether an operation should be handed to the ring without a
 * try. It is worth it when other tasks are about to do the same, as many as
 * were woken together: one system call then serves them all. Counts them down.
 */
static inline bool wend__io_batch(void)
{
	struct wend__server *s = wend__self->server;

	uint32_t burst = a32_load_relaxed(&s->burst);

	/* A hint: the server may be another's by now. */
	if (burst == 0)
		return false;
	a32_store_relaxed(&s->burst, burst - 1);
	return true;
}

/* --- for the scheduler ---------------------------------------------------- */

/*
 * wend__io_step - send what w's server has unsent, and make ready whose
 * operations have ended. true: some were.
 */
bool wend__io_step(struct wend__worker *w);

/* Take what has ended on a server that does not come to it. */
bool wend__io_steal(struct wend__worker *w, struct wend__server *victim);

enum {
	WEND__IO_SEND_COUNT = 64,
	WEND__IO_SEND_NS = 50000,
	WEND__IO_SEND_TICKS = 8, /* how often the clock is looked at */
	WEND__IO_LOOK_TICKS = 16,
};

/* Whether the server's poller is to be attended to before the tasks that are
 * ready. tick: of tasks taken up. */
static inline bool wend__io_due(const struct wend__server *s, uint32_t tick)
{
	const struct wend__poller *p = s->poller;
	uint32_t unsent;

	if (!p)
		return false;
	unsent = wend__poller_unsent(p);
	if (unsent >= WEND__IO_SEND_COUNT)
		return true;
	if (tick % WEND__IO_SEND_TICKS)
		return false;
	if (unsent && wend__now() - s->unsent_since > WEND__IO_SEND_NS)
		return true;
	return tick % WEND__IO_LOOK_TICKS == 0 && wend__poller_flying(p) &&
	       p->kind->ready(p);
}

/* Whether operations of s are under way. */
static inline bool wend__io_flying(const struct wend__server *s)
{
	const struct wend__poller *p = aptr_load_acquire(&s->poller);

	return p && wend__poller_flying(p);
}

/* Whether some of them have ended, as far as one sees from here. */
static inline bool wend__io_ready(const struct wend__server *s)
{
	const struct wend__poller *p = aptr_load_acquire(&s->poller);

	return p && wend__poller_flying(p) && p->kind->ready(p);
}

/* Whether s's poller wants attention, as seen by who watches. */
static inline bool wend__io_pending(const struct wend__server *s)
{
	const struct wend__poller *p = aptr_load_acquire(&s->poller);

	return p && (wend__poller_unsent(p) || wend__io_ready(s));
}

/* Sleep as by the port's park(), but let operations of s that end wake, too.
 * Returns whether some have ended. */
bool wend__io_park(struct wend__worker *w, struct wend__server *s,
		   int64_t deadline);

/* Give the pollers back; no task lives. */
void wend__io_stop(void);

#endif
