/* SPDX-License-Identifier: Apache-2.0 */
/*
 * polling.c - waiting for several descriptors.
 *
 * Tried with a time-out of zero first; so a program that runs an event loop of
 * its own inside a task gives its server up only when the loop is idle.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "runtime/block/announce.h"

BLOCK_EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int r;
	BLOCK_NEXT(poll)

	if (!wend__block_in_task() || timeout == 0)
		return next(fds, n, timeout);
	r = next(fds, n, 0);
	if (r)
		return r;
	wend_block_begin();
	r = next(fds, n, timeout);
	wend_block_end();
	return r;
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
	int r;
	BLOCK_NEXT(epoll_wait)

	if (!wend__block_in_task() || timeout == 0)
		return next(fd, events, n, timeout);
	r = next(fd, events, n, 0);
	if (r)
		return r;
	wend_block_begin();
	r = next(fd, events, n, timeout);
	wend_block_end();
	return r;
}

ANNOUNCE(int, epoll_pwait,
	 (int fd, struct epoll_event *events, int n, int timeout,
	  const sigset_t *mask),
	 (fd, events, n, timeout, mask))
ANNOUNCE(int, ppoll,
	 (struct pollfd * fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask),
	 (fds, n, timeout, mask))
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
