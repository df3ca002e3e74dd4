/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h - making a process out of a command.
 */
#ifndef STDLIB_OS_SPAWN_H
#define STDLIB_OS_SPAWN_H

#include <wend/std/os.h>

/*
 * Execute cmd. 0, *pid, and in ends our ends of the pipes, -1 where there is
 * none; or a negative error number, and nothing is left behind. May take as long
 * as the program takes to be loaded.
 */
int wend__spawn_process(const wend_os_cmd *cmd, pid_t *pid, int ends[3]);

#endif
