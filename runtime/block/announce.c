/* SPDX-License-Identifier: Apache-2.0 */
/*
 * announce.c - when to announce, and whom to call.
 */
#define _GNU_SOURCE
#include "runtime/block/announce.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/server.h"

void *wend__block_next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		wend__panic("no %s() in the C library", name);
	return f;
}

/* WEND_INTERPOSE, looked at once: 0 unknown, 1 on, 2 off. */
static bool interposing(void)
{
	static uint32_t state;
	uint32_t s = a32_load_relaxed(&state);

	if (WEND__UNLIKELY(s == 0)) {
		const char *v = getenv("WEND_INTERPOSE");

		s = v && strcmp(v, "0") == 0 ? 2 : 1;
		a32_store_relaxed(&state, s);
	}
	return s == 1;
}

bool wend__block_in_task(void)
{
	struct wend__worker *w = wend__self;

	return w && w->task && w->server && !wend__sim && interposing();
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
