/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - how many kernel threads this process can have.
 */
#ifndef WEND_SCHED_LIMITS_H
#define WEND_SCHED_LIMITS_H

#include <stdint.h>

/* No kernel has more thread numbers (PID_MAX_LIMIT). */
enum { WEND__WORKERS_MAX = 4194304 };

/*
 * wend__limits_workers - the most workers to have when nobody has said.
 *
 * The room for more threads is the least of
 *   kernel.pid_max and kernel.threads-max, less all threads of the system;
 *   RLIMIT_NPROC, less the user's threads if the limit is small (counting
 *     them takes a look at each process), where the limit holds: not for
 *     root, CAP_SYS_ADMIN or CAP_SYS_RESOURCE;
 *   pids.max less pids.current of this process's cgroup and of each above it.
 * An eighth of it and 8 more are left to the program and everybody else. What
 * cannot be read does not limit. At least 1, at most WEND__WORKERS_MAX.
 */
uint32_t wend__limits_workers(void);

#endif
