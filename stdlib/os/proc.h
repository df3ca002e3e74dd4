/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h - the two halves of wend_os_proc_stop(), for who has to do something
 * in between.
 */
#ifndef STDLIB_OS_PROC_H
#define STDLIB_OS_PROC_H

#include <wend/std/os.h>

/* SIGTERM; nothing of its group is to be left. */
void wend__proc_stop_begin(wend_os_proc *p);

/* Wait for its end; SIGKILL when kill_at has passed. */
void wend__proc_stop_end(wend_os_proc *p, int64_t kill_at,
			 struct wend_os_exit *end);

#endif
