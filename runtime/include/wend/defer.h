/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/defer.h - run something at the end of the enclosing block.
 *
 *	FILE *f = fopen(path, "r");
 *	wend_defer(close_file, f);
 *
 * fn(arg) is called when the block is left: by its end, return, break or
 * goto, and by a C++ exception (in C with -fexceptions). Several run in
 * reverse order. arg is evaluated where wend_defer stands. Not run by exit(),
 * nor when the process ends.
 */
#ifndef WEND_DEFER_H
#define WEND_DEFER_H

#include <wend/base.h>
#include <wend/pp.h>

struct wend__defer {
	void (*fn)(void *arg);
	void *arg;
};

static inline void wend__defer_run(struct wend__defer *d)
{
	d->fn(d->arg);
}

#define wend_defer(function, argument)                                         \
	__attribute__((cleanup(wend__defer_run), unused)) struct wend__defer   \
	WEND__PP_CAT(wend__defer_, __COUNTER__) = { (function), (argument) }

#endif
