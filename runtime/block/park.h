/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park.h - what the calls that park have in common: which descriptors can, and
 * for how long.
 */
#ifndef WEND_BLOCK_PARK_H
#define WEND_BLOCK_PARK_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include <wend/errno.h>

#include "runtime/block/announce.h"
#include "runtime/sched/call_limit.h"
#include "runtime/sched/park_io.h"

/*
 * What was learned of a descriptor. Hints: another file may be behind it now
 * if it was closed in a way that we do not see.
 */
enum {
	BLOCK_STREAM = 1, /* no position: reads may go to the ring */
	BLOCK_FILE = 2,   /* has one */
	BLOCK_SOCKET = 4,
	BLOCK_BLOCKING = 8, /* not O_NONBLOCK, and this process has not changed
			     * that of any descriptor since */
	BLOCK_PIPE = 16,    /* or a FIFO */
};

enum { BLOCK_HINTS = 65536 };
extern uint8_t wend__block_hints[BLOCK_HINTS];

static inline uint8_t block_hints(int fd)
{
	return fd >= 0 && fd < BLOCK_HINTS ?
		       a8_load_relaxed(&wend__block_hints[fd]) :
		       0;
}

/* Look at fd. Returns its hints; 0: bad descriptor. errno stays. */
uint8_t wend__block_learn(int fd);
void wend__block_set_hints(int fd, uint8_t hints);

/* A descriptor was made O_NONBLOCK, and so was every copy of it. */
void wend__block_flags_changed(void);

/* Whether reading and writing fd does not move a position in a file: only
 * calls of the kernel's own kind do that without a race. */
static inline bool block_stream(int fd)
{
	uint8_t h = block_hints(fd);

	if (WEND__UNLIKELY(!(h & (BLOCK_STREAM | BLOCK_FILE))))
		h = wend__block_learn(fd);
	return h & BLOCK_STREAM;
}

/* The program asked not to wait on this descriptor. errno stays. The answer is
 * kept as a hint. */
bool wend__block_nonblocking(int fd);

/* Some socket has had a time limit. Once set, each wait looks. */
extern uint32_t wend__block_limits;

/* Until when a call on fd may wait; option: SO_RCVTIMEO, SO_SNDTIMEO. */
int64_t wend__block_deadline(int fd, int option);

/* How the calling task waits for a descriptor. */
static inline enum wend__io_mode block_mode(void)
{
	return WEND__UNLIKELY(wend__self->task->held) ? WEND__IO_THREADS :
							wend__io_mode();
}

/* Whether a call that was not parked is to be tried until it need not wait,
 * with block_await() in between. */
static inline bool block_awaits(void)
{
	return wend__call_limit(wend__self->task) ||
	       block_mode() == WEND__IO_EPOLL;
}

/* Whether a call that would wait keeps its kernel thread, come what may. */
static inline bool block_keeps(void)
{
	return !wend__call_limit(wend__self->task) &&
	       block_mode() == WEND__IO_THREADS;
}

/* Whether an operation on fd goes to the ring without a try: others are on
 * their way there, and the ring does all that the call would do. */
static inline bool block_batch(int fd)
{
	return a32_load_relaxed(&wend__self->server->burst) &&
	       !wend__self->task->held && block_stream(fd) &&
	       !a32_load_relaxed(&wend__block_limits) && wend__io_batch();
}

/*
 * ThreadSanitizer orders what one thread did before a write() with what another
 * does after the read() that it makes return. It sees neither the ring, nor
 * preadv2(), nor whose the other end of a socket is that came out of the ring:
 * so each wrapper says which of the two it is. One order for all descriptors
 * hides some races, and reports no false one.
 */
#if WEND__TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
extern char wend__block_order;

static inline void block_order_after(const char *unused)
{
	(void)unused;
	__tsan_acquire(&wend__block_order);
}

#define BLOCK_WRITES __tsan_release(&wend__block_order);
#define BLOCK_READS                                                            \
	__attribute__((__cleanup__(block_order_after), __unused__))            \
	const char block_reads = 0;
#else
#define BLOCK_WRITES
#define BLOCK_READS
#endif

/*
 * wend__block_park - do op in the ring. option: as wend__block_deadline().
 * Returns what wend__io_run() does, -EAGAIN for a time limit.
 */
int wend__block_park_slow(const struct wend__io_op *op, int option,
			  const char *why, const void *caller);

static inline int wend__block_park(const struct wend__io_op *op, int option,
				   const char *why, const void *caller)
{
	if (a32_load_relaxed(&wend__block_limits))
		return wend__block_park_slow(op, option, why, caller);
	return wend__io_run(op, INT64_MAX, why, caller);
}

/*
 * wend__block_await - wait for fd to be ready, until deadline, which is its
 * time limit. 0, or -errno, or WEND__IO_NOT_PARKED, but not under a
 * wend_call_limit: then the thread waits here.
 */
int wend__block_await(int fd, short events, int64_t deadline, const char *why,
		      const void *caller);

/*
 * wend__block_batched_write - a first step of a write in the ring, without a
 * try; block_batch() has said so. As wend__io_run(); WEND__IO_NOT_PARKED: try.
 */
int wend__block_batched_write(int fd, const void *buf, size_t size,
			      const void *caller);

/* As the C library hands results over. */
static inline ssize_t block_result(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

#endif
