/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.h - task-local values.
 */
#ifndef WEND_SCHED_LOCAL_H
#define WEND_SCHED_LOCAL_H

struct wend_task;

/* Drop the values of a task that ends, or of a thread. */
void wend__locals_drop(struct wend_task *t);

#endif
