/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal.c - stopping a worker that runs its task's code without a server.
 *
 * The handler waits, on the signal stack, until the worker is given a server,
 * and returns: to the task nothing has happened but time. In the runtime's own
 * code it does nothing: the worker notices itself on its next way in.
 *
 * EINTR. A signal may find its thread in a system call that began a moment ago,
 * and end it: nanosleep(), poll() and others are not restarted when a handler
 * has run, SA_RESTART or not. So there are two ways to send one:
 *
 *   by a timer on the worker's own CPU time, set to the next nanosecond, for
 *       one that may block again at any moment, as it did lately. It fires
 *       in the clock's interrupt while the thread runs, and the kernel raises
 *       its signal on the thread's way out to user mode, after whatever system
 *       call it was in has come to its own end (Linux 5.9 on, x86 and arm64:
 *       CONFIG_POSIX_CPU_TIMERS_TASK_WORK). A thread that sleeps uses no CPU
 *       time. The stop comes with the next tick, 1 to 4 ms late.
 *
 *   by tgkill(), for one that has computed without a pause for a whole slice:
 *       at once. It may begin a call in that very moment all the same:
 *
 *       An announced one: on its way there it comes by wend__signal_settle(),
 *       which lets it go on only when no signal can come any more.
 *
 *           watchdog                          worker
 *           sent++                            claim STOPPING -> NONE
 *           claim NONE -> STOPPING            until done == sent
 *           tgkill()                          enter the kernel once: the
 *           done = sent                       handler runs on the way out
 *
 *       sent is raised before the worker can see that it is to be stopped, so
 *       it waits for a signal that is still to be sent.
 *
 *       A raw one that waits for a time (nanosleep, poll, futex): until the
 *       handler returns, the kernel still knows how to go on with it, so the
 *       handler does that, and gives the call the result. What is left is a
 *       system call by inline assembly, of a kind that the kernel forgets
 *       (epoll_wait, select, semop), begun in the microseconds between the
 *       watchdog's look and its signal: docs/CAVEATS.md.
 *
 * Why SIGSTKFLT: nothing has raised it on Linux for decades. A real-time signal
 * might be the program's, and SIGURG comes with out-of-band data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"
#include "runtime/watch/look.h"
#include "runtime/watch/watch.h"

enum { STOP_SIGNAL = SIGSTKFLT };

static struct sigaction old_action;

/* The result of the system call that the signal ended with EINTR; NULL: it
 * found the thread elsewhere. */
static long *interrupted_call(ucontext_t *c)
{
#if defined(__x86_64__)
	greg_t *regs = c->uc_mcontext.gregs;
	const unsigned char *pc = (const unsigned char *)regs[REG_RIP];

	if (regs[REG_RAX] != -EINTR || pc[-2] != 0x0f || pc[-1] != 0x05)
		return NULL;
	return (long *)&regs[REG_RAX];
#elif defined(__aarch64__)
	uint32_t svc;

	memcpy(&svc, (const void *)(c->uc_mcontext.pc - 4), sizeof(svc));
	if ((long)c->uc_mcontext.regs[0] != -EINTR || svc != 0xd4000001)
		return NULL;
	return (long *)&c->uc_mcontext.regs[0];
#else
	(void)c;
	return NULL;
#endif
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	struct wend__worker *w = wend__self;
	int err = errno;
	long *result;

	(void)sig;
	if (!w)
		return;
	(void)wend__server_stopped(w);
	result = info->si_code == SI_TKILL ? interrupted_call(context) : NULL;
	if (result) /* -EINTR again where there is nothing to go on with */
		*result = wend__syscall3(SYS_restart_syscall, 0, 0, 0);
	errno = err;
}

int wend__signal_start(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_signal;
	/* On the signal stack: a task's own may have no room for a frame with
	 * all vector registers. */
	sa.sa_flags = SA_RESTART | SA_ONSTACK | SA_SIGINFO;
	return sigaction(STOP_SIGNAL, &sa, &old_action) ? -errno : 0;
}

void wend__signal_stop(void)
{
	struct sigaction now;

	if (sigaction(STOP_SIGNAL, NULL, &now) == 0 &&
	    (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal)
		sigaction(STOP_SIGNAL, &old_action, NULL);
}

static bool have_timer(struct wend__worker *w)
{
	struct sigevent event;
	timer_t timer;

	if (w->has_stop_timer)
		return true;
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = STOP_SIGNAL;
	event._sigev_un._tid = (pid_t)w->tid;
	if (timer_create(wend__thread_clock_id(w->tid), &event, &timer))
		return false;
	w->stop_timer = timer;
	w->has_stop_timer = true;
	return true;
}

void wend__signal_soon(struct wend__worker *w)
{
	const struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };

	/* Without a timer the worker stops when it next calls the runtime. */
	if (have_timer(w))
		(void)timer_settime(w->stop_timer, 0, &soon, NULL);
}

void wend__signal_begin(struct wend__worker *w)
{
	a32_store_full(&w->signals_sent, w->signals_sent + 1);
}

void wend__signal_now(struct wend__worker *w)
{
	(void)wend__syscall3(SYS_tgkill, getpid(), (long)w->tid, STOP_SIGNAL);
}

void wend__signal_end(struct wend__worker *w)
{
	a32_store_release(&w->signals_done, w->signals_sent);
}

void wend__signal_settle(struct wend__worker *w)
{
	while (a32_load_acquire(&w->signals_done) !=
	       a32_load_acquire(&w->signals_sent))
		(void)wend__syscall3(SYS_sched_yield, 0, 0, 0);
	/* One that is pending comes on the way out of here. */
	(void)wend__syscall3(SYS_sched_yield, 0, 0, 0);
}

void wend__signal_forget(struct wend__worker *w)
{
	if (w->has_stop_timer)
		timer_delete(w->stop_timer);
	w->has_stop_timer = false;
}
