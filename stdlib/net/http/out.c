/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.c - what is written to a connection, gathered.
 */
#include <stdio.h>
#include "stdlib/net/http/out.h"

int64_t wend__http_deadline(int64_t now, int64_t timeout, int64_t n,
			    int64_t min_rate, int64_t cap)
{
	__int128 at = now;

	if (timeout == WEND_FOREVER)
		return cap;
	at += timeout;
	if (min_rate > 0)
		at += (__int128)n * WEND_SECOND / min_rate;
	return at < cap ? (int64_t)at : cap;
}

static int write_all(struct http_out *o, const void *data, size_t n)
{
	ssize_t r;

	if (o->error != 0 || n == 0)
		return o->error;
	o->now = wend_now();
	wend_conn_set_write_deadline(
		o->conn, wend__http_deadline(o->now, o->timeout, (int64_t)n,
					     o->min_rate, o->deadline));
	r = wend_conn_write(o->conn, data, n);
	if (r < 0)
		o->error = (int)r;
	return o->error;
}

int wend__http_out_flush(struct http_out *o)
{
	size_t n = o->used;

	o->used = 0;
	return write_all(o, o->buf, n);
}

int wend__http_out_spill(struct http_out *o, const void *data, size_t n)
{
	size_t part = o->size - o->used;

	/* The rest of a large piece goes as it is; a small one begins the next
	 * bufferful. Filled up first: one write in place of a short one. */
	if (n < o->size) {
		memcpy(o->buf + o->used, data, part);
		o->used += part;
		data = (const char *)data + part;
		n -= part;
	}
	wend__http_out_flush(o);
	if (n >= o->size)
		return write_all(o, data, n);
	memcpy(o->buf, data, n);
	o->used = n;
	return o->error;
}

char *wend__http_own_field(const char *header, const char *name)
{
	char *field;

	if (name == NULL)
		name = "wend";
	if (name[0] == '\0')
		return strdup("");
	if (strpbrk(name, "\r\n") != NULL ||
	    asprintf(&field, "%s: %s\r\n", header, name) < 0)
		return NULL;
	return field;
}
