/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apart.h - asking a question in a process of its own, so that each starts a
 * runtime afresh and none can hang or end the tool.
 */
#ifndef TOOLS_WEND_APART_H
#define TOOLS_WEND_APART_H

#include <stddef.h>

enum { APART_SAID = 256 };

/*
 * apart - call ask(answer, arg) in a child and get what it put into answer.
 *
 *   answer, size  zeroed for the child; untouched here on failure
 *   limit_ms      how long the child may take; then it is killed
 *   said          gets the first line of what it wrote to stderr, or ""
 *
 * Returns  0; -ETIMEDOUT; -ECHILD: it ended without an answer; another -errno
 *          if it could not be started.
 */
int apart(void (*ask)(void *answer, const void *arg), const void *arg,
	  void *answer, size_t size, int limit_ms, char said[APART_SAID]);

#endif
