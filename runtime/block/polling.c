/* SPDX-License-Identifier: Apache-2.0 */
/*
 * polling.c - waiting for several descriptors.
 *
 * Tried with a time-out of zero first; so a program that runs an event loop of
 * its own inside a task waits only when the loop is idle. Then the task is
 * parked until one of the descriptors may be ready (an epoll set is one, too),
 * and asks again. Many descriptors are left to a thread: each would have to be
 * taken back from the poller again.
 *
 * epoll_wait() must not be called by a thread that has sent requests to a
 * ring: each of them that ends would interrupt it, with EINTR.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <wend/errno.h>

#include "runtime/block/park.h"

static int64_t deadline_of(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX :
				wend__now() + timeout_ms * 1000000ll;
}

/* What is left of a deadline, rounded up. */
static int timeout_of(int64_t deadline)
{
	int64_t left;

	if (deadline == INT64_MAX)
		return -1;
	left = (deadline - wend__now() + 999999) / 1000000;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Whether a wait has ended as the caller wants it to, at its own deadline and
 * not that of a wend_call_limit. */
static bool passed(int wait, int64_t deadline)
{
	return wait == -ETIMEDOUT && deadline != INT64_MAX &&
	       wend__now() >= deadline;
}

/* The descriptors of fds that are not left out. More than there is room for:
 * how many need not be right. */
static unsigned int chosen(const struct pollfd *fds, nfds_t n,
			   struct pollfd some[WEND__IO_POLL_MAX])
{
	unsigned int count = 0;

	for (nfds_t i = 0; i < n; i++) {
		if (fds[i].fd < 0)
			continue;
		if (count == WEND__IO_POLL_MAX)
			return count + 1;
		some[count++] = fds[i];
	}
	return count;
}

static int poll_until(struct pollfd *fds, nfds_t n, int64_t deadline,
		      const void *caller)
{
	struct pollfd some[WEND__IO_POLL_MAX];
	unsigned int count;
	int r, wait = 0;
	BLOCK_NEXT(poll)

	r = next(fds, n, 0);
	if (r)
		return r;
	count = chosen(fds, n, some);
	while (wait == 0 && count && count <= WEND__IO_POLL_MAX &&
	       block_mode() != WEND__IO_THREADS) {
		wait = wend__io_wait(some, count, deadline, "poll", caller);
		if (wait == WEND__IO_NOT_PARKED)
			break;
		r = next(fds, n, 0);
		if (r || passed(wait, deadline))
			return r;
		if (wait < 0)
			return (int)block_result(wait);
	}
	wend_block_begin();
	r = next(fds, n, timeout_of(deadline));
	wend_block_end();
	return r;
}

BLOCK_EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	BLOCK_NEXT(poll)

	if (!wend__block_in_task() || timeout == 0)
		return next(fds, n, timeout);
	return poll_until(fds, n, deadline_of(timeout), WEND__CALLER());
}

extern int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);
BLOCK_EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout,
			    size_t room)
{
	BLOCK_NEXT(__poll_chk)

	if (n > room / sizeof(*fds) || !wend__block_in_task())
		return next(fds, n, timeout, room);
	return poll(fds, n, timeout);
}

BLOCK_EXPORT int epoll_wait(int fd, struct epoll_event *events, int n,
			    int timeout)
{
	struct pollfd self = { .fd = fd, .events = POLLIN };
	int64_t deadline;
	int r, wait = 0;
	BLOCK_NEXT(epoll_wait)

	if (!wend__block_in_task() || timeout == 0)
		return next(fd, events, n, timeout);
	r = next(fd, events, n, 0);
	if (r)
		return r;
	deadline = deadline_of(timeout);
	while (wait == 0 && block_mode() != WEND__IO_THREADS) {
		wait = wend__io_wait(&self, 1, deadline, "epoll",
				     WEND__CALLER());
		if (wait == WEND__IO_NOT_PARKED)
			break;
		r = next(fd, events, n, 0);
		if (r || passed(wait, deadline))
			return r;
		if (wait < 0)
			return (int)block_result(wait);
	}
	wend_block_begin();
	r = next(fd, events, n, timeout_of(deadline));
	wend_block_end();
	return r;
}

BLOCK_EXPORT int epoll_pwait(int fd, struct epoll_event *events, int n,
			     int timeout, const sigset_t *mask)
{
	int r;
	BLOCK_NEXT(epoll_pwait)

	if (!wend__block_in_task())
		return next(fd, events, n, timeout, mask);
	if (!mask)
		return epoll_wait(fd, events, n, timeout);
	wend_block_begin();
	r = next(fd, events, n, timeout, mask);
	wend_block_end();
	return r;
}

BLOCK_EXPORT int ppoll(struct pollfd *fds, nfds_t n,
		       const struct timespec *timeout, const sigset_t *mask)
{
	int64_t deadline = INT64_MAX;
	int r;
	BLOCK_NEXT(ppoll)

	if (!wend__block_in_task())
		return next(fds, n, timeout, mask);
	if (!mask && (!timeout ||
		      (timeout->tv_nsec >= 0 && timeout->tv_nsec < 1000000000 &&
		       timeout->tv_sec >= 0))) {
		if (timeout && timeout->tv_sec < 1000000000)
			deadline = wend__now() + timeout->tv_sec * 1000000000 +
				   timeout->tv_nsec;
		return poll_until(fds, n, deadline, WEND__CALLER());
	}
	wend_block_begin();
	r = next(fds, n, timeout, mask);
	wend_block_end();
	return r;
}

ANNOUNCE(int, select,
	 (int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *timeout),
	 (n, r, w, x, timeout))
ANNOUNCE(int, pselect,
	 (int n, fd_set *r, fd_set *w, fd_set *x,
	  const struct timespec *timeout, const sigset_t *mask),
	 (n, r, w, x, timeout, mask))

extern int __ppoll_chk(struct pollfd *fds, nfds_t n,
		       const struct timespec *timeout, const sigset_t *mask,
		       size_t room);
BLOCK_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n,
			     const struct timespec *timeout,
			     const sigset_t *mask, size_t room)
{
	BLOCK_NEXT(__ppoll_chk)

	if (n > room / sizeof(*fds) || !wend__block_in_task())
		return next(fds, n, timeout, mask, room);
	return ppoll(fds, n, timeout, mask);
}
