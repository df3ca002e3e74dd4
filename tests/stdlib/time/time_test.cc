/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_test.cc - the calendar beside the C library's, texts both ways.
 */
#include <wend/std/time.h>
#include <wend/wend.h>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <random>
#include <string>

#include "tests/support/wt.h"

namespace
{

wend_str S(const std::string &s)
{
	return wend_str_of(s.data(), s.size());
}

wend_time_date Date(int year, int month, int day, int hour = 0, int minute = 0,
		    int second = 0, int nanosecond = 0, int offset = 0)
{
	wend_time_date d = {};

	d.year = year;
	d.month = month;
	d.day = day;
	d.hour = hour;
	d.minute = minute;
	d.second = second;
	d.nanosecond = nanosecond;
	d.offset = offset;
	return d;
}

std::string Format(const char *layout, const wend_time_date &d)
{
	char text[200];
	ssize_t n = wend_time_format(text, sizeof(text), layout, &d);

	return n < 0 ? "error " + std::to_string(n) :
		       std::string(text, (size_t)n);
}

/* The date that was read as RFC 3339, or "no". */
std::string Reread(const std::string &text,
		   const char *layout = WEND_TIME_RFC3339_NANO)
{
	wend_time_date d = {};

	return wend_time_parse(S(text), layout, &d) ?
		       "no" :
		       Format(WEND_TIME_RFC3339_NANO, d);
}

std::string Http(const std::string &text)
{
	wend_time_date d;

	return wend_time_parse_http(S(text), &d) ?
		       "no" :
		       Format(WEND_TIME_RFC3339_NANO, d);
}

std::string Duration(int64_t ns)
{
	char text[WEND_TIME_DURATION_TEXT];
	ssize_t n = wend_time_format_duration(text, sizeof(text), ns);

	return n < 0 ? "error" : std::string(text, (size_t)n);
}

/* A duration that was read, or the error. */
int64_t Parsed(const std::string &text)
{
	int64_t ns = 4711;
	int r = wend_time_parse_duration(S(text), &ns);

	if (r) {
		EXPECT_EQ(4711, ns);
		return r;
	}
	return ns;
}

void ExpectSame(const struct tm &tm, const wend_time_date &d)
{
	EXPECT_EQ(tm.tm_year + 1900, d.year);
	EXPECT_EQ(tm.tm_mon + 1, d.month);
	EXPECT_EQ(tm.tm_mday, d.day);
	EXPECT_EQ(tm.tm_hour, d.hour);
	EXPECT_EQ(tm.tm_min, d.minute);
	EXPECT_EQ(tm.tm_sec, d.second);
	EXPECT_EQ(tm.tm_wday, d.weekday);
	EXPECT_EQ(tm.tm_yday + 1, d.yearday);
	EXPECT_EQ(tm.tm_gmtoff, d.offset);
}

constexpr int64_t kFirst = -62167219200; /* 0000-01-01T00:00:00Z */
constexpr int64_t kLast = 253402300799;  /* 9999-12-31T23:59:59Z */

} // namespace

/* --- the calendar -------------------------------------------------------- */

TEST(Date, EveryDay)
{
	for (int64_t s = kFirst; s <= kLast; s += 86400) {
		wend_time_date d;
		time_t t = s;
		struct tm tm;
		int64_t back = -1;

		gmtime_r(&t, &tm);
		ASSERT_EQ(0, wend_time_of_seconds(s, 0, 0, &d));
		ASSERT_TRUE(tm.tm_year + 1900 == d.year &&
			    tm.tm_mon + 1 == d.month && tm.tm_mday == d.day &&
			    tm.tm_wday == d.weekday &&
			    tm.tm_yday + 1 == d.yearday)
			<< s;
		ASSERT_EQ(0, wend_time_seconds(&d, &back));
		ASSERT_EQ(s, back);
	}
}

