/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.h - what a runtime that runs has found out about its machine; for
 * `wend info`, which stands outside the library and shows it.
 */
#ifndef WEND_INSPECT_FACTS_H
#define WEND_INSPECT_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct wend__facts {
	unsigned int mask_cpus;  /* CPUs of the affinity mask */
	unsigned int quota_cpus; /* of the cgroup's quota; 0: none known */
	size_t stack_size;       /* of a task, by default; bytes */
	unsigned int worker_cap; /* kernel threads at most, for tasks */
	int64_t slice_ns;        /* a task's, while others wait; -1: no end */
	unsigned int watchers;   /* threads that look for blocked workers */
	char guard[64];          /* what stops a stack's overflow */
	char detect[64]; /* who says that a worker blocks */
	char park[64]; /* how descriptor calls wait: threads, epoll, uring */
};

/* While the runtime runs. */
void wend__facts_get(struct wend__facts *f);

#endif
