/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.c - dates from text.
 */
#include <errno.h>

#include "stdlib/time/date.h"

/* What is known of the date so far, and what is left of the text. */
struct in {
	wend_str s;
	wend_time_date d;
	int yearday; /* -1: none */
	int hour12;  /* -1: none */
	bool pm;
	bool has_day; /* or a month */
	bool whole;   /* seconds since 1970 were given, and d is set */
	int64_t seconds;
};

static bool skip(struct in *in, char c)
{
	if (in->s.len == 0 ||
	    !wend_str_equal_fold(wend_str_sub(in->s, 0, 1), wend_str_of(&c, 1)))
		return false;
	in->s = wend_str_sub(in->s, 1, in->s.len);
	return true;
}

static bool next_is_digit(const struct in *in)
{
	return in->s.len && *in->s.ptr >= '0' && *in->s.ptr <= '9';
}

/* Between min and max digits. */
static bool number(struct in *in, int min, int max, int *n)
{
	int count = 0, v = 0;

	while (count < max && next_is_digit(in)) {
		v = v * 10 + (*in->s.ptr - '0');
		in->s = wend_str_sub(in->s, 1, in->s.len);
		count++;
	}
	*n = v;
	return count >= min;
}

/* One of the names, or of their first three letters; n: which, from 0. */
static bool name(struct in *in, const char (*names)[10], bool cut, int *n)
{
	for (int i = 0; names[i][0]; i++) {
		size_t len = cut ? 3 : strlen(names[i]);

		if (!wend_str_equal_fold(wend_str_sub(in->s, 0, len),
					 wend_str_of(names[i], len)))
			continue;
		in->s = wend_str_sub(in->s, len, in->s.len);
		*n = i;
		return true;
	}
	return false;
}

static bool month_name(struct in *in, bool cut)
{
	int n;

	in->has_day = true;
	if (!name(in, wend__time_months, cut, &n))
		return false;
	in->d.month = n + 1;
	return true;
}

static bool half_of_day(struct in *in)
{
	in->pm = skip(in, 'P');
	return (in->pm || skip(in, 'A')) && skip(in, 'M');
}

/* digits 0: any number of them. They count up to the ninth. */
static bool fraction(struct in *in, int digits)
{
	int n = 0, count = 0, digit;

	if (!skip(in, '.'))
		return digits == 0;
	while ((digits == 0 || count < digits) && number(in, 1, 1, &digit)) {
		if (count++ < 9)
			n = n * 10 + digit;
	}
	for (int i = count; i < 9; i++)
		n *= 10;
	in->d.nanosecond = n;
	return count && (digits == 0 || count == digits);
}

static bool offset(struct in *in, bool colon)
{
	bool minus = skip(in, '-');
	int hours, minutes;

	if (!minus && !skip(in, '+'))
		return false;
	if (!number(in, 2, 2, &hours) || (colon && !skip(in, ':')) ||
	    !number(in, 2, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	in->d.offset = (hours * 60 + minutes) * (minus ? -60 : 60);
	return true;
}

static bool seconds(struct in *in)
{
	size_t n = in->s.len && *in->s.ptr == '-';
	wend_str digits;

	while (n < in->s.len && in->s.ptr[n] >= '0' && in->s.ptr[n] <= '9')
		n++;
	digits = wend_str_sub(in->s, 0, n);
	in->s = wend_str_sub(in->s, n, in->s.len);
	in->whole = true;
	return wend_str_to_i64(digits, 10, &in->seconds) == 0;
}

static bool layout(struct in *in, const char *p);

static const char *long_conversion(struct in *in, const char *p)
{
	bool ok = false;

	if (p[0] == ':' && p[1] == 'z')
		ok = offset(in, true);
	else if (p[0] == ':' && p[1] == 'Z')
		ok = skip(in, 'Z') || offset(in, true);
	else if ((p[0] == '3' || p[0] == '6' || p[0] == '9') && p[1] == 'f')
		ok = fraction(in, p[0] - '0');
	return ok ? p + 2 : NULL;
}

/* The conversion that begins behind the percent sign; what follows it, or NULL
 * if the text is another. */
static const char *conversion(struct in *in, const char *p)
{
	wend_time_date *d = &in->d;
	bool ok;
	int n;

	switch (*p) {
	case 'Y':
		ok = number(in, 4, 4, &d->year);
		break;
	case 'y':
		ok = number(in, 2, 2, &n);
		d->year = n < 69 ? 2000 + n : 1900 + n;
		break;
	case 'm':
		ok = number(in, 2, 2, &d->month);
		in->has_day = true;
		break;
	case 'b':
	case 'B':
		ok = month_name(in, *p == 'b');
		break;
	case 'd':
		ok = number(in, 2, 2, &d->day);
		in->has_day = true;
		break;
	case 'e':
		(void)skip(in, ' ');
		ok = number(in, 1, 2, &d->day);
		in->has_day = true;
		break;
	case 'j':
		ok = number(in, 3, 3, &in->yearday);
		break;
	case 'a':
	case 'A':
		ok = name(in, wend__time_weekdays, *p == 'a', &n);
		break;
	case 'H':
		ok = number(in, 2, 2, &d->hour);
		break;
	case 'I':
		ok = number(in, 2, 2, &in->hour12) && in->hour12 >= 1 &&
		     in->hour12 <= 12;
		break;
	case 'p':
		ok = half_of_day(in);
		break;
	case 'M':
		ok = number(in, 2, 2, &d->minute);
		break;
	case 'S':
		ok = number(in, 2, 2, &d->second);
		break;
	case 'f':
		ok = fraction(in, 0);
		break;
	case 'z':
		ok = offset(in, false);
		break;
	case 's':
		ok = seconds(in);
		break;
	case 'F':
		ok = layout(in, "%Y-%m-%d");
		break;
	case 'T':
		ok = layout(in, "%H:%M:%S");
		break;
	case '%':
		ok = skip(in, '%');
		break;
	default:
		return long_conversion(in, p);
	}
	return ok ? p + 1 : NULL;
}

static bool layout(struct in *in, const char *p)
{
	while (p && *p) {
		if (*p == '%')
			p = conversion(in, p + 1);
		else
			p = skip(in, *p) ? p + 1 : NULL;
	}
	return p;
}

/* What was found, as one date. */
static bool settle(struct in *in)
{
	if (in->whole)
		return wend_time_of_seconds(in->seconds, in->d.nanosecond,
					    in->d.offset, &in->d) == 0;
	if (in->hour12 >= 0)
		in->d.hour = in->hour12 % 12 + (in->pm ? 12 : 0);
	if (in->yearday >= 0 && !in->has_day &&
	    !wend__time_set_yearday(&in->d, in->yearday))
		return false;
	return wend__time_complete(&in->d);
}

int wend_time_parse(wend_str text, const char *wanted, wend_time_date *d)
{
	struct in in = {
		.s = text,
		.d = { .year = 1970, .month = 1, .day = 1 },
		.yearday = -1,
		.hour12 = -1,
	};

	if (!layout(&in, wanted) || in.s.len || !settle(&in))
		return -EINVAL;
	*d = in.d;
	return 0;
}

int wend_time_parse_http(wend_str text, wend_time_date *d)
{
	static const char *const forms[] = {
		WEND_TIME_HTTP, "%A, %d-%b-%y %T GMT", /* RFC 850 */
		"%a %b %e %T %Y",                      /* asctime() */
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (wend_time_parse(text, forms[i], d) == 0)
			return 0;
	}
	return -EINVAL;
}
