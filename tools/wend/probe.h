/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - ways in which a task can keep its worker from running others.
 */
#ifndef TOOLS_WEND_PROBE_H
#define TOOLS_WEND_PROBE_H

enum { PROBE_RUNS_MAX = 21 };

struct probe {
	const char *key, *label;
	int runs; /* at most PROBE_RUNS_MAX */

	/* Before the first run, outside tasks: 0, or -errno if there is no
	 * such way on this machine. */
	int (*set_up)(void);

	/* Before each run, in the task; does not wait. NULL: nothing. */
	void (*prepare)(int run);

	/* Wait, in the task, until release() is called. */
	void (*block)(int run);

	/* End the wait of that run; called by a task or a thread, at least
	 * once, and never waits. */
	void (*release)(int run);
};

/* A list that ends with a key of NULL. */
extern const struct probe probes[];

#endif
