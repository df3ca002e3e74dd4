/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date.h - what the files of this package share about dates.
 */
#ifndef WEND_STDLIB_TIME_DATE_H
#define WEND_STDLIB_TIME_DATE_H

#include <wend/std/time.h>

#define WEND__TIME_DAY 86400

/* English names, "" behind the last; the short ones are the first 3 letters. */
extern const char wend__time_months[13][10];
extern const char wend__time_weekdays[8][10];

/* Sets yearday and weekday from the other fields. false: some are out of range,
 * and nothing is set. */
bool wend__time_complete(wend_time_date *d);

/* Sets month and day from year and yearday. false: the year is shorter. */
bool wend__time_set_yearday(wend_time_date *d, int yearday);

#endif
