/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.c - who is told of which signal, and the task that tells.
 *
 * Invariants, state.lock held:
 *   N1  a signal is caught if and only if a listener has its bit
 *   N2  a listener has at least one bit
 *   N3  there are listeners => the task runs
 * Contexts are cancelled when the lock is free again: their hooks may do
 * anything.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <wend/std/os.h>
#include <wend/sync.h>
#include <wend/task.h>

#include "stdlib/os/catch.h"

struct listener {
	struct listener *next;
	wend_chan *chan; /* one of the two */
	wend_ctx *ctx;   /* a reference */
	uint64_t set;
};

static struct {
	wend_mutex lock;
	struct listener *list;
	bool running;
} state;

/* Only what may be caught, and does not have the same cause again when its
 * handler returns. Bits of the signals; 0: one of them is not to be had. */
static uint64_t bits_of(const int *sigs, size_t n)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		switch (sigs[i]) {
		case SIGKILL:
		case SIGSTOP:
		case SIGSEGV:
		case SIGBUS:
		case SIGFPE:
		case SIGILL:
		case SIGTRAP:
		case SIGSTKFLT: /* the runtime's */
			return 0;
		}
		if (sigs[i] < 1 || sigs[i] > WEND__SIGNALS ||
		    (sigs[i] >= 32 && sigs[i] < SIGRTMIN))
			return 0;
		bits |= wend__signal_bit(sigs[i]);
	}
	return bits;
}

/* --- the list, its lock held ------------------------------------------------------- */

static uint64_t wanted_locked(void)
{
	uint64_t bits = 0;

	for (struct listener *l = state.list; l; l = l->next)
		bits |= l->set;
	return bits;
}

/* N1, after listeners have gone. */
static void restore_unwanted_locked(void)
{
	uint64_t bits = wend__catch_installed() & ~wanted_locked();

	for (int sig = 1; sig <= WEND__SIGNALS; sig++)
		if (bits & wend__signal_bit(sig))
			wend__catch_restore(sig);
	if (!state.list && state.running)
		wend__catch_wake();
}

static int install_locked(uint64_t bits)
{
	int r = 0;

	bits &= ~wend__catch_installed();
	for (int sig = 1; sig <= WEND__SIGNALS && r == 0; sig++)
		if (bits & wend__signal_bit(sig))
			r = wend__catch_install(sig);
	return r;
}

/* Take listeners without bits out of the list, into another. */
static void sweep_locked(struct listener **gone)
{
	struct listener **link = &state.list, *l;

	while ((l = *link)) {
		if (l->set) {
			link = &l->next;
			continue;
		}
		*link = l->next;
		l->next = *gone;
		*gone = l;
	}
}

static void tell_chan(const struct listener *l, uint64_t bits)
{
	for (int sig = 1; sig <= WEND__SIGNALS; sig++)
		if (bits & l->set & wend__signal_bit(sig))
			/* Full: it has one to look at already. */
			(void)!wend_chan_send_try(l->chan, &sig);
}

/* Tell of what has come; contexts to be cancelled are moved to gone. */
static void tell_locked(struct listener **gone)
{
	uint64_t bits = wend__catch_take();

	if (!bits)
		return;
	for (struct listener *l = state.list; l; l = l->next) {
		if (l->chan)
			tell_chan(l, bits);
		else if (l->set & bits)
			l->set = 0;
	}
	sweep_locked(gone);
	restore_unwanted_locked();
}

/* The lock is free. */
static void free_all(struct listener *l, bool cancel)
{
	struct listener *next;

	for (; l; l = next) {
		next = l->next;
		if (cancel && l->ctx)
			wend_ctx_cancel_cause(l->ctx, -EINTR);
		wend_ctx_unref(l->ctx);
		free(l);
	}
}

/* --- the task ------------------------------------------------------------------------ */

static void tell_all(void *args)
{
	bool running = true;

	(void)args;
	while (running) {
		struct listener *gone = NULL;

		wend__catch_wait();
		wend_mutex_lock(&state.lock);
		tell_locked(&gone);
		running = state.running = state.list != NULL;
		wend_mutex_unlock(&state.lock);
		free_all(gone, true);
	}
}

