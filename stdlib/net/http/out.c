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

static int write_piece(struct http_out *o, const void *data, size_t n)
{
	ssize_t r;

	o->now = wend_now();
	wend_conn_set_write_deadline(
		o->conn, wend__http_deadline(o->now, o->timeout, (int64_t)n,
					     o->min_rate, o->deadline));
	r = wend_conn_write(o->conn, data, n);
	if (r < 0)
		o->error = (int)r;
	return o->error;
}

static int write_all(struct http_out *o, const char *data, size_t n)
{
	size_t piece = o->piece != 0 ? o->piece : n;

	for (; o->error == 0 && n > 0; data += piece, n -= piece) {
		if (piece > n)
			piece = n;
		write_piece(o, data, piece);
	}
	return o->error;
}

int wend__http_out_flush(struct http_out *o)
{
	size_t n = o->used;

	if (o->before != HTTP_BEGUN && o->error == 0)
		o->before = n > o->before ? HTTP_BEGUN : 0;
	o->used = 0;
	return write_all(o, o->buf, n);
}

void wend__http_out_cut(struct http_out *o, int error)
{
	o->used = o->before != HTTP_BEGUN ? o->before : 0;
	wend__http_out_flush(o);
	if (o->error == 0)
		o->error = error;
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
	if (n >= o->size) {
		if (o->error == 0)
			o->before = HTTP_BEGUN;
		return write_all(o, data, n);
	}
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
