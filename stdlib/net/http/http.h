/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/http.h - HTTP/1.1: what server and client have in common.
 *
 * <wend/std/http_server.h> serves, <wend/std/http_client.h> asks; each includes
 * this. Version 1.0 is understood, 2 and 3 are not. Everything runs over a
 * wend_conn, so with TLS as without it.
 */
#ifndef WEND_STD_HTTP_H
#define WEND_STD_HTTP_H

#include <time.h>
#include <wend/std/conn.h>

WEND_BEGIN_DECLS

/* One header field. Neither has CR, LF or NUL inside; blanks around the value
 * are not part of it. */
typedef struct wend_http_field {
	const char *name;
	const char *value;
} wend_http_field;

/*
 * wend_http_field_find - the value of the first field of that name.
 *
 *   name        letters of either case match
 *
 * Returns NULL if there is none.
 */
WEND_API const char *wend_http_field_find(const wend_http_field *fields,
					  size_t count, const char *name);

/*
 * wend_http_has_token - whether a list has an element.
 *
 *   list        a field's value, "a, b;q=1"; NULL: an empty list
 *   token       compared without regard to case, up to a ';'
 */
WEND_API bool wend_http_has_token(const char *list, const char *token);

/* What a status means, "Not Found"; "Unknown" for one without a name. */
WEND_API const char *wend_http_reason(int status);

/* The media type by a file name's ending, "text/html; charset=utf-8";
 * "application/octet-stream" if it says nothing. */
WEND_API const char *wend_http_type_of(const char *name);

/*
 * wend_http_date - a time as HTTP writes it, "Sun, 06 Nov 1994 08:49:37 GMT".
 * wend_http_date_parse - the other way round; each of HTTP's three forms.
 *
 *   to          30 bytes
 *
 * Errors   EINVAL     not a date, or one before 1970 or after 9999
 */
#define WEND_HTTP_DATE_SIZE 30
WEND_API int wend_http_date(char to[WEND_HTTP_DATE_SIZE], time_t when);
WEND_API int wend_http_date_parse(const char *text, time_t *when);

/*
 * wend_http_unescape - decode %41 in a path or a query's value.
 *
 *   to          room for n + 1 bytes, may be text itself; gets a NUL at its end
 *   plus        whether '+' is a blank, as in queries and forms
 *
 * Returns  the length without the NUL.
 * Errors   EINVAL     a '%' without two hexadecimal digits, or %00
 */
WEND_API ssize_t wend_http_unescape(char *to, const char *text, size_t n,
				    bool plus);

WEND_END_DECLS

#endif
