/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emul.c - the port for every stock kernel, without privilege.
 *
 * A worker is a POSIX thread, a parker a futex. A server is no thread but a
 * token that a worker holds (runtime/sched/server.h), so this port has
 * nothing to say about servers.
 *
 * Rejected: a thread for each server, as UMCG's document has it. Each block
 * would cost two more thread switches; measured on an echo server it gave a
 * third less throughput than tokens.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler-rt/membarrier.h"
#include "compiler-rt/syscall.h"
#include "runtime/umcg/port.h"

/*
 * A worker's own stack runs the scheduler and nothing of the program's but
 * thread-local destructors. The C library takes room for the program's
 * thread-local variables from it: that is added by pthread_attr_setstacksize's
 * lower bound.
 */
#if WEND__ASAN || WEND__TSAN
enum { WORKER_STACK = 512 * 1024 };
#else
enum { WORKER_STACK = 64 * 1024 };
#endif

/*
 * The signal mask of whoever started the runtime. Workers are created by
 * whichever thread happens to need one, at a moment when that thread may have
 * blocked signals; and what a task forks inherits its worker's mask.
 */
static sigset_t start_mask;

static int emul_start(uint64_t seed)
{
	(void)seed;
	pthread_sigmask(SIG_SETMASK, NULL, &start_mask);
	/* A failure leaves full fences on both sides, which is right too. */
	(void)wend__membarrier_init();
	return 0;
}

static void emul_stop(void)
{
}

static void emul_forked(void)
{
}

static void *thread_main(void *arg)
{
	struct wend__thread *t = arg;
	struct wend__fiber own;

	pthread_sigmask(SIG_SETMASK, &start_mask, NULL);
	/* An error leaves the stack's bounds unknown to ASan: false reports at
	 * worst, in a build that looks for true ones. */
	(void)wend__fiber_of_thread(&own);
	wend__fiber_now = &own;
	t->main(t->arg);
	return NULL;
}

/* The stack's size: ours, and the C library's least one beside it. */
static size_t thread_stack_size(void)
{
	long least = sysconf(_SC_THREAD_STACK_MIN);

	return WORKER_STACK + (least > 0 ? (size_t)least : PTHREAD_STACK_MIN);
}

static int emul_thread_start(struct wend__thread *t)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attr, thread_stack_size());
	if (r == 0) {
		/* No handler before the thread has set its mask. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		r = pthread_create(&t->id, &attr, thread_main, t);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attr);
	return -r;
}

static void emul_thread_join(struct wend__thread *t)
{
	pthread_join(t->id, NULL);
}

static void emul_thread_leave(struct wend__thread *t)
{
	(void)t; /* t->id may not be written yet */
	pthread_detach(pthread_self());
}

/*
 * [parker.permit]
 *      waiter                          waker
 *      permit 1 -> 0? done             permit = 1 (full)
 *      futex_wait(permit == 0)         futex_wake
 *
 * The kernel compares under its own lock, so a permit put down between the
 * look and the wait is seen. Acquire and release carry what the waker wrote.
 */
static int emul_park(struct wend__parker *p, int64_t deadline)
{
	while (!a32_cas_acquire(&p->permit, 1, 0)) {
		int r = wend__futex_wait(&p->permit, 0,
					 deadline == INT64_MAX ? -1 : deadline);

		if (r == -ETIMEDOUT)
			return a32_cas_acquire(&p->permit, 1, 0) ? 0 : r;
	}
	return 0;
}

static void emul_unpark(struct wend__parker *p)
{
	uint32_t was = a32_swap_full(&p->permit, WEND__PARKER_PERMIT);

	if (was == WEND__PARKER_NONE)
		wend__futex_wake(&p->permit, 1);
	else if (was == WEND__PARKER_POLLING)
		wend__parker_kick(p); /* [parker.poller] */
}

const struct wend__port wend__port_emul = {
	.name = "emul",
	.start = emul_start,
	.stop = emul_stop,
	.forked = emul_forked,
	.thread_start = emul_thread_start,
	.thread_join = emul_thread_join,
	.thread_leave = emul_thread_leave,
	.park = emul_park,
	.unpark = emul_unpark,
	.now = wend__clock_ns,
};
