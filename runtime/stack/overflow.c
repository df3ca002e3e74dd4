/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overflow.c - say whose stack overflowed, instead of a bare crash.
 *
 * The guard page raises SIGSEGV; the handler runs on a signal stack of the
 * kernel thread, as the task's has no room left. Any other fault is passed on
 * to whoever handled the signal before us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "compiler-rt/fiber.h"
#include "runtime/base/panic.h"
#include "runtime/stack/guard.h"
#include "runtime/stack/stack.h"

/* AVX-512 state alone takes 3 KiB of a signal frame; formatting the rest. */
enum { SIGNAL_STACK = 32 * 1024 };

static void (*describe_owner)(void *owner, char *buf, size_t size);
static struct sigaction old_segv, old_bus;
static bool installed;

static bool in_guard(const struct wend__stack *s, const char *address)
{
	return address < s->bottom + wend__guard_size();
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
	const struct sigaction *old = sig == SIGBUS ? &old_bus : &old_segv;

	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(sig, info, context);
	} else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
		old->sa_handler(sig);
	} else {
		/* Return into the fault with the default action in place. */
		signal(sig, SIG_DFL);
	}
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct wend__stack *s = wend__stack_find(info->si_addr);
	char who[128] = "a task";

	if (!s || !in_guard(s, info->si_addr)) {
		pass_on(sig, info, context);
		return;
	}
	if (s->owner && describe_owner)
		describe_owner(s->owner, who, sizeof(who));
	wend__panic_hook = NULL;
	wend__panic("%s overflowed its stack of %u bytes", who, s->size);
}

int wend__overflow_start(void (*describe)(void *owner, char *buf, size_t size))
{
	struct sigaction sa;

	describe_owner = describe;
	if (installed) /* in the child of a fork, from the parent */
		return 0;
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_fault;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSEGV, &sa, &old_segv))
		return -errno;
	if (sigaction(SIGBUS, &sa, &old_bus)) {
		int r = -errno;

		sigaction(SIGSEGV, &old_segv, NULL);
		return r;
	}
	installed = true;
	return 0;
}

/* Put the old handlers back, unless the program has set its own since. */
static void restore(int sig, const struct sigaction *old)
{
	struct sigaction now;

	if (sigaction(sig, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
	    now.sa_sigaction == on_fault)
		sigaction(sig, old, NULL);
}

void wend__overflow_stop(void)
{
	if (!installed)
		return;
	restore(SIGSEGV, &old_segv);
	restore(SIGBUS, &old_bus);
	installed = false;
}

int wend__overflow_thread(void)
{
	stack_t ss = { .ss_size = SIGNAL_STACK };

	/* ASan gives its threads one of its own. */
	if (WEND__ASAN)
		return 0;
	ss.ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ss.ss_sp == MAP_FAILED)
		return -ENOMEM;
	if (sigaltstack(&ss, NULL)) {
		int r = -errno;

		munmap(ss.ss_sp, SIGNAL_STACK);
		return r;
	}
	return 0;
}

void wend__overflow_thread_end(void)
{
	stack_t off = { .ss_flags = SS_DISABLE }, old;

	if (WEND__ASAN)
		return;
	if (sigaltstack(&off, &old) == 0 && !(old.ss_flags & SS_DISABLE))
		munmap(old.ss_sp, old.ss_size);
}
