/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition.c - what a client asks for of a file that it may know (RFC 9110,
 * sections 13 and 14).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "stdlib/net/http/exchange.h"

/* Whether an entity tag stands in a list. A weak comparison disregards W/; in
 * a strong one such a tag never matches (ours are strong). */
static bool has_tag(const char *list, const char *etag, bool weak)
{
	size_t n = strlen(etag);

	for (;;) {
		bool is_weak;

		list += strspn(list, " \t,");
		if (*list == '\0')
			return false;
		if (*list == '*')
			return true;
		is_weak = strncmp(list, "W/", 2) == 0;
		if (is_weak)
			list += 2;
		if (strncmp(list, etag, n) == 0 && (weak || !is_weak))
			return true;
		/* A tag may have commas inside its quotes. */
		if (*list == '"') {
			list = strchr(list + 1, '"');
			if (list == NULL)
				return false;
			list++;
		} else {
			list += strcspn(list, ",");
		}
	}
}

/* 1: the file is newer than the date says; 0: it is not; -1: no date. */
static int is_newer(const char *date, time_t changed)
{
	time_t then;

	if (date == NULL || wend_http_date_parse(date, &then) != 0)
		return -1;
	return changed > then;
}

/* 200, 304 or 412. */
static int precondition(const wend_http_request *r,
			const struct http_version *v)
{
	const char *match = wend_http_header(r, "If-Match");
	const char *none = wend_http_header(r, "If-None-Match");

	if (match != NULL) {
		if (!has_tag(match, v->etag, false))
			return 412;
	} else if (is_newer(wend_http_header(r, "If-Unmodified-Since"),
			    v->changed) == 1) {
		return 412;
	}
	if (none != NULL)
		return has_tag(none, v->etag, true) ? 304 : 200;
	if (is_newer(wend_http_header(r, "If-Modified-Since"), v->changed) == 0)
		return 304;
	return 200;
}

/* A range is of use only for the version that the client has a part of. */
static bool may_be_part(const wend_http_request *r,
			const struct http_version *v)
{
	const char *text = wend_http_header(r, "If-Range");
	time_t then;

	if (text == NULL)
		return true;
	if (text[0] == '"')
		return strcmp(text, v->etag) == 0;
	return wend_http_date_parse(text, &then) == 0 && then == v->changed;
}

/* Digits, as many as there are; -1: none, or too large. */
static int64_t digits(const char **p)
{
	char *end;
	long long n;

	if (**p < '0' || **p > '9')
		return -1;
	errno = 0;
	n = strtoll(*p, &end, 10);
	*p = end;
	return errno != 0 ? INT64_MAX : n;
}

/* "bytes=FROM-TO", "bytes=FROM-", "bytes=-LAST". Anything else is no reason to
 * refuse: the whole file then. */
static int range(const char *p, int64_t *from, int64_t *size)
{
	int64_t a, b, all = *size;

	if (p == NULL || strncasecmp(p, "bytes=", 6) != 0)
		return 200;
	p += 6;
	a = digits(&p);
	if (*p++ != '-')
		return 200;
	b = digits(&p);
	if (*p != '\0' || (a < 0 && b < 0) || (a >= 0 && b >= 0 && b < a))
		return 200;
	if (a < 0) {
		if (b == 0)
			return 416;
		a = b < all ? all - b : 0;
		b = all - 1;
	} else if (b < 0 || b >= all) {
		b = all - 1;
	}
	if (a >= all)
		return 416;
	*from = a;
	*size = b - a + 1;
	return 206;
}

int wend__http_condition(const wend_http_request *r,
			 const struct http_version *v, int64_t *from,
			 int64_t *size)
{
	int status = precondition(r, v);

	if (status != 200 || !may_be_part(r, v) ||
	    strcmp(r->method, "GET") != 0)
		return status;
	return range(wend_http_header(r, "Range"), from, size);
}
