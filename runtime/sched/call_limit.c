/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_limit.c - until when calls of tasks wait, changed by others meanwhile.
 *
 * Invariants, waiters_.lock_ held:
 *   I1  who waits under l is queued in waiters_ (a parked task) or sleepers_ (a
 *       thread in poll()), and has read deadline_ and ended_ since it is
 *   I2  deadline_ 0 is none; a deadline of 0 is kept as 1, which is past, too
 * So who makes the deadline earlier finds all whom it concerns. One that is
 * made later wakes nobody: who wakes for the old one looks again.
 *
 * Rejected
 *   A timer for each limit that stays armed while the deadline moves on: it
 *   has to take locks in the wrong order. A wait's own timer costs 0.3 to 0.7 us
 *   of the 3.9 that a message over a socket pair takes.
 *   A signal for the thread in poll(): it might hit another call.
 */
#define _GNU_SOURCE
#include "runtime/sched/call_limit.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>

#include <wend/block.h>
#include <wend/errno.h>

#include "compiler-rt/syscall.h"
#include "runtime/sched/park_io.h"
#include "runtime/sched/preempt.h"

/* A thread in poll(), by its eventfd. */
struct sleeper {
	struct sleeper *next;
	int bell; /* below 0: none to be had, it looks by itself */
};

/* How often a sleeper looks that cannot be woken. */
enum { LOOK_NS = 20 * 1000 * 1000 };

bool (*wend__call_limit_counts)(void);

static void lock(wend_call_limit *l)
{
	wend__word_lock(&l->waiters_.lock_, WEND__RANK_OBJECT);
}

static void unlock(wend_call_limit *l)
{
	wend__word_unlock(&l->waiters_.lock_, WEND__RANK_OBJECT);
}

static int64_t until_locked(const wend_call_limit *l)
{
	if (l->ended_)
		return 0;
	return l->deadline_ ? l->deadline_ : WEND_FOREVER;
}

/* 0, or why a call under l must not wait now. */
static int verdict_locked(const wend_call_limit *l)
{
	if (l->ended_)
		return -ECANCELED;
	if (l->deadline_ && wend__now() >= l->deadline_)
		return -ETIMEDOUT;
	return 0;
}

static int verdict(wend_call_limit *l)
{
	int r;

	lock(l);
	r = verdict_locked(l);
	unlock(l);
	return r;
}

/* --- changing it -------------------------------------------------------------- */

/* Have all look again; l is locked, and unlocked on return. */
static void wake_all(wend_call_limit *l)
{
	struct wend__waiter *chain = wend__waitq_claim_chain(&l->waiters_,
							     UINT32_MAX, NULL);
	const uint64_t one = 1;

	/* A bell is closed only after its sleeper has left the list. Bare: the
	 * C library's write() might park us, with the lock. */
	for (struct sleeper *s = l->sleepers_; s; s = s->next)
		if (s->bell >= 0)
			(void)wend__syscall3(SYS_write, s->bell, (long)&one,
					     sizeof(one));
	unlock(l);
	wend__ready_chain(chain);
}

void wend_call_limit_set(wend_call_limit *l, int64_t deadline)
{
	int64_t before;

	if (deadline <= 0)
		deadline = 1;
	lock(l);
	before = until_locked(l);
	l->deadline_ = deadline == WEND_FOREVER ? 0 : deadline;
	if (deadline < before)
		wake_all(l);
	else
		unlock(l);
}

void wend_call_limit_end(wend_call_limit *l)
{
	lock(l);
	l->ended_ = 1;
	wake_all(l);
}

int wend_call_limit_check(wend_call_limit *l)
{
	return verdict(l);
}

int wend_call_limit_enter(wend_call_limit *l, wend_call_limit **old)
{
	struct wend_task *t;

	*old = NULL;
	if (!wend__call_limit_counts || !wend__call_limit_counts())
		return -ENOTSUP;
	t = wend__self->task;
	*old = wend__call_limit(t);
	wend_call_limit_leave(l);
	return 0;
}

