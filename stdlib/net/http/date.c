/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date.c - HTTP's dates, as seconds since 1970.
 */
#include <wend/wend.h>
#include <wend/std/http.h>
#include <wend/std/time.h>

int wend_http_date(char to[WEND_HTTP_DATE_SIZE], time_t when)
{
	wend_time_date d;
	ssize_t n;

	if (when < 0 || wend_time_of_seconds(when, 0, 0, &d) != 0)
		return -EINVAL;
	n = wend_time_format(to, WEND_HTTP_DATE_SIZE, WEND_TIME_HTTP, &d);
	return n < 0 ? (int)n : 0;
}

int wend_http_date_parse(const char *text, time_t *when)
{
	wend_time_date d;
	int64_t seconds;

	if (wend_time_parse_http(wend_str_from(text), &d) != 0 ||
	    wend_time_seconds(&d, &seconds) != 0 || seconds < 0)
		return -EINVAL;
	*when = seconds;
	return 0;
}
