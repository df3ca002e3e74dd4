/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.c - gathering what the parts know.
 */
#include "runtime/inspect/facts.h"

#include <stdio.h>
#include <string.h>

#include <wend/runtime.h>

#include "compiler-rt/syscall.h"
#include "runtime/sched/server.h"

/* Whether the kernel says who blocks. */
static bool detects(void)
{
	return wend__port->detect && wend__port->detect->threads() > 0;
}

void wend__facts_get(struct wend__facts *f)
{
	int cpus = wend__sched_getaffinity_count();

	memset(f, 0, sizeof(*f));
	f->mask_cpus = cpus > 0 ? (unsigned int)cpus : 0;
	f->quota_cpus = wend__quota_cpus();
	f->stack_size = wend__stack_default_size();
	f->worker_cap = wend__rt.worker_cap;
	f->slice_ns = wend__rt.slice;
	f->watchers = wend__watchdog ?
			      a32_load_relaxed(&wend__watchdog->threads) :
			      0;
	snprintf(f->detect, sizeof(f->detect), "%s",
		 detects() ? "the kernel (UMCG)" : "doorbells and watchdog");
	snprintf(f->guard, sizeof(f->guard), "%s", wend__guard_name());
	snprintf(f->park, sizeof(f->park), "%s", wend_park_name());
}