void wend_call_limit_leave(wend_call_limit *old)
{
	struct wend__worker *w = wend__self;

	if (!w || !w->task)
		return;
	w->task->limit = old;
	if (old)
		w->task->flags |= WEND__TASK_LIMITED;
	else
		w->task->flags &= (uint8_t)~WEND__TASK_LIMITED;
}

/* --- waiting ------------------------------------------------------------------ */

struct wend__waiter *wend__call_limit_park(struct wend_task *t,
					   int64_t deadline, const char *why,
					   const void *caller, int *result)
{
	wend_call_limit *l = t->limit;
	struct wend__waiter me, *by;
	int64_t until;

	wend__waiter_init(&me, t, t->ticket);
	lock(l);
	until = until_locked(l);
	wend__waitq_push(&l->waiters_, &me);
	unlock(l);
	by = wend__wait(t, until < deadline ? until : deadline, why, NULL,
			caller);
	lock(l);
	if (me.queued)
		wend__waitq_remove(&l->waiters_, &me);
	*result = verdict_locked(l);
	unlock(l);
	if (*result == 0)
		*result = wend__now() >= deadline ? -ETIMEDOUT :
						    WEND__CALL_AGAIN;
	return by;
}

/* How long to sleep at most; NULL: as long as it takes. */
static const struct timespec *time_left(int64_t until, int bell,
					struct timespec *left)
{
	int64_t now, ns;

	if (until == WEND_FOREVER && bell >= 0)
		return NULL;
	now = wend__now();
	ns = until <= now ? 0 : until - now;
	if (bell < 0 && ns > LOOK_NS)
		ns = LOOK_NS;
	left->tv_sec = ns / WEND_SECOND;
	left->tv_nsec = ns % WEND_SECOND;
	return left;
}

/* One sleep. 0: woken, ready or not; or -errno. */
static int sleep_once(wend_call_limit *l, int fd, short events,
		      int64_t deadline)
{
	/* Bare, as its write and close: no wrapper of the C library's functions,
	 * ours or a sanitizer's, is to see one without the others. */
	struct sleeper me = {
		.bell = (int)wend__syscall3(SYS_eventfd2, 0, EFD_CLOEXEC, 0),
	};
	struct sleeper **at;
	struct pollfd fds[2] = {
		{ .fd = fd, .events = events },
		{ .fd = me.bell, .events = POLLIN },
	};
	struct timespec left;
	int64_t until;
	int r;

	lock(l);
	until = until_locked(l);
	me.next = l->sleepers_;
	l->sleepers_ = &me;
	unlock(l);
	if (deadline < until)
		until = deadline;
	wend_block_begin();
	r = ppoll(fds, 2, time_left(until, me.bell, &left), NULL);
	if (r < 0)
		r = -errno;
	wend_block_end();
	lock(l);
	for (at = (struct sleeper **)&l->sleepers_; *at != &me;)
		at = &(*at)->next;
	*at = me.next;
	unlock(l);
	if (me.bell >= 0)
		(void)wend__syscall3(SYS_close, me.bell, 0, 0);
	if (r < 0)
		return r == -EINTR ? 0 : r;
	return fds[0].revents != 0;
}

int wend__call_limit_sleep(wend_call_limit *l, int fd, short events,
			   int64_t deadline)
{
	int r;

	for (;;) {
		r = sleep_once(l, fd, events, deadline);
		if (r)
			return r < 0 ? r : 0;
		r = verdict(l);
		if (r)
			return r;
		if (wend__now() >= deadline)
			return -ETIMEDOUT;
	}
}

int wend_call_limit_wait(wend_call_limit *l, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct wend__worker *w = wend__self;
	wend_call_limit *old;
	int r = verdict(l);

	if (r)
		return r;
	r = WEND__IO_NOT_PARKED;
	if (w && w->task && w->server && !w->task->held &&
	    wend__io_mode() != WEND__IO_THREADS) {
		old = wend__call_limit(w->task);
		wend_call_limit_leave(l);
		r = wend__io_wait(&p, 1, WEND_FOREVER, "poll", WEND__CALLER());
		wend_call_limit_leave(old);
	}
	return r == WEND__IO_NOT_PARKED ?
		       wend__call_limit_sleep(l, fd, events, WEND_FOREVER) :
		       r;
}
