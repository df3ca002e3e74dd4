/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/time.h - dates, and times and durations as text.
 *
 * Clocks, sleeping, timers and tickers are the runtime's: <wend/time.h>. They
 * count from some point of this machine's; here a time is what a calendar says,
 * as nanoseconds since 1970-01-01 00:00 UTC, which an int64_t has from 1677 to
 * 2262. A wend_time_date knows the years 0 to 9999 of the Gregorian calendar.
 *
 *	wend_time_date d;
 *	char text[WEND_TIME_TEXT];
 *
 *	wend_time_utc(wend_time_now(), &d);
 *	wend_time_format(text, sizeof(text), WEND_TIME_HTTP, &d);
 *
 * Nothing depends on the locale, and only the two functions with "local" in
 * their name on a time zone. Context: anywhere, also outside the runtime.
 * Nothing here waits.
 */
#ifndef WEND_STD_TIME_H
#define WEND_STD_TIME_H

#include <wend/std/str.h>

WEND_BEGIN_DECLS

/* The time now, by CLOCK_REALTIME: it jumps when the clock is set. */
WEND_API int64_t wend_time_now(void);

/* The deadline, for calls that take one, at which it will be this time if the
 * clock is not set meanwhile. One that has passed is a deadline that has. */
WEND_API int64_t wend_time_deadline(int64_t time);

/* --- dates --------------------------------------------------------------- */

/*
 * A date and time of day, as seen offset seconds east of Greenwich.
 *
 * Functions that make one set all fields. Those that take one look at year to
 * nanosecond and at offset; the day's numbers follow from these. They return
 * -EINVAL for fields that are out of range, the 30th of February for one.
 */
typedef struct wend_time_date {
	int year;       /* 0 to 9999 */
	int month;      /* 1 to 12 */
	int day;        /* 1 to 31 */
	int hour;       /* 0 to 23 */
	int minute;     /* 0 to 59 */
	int second;     /* 0 to 59; 60 at 23:59 UTC, which is the next 0:00 */
	int nanosecond; /* 0 to 999,999,999 */
	int offset;     /* above -86,400 and below 86,400 */
	int weekday;    /* 0: Sunday, to 6 */
	int yearday;    /* 1 to 366 */
} wend_time_date;

/* The date of a time, in UTC. */
WEND_API void wend_time_utc(int64_t time, wend_time_date *d);

/* The date of a time, where clocks are offset seconds ahead of UTC.
 * Errors  EINVAL: offset is out of range. */
WEND_API WEND_MUST_CHECK int wend_time_at_offset(int64_t time, int offset,
						 wend_time_date *d);

/* The date of a time in the process's time zone (TZ, /etc/localtime), as the
 * C library knows it. Errors  its own: EOVERFLOW. */
WEND_API WEND_MUST_CHECK int wend_time_local(int64_t time, wend_time_date *d);

/* The time of a date. Errors  EINVAL; ERANGE: before 1677 or after 2262. */
WEND_API WEND_MUST_CHECK int wend_time_of(const wend_time_date *d,
					  int64_t *time);

/* The time of a date in the process's time zone: d->offset does not count. In
 * the hour that a clock set back shows twice, one of the two. */
WEND_API WEND_MUST_CHECK int wend_time_of_local(const wend_time_date *d,
						int64_t *time);

/* The same by seconds since 1970, for all years that a date knows.
 * Errors  EINVAL, also for a nanosecond or an offset out of range;
 *         ERANGE: the year would be none of 0 to 9999. */
WEND_API WEND_MUST_CHECK int wend_time_of_seconds(int64_t seconds,
						  int nanosecond, int offset,
						  wend_time_date *d);
WEND_API WEND_MUST_CHECK int wend_time_seconds(const wend_time_date *d,
					       int64_t *seconds);

/* --- dates as text ------------------------------------------------------- */

