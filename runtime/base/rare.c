/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rare.c - the counters and their names.
 */
#include "runtime/base/rare.h"

/* On lines of their own: a neighbour that is read all the time must not suffer
 * when one counts. */
uint32_t wend__rare_counts[WEND__RARE_COUNT] __attribute__((aligned(64)));

#define NAME(name, meaning)    #name,
#define MEANING(name, meaning) meaning,

const char *wend__rare_name(enum wend__rare path)
{
	static const char *const names[] = { WEND__RARE_PATHS(NAME) };

	return names[path];
}

const char *wend__rare_meaning(enum wend__rare path)
{
	static const char *const meanings[] = { WEND__RARE_PATHS(MEANING) };

	return meanings[path];
}
