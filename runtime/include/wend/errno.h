/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/errno.h - errno in code that runs in tasks.
 *
 * Each task keeps its own errno. But a task may go on with another kernel
 * thread after a wait, and compilers may keep the address of the old thread's
 * errno over the call. In files that include this header (<wend/wend.h> does)
 * errno is looked up afresh at each use.
 */
#ifndef WEND_ERRNO_H
#define WEND_ERRNO_H

#include <errno.h>
#include <wend/base.h>

WEND_BEGIN_DECLS

/* The address of the calling task's or thread's errno, valid until the next
 * call that may wait. */
WEND_API int *wend_errno_location(void);

WEND_END_DECLS

#undef errno
#define errno (*wend_errno_location())

#endif
