/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duration.c - durations as text, both ways.
 *
 * The sign is apart from the number: INT64_MIN has no positive counterpart.
 */
#include <errno.h>

#include <wend/std/time.h>

#define MINUTE (60 * WEND_SECOND)
#define HOUR   (60 * MINUTE)

/* --- to text ------------------------------------------------------------- */

/* Written from the end to the front. */
struct text {
	char buf[WEND_TIME_DURATION_TEXT];
	size_t begin;
};

static void put(struct text *t, char c)
{
	t->buf[--t->begin] = c;
}

static void put_number(struct text *t, uint64_t n)
{
	do
		put(t, (char)('0' + n % 10));
	while (n /= 10);
}

/* n in a unit of 10^digits, without zeros at the end of the fraction. */
static void put_decimal(struct text *t, uint64_t n, int digits)
{
	bool needed = false;

	for (; digits; digits--, n /= 10) {
		needed |= n % 10 != 0;
		if (needed)
			put(t, (char)('0' + n % 10));
	}
	if (needed)
		put(t, '.');
	put_number(t, n);
}

static void put_below_second(struct text *t, uint64_t n)
{
	put(t, 's');
	if (n >= WEND_MILLISECOND) {
		put(t, 'm');
		put_decimal(t, n, 6);
	} else if (n >= WEND_MICROSECOND) {
		put(t, 'u');
		put_decimal(t, n, 3);
	} else {
		put(t, 'n');
		put_number(t, n);
	}
}

static void put_seconds(struct text *t, uint64_t n)
{
	put(t, 's');
	put_decimal(t, n % MINUTE, 9);
	if (n < MINUTE)
		return;
	put(t, 'm');
	put_number(t, n % HOUR / MINUTE);
	if (n < HOUR)
		return;
	put(t, 'h');
	put_number(t, n / HOUR);
}

ssize_t wend_time_format_duration(char *buf, size_t size, int64_t duration)
{
	uint64_t n = duration < 0 ? -(uint64_t)duration : (uint64_t)duration;
	struct text t = { .begin = sizeof(t.buf) };
	size_t len;

	put(&t, '\0');
	if (n && n < WEND_SECOND)
		put_below_second(&t, n);
	else
		put_seconds(&t, n);
	if (duration < 0)
		put(&t, '-');
	len = sizeof(t.buf) - t.begin;
	if (len > size)
		return -ENOSPC;
	memcpy(buf, t.buf + t.begin, len);
	return (ssize_t)len - 1;
}

/* --- from text ----------------------------------------------------------- */

static const struct unit {
	char name[4];
	uint64_t ns;
} units[] = {
	{ "h", HOUR },
	{ "m", MINUTE },
	{ "s", WEND_SECOND },
	{ "ms", WEND_MILLISECOND },
	{ "us", WEND_MICROSECOND },
	{ "\xc2\xb5s", WEND_MICROSECOND }, /* U+00B5, the micro sign */
	{ "\xce\xbcs", WEND_MICROSECOND }, /* U+03BC, the letter */
	{ "ns", 1 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes what is_digit() accepts (or refuses) off the front of *s. */
static wend_str take(wend_str *s, bool digits)
{
	size_t n = 0;
	wend_str part;

	while (n < s->len && s->ptr[n] != '.' && is_digit(s->ptr[n]) == digits)
		n++;
	part = wend_str_sub(*s, 0, n);
	*s = wend_str_sub(*s, n, s->len);
	return part;
}

/* 0: there is no such unit. */
static uint64_t unit_ns(wend_str name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (wend_str_equal(name, wend_str_from(units[i].name)))
			return units[i].ns;
	}
	return 0;
}

/* 0.fraction units, rounded down. */
static uint64_t fraction_ns(wend_str fraction, uint64_t unit)
{
	uint64_t n = 0, scale = 1;

	/* An hour has 4e12 nanoseconds: more digits change nothing. */
	for (size_t i = 0; i < fraction.len && i < 18; i++) {
		n = n * 10 + (uint64_t)(fraction.ptr[i] - '0');
		scale *= 10;
	}
	return (uint64_t)((unsigned __int128)n * unit / scale);
}

/* One number with its unit, added to *sum. */
static int parse_term(wend_str *s, uint64_t *sum)
{
	wend_str whole, fraction = { NULL, 0 };
	uint64_t n = 0, unit;
	int r = 0;

	whole = take(s, true);
	if (s->len && *s->ptr == '.') {
		*s = wend_str_sub(*s, 1, s->len);
		fraction = take(s, true);
	}
	unit = unit_ns(take(s, false));
	if (!unit || (!whole.len && !fraction.len))
		return -EINVAL;
	if (whole.len)
		r = wend_str_to_u64(whole, 10, &n);
	if (r || __builtin_mul_overflow(n, unit, &n) ||
	    __builtin_add_overflow(n, fraction_ns(fraction, unit), &n) ||
	    __builtin_add_overflow(*sum, n, sum))
		return -ERANGE;
	return 0;
}

int wend_time_parse_duration(wend_str s, int64_t *duration)
{
	bool minus = s.len && *s.ptr == '-';
	uint64_t sum = 0;
	int r = 0, term;

	if (minus || (s.len && *s.ptr == '+'))
		s = wend_str_sub(s, 1, s.len);
	if (wend_str_equal(s, WEND_STR("0"))) {
		*duration = 0;
		return 0;
	}
	if (!s.len)
		return -EINVAL;
	/* To the end: what is no duration at all is not too long a one. */
	while (s.len) {
		term = parse_term(&s, &sum);
		if (term == -EINVAL)
			return term;
		if (term)
			r = term;
	}
	if (r || sum > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*duration = (int64_t)(minus ? -sum : sum);
	return 0;
}
