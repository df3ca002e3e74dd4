/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date.c - the Gregorian calendar, also before it was invented.
 *
 * Days are counted from 0000-01-01. Four hundred years have the same number of
 * days wherever they begin; a leap day is the last thing but February's end
 * that a year knows of, so everything goes by the day of the year.
 */
#include <errno.h>
#include <time.h>

#include <wend/time.h>

#include "stdlib/time/date.h"

enum { DAYS_OF_400_YEARS = 146097, DAYS_BEFORE_1970 = 719528, YEARS = 10000 };

const char wend__time_months[13][10] = {
	"January",  "February", "March",  "April",     "May",
	"June",     "July",     "August", "September", "October",
	"November", "December", "",
};

const char wend__time_weekdays[8][10] = {
	"Sunday",   "Monday", "Tuesday",  "Wednesday",
	"Thursday", "Friday", "Saturday", "",
};

/* --- days, months and years ---------------------------------------------- */

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days before the year's first. The year 0 is a leap year. */
static int days_before_year(int year)
{
	int past = year - 1;

	if (year == 0)
		return 0;
	return 365 * year + past / 4 - past / 100 + past / 400 + 1;
}

/* Days before the month's first, in that year; month 13: all of them. */
static int days_before_month(int year, int month)
{
	static const short before[] = { 0,   31,  59,  90,  120, 151, 181,
					212, 243, 273, 304, 334, 365 };

	return before[month - 1] + (month > 2 && is_leap(year));
}

static int year_of_day(int days)
{
	/* Not off by more than one. */
	int year = (int)((int64_t)days * 400 / DAYS_OF_400_YEARS);

	if (days_before_year(year) > days)
		return year - 1;
	if (days_before_year(year + 1) <= days)
		return year + 1;
	return year;
}

bool wend__time_set_yearday(wend_time_date *d, int yearday)
{
	int month = 1;

	if (yearday < 1 || yearday > days_before_month(d->year, 13))
		return false;
	while (days_before_month(d->year, month + 1) < yearday)
		month++;
	d->month = month;
	d->day = yearday - days_before_month(d->year, month);
	return true;
}

static bool is_date(const wend_time_date *d)
{
	return d->year >= 0 && d->year < YEARS && d->month >= 1 &&
	       d->month <= 12 && d->day >= 1 &&
	       d->day <= days_before_month(d->year, d->month + 1) -
				 days_before_month(d->year, d->month);
}

static bool is_time(const wend_time_date *d)
{
	return d->hour >= 0 && d->hour < 24 && d->minute >= 0 &&
	       d->minute < 60 && d->second >= 0 && d->second <= 60 &&
	       d->nanosecond >= 0 && d->nanosecond < WEND_SECOND &&
	       d->offset > -WEND__TIME_DAY && d->offset < WEND__TIME_DAY;
}

static int day_of(const wend_time_date *d)
{
	return days_before_year(d->year) +
	       days_before_month(d->year, d->month) + d->day - 1;
}

static int64_t seconds_of(const wend_time_date *d)
{
	return (int64_t)(day_of(d) - DAYS_BEFORE_1970) * WEND__TIME_DAY +
	       d->hour * 3600 + d->minute * 60 + d->second - d->offset;
}

bool wend__time_complete(wend_time_date *d)
{
	if (!is_date(d) || !is_time(d))
		return false;
	/* Leap seconds come at the end of a day in UTC. */
	if (d->second == 60 && seconds_of(d) % WEND__TIME_DAY != 0)
		return false;
	d->yearday = days_before_month(d->year, d->month) + d->day;
	/* 0000-01-01 is a Saturday. */
	d->weekday = (day_of(d) + 6) % 7;
	return true;
}

/* --- seconds ------------------------------------------------------------- */

int wend_time_seconds(const wend_time_date *d, int64_t *seconds)
{
	wend_time_date copy = *d;

	if (!wend__time_complete(&copy))
		return -EINVAL;
	*seconds = seconds_of(d);
	return 0;
}