TEST(Date, AnySecond)
{
	std::mt19937_64 rng(5);

	for (int i = 0; i < 20000; i++) {
		time_t t = kFirst + 86400 +
			   (int64_t)(rng() %
				     (uint64_t)(kLast - kFirst - 2 * 86400));
		int offset = (int)(rng() % 172799) - 86399;
		int64_t local = t + offset, back = -1;
		wend_time_date d;
		struct tm tm;

		ASSERT_EQ(0, wend_time_of_seconds(t, 7, offset, &d));
		gmtime_r(&local, &tm);
		tm.tm_gmtoff = offset;
		ExpectSame(tm, d);
		EXPECT_EQ(7, d.nanosecond);
		ASSERT_EQ(0, wend_time_seconds(&d, &back));
		EXPECT_EQ(t, back);
	}
}

TEST(Date, EndsOfTheCalendar)
{
	wend_time_date d = Date(1, 1, 1);

	EXPECT_EQ(-ERANGE, wend_time_of_seconds(kFirst - 1, 0, 0, &d));
	EXPECT_EQ(-ERANGE, wend_time_of_seconds(kLast + 1, 0, 0, &d));
	EXPECT_EQ(-ERANGE, wend_time_of_seconds(kFirst, 0, -1, &d));
	EXPECT_EQ(-ERANGE, wend_time_of_seconds(kLast, 0, 1, &d));
	EXPECT_EQ(-ERANGE, wend_time_of_seconds(INT64_MAX, 0, 1, &d));
	EXPECT_EQ(-ERANGE, wend_time_of_seconds(INT64_MIN, 0, -1, &d));
	for (int offset : { 86400, -86400, INT32_MAX, INT32_MIN })
		EXPECT_EQ(-EINVAL, wend_time_of_seconds(0, 0, offset, &d));
	for (int ns : { -1, 1000000000 })
		EXPECT_EQ(-EINVAL, wend_time_of_seconds(0, ns, 0, &d));
	EXPECT_EQ(-EINVAL, wend_time_at_offset(0, 86400, &d));
	EXPECT_EQ(1, d.year);
	EXPECT_EQ(0, wend_time_of_seconds(kLast, 999999999, 0, &d));
	EXPECT_EQ("9999-12-31T23:59:59.999999999Z",
		  Format(WEND_TIME_RFC3339_NANO, d));
	EXPECT_EQ(0, wend_time_of_seconds(kFirst, 0, 0, &d));
	EXPECT_EQ("0000-01-01T00:00:00Z", Format(WEND_TIME_RFC3339_NANO, d));
}

TEST(Date, NoSuchDate)
{
	const wend_time_date wrong[] = {
		Date(-1, 1, 1),
		Date(10000, 1, 1),
		Date(2000, 0, 1),
		Date(2000, 13, 1),
		Date(2000, 1, 0),
		Date(2000, 1, 32),
		Date(2000, 2, 30),
		Date(1900, 2, 29),
		Date(2001, 2, 29),
		Date(2000, 4, 31),
		Date(2000, 1, 1, -1),
		Date(2000, 1, 1, 24),
		Date(2000, 1, 1, 0, -1),
		Date(2000, 1, 1, 0, 60),
		Date(2000, 1, 1, 0, 0, -1),
		Date(2000, 1, 1, 0, 0, 61),
		Date(2000, 1, 1, 0, 0, 60),
		Date(2000, 1, 1, 23, 59, 60, 0, 3600),
		Date(2000, 1, 1, 0, 0, 0, -1),
		Date(2000, 1, 1, 0, 0, 0, 1000000000),
		Date(2000, 1, 1, 0, 0, 0, 0, 86400),
		Date(2000, 1, 1, 0, 0, 0, 0, -86400),
		Date(INT32_MIN, INT32_MIN, INT32_MIN),
		Date(2000, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX,
		     INT32_MAX, INT32_MAX, INT32_MAX),
	};
	char text[64];

	for (const wend_time_date &d : wrong) {
		int64_t v = 77;

		EXPECT_EQ(-EINVAL, wend_time_of(&d, &v)) << d.day;
		EXPECT_EQ(-EINVAL, wend_time_seconds(&d, &v)) << d.day;
		EXPECT_EQ(77, v);
		EXPECT_EQ(-EINVAL,
			  wend_time_format(text, sizeof(text), "%Y", &d));
	}
	const wend_time_date leap = Date(2000, 2, 29);
	int64_t v;
	EXPECT_EQ(0, wend_time_of(&leap, &v));
}

