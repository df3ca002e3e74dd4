/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal.c - stopping a worker that runs its task's code without a server.
 *
 * The handler waits, on the signal stack, until the worker is given a server,
 * and returns: to the task nothing has happened but time. In the runtime's own
 * code it does nothing: the worker notices itself when it leaves.
 *
 * EINTR. Only a worker that was seen running is signalled, and SA_RESTART has
 * the kernel restart what can be. What it never restarts (nanosleep, poll,
 * epoll_wait ...) must not be interrupted in the first place: those calls are
 * announced, and on its way into one the worker comes by wend__signal_settle(),
 * which lets it go on only when no signal can come any more:
 *
 *      watchdog                          worker
 *      sent++                            claim == QUEUED: wait
 *      TAKEN -> QUEUED, queue the task   claim == NONE
 *      tgkill()                          until seen == sent: enter the kernel
 *                                        (the handler runs, seen++)
 *
 * sent is raised before the worker can be handed a server, so it waits for a
 * signal that is still to be sent.
 *
 * Why SIGSTKFLT: nothing has raised it on Linux for decades. A real-time signal
 * might be the program's, and SIGURG comes with out-of-band data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"
#include "runtime/watch/watch.h"

enum { STOP_SIGNAL = SIGSTKFLT };

static struct sigaction old_action;

static void on_signal(int sig)
{
	struct wend__worker *w = wend__self;
	struct wend__preempt *p;
	int err = errno;

	(void)sig;
	if (!w)
		return;
	p = w->preempt;
	a32_store_release(&w->signals_seen, w->signals_seen + 1);
	if (p->count == 0)
		while (a32_load_acquire(&p->claim) == WEND__CLAIM_QUEUED)
			(void)wend__port->park(&w->parker, INT64_MAX);
	errno = err;
}

int wend__signal_start(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	/* On the signal stack: a task's own may have no room for a frame with
	 * all vector registers. */
	sa.sa_flags = SA_RESTART | SA_ONSTACK;
	return sigaction(STOP_SIGNAL, &sa, &old_action) ? -errno : 0;
}

void wend__signal_stop(void)
{
	struct sigaction now;

	if (sigaction(STOP_SIGNAL, NULL, &now) == 0 &&
	    now.sa_handler == on_signal)
		sigaction(STOP_SIGNAL, &old_action, NULL);
}

static void send(struct wend__worker *w)
{
	(void)wend__syscall3(SYS_tgkill, getpid(), (long)w->tid, STOP_SIGNAL);
}

static void raise_sent(struct wend__worker *w, uint32_t by)
{
	a32_store_full(&w->signals_sent, w->signals_sent + by);
}

void wend__signal_worker(struct wend__worker *w, bool cancel)
{
	/* ThreadSanitizer holds signals back until the next call that blocks. */
	if (WEND__TSAN)
		return;
	/* The last one has not come through: the program blocks it. */
	if (a32_load_acquire(&w->signals_seen) != w->signals_sent)
		return;
	raise_sent(w, 1);
	if (wend__taken_queue(w, cancel) ||
	    a32_load_acquire(&w->preempt->claim) == WEND__CLAIM_QUEUED)
		send(w);
	else
		raise_sent(w, (uint32_t)-1);
}

static bool signal_blocked(void)
{
	sigset_t mask;

	return pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 &&
	       sigismember(&mask, STOP_SIGNAL);
}

void wend__signal_settle(struct wend__worker *w)
{
	while (w->signals_seen != a32_load_acquire(&w->signals_sent)) {
		if (signal_blocked())
			return;
		(void)wend__syscall3(SYS_sched_yield, 0, 0, 0);
	}
}
