/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info.h - the parts of `wend info`; each adds a section to the report.
 */
#ifndef TOOLS_WEND_INFO_H
#define TOOLS_WEND_INFO_H

#include <stdbool.h>

/* runtime.c: the machine, the port, the servers. Returns whether the runtime
 * starts with this environment, and *real_time, whether its port runs in it. */
bool info_runtime(bool *real_time);

/* measure.c: how soon another task runs when one blocks. */
void info_measure(void);

/* limits.c: what bounds the number of tasks and workers. */
void info_limits(void);

/* environment.c: the WEND_* variables that are set. */
void info_environment(void);

#endif