/* 2016 ended with one, which UTC and half past eight in Tokyo agree on. */
TEST(Date, LeapSecond)
{
	const wend_time_date utc = Date(2016, 12, 31, 23, 59, 60),
			     east = Date(2017, 1, 1, 8, 59, 60, 0, 32400),
			     after = Date(2017, 1, 1);
	int64_t a = 0, b = 0, c = 0;

	EXPECT_EQ(0, wend_time_seconds(&utc, &a));
	EXPECT_EQ(0, wend_time_seconds(&east, &b));
	EXPECT_EQ(0, wend_time_seconds(&after, &c));
	EXPECT_EQ(c, a);
	EXPECT_EQ(c, b);
	EXPECT_EQ("2016-12-31T23:59:60Z", Reread("2016-12-31T23:59:60Z"));
	EXPECT_EQ("no", Reread("2016-12-31T22:59:60Z"));
}

TEST(Date, Nanoseconds)
{
	std::mt19937_64 rng(6);
	wend_time_date d;
	int64_t t;

	for (int64_t v : { INT64_MIN, INT64_MIN + 1, (int64_t)-1000000000,
			   (int64_t)-999999999, (int64_t)-1, (int64_t)0,
			   (int64_t)1, INT64_MAX - 1, INT64_MAX }) {
		wend_time_utc(v, &d);
		ASSERT_EQ(0, wend_time_of(&d, &t)) << v;
		EXPECT_EQ(v, t);
	}
	for (int i = 0; i < 20000; i++) {
		int64_t v = (int64_t)rng();

		ASSERT_EQ(0, wend_time_at_offset(v, (int)(rng() % 7200) - 3600,
						 &d));
		ASSERT_EQ(0, wend_time_of(&d, &t));
		ASSERT_EQ(v, t);
	}
	wend_time_utc(INT64_MAX, &d);
	d.nanosecond++;
	EXPECT_EQ(-ERANGE, wend_time_of(&d, &t));
	wend_time_utc(INT64_MIN, &d);
	d.nanosecond--;
	EXPECT_EQ(-ERANGE, wend_time_of(&d, &t));
	d = Date(1677, 1, 1);
	EXPECT_EQ(-ERANGE, wend_time_of(&d, &t));
	d = Date(9999, 1, 1);
	EXPECT_EQ(-ERANGE, wend_time_of(&d, &t));
}

