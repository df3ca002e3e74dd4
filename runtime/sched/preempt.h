/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preempt.h - a worker loses its server without having asked for it: because
 * its task blocks in the kernel in a call that nobody announced, or computes
 * for longer than its slice while others wait.
 *
 * Who takes it is the watchdog (runtime/watch), one thread. What is taken is
 * the worker's right to run, never the task's thread: the task is preempted
 * inside malloc() or with a pthread mutex locked, and whoever needs that lock
 * meanwhile blocks in the kernel, which is seen in its turn.
 *
 *      claim
 *      NONE      the worker has its server, or gave it up itself
 *      CLAIMING  the watchdog is about to take it; the worker may say no
 *      STOPPING  the worker is to give it up in a signal handler; the same
 *      GOING     the kernel holds it, and somebody is about to let it go on,
 *                who alone ends this [watch.seat]
 *      TAKEN     it is gone. The worker blocks in its task's code, runs that,
 *                or, if it was STOPPING, waits in the handler
 *      QUEUED    its task is in the global queue, bound to its thread, which
 *                waits or is about to
 *
 *      watchdog                          worker, wend__preempt_off()
 *      claim NONE -> CLAIMING            count 0 -> 1
 *      membarrier()    [preempt.claim]   (compiler barrier) [preempt.claim]
 *      count > 0: CLAIMING -> NONE       look at claim
 *      CLAIMING -> TAKEN                 CLAIMING, STOPPING: -> NONE
 *                                        TAKEN: -> NONE, get a server
 *                                        QUEUED: wait for NONE
 *
 * If the worker's look came before CLAIMING, the watchdog sees its count. If
 * not, both want to change one word, and one of them wins. So while the count
 * is above 0 the claim is NONE, but for one that comes to nothing, and the
 * server the worker's own. Without membarrier() nothing is ever taken. Who is
 * preempted looks at its count itself, in the handler.
 *
 * While TAKEN or QUEUED worker.server still names the server that is gone.
 * The worker itself clears it, or who hands a server to a QUEUED one writes
 * the new one there and says NONE after it.
 *
 * Model: docs/models/preempt.pml.
 */
#ifndef WEND_SCHED_PREEMPT_H
#define WEND_SCHED_PREEMPT_H

#include "runtime/base/preempt.h"
#include "runtime/sched/server.h"

enum wend__claim {
	WEND__CLAIM_NONE,
	WEND__CLAIM_CLAIMING,
	WEND__CLAIM_STOPPING,
	WEND__CLAIM_GOING,
	WEND__CLAIM_TAKEN,
	WEND__CLAIM_QUEUED,
};

/* wend__preempt_on() after a switch. */
static inline void wend__preempt_on_in(struct wend_task *t)
{
	struct wend__preempt *p = t->worker->preempt;

	a32_store_release(&p->count, p->count - 1);
}

/* Installs the worker's side. */
void wend__preempt_start(void);

/* --- the watchdog's side; one thread --------------------------------------- */

/* Take w's server: the caller passes it on with wend__server_pass_on(). NULL:
 * the worker is inside the runtime, or must not lose it now. */
struct wend__server *wend__server_take(struct wend__worker *w);

/* Have another worker run it. Never fails: without a thread it is idle until a
 * worker comes back. */
void wend__server_pass_on(struct wend__server *s);

/* Whether w runs a task's own code, where it may lose its server: a hint. */
bool wend__worker_may_lose(struct wend__worker *w);

/* Ask w to give its server up: a signal must follow. false: not now. */
bool wend__server_stop(struct wend__worker *w);

/* The signal's handler, in w. Returns with a server, unless w is outside by
 * another way than preemption. */
void wend__server_stopped(struct wend__worker *w);

/* Taken, and seen to run: queue its task, cancelled if it is to be. false: it
 * has found out itself, or is queued already. */
bool wend__taken_queue(struct wend__worker *w, bool cancel);

/* Whether some task or timer waits for the worker of s to let go. */
bool wend__server_wanted(struct wend__server *s, int64_t now);
/* The same without those that were preempted, or came back from the kernel. */
bool wend__server_wanted_soon(struct wend__server *s, int64_t now);

#endif
