/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.c - what the servers have counted.
 */
#include <string.h>

#include <wend/inspect.h>

#include "runtime/sched/server.h"

void wend_stats_get(struct wend_stats *out)
{
	memset(out, 0, sizeof(*out));
	if (!a32_load_acquire(&wend__rt.procs))
		return;
	out->tasks_live = wend__tasks_live();
	out->tasks_started = aword_load_relaxed(&wend__rt.foreign_started);
	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		const struct wend__server *s = &wend__rt.servers[i];

		out->tasks_started += aword_load_relaxed(&s->started);
		out->switches += a32_load_relaxed(&s->tick);
		out->steals += aword_load_relaxed(&s->steals);
		out->blocks += aword_load_relaxed(&s->blocks);
		out->detects += aword_load_relaxed(&s->detects);
		out->preempts += aword_load_relaxed(&s->preempts);
	}
	if (wend__watchdog) {
		out->detect_ns = aword_load_relaxed(&wend__watchdog->detect_ns);
		out->preempt_ns = aword_load_relaxed(
			&wend__watchdog->preempt_ns);
		out->stalls = aword_load_relaxed(&wend__watchdog->stalls);
	}
	out->wakes = aword_load_relaxed(&wend__rt.wakes);
	out->workers = a32_load_relaxed(&wend__rt.worker_count);
	out->workers_most = a32_load_relaxed(&wend__rt.worker_most);
	out->workers_cap = a32_load_relaxed(&wend__rt.worker_cap);
	out->workers_waits = a32_load_relaxed(&wend__rt.worker_waits);
	out->stacks = wend__stacks_mapped();
}
