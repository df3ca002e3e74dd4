/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic.h - how the runtime ends the process, and what it insists on.
 *
 * Three levels of assertion:
 *   wend__panic      misuse by the program: always on, one plain line
 *   wend__assert     what our own code must have ensured: debug builds
 *   wend__check      whole-structure checks, expensive: debug builds
 */
#ifndef WEND_BASE_PANIC_H
#define WEND_BASE_PANIC_H

#include <stdarg.h>

/* "wend: " and the message on stderr, then the end hook, then SIGABRT. */
__attribute__((noreturn, format(printf, 1, 2), cold)) void
wend__panic(const char *format, ...);

/* One line on stderr, nothing else. */
__attribute__((format(printf, 1, 2), cold)) void
wend__complain(const char *format, ...);

/* Called by wend__panic() after its line: dumps the tasks. May be NULL. */
extern void (*wend__panic_hook)(void);

#ifdef WEND_DEBUG
#define wend__assert(x)                                                        \
	((x) ? (void)0 :                                                       \
	       wend__panic("internal: %s:%d: %s", __FILE__, __LINE__, #x))
#else
#define wend__assert(x) ((void)sizeof(x))
#endif
#define wend__check(x) wend__assert(x)

#define WEND__LIKELY(x)   __builtin_expect(!!(x), 1)
#define WEND__UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