int wend_time_of_seconds(int64_t seconds, int nanosecond, int offset,
			 wend_time_date *d)
{
	const int64_t first = (int64_t)-DAYS_BEFORE_1970 * WEND__TIME_DAY;
	wend_time_date new = { .nanosecond = nanosecond, .offset = offset };
	int64_t s, days, last;
	int rest;

	if (nanosecond < 0 || nanosecond >= WEND_SECOND ||
	    offset <= -WEND__TIME_DAY || offset >= WEND__TIME_DAY)
		return -EINVAL;
	last = first + (int64_t)days_before_year(YEARS) * WEND__TIME_DAY - 1;
	if (__builtin_add_overflow(seconds, offset, &s) || s < first ||
	    s > last)
		return -ERANGE;
	/* Above 0 from here on, so that division rounds down. */
	days = (s - first) / WEND__TIME_DAY;
	rest = (int)((s - first) % WEND__TIME_DAY);
	new.year = year_of_day((int)days);
	wend__time_set_yearday(&new,
			       (int)days - days_before_year(new.year) + 1);
	new.hour = rest / 3600;
	new.minute = rest / 60 % 60;
	new.second = rest % 60;
	wend__time_complete(&new);
	*d = new;
	return 0;
}

/* --- nanoseconds --------------------------------------------------------- */

int64_t wend_time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * WEND_SECOND + now.tv_nsec;
}

int64_t wend_time_deadline(int64_t time)
{
	int64_t left;

	if (__builtin_sub_overflow(time, wend_time_now(), &left))
		return time < 0 ? wend_after(0) : WEND_FOREVER;
	return wend_after(left);
}

/* Rounded down: the nanoseconds count forward before 1970, too. */
static int64_t split(int64_t time, int *nanosecond)
{
	int64_t seconds = time / WEND_SECOND;
	int rest = (int)(time % WEND_SECOND);

	if (rest < 0) {
		seconds--;
		rest += (int)WEND_SECOND;
	}
	*nanosecond = rest;
	return seconds;
}

int wend_time_at_offset(int64_t time, int offset, wend_time_date *d)
{
	int nanosecond;
	int64_t seconds = split(time, &nanosecond);

	return wend_time_of_seconds(seconds, nanosecond, offset, d);
}

void wend_time_utc(int64_t time, wend_time_date *d)
{
	/* No nanosecond since 1677 is outside of the calendar. */
	(void)!wend_time_at_offset(time, 0, d);
}

/* The time of whole seconds and a part, as far as there is one. The first
 * second of the range is cut: joined by its nanoseconds alone it would count
 * as too early, so one is lent to them. */
static int join(int64_t seconds, int64_t nanosecond, int64_t *time)
{
	if (seconds < 0) {
		seconds++;
		nanosecond -= WEND_SECOND;
	}
	if (__builtin_mul_overflow(seconds, WEND_SECOND, time) ||
	    __builtin_add_overflow(*time, nanosecond, time))
		return -ERANGE;
	return 0;
}

int wend_time_of(const wend_time_date *d, int64_t *time)
{
	int64_t seconds, result;
	int r = wend_time_seconds(d, &seconds);

	if (!r)
		r = join(seconds, d->nanosecond, &result);
	if (!r)
		*time = result;
	return r;
}

/* --- the process's time zone --------------------------------------------- */

int wend_time_local(int64_t time, wend_time_date *d)
{
	int nanosecond;
	time_t seconds = split(time, &nanosecond);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return -EOVERFLOW;
	return wend_time_of_seconds(seconds, nanosecond, (int)tm.tm_gmtoff, d);
}

int wend_time_of_local(const wend_time_date *d, int64_t *time)
{
	wend_time_date copy = *d;
	struct tm tm = {
		.tm_year = d->year - 1900,
		.tm_mon = d->month - 1,
		.tm_mday = d->day,
		.tm_hour = d->hour,
		.tm_min = d->minute,
		.tm_sec = d->second,
		.tm_isdst = -1,
		/* Stays if mktime() fails: -1 is a time as well. */
		.tm_wday = 7,
	};
	int64_t seconds, result;
	int r;

	copy.offset = 0;
	if (!wend__time_complete(&copy))
		return -EINVAL;
	seconds = mktime(&tm);
	if (tm.tm_wday == 7)
		return -ERANGE;
	r = join(seconds, d->nanosecond, &result);
	if (!r)
		*time = result;
	return r;
}
