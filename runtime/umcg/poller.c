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
 *
 * To fall asleep, and be woken by another CPU, costs more than many an event is
 * away: two programs that send each other one message at a time spend most of
 * their time on it (30 us of CPU a message in a virtual machine, 80 us elapsed).
 * So once sleeps have been short, the thread first stays awake for a moment,
 * and goes on doing so while that is mostly worth it. Whoever else wants the
 * CPU, the peer perhaps, has it meanwhile. `bench/run --only echo` shows it, with
 * one connection. A permit that comes meanwhile is taken as before POLLING.
 */
#define _GNU_SOURCE
#include "runtime/umcg/poller.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"
#include "runtime/base/rare.h"

enum {
	LINGER_NS = 50000,
	LOOKS = 16, /* at the poller, for each yield */
	/* So many sleeps in a row, each shorter than that, make it try. */
	SHORT_NS = 100000,
	SHORT_SLEEPS = 16,
	/* What a try has to go on with; and what one that was of use adds, and
	 * one in vain takes: two of three must be of use. */
	LUCK_FIRST = 2,
	LUCK_MAX = 8,
	LUCK_WON = 1,
	LUCK_LOST = 2,
};

/* --- awake ----------------------------------------------------------------- */

static void set_luck(struct wend__poller *p, int luck)
{
	if (luck < 0)
		luck = 0;
	a8_store_relaxed(&p->luck,
			 (uint8_t)(luck > LUCK_MAX ? LUCK_MAX : luck));
}

/* Whether there is an event now, or was a permit; which is taken then. */
static bool come(struct wend__poller *p, struct wend__parker *k)
{
	if (WEND__UNLIKELY(a32_load_relaxed(&k->permit))) {
		WEND__RARE(linger_permit);
		(void)a32_swap_full(&k->permit, WEND__PARKER_NONE);
		return true;
	}
	if (!p->kind->sure(p))
		return false;
	WEND__RARE(linger_event);
	set_luck(p, a8_load_relaxed(&p->luck) + LUCK_WON);
	return true;
}

/* Stay awake for a moment, if that has been worth it. Returns whether something
 * has come. */
static bool linger(struct wend__poller *p, struct wend__parker *k,
		   int64_t deadline)
{
	int luck = a8_load_relaxed(&p->luck);
	int64_t until;

	if (!luck)
		return false;
	until = wend__clock_ns() + LINGER_NS;
	if (deadline < until)
		return false;
	do {
		(void)wend__syscall3(SYS_sched_yield, 0, 0, 0);
		for (int i = 0; i < LOOKS; i++) {
			if (come(p, k))
				return true;
			cpu_relax();
		}
	} while (wend__clock_ns() < until);
	set_luck(p, luck - LUCK_LOST);
	return false;
}

/* It ended by itself: not at its deadline. What epoll would say is not seen
 * without asking, so there is nothing to stay awake for. */
static void note_sleep(struct wend__poller *p, int64_t start, int64_t end)
{
	uint8_t n = a8_load_relaxed(&p->short_sleeps) + 1;

	if (!p->kind->whole)
		return;
	if (end - start >= SHORT_NS)
		n = 0;
	if (n == SHORT_SLEEPS) {
		n = 0;
		if (!a8_load_relaxed(&p->luck))
			set_luck(p, LUCK_FIRST);
	}
	a8_store_relaxed(&p->short_sleeps, n);
}

/* --- asleep ---------------------------------------------------------------- */

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

/* Whether fd is readable. */
static bool poll_until(int fd, int kick, int64_t deadline)
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
	return fds[0].revents != 0;
}

bool wend__poller_park(struct wend__poller *p, struct wend__parker *k,
		       int64_t deadline)
{
	int kick = kick_fd(k);
	bool paused, events = false;
	int64_t start, end;

	if (kick < 0) {
		/* Out of descriptors: look now and then. */
		int64_t soon = wend__clock_ns() + 1000000;

		(void)wend__port->park(k, deadline < soon ? deadline : soon);
		return p->kind->ready(p);
	}
	if (linger(p, k, deadline))
		return p->kind->sure(p);
	if (!a32_cas_full(&k->permit, WEND__PARKER_NONE,
			  WEND__PARKER_POLLING)) {
		(void)a32_swap_full(&k->permit, WEND__PARKER_NONE);
		return p->kind->sure(p);
	}
	/* [io.late] */
	if (!p->kind->sure(p)) {
		paused = wend__seat_pause();
		start = wend__clock_ns();
		events = poll_until(p->fd, kick, deadline);
		end = wend__clock_ns();
		if (end < deadline)
			note_sleep(p, start, end);
		wend__seat_go_on(paused);
	}
	(void)a32_swap_full(&k->permit, WEND__PARKER_NONE);
	return events || p->kind->sure(p);
}
