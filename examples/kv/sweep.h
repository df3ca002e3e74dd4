/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.h - expired keys that nobody asks for.
 */
#ifndef EXAMPLES_KV_SWEEP_H
#define EXAMPLES_KV_SWEEP_H

#include <wend/task.h>

/* Start the task that removes them; 0 or -ENOMEM. */
int kv_sweep_start(wend_task **sweeper);
void kv_sweep_stop(wend_task *sweeper);

#endif
