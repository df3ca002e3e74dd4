/* SPDX-License-Identifier: Apache-2.0 */
/*
 * announce.h - how an interposed call of the C library announces itself.
 *
 * The library defines read(), poll() ... itself; the program and the libraries
 * it uses are linked to these. In a task each gives the server up around the
 * C library's own function, found by dlsym(RTLD_NEXT). In any other thread,
 * inside the runtime, and with WEND_INTERPOSE=0, it is that function and
 * nothing else. Semantics, errno and cancellation points are the C library's.
 *
 *	ANNOUNCE(int, flock, (int fd, int operation), (fd, operation))
 */
#ifndef WEND_BLOCK_ANNOUNCE_H
#define WEND_BLOCK_ANNOUNCE_H

#include <stdbool.h>

#include <wend/block.h>

#include "runtime/base/panic.h"
#include "runtime/umcg/port.h"

/* The C library's function of that name; there always is one. */
void *wend__block_next(const char *name);

/* Whether calls of this kernel thread are to be announced. */
bool wend__block_in_task(void);

/*
 * Builds with sanitizers only: whether the caller is the sanitizer's runtime,
 * which opens files for its reports under locks of its own. The task that
 * made it report must not be switched away there.
 */
bool wend__block_by_sanitizer(const void *caller);

/* A function pointer `next` to the C library's name, looked up once. Two
 * threads may both look it up, and find the same. */
#define BLOCK_NEXT(name)                                                       \
	static __typeof__(name) *next_;                                        \
	__typeof__(name) *next = aptr_load_relaxed(&next_);                    \
	if (WEND__UNLIKELY(!next)) {                                           \
		next = (__typeof__(name) *)wend__block_next(#name);            \
		aptr_store_relaxed(&next_, next);                              \
	}

#define BLOCK_EXPORT __attribute__((visibility("default")))

#define ANNOUNCE(type, name, params, args)                                     \
	BLOCK_EXPORT type name params                                          \
	{                                                                      \
		type result;                                                   \
		BLOCK_NEXT(name)                                               \
                                                                               \
		if (!wend__block_in_task())                                    \
			return next args;                                      \
		wend_block_begin();                                            \
		result = next args;                                            \
		wend_block_end();                                              \
		return result;                                                 \
	}

#endif
