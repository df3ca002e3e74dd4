/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - what stops a task that runs over the low end of its stack.
 */
#ifndef WEND_STACK_GUARD_H
#define WEND_STACK_GUARD_H

#include "runtime/stack/stack.h"

/* Find out what this kernel offers; once, before the first guard. */
void wend__guard_start(void);
void wend__guard_stop(void);

/* Guards for the first few stacks of a list, cheaper than one by one. */
void wend__guard_install_list(struct wend__stack *list);

/* The guard's size: no frame may reach below bottom + this. */
size_t wend__guard_size(void);

#endif
