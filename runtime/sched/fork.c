/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork.c - the child of a fork() is a program without a running runtime.
 *
 * Whoever called fork(), a task or a thread, goes on in the child as its only
 * thread, on the same stack: a plain thread. For a task the one difference to
 * a thread is where its function returns to. There is no scheduler any more;
 * the child ends as the C library has it for a thread that forked and then
 * returned: by exit(0), and where the function was the one of wend_main(), by
 * exit() with its result.
 *
 * Rejected: taking the runtime's locks around fork(), to go on with one
 * server. The other tasks exist in the child too, but those in the kernel and
 * those that ran on other threads would be missing, with whatever they hold.
 *
 * The child of vfork() shares the parent's memory and runs none of this. It
 * may only call exec and _exit(); but when a call in it announces itself
 * nevertheless, no thread must be started for the server, which would end with
 * the child: see wend__worker_start().
 */
#include "runtime/sched/fork.h"

#include <pthread.h>
#include <string.h>

#include "compiler-rt/membarrier.h"
#include "runtime/base/lone.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/server.h"

/* What was running is kept reachable, for leak checkers. */
static struct wend__runtime abandoned;

static void in_child(void)
{
	struct wend__worker *w = wend__self;

	if (w && w->task)
		w->task->flags |= WEND__TASK_FORKED;
	wend__self = NULL;
	abandoned = wend__rt;
	memset(&wend__rt, 0, sizeof(wend__rt));
	memset(&wend__idle, 0, sizeof(wend__idle));
	memset(&wend__preempt, 0, sizeof(wend__preempt));
	wend__lone = WEND__LONE_OFF;
	if (wend__watchdog)
		wend__watchdog->forked();
	wend__start_forked();
	wend__global_forked();
	wend__tasks_forked();
	wend__stacks_forked();
	wend__port->forked();
	wend__port = &wend__port_emul;
	/* Registered by process. Without it full fences do, on both sides. */
	if (a32_load_relaxed(&wend__membarrier_on) && wend__membarrier_init())
		a32_store_relaxed(&wend__membarrier_on, 0);
}

__attribute__((constructor)) static void be_told(void)
{
	/* No memory for it: then fork() has none either. */
	(void)pthread_atfork(NULL, NULL, in_child);
}
