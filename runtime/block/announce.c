/* SPDX-License-Identifier: Apache-2.0 */
/*
 * announce.c - when to announce, and whom to call.
 */
#define _GNU_SOURCE
#include "runtime/block/announce.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include <wend/errno.h>
#include <wend/time.h>

#include "runtime/base/env.h"
#include "runtime/block/preload.h"
#include "runtime/sched/call_limit.h"

void *wend__block_nexts[WEND__CALLS];
uint32_t wend__block_on;
const struct timespec wend__block_past = { 0, 0 };

/* NULL if there is none. */
static void *find(enum wend__call call)
{
	const struct wend__block_call *c = &wend__block_calls[call];
	void *f;

	if (!c->name)
		return NULL;
	f = wend__preload_next(c->name, c->version);
	/* Nothing after us: then the C library is before us, where only another
	 * library brought us in. */
	if (!f)
		f = dlsym(RTLD_DEFAULT, c->name);
	return f == c->wrapper ? NULL : f;
}

void *wend__block_look_up(enum wend__call call)
{
	void *f = find(call);

	if (!f)
		wend__panic("no %s() in the C library",
			    wend__block_calls[call].name);
	aptr_store_relaxed(&wend__block_nexts[call], f);
	return f;
}

bool wend__block_timed(clockid_t clock, const struct timespec *deadline)
{
	return (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) &&
	       deadline && deadline->tv_nsec >= 0 &&
	       deadline->tv_nsec < 1000000000;
}

bool wend__block_disturbed(void)
{
	struct wend__worker *w = wend__self;

	return w && w->submitted;
}

bool wend__block_again(void)
{
	return errno == EINTR && wend__block_disturbed();
}

int64_t wend__block_end_of(const struct timespec *timeout)
{
	int64_t ns;

	if (!timeout ||
	    __builtin_mul_overflow((int64_t)timeout->tv_sec, WEND_SECOND, &ns))
		return WEND_FOREVER;
	return wend_after(ns + timeout->tv_nsec % WEND_SECOND);
}

bool wend__block_again_until(int64_t end, const struct timespec **timeout,
			     struct timespec *rest)
{
	int64_t left = end - wend_now();

	if (!wend__block_again())
		return false;
	if (*timeout) {
		left = left < 0 ? 0 : left;
		rest->tv_sec = left / WEND_SECOND;
		rest->tv_nsec = left % WEND_SECOND;
		*timeout = rest;
	}
	return true;
}

bool wend__block_by_sanitizer(const void *caller)
{
	Dl_info info;

	if (!WEND__ASAN && !WEND__TSAN)
		return false;
	return dladdr(caller, &info) && info.dli_fname &&
	       (strstr(info.dli_fname, "libtsan") ||
		strstr(info.dli_fname, "libasan"));
}

/* libwend-preload.so, if it is there: its stubs lead to the wrappers from now
 * on, and the wrappers no longer to its stubs. */
static void attach_preload(void)
{
	wend__preload_attach *attach = (wend__preload_attach *)dlsym(
		RTLD_DEFAULT, WEND__PRELOAD_ATTACH);

	if (!attach)
		return;
	for (int i = 0; i < WEND__CALLS; i++)
		if (wend__block_calls[i].name)
			attach(wend__block_calls[i].name,
			       wend__block_calls[i].wrapper,
			       &wend__block_nexts[i]);
}

/* dlsym() takes locks, and a signal handler may be the first to call write().
 * So everything is looked up at load. */
__attribute__((constructor)) static void look_up_early(void)
{
	int err = errno;

	for (int i = 0; i < WEND__CALLS; i++)
		aptr_store_relaxed(&wend__block_nexts[i], find(i));
	attach_preload();
	(void)dlerror(); /* an old C library lacks some: nobody's error */
	errno = err;
}

static void forked(void)
{
	a32_store_relaxed(&wend__block_on, 0);
}

int wend__block_start(void)
{
	static uint32_t watched;
	uint64_t wanted = 1;
	int r = wend__env_number("WEND_INTERPOSE", 0, 1, &wanted);

	if (r < 0)
		return r;
	if (!watched && pthread_atfork(NULL, NULL, forked))
		return -ENOMEM;
	watched = 1;
	wend__call_limit_counts = wend__block_in_task;
	a32_store_relaxed(&wend__block_on, wanted && !wend__sim);
	return 0;
}
