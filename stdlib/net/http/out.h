/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.h - what is written to a connection, gathered.
 *
 * The first error stays: nothing is written after it.
 */
#ifndef STDLIB_NET_HTTP_OUT_H
#define STDLIB_NET_HTTP_OUT_H

#include <string.h>
#include <wend/wend.h>
#include <wend/std/conn.h>

struct http_out {
	wend_conn *conn;
	int64_t timeout;  /* ns for a write; WEND_FOREVER: none */
	int64_t min_rate; /* bytes a second beside */
	size_t piece;     /* bytes that have this time; 0: a write as a whole */
	int64_t deadline; /* of all together */
	int64_t now;      /* when it was last written */
	int error;
	/* Bytes in buf that belong to messages before the one that is made now;
	 * HTTP_BEGUN: some of it has been sent. */
	size_t before;
	size_t used, size;
	char *buf;
};

#define HTTP_BEGUN SIZE_MAX

int wend__http_out_flush(struct http_out *o);

/* A new message begins. */
static inline void wend__http_out_begin(struct http_out *o)
{
	o->before = o->used;
}

/* Drop what has not been sent of a message, send those before it, and nothing
 * more: error is what further writes say. */
void wend__http_out_cut(struct http_out *o, int error);

/* What does not fit: the buffer, and then data without copying it. */
int wend__http_out_spill(struct http_out *o, const void *data, size_t n);

/* A deadline for n bytes from now on. */
int64_t wend__http_deadline(int64_t now, int64_t timeout, int64_t n,
			    int64_t min_rate, int64_t cap);

static inline int wend__http_out_put(struct http_out *o, const void *data,
				     size_t n)
{
	if (n > o->size - o->used)
		return wend__http_out_spill(o, data, n);
	memcpy(o->buf + o->used, data, n);
	o->used += n;
	return o->error;
}

static inline int wend__http_out_text(struct http_out *o, const char *text)
{
	return wend__http_out_put(o, text, strlen(text));
}

/* "Server: name" or the like as a line of a head, "" for the name "", the
 * library's name for NULL. To be freed. NULL: no memory, or a name with a line's
 * end in it, which would make two fields of it. */
char *wend__http_own_field(const char *header, const char *name);

#endif
