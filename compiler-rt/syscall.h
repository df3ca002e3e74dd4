/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall.h - system calls as the kernel offers them.
 *
 * Each returns what the kernel does: a result, or a negative errno value.
 * None touches the C library's errno, is a cancellation point, or passes
 * through a symbol that the runtime interposes, so a scheduler may wait here
 * on behalf of a task without disturbing what the task sees.
 *
 * The kernel's writes are unknown to the sanitizers; nothing here hands it
 * memory to fill except for wend__sched_getaffinity_count()'s own.
 */
#ifndef WEND_COMPILER_RT_SYSCALL_H
#define WEND_COMPILER_RT_SYSCALL_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
#include "compiler-rt/syscall_x86_64.h"
#elif defined(__aarch64__)
#include "compiler-rt/syscall_aarch64.h"
#else
#error "wend runs on x86-64 and aarch64"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* From linux/futex.h, which not every C library's include path has. */
#define WEND__FUTEX_WAKE_PRIVATE        (1 | 128)
#define WEND__FUTEX_WAIT_BITSET_PRIVATE (9 | 128)
#define WEND__FUTEX_BITSET_ANY          0xffffffffu

/*
 * wend__futex_wait - sleep while *w == val.
 *
 *   abs_monotonic_ns  latest time to sleep to; below 0: no limit
 *
 * Returns  0          woken, perhaps for no reason: look at *w again
 *          -EAGAIN    *w was not val
 *          -ETIMEDOUT the time has come
 *          -EINTR     a signal handler ran
 */
static inline int wend__futex_wait(uint32_t *w, uint32_t val,
				   int64_t abs_monotonic_ns)
{
	struct timespec ts, *deadline = NULL;

	if (abs_monotonic_ns >= 0) {
		ts.tv_sec = (time_t)(abs_monotonic_ns / 1000000000);
		ts.tv_nsec = (long)(abs_monotonic_ns % 1000000000);
		deadline = &ts;
	}
	/* BITSET because plain FUTEX_WAIT takes a relative time. */
	return (int)wend__syscall6(SYS_futex, (long)w,
				   WEND__FUTEX_WAIT_BITSET_PRIVATE, (long)val,
				   (long)deadline, 0,
				   (long)WEND__FUTEX_BITSET_ANY);
}

/* Wake at most n of those who sleep on w. Returns how many were. */
static inline int wend__futex_wake(uint32_t *w, int n)
{
	return (int)wend__syscall6(SYS_futex, (long)w, WEND__FUTEX_WAKE_PRIVATE,
				   n, 0, 0, 0);
}

static inline int wend__gettid(void)
{
	return (int)wend__syscall3(SYS_gettid, 0, 0, 0);
}

static inline int wend__tgkill(int tgid, int tid, int sig)
{
	return (int)wend__syscall3(SYS_tgkill, tgid, tid, sig);
}

static inline int wend__membarrier(int cmd, unsigned flags)
{
	return (int)wend__syscall3(SYS_membarrier, cmd, (long)flags, 0);
}

/* How many CPUs the calling thread may run on, 1 or more; or -errno. */
int wend__sched_getaffinity_count(void);

#ifdef __cplusplus
}
#endif

#endif
