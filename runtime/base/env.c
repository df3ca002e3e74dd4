/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.c - parsing WEND_* variables.
 */
#include "runtime/base/env.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "runtime/base/panic.h"

static unsigned int suffix_shift(const char **end)
{
	switch (toupper((unsigned char)**end)) {
	case 'K':
		++*end;
		return 10;
	case 'M':
		++*end;
		return 20;
	case 'G':
		++*end;
		return 30;
	default:
		return 0;
	}
}

int wend__env_number(const char *name, uint64_t min, uint64_t max,
		     uint64_t *value)
{
	const char *text = getenv(name);
	const char *end;
	unsigned int shift;
	uint64_t v;

	if (!text || !*text)
		return 0;
	errno = 0;
	v = strtoull(text, (char **)&end, 0);
	if (end == text || errno || !isdigit((unsigned char)*text))
		goto bad;
	shift = suffix_shift(&end);
	if (*end || (v << shift) >> shift != v)
		goto bad;
	v <<= shift;
	if (v < min || v > max)
		goto bad;
	*value = v;
	return 1;
bad:
	wend__complain("%s=%.64s: want a whole number from %llu to %llu", name,
		       text, (unsigned long long)min, (unsigned long long)max);
	return -EINVAL;
}
