/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.c - a task announces that it may block in the kernel.
 *
 * It keeps its kernel thread and gives the server away; coming back, it takes
 * an idle server or queues for one.
 */
#include <wend/block.h>
#include <wend/errno.h>

#include "runtime/sched/preempt.h"

void wend_block_begin(void)
{
	struct wend__worker *w = wend__self;
	int err;

	if (!w || !w->task || w->block_depth++)
		return;
	err = errno;
	wend__preempt_off();
	w->task->caller = WEND__CALLER();
	wend__task_move(w->task, WEND__RUNNING, WEND__BLOCKED);
	wend__server_release(w);
	wend__preempt_on();
	errno = err;
}

void wend_block_end(void)
{
	struct wend__worker *w = wend__self;
	int err;

	if (!w || !w->task)
		return;
	if (w->block_depth == 0)
		wend__panic("wend_block_end() without wend_block_begin()");
	if (--w->block_depth)
		return;
	err = errno;
	wend__preempt_off();
	wend__server_acquire(w);
	a8_store_relaxed(&w->task->state, WEND__RUNNING);
	wend__preempt_on();
	errno = err;
}
