/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/block.h - announcing that a call may block in the kernel.
 *
 * The C library's blocking calls announce themselves (docs/BLOCKING.md has
 * the list): a task simply calls read() or getaddrinfo(), and its server runs
 * other tasks meanwhile. Code that reaches the kernel some other way, or
 * works for long without a call, may say so itself:
 *
 *	wend_block_begin();
 *	n = syscall(SYS_something, ...);
 *	wend_block_end();
 */
#ifndef WEND_BLOCK_H
#define WEND_BLOCK_H

#include <wend/base.h>

WEND_BEGIN_DECLS

/*
 * wend_block_begin - give the server up: other tasks run from here on.
 * wend_block_end   - take a server back, waiting for one if need be.
 *
 * Between the two the task keeps its kernel thread and must make no call of
 * this library but wend_block_begin() and wend_block_end(), which nest.
 * In a thread that is no task both do nothing. errno is kept.
 * Misuse   an end without a begin.
 * Cost     some tens of nanoseconds when nothing else wants to run.
 */
WEND_API void wend_block_begin(void);
WEND_API void wend_block_end(void);

WEND_END_DECLS

#endif
