/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sleeping.c - the C library's sleeps: a task that sleeps needs no kernel
 * thread, only a timer. Unless it holds a lock that belongs to its thread: a
 * timer may wake it in another (SQLite sleeps with a recursive mutex locked).
 *
 * A cancelled task's sleep ends as if by a signal: EINTR, and the time left.
 */
#define _GNU_SOURCE
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <wend/errno.h>
#include <wend/time.h>

#include "runtime/block/announce.h"

static bool valid(const struct timespec *t)
{
	return t && t->tv_sec >= 0 && t->tv_nsec >= 0 &&
	       t->tv_nsec < WEND_SECOND;
}

static int64_t to_ns(const struct timespec *t)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)t->tv_sec, WEND_SECOND, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return INT64_MAX;
	return ns;
}

/* 0, or EINTR with the rest. */
static int sleep_relative(int64_t ns, struct timespec *rest)
{
	int64_t end = wend_after(ns), left;

	if (wend_sleep_until(end) == 0)
		return 0;
	left = end - wend_now();
	if (left < 0)
		left = 0;
	if (rest) {
		rest->tv_sec = left / WEND_SECOND;
		rest->tv_nsec = left % WEND_SECOND;
	}
	return EINTR;
}

/* Wall-clock deadlines may move with the clock: those wait in the kernel. */
static int announced_sleep(clockid_t clock, int flags, const struct timespec *t,
			   struct timespec *rest)
{
	int r;
	BLOCK_NEXT(clock_nanosleep)

	wend_block_begin();
	r = next(clock, flags, t, rest);
	wend_block_end();
	return r;
}

BLOCK_EXPORT int clock_nanosleep(clockid_t clock, int flags,
				 const struct timespec *t,
				 struct timespec *rest)
{
	BLOCK_NEXT(clock_nanosleep)

	if (!wend__block_in_task() || !valid(t))
		return next(clock, flags, t, rest);
	if (wend__self->task->held)
		return announced_sleep(clock, flags, t, rest);
	if (flags & TIMER_ABSTIME) {
		if (clock != CLOCK_MONOTONIC)
			return announced_sleep(clock, flags, t, rest);
		return wend_sleep_until(to_ns(t)) ? EINTR : 0;
	}
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return announced_sleep(clock, flags, t, rest);
	return sleep_relative(to_ns(t), rest);
}

BLOCK_EXPORT int nanosleep(const struct timespec *t, struct timespec *rest)
{
	int r;
	BLOCK_NEXT(nanosleep)

	if (!wend__block_in_task() || !valid(t))
		return next(t, rest);
	r = clock_nanosleep(CLOCK_REALTIME, 0, t, rest);
	if (r == 0)
		return 0;
	errno = r;
	return -1;
}

BLOCK_EXPORT int usleep(useconds_t us)
{
	struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };

	return nanosleep(&t, NULL);
}

BLOCK_EXPORT unsigned int sleep(unsigned int seconds)
{
	struct timespec t = { seconds, 0 };

	if (nanosleep(&t, &t) == 0)
		return 0;
	return (unsigned int)t.tv_sec + (t.tv_nsec > 0);
}

/* C11's: -1 for an interruption, another negative number for an error. */
BLOCK_EXPORT int thrd_sleep(const struct timespec *t, struct timespec *rest)
{
	int r;
	BLOCK_NEXT(thrd_sleep)

	if (!wend__block_in_task() || !valid(t))
		return next(t, rest);
	r = clock_nanosleep(CLOCK_REALTIME, 0, t, rest);
	return r == 0 ? 0 : r == EINTR ? -1 : -2;
}
