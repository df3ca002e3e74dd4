/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload.h - what the runtime and libwend-preload.so say to one another.
 *
 * The runtime finds WEND__PRELOAD_ATTACH by dlsym() when it is loaded, and
 * calls it for each of its wrappers. They go by name, so that the two need not
 * be of one version.
 */
#ifndef WEND_BLOCK_PRELOAD_H
#define WEND_BLOCK_PRELOAD_H

#include <dlfcn.h>

#include "compiler-rt/atomic.h"
#include "runtime/block/calls.h"

#define WEND__PRELOAD_ATTACH "wend_preload_attach"

/*
 *   wrapper  what the stub of that name shall call
 *   next     what the wrapper calls. If that is the stub itself (the wrapper
 *            is in the program, which is searched before the stubs), it is
 *            changed to what the stub has called so far
 */
typedef void wend__preload_attach(const char *name, void *wrapper, void **next);

/* The function of that name after the calling library's own, NULL if there is
 * none. An old version of a function may be what a search without version
 * finds, and not do for today's structures. */
static inline void *wend__preload_next(const char *name, const char *version)
{
	void *f = NULL;

#ifdef __x86_64__
	if (version)
		f = dlvsym(RTLD_NEXT, name, version);
#endif
	return f ? f : dlsym(RTLD_NEXT, name);
}

/* --- the stubs' own -------------------------------------------------------------- */

struct wend__stub {
	const char *name;
	void *stub;
	const char *version; /* as in announce.h */
};

extern const struct wend__stub wend__stubs[WEND__CALLS];
extern void *wend__stub_targets[WEND__CALLS];

void *wend__stub_look_up(enum wend__call call);

/* [preload.target] Acquire: pairs with the release in attach(), before which
 * the wrapper's `next` was made to lead past the stub. */
static inline void *slot(enum wend__call call)
{
	void *f = aptr_load_acquire(&wend__stub_targets[call]);

	return f ? f : wend__stub_look_up(call);
}

#define STUB __attribute__((visibility("default")))

#endif
