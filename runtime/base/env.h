/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - the WEND_* environment variables, checked.
 */
#ifndef WEND_BASE_ENV_H
#define WEND_BASE_ENV_H

#include <stdint.h>

/*
 * wend__env_number - a whole number, with an optional suffix K, M or G.
 *
 * Returns 1 and *value; 0 when the variable is not set or empty; -EINVAL after
 * one line on stderr when it is no number or outside [min, max].
 */
int wend__env_number(const char *name, uint64_t min, uint64_t max,
		     uint64_t *value);

/*
 * wend__env_duration - a whole number with a unit, ns, us, ms or s; or "off",
 * which is -1. The same results; min, max and *value in nanoseconds.
 */
int wend__env_duration(const char *name, int64_t min, int64_t max,
		       int64_t *value);

#endif
