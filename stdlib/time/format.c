/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.c - dates to text.
 */
#include <errno.h>

#include "stdlib/time/date.h"

/* What does not fit is counted, not written. */
struct out {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_text(struct out *o, const char *text, size_t n)
{
	while (n-- && *text)
		put(o, *text++);
}

/* Decimal, with this in front up to the width. */
static void put_number(struct out *o, uint64_t n, int width, char pad)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + n % 10);
	while (n /= 10);
	for (int i = count; i < width; i++)
		put(o, pad);
	while (count)
		put(o, digits[--count]);
}

static void put_2(struct out *o, int n)
{
	put_number(o, (uint64_t)n, 2, '0');
}

static void put_fraction(struct out *o, int nanosecond, int digits)
{
	put(o, '.');
	for (int i = digits; i < 9; i++)
		nanosecond /= 10;
	put_number(o, (uint64_t)nanosecond, digits, '0');
}

static void put_needed_fraction(struct out *o, int nanosecond)
{
	int digits = 9;

	if (nanosecond == 0)
		return;
	for (int n = nanosecond; n % 10 == 0; n /= 10)
		digits--;
	put_fraction(o, nanosecond, digits);
}

/* Whole minutes: text has no more, and no zone had since 1972. */
static void put_offset(struct out *o, int offset, bool colon)
{
	int minutes = (offset < 0 ? -offset : offset) / 60;

	put(o, offset < 0 ? '-' : '+');
	put_2(o, minutes / 60);
	if (colon)
		put(o, ':');
	put_2(o, minutes % 60);
}

static void put_seconds(struct out *o, const wend_time_date *d)
{
	int64_t s = 0;

	(void)!wend_time_seconds(d, &s); /* d was checked */
	if (s < 0)
		put(o, '-');
	put_number(o, s < 0 ? -(uint64_t)s : (uint64_t)s, 1, '0');
}

static bool put_layout(struct out *o, const char *layout,
		       const wend_time_date *d);

/* The conversion that begins behind the percent sign; what follows it, or NULL
 * if there is none such. */
static const char *put_long(struct out *o, const char *p,
			    const wend_time_date *d)
{
	if (p[0] == ':' && (p[1] == 'z' || p[1] == 'Z')) {
		if (p[1] == 'Z' && d->offset == 0)
			put(o, 'Z');
		else
			put_offset(o, d->offset, true);
		return p + 2;
	}
	if ((p[0] == '3' || p[0] == '6' || p[0] == '9') && p[1] == 'f') {
		put_fraction(o, d->nanosecond, p[0] - '0');
		return p + 2;
	}
	return NULL;
}

static const char *put_conversion(struct out *o, const char *p,
				  const wend_time_date *d)
{
	const char *month = wend__time_months[d->month - 1];
	const char *weekday = wend__time_weekdays[d->weekday];
	bool known = true;

	switch (*p) {
	case 'Y':
		put_number(o, (uint64_t)d->year, 4, '0');
		break;
	case 'y':
		put_2(o, d->year % 100);
		break;
	case 'm':
		put_2(o, d->month);
		break;
	case 'b':
		put_text(o, month, 3);
		break;
	case 'B':
		put_text(o, month, SIZE_MAX);
		break;
	case 'd':
		put_2(o, d->day);
		break;
	case 'e':
		put_number(o, (uint64_t)d->day, 2, ' ');
		break;
	case 'j':
		put_number(o, (uint64_t)d->yearday, 3, '0');
		break;
	case 'a':
		put_text(o, weekday, 3);
		break;
	case 'A':
		put_text(o, weekday, SIZE_MAX);
		break;
	case 'H':
		put_2(o, d->hour);
		break;
	case 'I':
		put_2(o, (d->hour + 11) % 12 + 1);
		break;
	case 'p':
		put_text(o, d->hour < 12 ? "AM" : "PM", 2);
		break;
	case 'M':
		put_2(o, d->minute);
		break;
	case 'S':
		put_2(o, d->second);
		break;
	case 'f':
		put_needed_fraction(o, d->nanosecond);
		break;
	case 'z':
		put_offset(o, d->offset, false);
		break;
	case 's':
		put_seconds(o, d);
		break;
	case 'F':
		known = put_layout(o, "%Y-%m-%d", d);
		break;
	case 'T':
		known = put_layout(o, "%H:%M:%S", d);
		break;
	case '%':
		put(o, '%');
		break;
	default:
		return put_long(o, p, d);
	}
	return known ? p + 1 : NULL;
}

static bool put_layout(struct out *o, const char *layout,
		       const wend_time_date *d)
{
	const char *p = layout;

	while (*p) {
		if (*p != '%') {
			put(o, *p++);
			continue;
		}
		p = put_conversion(o, p + 1, d);
		if (!p)
			return false;
	}
	return true;
}

ssize_t wend_time_format(char *buf, size_t size, const char *layout,
			 const wend_time_date *d)
{
	struct out o = { buf, size, 0 };
	wend_time_date whole = *d;
	size_t len;

	if (!wend__time_complete(&whole) || !put_layout(&o, layout, &whole))
		return -EINVAL;
	len = o.len;
	put(&o, '\0');
	return o.len <= size ? (ssize_t)len : -ENOSPC;
}