/*
 * A layout is text with conversions in it:
 *
 *	%Y  year, 4 digits              %H  hour, 00 to 23
 *	%y  year, 2 digits: 69 to 68    %I  hour, 01 to 12
 *	    is 1969 to 2068             %p  AM or PM
 *	%m  month, 01 to 12             %M  minute, 00 to 59
 *	%b  month, Jan to Dec           %S  second, 00 to 60
 *	%B  month, January ...          %f  "." and the fraction of a second,
 *	%d  day, 01 to 31                   as far as needed; nothing if 0
 *	%e  day, " 1" to "31"           %3f %6f %9f  the same with that many
 *	%j  day of the year, 001 to         digits, always
 *	    366                         %z  +hhmm
 *	%a  weekday, Sun to Sat         %:z +hh:mm
 *	%A  weekday, Sunday ...         %:Z Z for UTC, else +hh:mm
 *	%F  %Y-%m-%d                    %s  seconds since 1970
 *	%T  %H:%M:%S                    %%  a percent sign
 */
#define WEND_TIME_RFC3339      "%FT%T%:Z"   /* 2006-01-02T15:04:05Z */
#define WEND_TIME_RFC3339_NANO "%FT%T%f%:Z" /* with a fraction if need be */
#define WEND_TIME_HTTP         "%a, %d %b %Y %T GMT" /* of a date in UTC */
#define WEND_TIME_RFC1123      "%a, %d %b %Y %T %z"  /* as in mail */

/* Room for any of the above. */
#define WEND_TIME_TEXT 48

/*
 * wend_time_format - write a date as a layout says, with a NUL behind it.
 *
 * Returns  the length, without the NUL.
 * Errors   ENOSPC  size is too small; buf holds no text then
 *          EINVAL  the layout has another conversion, or d is no date
 */
WEND_API ssize_t wend_time_format(char *buf, size_t size, const char *layout,
				  const wend_time_date *d);

/*
 * wend_time_parse - read a date as a layout says.
 *
 * All of text must be as the layout has it; the case of letters does not count.
 * %f takes any number of digits, or nothing; after the ninth they do not count.
 * %e takes one digit, too. A weekday must be one, but is not compared with the
 * date. What the layout leaves out is that of 1970-01-01T00:00:00Z. %s sets the
 * whole date, and %j the day unless the layout has a month or a day.
 *
 * Returns  0 and *d.
 * Errors   EINVAL  text is something else, no such date exists, or the layout
 *                  has another conversion; *d is as it was
 */
WEND_API WEND_MUST_CHECK int wend_time_parse(wend_str text, const char *layout,
					     wend_time_date *d);

/* A date as HTTP has it, in any of its three forms (RFC 9110, 5.6.7). */
WEND_API WEND_MUST_CHECK int wend_time_parse_http(wend_str text,
						  wend_time_date *d);

/* --- durations as text --------------------------------------------------- */

/* Room for any duration. */
#define WEND_TIME_DURATION_TEXT 32

/*
 * wend_time_format_duration - as "1h2m3.5s", "1.5ms", "250us", "7ns", "0s",
 * with a NUL behind it; exact.
 *
 * Returns  the length. Errors  ENOSPC: size is too small; buf holds no text.
 */
WEND_API ssize_t wend_time_format_duration(char *buf, size_t size,
					   int64_t duration);

/*
 * wend_time_parse_duration - numbers with units, as above.
 *
 * Each number may have a fraction; what is below a nanosecond is cut off. The
 * units are h, m, s, ms, us (also with a Greek mu) and ns, in any order; a '-'
 * or '+' may stand in front of all. "0" needs no unit.
 *
 * Returns  0 and *duration in nanoseconds.
 * Errors   EINVAL  it is no such text
 *          ERANGE  more than 292 years
 */
WEND_API WEND_MUST_CHECK int wend_time_parse_duration(wend_str text,
						      int64_t *duration);

WEND_END_DECLS

#endif