/* A zone that needs no database: summer time by rules in TZ. */
TEST(Date, Local)
{
	wt::Env tz("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
	std::mt19937_64 rng(8);
	wend_time_date d;
	int64_t t;

	tzset();
	for (int i = 0; i < 5000; i++) {
		time_t s = (int64_t)(rng() % 4000000000);
		struct tm tm;

		localtime_r(&s, &tm);
		ASSERT_EQ(0, wend_time_local(s * WEND_SECOND + 5, &d));
		ExpectSame(tm, d);
		ASSERT_EQ(0, wend_time_of(&d, &t));
		EXPECT_EQ(s * WEND_SECOND + 5, t);
		ASSERT_EQ(0, wend_time_of_local(&d, &t));
		/* Either of the two in the hour that comes twice. */
		if (d.month != 10 || d.day < 25 || d.hour != 2) {
			EXPECT_EQ(s * WEND_SECOND + 5, t);
		}
	}
	d = Date(1969, 12, 31, 0, 59, 59);
	ASSERT_EQ(0, wend_time_of_local(&d, &t));
	EXPECT_EQ((-86400 - 1) * WEND_SECOND, t);
	d = Date(2001, 2, 29);
	EXPECT_EQ(-EINVAL, wend_time_of_local(&d, &t));
	d = Date(9999, 1, 1);
	EXPECT_EQ(-ERANGE, wend_time_of_local(&d, &t));
	ASSERT_EQ(0, wend_time_local(INT64_MIN, &d));
	EXPECT_EQ(1677, d.year);
}

TEST(Date, NowAndDeadlines)
{
	struct timespec before, after;

	clock_gettime(CLOCK_REALTIME, &before);
	int64_t now = wend_time_now();
	clock_gettime(CLOCK_REALTIME, &after);
	EXPECT_GE(now, before.tv_sec * WEND_SECOND + before.tv_nsec);
	EXPECT_LE(now, after.tv_sec * WEND_SECOND + after.tv_nsec);
	wt::Run([] {
		int64_t a = wend_after(0),
			past = wend_time_deadline(wend_time_now() - 1);

		EXPECT_LE(a, past);
		EXPECT_LE(past, wend_after(0));
		past = wend_time_deadline(INT64_MIN);
		EXPECT_LE(past, wend_after(0));
		EXPECT_GT(wend_time_deadline(wend_time_now() +
					     1000 * WEND_SECOND),
			  wend_after(500 * WEND_SECOND));
		EXPECT_GT(wend_time_deadline(INT64_MAX),
			  wend_after(INT64_C(100) * 365 * 86400 * WEND_SECOND));
	});
}

/* --- formats ------------------------------------------------------------- */

TEST(Format, Conversions)
{
	const wend_time_date d = Date(2009, 1, 4, 15, 5, 6, 78000000, -12600);

	EXPECT_EQ("2009 09 01 Jan January 04| 4 004 Sun Sunday",
		  Format("%Y %y %m %b %B %d|%e %j %a %A", d));
	EXPECT_EQ("15 03 PM 05 06 .078 .078 .078000 .078000000",
		  Format("%H %I %p %M %S %f %3f %6f %9f", d));
	EXPECT_EQ("-0330 -03:30 -03:30 100%", Format("%z %:z %:Z 100%%", d));
	EXPECT_EQ("2009-01-04 15:05:06", Format("%F %T", d));
	EXPECT_EQ("1231094106", Format("%s", d));
	EXPECT_EQ("-1", Format("%s", Date(1969, 12, 31, 23, 59, 59)));
	EXPECT_EQ("12 AM 12 PM", Format("%I %p", Date(2000, 1, 1)) + " " +
					 Format("%I %p", Date(2000, 1, 1, 12)));
	EXPECT_EQ("+0000 +00:00 Z", Format("%z %:z %:Z", Date(2000, 1, 1)));
	EXPECT_EQ("[][.000]", Format("[%f][%3f]", Date(2000, 1, 1)));
	EXPECT_EQ("Thu, 01 Jan 1970 00:00:00 GMT",
		  Format(WEND_TIME_HTTP, Date(1970, 1, 1)));
	EXPECT_EQ("", Format("", d));
	for (const char *layout : { "%", "%Q", "%:", "%:q", "%4f", "%3", "a%" })
		EXPECT_EQ("error " + std::to_string(-EINVAL), Format(layout, d))
			<< layout;
}

TEST(Format, NeedsRoom)
{
	const wend_time_date d = Date(2000, 1, 1);
	char text[16];

	for (size_t size = 0; size < 11; size++) {
		memset(text, '#', sizeof(text));
		EXPECT_EQ(-ENOSPC, wend_time_format(text, size, "%F", &d));
		EXPECT_EQ('#', text[size]);
	}
	EXPECT_EQ(10, wend_time_format(text, 11, "%F", &d));
	EXPECT_STREQ("2000-01-01", text);
}

TEST(Format, LikeStrftime)
{
	static const char *const kLayouts[] = {
		"%Y-%m-%d %H:%M:%S", "%a %A %b %B %e", "%I:%M %p", "%j %y",
		"%F %T %%",          "%d/%m/%y"
	};
	std::mt19937_64 rng(9);

	for (int i = 0; i < 3000; i++) {
		time_t t = kFirst +
			   86400 * 366 * 1000L + /* 4 digits, also there */
			   (int64_t)(rng() % 200000000000);
		char want[100];
		wend_time_date d;
		struct tm tm;

		gmtime_r(&t, &tm);
		ASSERT_EQ(0, wend_time_of_seconds(t, 0, 0, &d));
		for (const char *layout : kLayouts) {
			strftime(want, sizeof(want), layout, &tm);
			EXPECT_EQ(want, Format(layout, d));
		}
	}
}

/* --- parsing ------------------------------------------------------------- */

TEST(Parse, Rfc3339)
{
	const char *same[] = {
		"1985-04-12T23:20:50.52Z",        "1996-12-19T16:39:57-08:00",
		"1937-01-01T12:00:27.87+00:20",   "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999999Z", "2000-02-29T00:00:00+23:59",
	};
	for (const char *text : same)
		EXPECT_EQ(text, Reread(text));
	EXPECT_EQ("2000-01-01T00:00:00Z", Reread("2000-01-01t00:00:00z"));
	EXPECT_EQ("2000-01-01T00:00:00Z", Reread("2000-01-01T00:00:00-00:00"));
	EXPECT_EQ("2000-01-01T00:00:00.123456789Z",
		  Reread("2000-01-01T00:00:00.123456789999Z"));
	EXPECT_EQ("2000-01-01T00:00:00Z", Reread("2000-01-01T00:00:00.0Z"));
	const char *wrong[] = {
		"",
		"2000-01-01",
		"2000-01-01T00:00:00",
		"2000-01-01T00:00:00Zx",
		" 2000-01-01T00:00:00Z",
		"2000-01-01 00:00:00Z",
		"2000-1-01T00:00:00Z",
		"200-01-01T00:00:00Z",
		"20000-01-01T00:00:00Z",
		"-200-01-01T00:00:00Z",
		"2000-13-01T00:00:00Z",
		"2000-02-30T00:00:00Z",
		"2000-01-01T24:00:00Z",
		"2000-01-01T00:60:00Z",
		"2000-01-01T00:00:61Z",
		"2000-01-01T00:00:00.Z",
		"2000-01-01T00:00:00,5Z",
		"2000-01-01T00:00:00+24:00",
		"2000-01-01T00:00:00+00:60",
		"2000-01-01T00:00:00+0000",
		"2000-01-01T00:00:00+00",
		"2000-01-01T00:00:0\xd9\xa0Z",
	};
	for (const char *text : wrong)
		EXPECT_EQ("no", Reread(text)) << text;
	EXPECT_EQ("no", Reread(std::string("2000-01-01T00:00:00Z\0", 21)));
}

TEST(Parse, Http)
{
	EXPECT_EQ("1994-11-06T08:49:37Z",
		  Http("Sun, 06 Nov 1994 08:49:37 GMT"));
	EXPECT_EQ("1994-11-06T08:49:37Z",
		  Http("Sunday, 06-Nov-94 08:49:37 GMT"));
	EXPECT_EQ("1994-11-06T08:49:37Z", Http("Sun Nov  6 08:49:37 1994"));
	EXPECT_EQ("1994-11-16T08:49:37Z", Http("Wed Nov 16 08:49:37 1994"));
	EXPECT_EQ("9999-12-31T23:59:59Z",
		  Http("Fri, 31 Dec 9999 23:59:59 GMT"));
	EXPECT_EQ("no", Http(""));
	EXPECT_EQ("no", Http("0"));
	EXPECT_EQ("no", Http("Sun, 06 Nov 1994 08:49:37"));
	EXPECT_EQ("no", Http("Sun, 06 Nov 1994 08:49:37 +0100"));
	EXPECT_EQ("no", Http("Sun, 31 Nov 1994 08:49:37 GMT"));
	EXPECT_EQ("no", Http("Xxx, 06 Nov 1994 08:49:37 GMT"));
}

TEST(Parse, Conversions)
{
	EXPECT_EQ("2024-12-31T00:00:00Z", Reread("2024 366", "%Y %j"));
	EXPECT_EQ("no", Reread("2023 366", "%Y %j"));
	EXPECT_EQ("no", Reread("2023 000", "%Y %j"));
	EXPECT_EQ("2024-02-01T00:00:00Z", Reread("366 2024 02", "%j %Y %m"));
	EXPECT_EQ("1969-01-01T00:00:00Z", Reread("69", "%y"));
	EXPECT_EQ("2068-01-01T00:00:00Z", Reread("68", "%y"));
	EXPECT_EQ("1970-01-01T00:05:00Z", Reread("12:05 am", "%I:%M %p"));
	EXPECT_EQ("1970-01-01T12:05:00Z", Reread("12:05 PM", "%I:%M %p"));
	EXPECT_EQ("1970-01-01T23:05:00Z", Reread("PM 11:05", "%p %I:%M"));
	EXPECT_EQ("no", Reread("13", "%I"));
	EXPECT_EQ("no", Reread("00", "%I"));
	EXPECT_EQ("no", Reread("xM", "%p"));
	EXPECT_EQ("1970-09-01T00:00:00Z", Reread("sEptember", "%B"));
	EXPECT_EQ("no", Reread("Sep", "%B"));
	EXPECT_EQ("no", Reread("September", "%b"));
	EXPECT_EQ("1970-01-01T00:00:00Z", Reread("THURSDAY", "%A"));
	EXPECT_EQ("2009-01-04T15:05:06-03:30",
		  Reread("1231094106 -0330", "%s %z"));
	EXPECT_EQ("1969-12-31T23:59:59.5Z", Reread("-1.5", "%s%f"));
	EXPECT_EQ("no", Reread("", "%s"));
	EXPECT_EQ("no", Reread("99999999999999999999", "%s"));
	EXPECT_EQ("no", Reread("9999999999999", "%s"));
	EXPECT_EQ("1970-01-01T00:00:00.25Z", Reread(".250", "%3f"));
	EXPECT_EQ("no", Reread(".25", "%3f"));
	EXPECT_EQ("no", Reread("", "%3f"));
	EXPECT_EQ("1970-01-01T00:00:00+01:00",
		  Reread("100%+01:00", "100%%%:z"));
	EXPECT_EQ("no", Reread("Z", "%:z"));
	EXPECT_EQ("1970-01-01T00:00:00Z", Reread("", ""));
	EXPECT_EQ("no", Reread("x", ""));
	for (const char *layout : { "%", "%Q", "%:", "%4f" })
		EXPECT_EQ("no", Reread("1", layout)) << layout;
}

TEST(Parse, FailureChangesNothing)
{
	wend_time_date d = Date(1234, 5, 6);

	EXPECT_EQ(-EINVAL, wend_time_parse(WEND_STR("2000-02-30"), "%F", &d));
	EXPECT_EQ(-EINVAL, wend_time_parse_http(WEND_STR("x"), &d));
	EXPECT_EQ(1234, d.year);
	EXPECT_EQ(6, d.day);
}

/* What was written is read as the same date, by every layout that has all. */
TEST(Parse, RoundTrip)
{
	static const char *const kLayouts[] = {
		WEND_TIME_RFC3339_NANO,
		"%a, %d %b %Y %T%9f %z",
		"%A %e %B %Y %I:%M:%S%f %p %:z",
		"%s%f %:Z",
		"%j/%Y %H%M%S%9f%:z",
	};
	std::mt19937_64 rng(10);

	for (int i = 0; i < 5000; i++) {
		int minutes = (int)(rng() % 2879) - 1439;
		int ns = (int)(rng() % 1000000000);
		wend_time_date d, back;

		if (i % 3 == 0)
			ns = ns / 1000000 * 1000000;
		ASSERT_EQ(0, wend_time_of_seconds(
				     kFirst + 86400 +
					     (int64_t)(rng() % 315000000000),
				     ns, minutes * 60, &d));
		for (const char *layout : kLayouts) {
			std::string text = Format(layout, d);

			ASSERT_EQ(0, wend_time_parse(S(text), layout, &back))
				<< text;
			ASSERT_EQ(0, memcmp(&d, &back, sizeof(d))) << text;
		}
	}
}

/* Texts that were right but for a byte: a date that exists, or none. */
TEST(Parse, Damaged)
{
	const std::string right = "2024-02-29T23:59:58.123456789+13:45";
	std::mt19937_64 rng(12);
	int read = 0;

	for (int i = 0; i < 50000; i++) {
		std::string text = right;
		wend_time_date d;
		int64_t s;

		for (unsigned n = 1 + rng() % 2; n; n--)
			text[rng() % text.size()] = rng() % 2 ?
							    (char)rng() :
							    (char)('0' +
								   rng() % 12);
		if (rng() % 4 == 0)
			text.resize(rng() % text.size());
		if (wend_time_parse(S(text), WEND_TIME_RFC3339_NANO, &d))
			continue;
		read++;
		EXPECT_EQ(0, wend_time_seconds(&d, &s)) << text;
		EXPECT_EQ(Reread(Format(WEND_TIME_RFC3339_NANO, d)),
			  Format(WEND_TIME_RFC3339_NANO, d));
	}
	EXPECT_GT(read, 0);
	EXPECT_LT(read, 50000);
}

/* --- durations ----------------------------------------------------------- */

TEST(Duration, ToText)
{
	EXPECT_EQ("0s", Duration(0));
	EXPECT_EQ("1ns", Duration(1));
	EXPECT_EQ("1.1us", Duration(1100));
	EXPECT_EQ("2.2ms", Duration(2200000));
	EXPECT_EQ("999.999999ms", Duration(999999999));
	EXPECT_EQ("3.3s", Duration(3300000000));
	EXPECT_EQ("1m0s", Duration(60 * WEND_SECOND));
	EXPECT_EQ("4m5.001s", Duration(4 * 60 * WEND_SECOND + 5001000000));
	EXPECT_EQ("1h2m3.5s", Duration(3723500000000));
	EXPECT_EQ("100h0m0s", Duration(100 * 3600 * WEND_SECOND));
	EXPECT_EQ("-1.5ms", Duration(-1500000));
	EXPECT_EQ("2562047h47m16.854775807s", Duration(INT64_MAX));
	EXPECT_EQ("-2562047h47m16.854775808s", Duration(INT64_MIN));

	char text[8];
	for (size_t size = 0; size < 5; size++) {
		memset(text, '#', sizeof(text));
		EXPECT_EQ(-ENOSPC,
			  wend_time_format_duration(text, size,
						    1500 * WEND_MILLISECOND));
		EXPECT_EQ('#', text[0]);
	}
	EXPECT_EQ(4,
		  wend_time_format_duration(text, 5, 1500 * WEND_MILLISECOND));
	EXPECT_STREQ("1.5s", text);
}

TEST(Duration, FromText)
{
	EXPECT_EQ(0, Parsed("0"));
	EXPECT_EQ(0, Parsed("-0"));
	EXPECT_EQ(0, Parsed("0s"));
	EXPECT_EQ(5 * WEND_SECOND, Parsed("5s"));
	EXPECT_EQ(5 * WEND_SECOND, Parsed("+5.s"));
	EXPECT_EQ(WEND_SECOND / 2, Parsed(".5s"));
	EXPECT_EQ(-WEND_SECOND / 2, Parsed("-.5s"));
	EXPECT_EQ(3723500000000, Parsed("1h2m3.5s"));
	EXPECT_EQ(3723500000000, Parsed("3.5s2m1h"));
	EXPECT_EQ(5400 * WEND_SECOND, Parsed("1.5h"));
	EXPECT_EQ(12, Parsed("12ns"));
	EXPECT_EQ(12000, Parsed("12us"));
	EXPECT_EQ(12000, Parsed("12\xc2\xb5s"));
	EXPECT_EQ(12000, Parsed("12\xce\xbcs"));
	EXPECT_EQ(39 * 60 * WEND_SECOND, Parsed("39m"));
	/* Cut off, not rounded; digits that no number has room for. */
	EXPECT_EQ(1, Parsed("1.9ns"));
	EXPECT_EQ(333333333333, Parsed("0.09259259259259259259259h"));
	EXPECT_EQ(WEND_SECOND / 10,
		  Parsed("0.1000000000000000000000000000000000001s"));
	EXPECT_EQ(INT64_MAX, Parsed("9223372036854775807ns"));
	EXPECT_EQ(INT64_MAX, Parsed("2562047h47m16.854775807s"));
	EXPECT_EQ(INT64_MIN, Parsed("-9223372036854775808ns"));
	for (const char *text :
	     { "9223372036854775808ns", "-9223372036854775809ns", "2562048h",
	       "9223372036.854775808s", "99999999999999999999s",
	       "9223372036854775807ns1ns", "18446744073709551617ns" })
		EXPECT_EQ(-ERANGE, Parsed(text)) << text;
	for (const char *text :
	     { "", "-", "+", "1", "s", ".s", "-.s", "1 s", " 1s", "1s ", "1x",
	       "1S", "1.2.3s", "--1s", "1s-1s", "1h2", "0x1s", "1e3s",
	       "99999999999999999999s1" })
		EXPECT_EQ(-EINVAL, Parsed(text)) << text;
}

TEST(Duration, RoundTrip)
{
	std::mt19937_64 rng(13);

	for (int i = 0; i < 50000; i++) {
		int64_t ns = (int64_t)rng() >> rng() % 64;

		ASSERT_EQ(ns, Parsed(Duration(ns))) << Duration(ns);
	}
}
