/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.c - a thread sleeps until a poller has events, or it is given work.
 *
 * It waits with poll() on two descriptors, the poller's and an eventfd of its
 * own. Rejected: waiting in io_uring_enter(), and waking by an entry that does
 * nothing. Its completion can be taken by another thread that looks into the
 * same ring, before the sleeper sleeps; then the wake-up is lost.
 *
 * [parker.poller]
 *      waiter                           waker
 *      permit 0 -> POLLING (full)       permit = 1, was POLLING? (full)
 *      events taken from the kernel     write(eventfd)
 *      already? else
 *      poll(poller, eventfd)
 *      permit = 0, was 1? (full)
 *
 * An eventfd stays readable until its owner reads it, so it does not matter
 * which of poll() and write() is first. A write that comes after the waiter
 * has gone makes a later poll() return at once: that is allowed.
 */
#define _GNU_SOURCE
#include "runtime/umcg/poller.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"

/* The eventfd, made by the first sleep; below 0: none to be had. */
static int kick_fd(struct wend__parker *k)
{
	if (k->kick == 0) {
		/* Bare, as the close() is: see epoll.c. */
		int fd = (int)wend__syscall3(SYS_eventfd2, 0,
					     EFD_CLOEXEC | EFD_NONBLOCK, 0);

		if (fd >= 0)
			k->kick = fd + 1;
	}
	return k->kick - 1;
}

void wend__parker_free(struct wend__parker *k)
{
	if (k->kick)
		(void)wend__syscall3(SYS_close, k->kick - 1, 0, 0);
	k->kick = 0;
}

void wend__parker_kick(struct wend__parker *k)
{
	uint64_t one = 1;

	(void)wend__syscall3(SYS_write, k->kick - 1, (long)&one, sizeof(one));
}

static void poll_until(int fd, int kick, int64_t deadline)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = kick, .events = POLLIN },
	};
	struct timespec ts, *limit = NULL;
	uint64_t count;

	if (deadline != INT64_MAX) {
		int64_t left = deadline - wend__clock_ns();

		if (left < 0)
			left = 0;
		ts.tv_sec = (time_t)(left / 1000000000);
		ts.tv_nsec = (long)(left % 1000000000);
		limit = &ts;
	}
	(void)wend__syscall6(SYS_ppoll, (long)fds, 2, (long)limit, 0, 0, 0);
	if (fds[1].revents)
		(void)wend__syscall3(SYS_read, kick, (long)&count,
				     sizeof(count));
}

void wend__poller_park(struct wend__poller *p, struct wend__parker *k,
		       int64_t deadline)
{
	int kick = kick_fd(k);
	bool paused;

	if (kick < 0) {
		/* Out of descriptors: look now and then. */
		int64_t soon = wend__clock_ns() + 1000000;

		(void)wend__port->park(k, deadline < soon ? deadline : soon);
		return;
	}
	if (!a32_cas_full(&k->permit, WEND__PARKER_NONE,
			  WEND__PARKER_POLLING)) {
		(void)a32_swap_full(&k->permit, WEND__PARKER_NONE);
		return;
	}
	/* [io.late] */
	if (!p->kind->ready(p)) {
		paused = wend__seat_pause();
		poll_until(p->fd, kick, deadline);
		wend__seat_go_on(paused);
	}
	(void)a32_swap_full(&k->permit, WEND__PARKER_NONE);
}
