/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/base.h - what every public header shares: linkage, attributes, time.
 *
 * Conventions of the whole API
 *   Results   0 or a count on success, a negative errno value on failure.
 *             Nothing is reported through errno: it belongs to the caller.
 *   Time      signed 64-bit nanoseconds. A deadline is absolute and counts
 *             CLOCK_MONOTONIC; 0 has always passed, so it polls.
 *   Context   unless said otherwise, a call may be made from any task and
 *             from any thread of the program, while the runtime runs. A task
 *             that waits is switched away; a thread that waits sleeps.
 *   Waiting   a task that waits may go on with another kernel thread: do not
 *             keep addresses of thread-local variables over such a call.
 *   Misuse    (closing a closed channel, unlocking what is not locked) ends
 *             the process with one line on stderr and SIGABRT.
 */
#ifndef WEND_BASE_H
#define WEND_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define WEND_BEGIN_DECLS extern "C" {
#define WEND_END_DECLS   }
#else
#define WEND_BEGIN_DECLS
#define WEND_END_DECLS
#endif

#define WEND_API        __attribute__((visibility("default")))
#define WEND_MUST_CHECK __attribute__((warn_unused_result))

/* A deadline that never passes. */
#define WEND_FOREVER INT64_MAX

#define WEND_NANOSECOND  INT64_C(1)
#define WEND_MICROSECOND INT64_C(1000)
#define WEND_MILLISECOND INT64_C(1000000)
#define WEND_SECOND      INT64_C(1000000000)

#endif