static int start_locked(void)
{
	wend_attr attr = { .name = "signals" };
	int r = wend__catch_open();

	if (r || state.running)
		return r;
	r = wend_spawn(&attr, tell_all, NULL, 0);
	state.running = r == 0;
	return r;
}

/* --- listening ------------------------------------------------------------------------ */

static struct listener *listener_locked(wend_chan *chan, wend_ctx *ctx)
{
	struct listener *l = state.list;

	while (l && (l->chan != chan || l->ctx != ctx))
		l = l->next;
	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->chan = chan;
	l->ctx = wend_ctx_ref(ctx);
	l->next = state.list;
	state.list = l;
	return l;
}

static int listen_to(wend_chan *chan, wend_ctx *ctx, const int *sigs, size_t n)
{
	struct listener *gone = NULL, *l;
	uint64_t bits = bits_of(sigs, n), had;
	int r;

	if (!bits)
		return -EINVAL;
	wend_mutex_lock(&state.lock);
	r = start_locked();
	if (r)
		goto out;
	l = listener_locked(chan, ctx);
	if (!l) {
		r = -ENOMEM;
		goto out;
	}
	had = l->set;
	/* Before they are caught: the first is told, too. */
	l->set |= bits;
	r = install_locked(bits);
	if (r)
		l->set = had;
out:
	sweep_locked(&gone);
	restore_unwanted_locked();
	wend_mutex_unlock(&state.lock);
	free_all(gone, false);
	return r;
}

int wend_os_notify(wend_chan *c, const int *sigs, size_t n)
{
	return c ? listen_to(c, NULL, sigs, n) : -EINVAL;
}

int wend_os_notify_ctx(wend_ctx *ctx, const int *sigs, size_t n)
{
	return ctx ? listen_to(NULL, ctx, sigs, n) : -EINVAL;
}

/* Take bits from the listeners of chan or ctx, or with neither from all. */
static void unlisten(wend_chan *chan, wend_ctx *ctx, uint64_t bits)
{
	struct listener *told = NULL, *gone = NULL;

	wend_mutex_lock(&state.lock);
	/* What has come by now was for those who listen still. */
	tell_locked(&told);
	for (struct listener *l = state.list; l; l = l->next)
		if ((!chan && !ctx) || (l->chan == chan && l->ctx == ctx))
			l->set &= ~bits;
	sweep_locked(&gone);
	restore_unwanted_locked();
	wend_mutex_unlock(&state.lock);
	free_all(told, true);
	free_all(gone, false);
}

void wend_os_notify_stop(wend_chan *c)
{
	if (c)
		unlisten(c, NULL, UINT64_MAX);
}

void wend_os_notify_ctx_stop(wend_ctx *ctx)
{
	if (ctx)
		unlisten(NULL, ctx, UINT64_MAX);
}

int wend_os_signal_reset(const int *sigs, size_t n)
{
	uint64_t bits = n ? bits_of(sigs, n) : UINT64_MAX;

	if (!bits)
		return -EINVAL;
	unlisten(NULL, NULL, bits);
	return 0;
}

int wend_os_signal_ignore(const int *sigs, size_t n)
{
	struct sigaction sa;

	if (!bits_of(sigs, n))
		return -EINVAL;
	unlisten(NULL, NULL, bits_of(sigs, n));
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	for (size_t i = 0; i < n; i++)
		if (sigaction(sigs[i], &sa, NULL))
			return -errno;
	return 0;
}

/* --- fork ----------------------------------------------------------------------------- */

static void in_child(void)
{
	static struct listener *abandoned;

	abandoned = state.list; /* for leak checkers */
	(void)abandoned;
	memset(&state, 0, sizeof(state));
}

__attribute__((constructor)) static void be_told_of_forks(void)
{
	/* No memory for it: then fork() has none either. */
	(void)pthread_atfork(NULL, NULL, in_child);
}
