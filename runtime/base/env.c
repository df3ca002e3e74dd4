/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.c - parsing WEND_* variables.
 */
#include "runtime/base/env.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int64_t unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ns;
	return 0;
}

int wend__env_duration(const char *name, int64_t min, int64_t max,
		       int64_t *value)
{
	const char *text = getenv(name);
	char *end;
	int64_t v;

	if (!text || !*text)
		return 0;
	if (strcmp(text, "off") == 0) {
		*value = -1;
		return 1;
	}
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text) ||
	    __builtin_mul_overflow(v, unit_ns(end), &v) || v < min || v > max) {
		wend__complain("%s=%.64s: want a time as in 10ms, from %lldus "
			       "to %llds, or off",
			       name, text, (long long)(min / 1000),
			       (long long)(max / 1000000000));
		return -EINVAL;
	}
	*value = v;
	return 1;
}
