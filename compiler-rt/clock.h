/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the one clock of the runtime.
 *
 * CLOCK_MONOTONIC in nanoseconds, by way of the vDSO (no system call where
 * the kernel's clock source allows it). Signed: 292 years from boot.
 */
#ifndef WEND_COMPILER_RT_CLOCK_H
#define WEND_COMPILER_RT_CLOCK_H

#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int64_t wend__clock_ns(void)
{
	struct timespec ts;

	/* Cannot fail: the clock exists and ts is writable. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#ifdef __cplusplus
}
#endif

#endif
