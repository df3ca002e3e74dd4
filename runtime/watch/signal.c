/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal.c - stopping a worker where it is.
 *
 * The handler waits, on the signal stack, until the worker is given a server,
 * and returns: to the task nothing has happened but time. In the runtime's own
 * code it does nothing: the worker notices itself on its next way in.
 *
 * EINTR. A signal sent by tgkill() may find its thread in a system call that
 * began a moment ago, and end it: nanosleep(), poll() and others are not
 * restarted when a handler has run, SA_RESTART or not. So none is sent. Each
 * worker that is to be stopped has a timer on its own CPU time, set to the next
 * nanosecond. It fires in the clock's interrupt while the thread runs, and the
 * kernel raises its signal on the thread's way out to user mode, after whatever
 * system call it was in has come to its own end (Linux 5.9 on, x86 and arm64:
 * CONFIG_POSIX_CPU_TIMERS_TASK_WORK). A thread that sleeps uses no CPU time and
 * is left alone. The price: the stop comes with the next tick, 1 to 4 ms late;
 * the watchdog asks that much earlier.
 *
 * Rejected: tgkill() to who has computed for a while: a call begun in that
 * moment saw EINTR within seconds of a test, more often on a busy machine. A
 * perf event that overflows in user mode after 10 us: the machine that it was
 * tried on (a VM, Linux 6.18) spent all its time in the event's interrupt.
 *
 * Why SIGSTKFLT: nothing has raised it on Linux for decades. A real-time signal
 * might be the program's, and SIGURG comes with out-of-band data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "runtime/watch/look.h"
#include "runtime/watch/watch.h"

enum { STOP_SIGNAL = SIGSTKFLT, AGAIN_NS = 20000000 };

static struct sigaction old_action;

static void on_signal(int sig)
{
	struct wend__worker *w = wend__self;
	int err = errno;

	(void)sig;
	if (w)
		wend__server_stopped(w);
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

void wend__signal_worker(struct wend__worker *w, int64_t now)
{
	const struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };

	/* Not at each look: setting the timer anew puts it off. */
	if (now - w->stop_asked_at < AGAIN_NS)
		return;
	w->stop_asked_at = now;
	/* Without a timer the worker stops when it next calls the runtime. */
	if (have_timer(w))
		(void)timer_settime(w->stop_timer, 0, &soon, NULL);
}

void wend__signal_forget(struct wend__worker *w)
{
	if (w->has_stop_timer)
		timer_delete(w->stop_timer);
	w->has_stop_timer = false;
}
