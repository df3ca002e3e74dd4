/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork.h - what each part does in the child of a fork().
 *
 * The child has one thread, the one that called fork(). The locks of all
 * others, and what those guarded, are in whatever state they were. So nothing
 * of it is used again: each part forgets its memory, without freeing it, and
 * is as it was before the first wend_start().
 */
#ifndef WEND_SCHED_FORK_H
#define WEND_SCHED_FORK_H

/* What the parts above and beside fork.c do; called in the child. */
void wend__start_forked(void);
void wend__global_forked(void);
void wend__tasks_forked(void);

#endif
