/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catch.c - the signal handler, and its pipe. Protocol: catch.h.
 *
 * The child of a fork() has no task to read: there the handlers are taken out
 * again, so that SIGTERM ends it as it would have. A signal that comes to the
 * child before that is done is held back until it is, so the signals are
 * blocked over the fork().
 *
 * This file has the thread's plain errno: wend's must not be used in a handler.
 *
 * ThreadSanitizer puts another handler in the place of each that is installed
 * by sigaction(), and runs the program's when the thread next calls something
 * that it intercepts. A worker without work sleeps in a system call that it
 * knows nothing of: a SIGTERM that finds such a worker would never be told of.
 * It does so because most handlers, built for it, call into it while it is in
 * the middle of something. This file is built without it, so its handler calls
 * nothing of it, and is given to the C library itself.
 */
#define _GNU_SOURCE
#include "stdlib/os/catch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"

static _Atomic uint64_t pending;
static _Atomic uint64_t installed;
static struct sigaction before[WEND__SIGNALS + 1];
static int ends[2] = { -1, -1 };

/* Defined where they are: the second in glibc, by which it is sigaction(). */
extern void __tsan_init(void) __attribute__((__weak__));
extern int __sigaction(int sig, const struct sigaction *sa,
		       struct sigaction *old) __attribute__((__weak__));

/* write() is the runtime's, and so is syscall(): not for handlers. */
static void write_byte(void)
{
	/* A full pipe will do, see catch.h. */
	(void)wend__syscall3(SYS_write, ends[1], (long)"", 1);
}

static void on_signal(int sig)
{
	uint64_t bit = wend__signal_bit(sig);

	if (!(atomic_fetch_or(&pending, bit) & bit))
		write_byte();
}

/* --- the pipe ------------------------------------------------------------------- */

int wend__catch_open(void)
{
	if (ends[0] >= 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC)) {
		ends[0] = ends[1] = -1;
		return -errno;
	}
	/* Only the writing end must not wait. */
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	return 0;
}

uint64_t wend__catch_take(void)
{
	return atomic_exchange(&pending, 0);
}

void wend__catch_wait(void)
{
	char bytes[64];

	/* An error (EINTR) has the caller look once too often. */
	(void)!read(ends[0], bytes, sizeof(bytes));
}

void wend__catch_wake(void)
{
	write_byte();
}

/* --- dispositions ------------------------------------------------------------------ */

static int set_action(int sig, const struct sigaction *sa,
		      struct sigaction *old)
{
	if (__tsan_init && __sigaction)
		return __sigaction(sig, sa, old);
	return sigaction(sig, sa, old);
}

int wend__catch_install(int sig)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	/* Tasks' stacks are small: on the thread's signal stack. */
	sa.sa_flags = SA_RESTART | SA_ONSTACK;
	sigfillset(&sa.sa_mask);
	if (set_action(sig, NULL, &before[sig]))
		return -errno;
	/* Noted first: a child that is forked meanwhile puts it back. */
	atomic_fetch_or(&installed, wend__signal_bit(sig));
	if (set_action(sig, &sa, NULL)) {
		atomic_fetch_and(&installed, ~wend__signal_bit(sig));
		return -errno;
	}
	return 0;
}

/* What was sent to the process before is often still on its way to some thread,
 * and would meet the default action. Unblocking it here has the kernel deliver
 * it here. */
static void take_delivery(int sig)
{
	sigset_t one, mask_before;

	sigemptyset(&one);
	sigaddset(&one, sig);
	if (pthread_sigmask(SIG_BLOCK, &one, &mask_before) == 0)
		(void)pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

void wend__catch_restore(int sig)
{
	take_delivery(sig);
	(void)set_action(sig, &before[sig], NULL);
	atomic_fetch_and(&installed, ~wend__signal_bit(sig));
}

uint64_t wend__catch_installed(void)
{
	return atomic_load(&installed);
}

/* --- fork ---------------------------------------------------------------------------- */

/* Not "initial-exec", which gold, a linker, gets wrong for local variables of a
 * shared library. */
static __thread struct {
	bool blocked;
	sigset_t before;
} mask;

static void before_fork(void)
{
	sigset_t all;

	mask.blocked = atomic_load(&installed) != 0;
	if (!mask.blocked)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask.before);
}

static void in_parent(void)
{
	if (mask.blocked)
		pthread_sigmask(SIG_SETMASK, &mask.before, NULL);
}

static void in_child(void)
{
	uint64_t bits = atomic_load(&installed);

	for (int sig = 1; sig <= WEND__SIGNALS; sig++)
		if (bits & wend__signal_bit(sig))
			wend__catch_restore(sig);
	atomic_store(&pending, 0); /* the parent's */
	if (ends[0] >= 0) {
		close(ends[0]);
		close(ends[1]);
		ends[0] = ends[1] = -1;
	}
	in_parent();
}

__attribute__((constructor)) static void be_told_of_forks(void)
{
	/* No memory for it: then fork() has none either. */
	(void)pthread_atfork(before_fork, in_parent, in_child);
}
