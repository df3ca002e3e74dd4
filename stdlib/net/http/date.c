/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date.c - HTTP's dates (RFC 9110, section 5.6.7). Not by strftime() and
 * strptime(), whose names are those of the locale.
 */
#include <stdio.h>
#include <string.h>
#include <wend/wend.h>
#include <wend/std/http.h>

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* 9999-12-31 23:59:59: what four digits can say. */
#define LAST INT64_C(253402300799)

static void two(char *p, int n)
{
	p[0] = (char)('0' + n / 10);
	p[1] = (char)('0' + n % 10);
}

int wend_http_date(char to[WEND_HTTP_DATE_SIZE], time_t when)
{
	struct tm t;

	if (when < 0 || when > LAST || gmtime_r(&when, &t) == NULL)
		return -EINVAL;
	memcpy(to, "Sun, 00 Jan 0000 00:00:00 GMT", WEND_HTTP_DATE_SIZE);
	memcpy(to, days + 3 * t.tm_wday, 3);
	two(to + 5, t.tm_mday);
	memcpy(to + 8, months + 3 * t.tm_mon, 3);
	two(to + 12, (t.tm_year + 1900) / 100);
	two(to + 14, t.tm_year % 100);
	two(to + 17, t.tm_hour);
	two(to + 20, t.tm_min);
	two(to + 23, t.tm_sec);
	return 0;
}

static int month(const char *name)
{
	for (int i = 0; i < 12; i++)
		if (memcmp(months + (ptrdiff_t)3 * i, name, 3) == 0)
			return i;
	return -1;
}

/* The whole of text by a pattern with %n at its end. */
#define SCAN(pattern, ...)                                                     \
	(end = 0, sscanf(text, pattern "%n", __VA_ARGS__, &end),               \
	 end > 0 && text[end] == '\0')

int wend_http_date_parse(const char *text, time_t *when)
{
	struct tm t = { 0 };
	char name[4] = "", zone[4] = "GMT";
	int end, year;
	time_t at;

	if (SCAN("%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]",
		 &t.tm_mday, name, &year, &t.tm_hour, &t.tm_min, &t.tm_sec,
		 zone)) {
		;
	} else if (SCAN("%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3[A-Z]",
			&t.tm_mday, name, &year, &t.tm_hour, &t.tm_min,
			&t.tm_sec, zone)) {
		/* Two digits: the last century that is not far ahead. */
		year += year < 70 ? 2000 : 1900;
	} else if (!SCAN("%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", name,
			 &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &year)) {
		return -EINVAL;
	}
	t.tm_mon = strlen(name) == 3 ? month(name) : -1;
	t.tm_year = year - 1900;
	if (t.tm_mon < 0 || strcmp(zone, "GMT") != 0 || t.tm_mday < 1 ||
	    t.tm_mday > 31 || t.tm_hour < 0 || t.tm_hour > 23 || t.tm_min < 0 ||
	    t.tm_min > 59 || t.tm_sec < 0 || t.tm_sec > 60)
		return -EINVAL;
	at = timegm(&t);
	if (at < 0 || at > LAST)
		return -EINVAL;
	*when = at;
	return 0;
}
