/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload.c - libwend-preload.so: stubs in front of the C library's calls.
 *
 * The linker binds a call to the first definition in the search order: the
 * program, LD_PRELOAD, then the libraries, breadth first. Some programs have
 * the runtime where that order does not reach it before the C library, or not
 * at all: linked statically with its symbols hidden, brought in by another
 * library, loaded by dlopen(). For these, this library stands in front. It has
 * no runtime: a stub calls the C library's function until a runtime appears,
 * and from then on that runtime's wrapper.
 */
#define _GNU_SOURCE
#include "runtime/block/preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *wend__stub_targets[WEND__CALLS];

static void *find(enum wend__call call)
{
	const struct wend__stub *s = &wend__stubs[call];

	return s->name ? wend__preload_next(s->name, s->version) : NULL;
}

/* Two threads may both look it up; a wrapper that was attached meanwhile
 * stays. */
void *wend__stub_look_up(enum wend__call call)
{
	void *f = find(call);

	if (!f)
		abort(); /* the C library lost a function that it had */
	(void)aptr_cas_full(&wend__stub_targets[call], NULL, f);
	return aptr_load_acquire(&wend__stub_targets[call]);
}

/* See preload.h. Called while the runtime is loaded, by one thread. */
STUB wend__preload_attach wend_preload_attach;
STUB void wend_preload_attach(const char *name, void *wrapper, void **next)
{
	for (int i = 0; i < WEND__CALLS; i++) {
		if (!wend__stubs[i].name || strcmp(wend__stubs[i].name, name))
			continue;
		/* A runtime in a library that was linked without -Bsymbolic
		 * takes the stub for its own: too late for it. */
		if (wrapper == wend__stubs[i].stub)
			return;
		if (*next == wend__stubs[i].stub)
			*next = slot(i);
		aptr_store_release(&wend__stub_targets[i], wrapper);
		return;
	}
}

/* A signal handler may be the first to call one, and dlsym() takes locks. */
__attribute__((constructor)) static void look_up_early(void)
{
	int err = errno;

	for (int i = 0; i < WEND__CALLS; i++)
		if (!aptr_load_acquire(&wend__stub_targets[i]))
			(void)aptr_cas_full(&wend__stub_targets[i], NULL,
					    find(i));
	(void)dlerror();
	errno = err;
}
