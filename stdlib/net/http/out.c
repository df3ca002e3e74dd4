/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.c - what is written to a connection, gathered.
 */
#include "stdlib/net/http/out.h"

int64_t wend__http_deadline(int64_t now, int64_t timeout, int64_t n,
			    int64_t min_rate, int64_t cap)
{
	int64_t beside = 0, at;

	if (timeout == WEND_FOREVER)
		return cap;
	if (min_rate > 0 &&
	    __builtin_mul_overflow(n / min_rate + 1, WEND_SECOND, &beside))
		return cap;
	if (__builtin_add_overflow(now, timeout, &at) ||
	    __builtin_add_overflow(at, n > 0 ? beside : 0, &at))
		return cap;
	return at < cap ? at : cap;
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
