/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c - which header fields go on (RFC 9110, section 7.6).
 *
 * What is said of one connection, its "Connection" and friends, stays there.
 */
#include <string.h>
#include <strings.h>
#include "examples/proxy/proxy.h"

#define VIA "1.1 wend-proxy"

static bool is_in(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcasecmp(name, *list) == 0)
			return true;
	return false;
}

/* Whether a field is about the connection it came by. */
static bool is_hop(const wend_http_field *fields, size_t n, const char *name)
{
	static const char *const hop[] = {
		"Connection",
		"Content-Length",
		"Expect",
		"Host",
		"Keep-Alive",
		"Proxy-Authenticate",
		"Proxy-Authorization",
		"Proxy-Connection",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		NULL,
	};

	if (is_in(name, hop))
		return true;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(fields[i].name, "Connection") == 0 &&
		    wend_http_has_token(fields[i].value, name))
			return true;
	return false;
}

bool fields_loop(const wend_http_request *r)
{
	for (size_t i = 0; i < r->field_count; i++)
		if (strcasecmp(r->fields[i].name, "Via") == 0 &&
		    wend_http_has_token(r->fields[i].value, VIA))
			return true;
	return false;
}

wend_http_field *fields_of_request(wend_http_request *r, size_t *count)
{
	wend_http_field *to = wend_http_alloc(r, (r->field_count + 1) *
							 sizeof(*to));
	size_t n = 0;

	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < r->field_count; i++)
		if (!is_hop(r->fields, r->field_count, r->fields[i].name))
			to[n++] = r->fields[i];
	to[n++] = (wend_http_field){ "Via", VIA };
	*count = n;
	return to;
}

/* The answer's fields; Date and Server are said anew by our own server. */
int fields_of_answer(wend_http_reply *w, const wend_http_response *a)
{
	static const char *const own[] = { "Date", "Server", NULL };
	int err = 0;

	for (size_t i = 0; i < a->field_count && err == 0; i++)
		if (!is_hop(a->fields, a->field_count, a->fields[i].name) &&
		    !is_in(a->fields[i].name, own))
			err = wend_http_add(w, a->fields[i].name,
					    a->fields[i].value);
	return err == 0 ? wend_http_add(w, "Via", VIA) : err;
}
