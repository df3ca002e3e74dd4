/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - what stops a task that runs over the low end of its stack.
 */
#ifndef WEND_STACK_GUARD_H
#define WEND_STACK_GUARD_H

#include "runtime/stack/stack.h"

/* Find out what this kernel offers; once, before the first guard. */
void wend__guard_start(void);

/* The guard's size: no frame may reach below bottom + this. */
size_t wend__guard_size(void);

#endif
