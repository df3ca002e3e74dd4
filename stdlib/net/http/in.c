/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in.c - reading messages: the buffer, and waiting for a header.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/in.h"
#include "stdlib/net/http/in_body.h"
#include "stdlib/net/http/in_head.h"

/* When the first buffer does not do; then doubled. */
#define SECOND_SIZE 4096
/* Behind a header there is at least this much room for a body. */
#define BODY_ROOM 1024

void wend__http_in_init(struct http_in *in, wend_conn *conn, llhttp_type_t type,
			const struct http_limits *limits)
{
	memset(in, 0, offsetof(struct http_in, first_spans));
	in->conn = conn;
	in->limits = limits;
	in->deadline = WEND_FOREVER;
	llhttp_init(&in->parser, type, &wend__http_in_callbacks);
	in->parser.data = in;
	in->size = sizeof(in->first_buf);
	in->buf = in->first_buf;
	in->room = HTTP_FIRST_FIELDS;
	in->spans = in->first_spans;
	in->fields = in->first_fields;
}

void wend__http_in_free(struct http_in *in)
{
	if (in->buf != in->first_buf)
		free(in->buf);
	if (in->spans != in->first_spans)
		free(in->spans);
}

/* Room behind end for at least n bytes, the message kept. */
static int make_room(struct http_in *in, size_t n)
{
	size_t size = in->size;
	char *buf;

	if (in->size - in->end >= n)
		return 0;
	if (in->start > 0) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->pos -= in->start;
		in->end -= in->start;
		in->start = 0;
	}
	if (size - in->end >= n)
		return 0;
	if (size < SECOND_SIZE)
		size = SECOND_SIZE;
	while (size - in->end < n)
		size *= 2;
	buf = malloc(size);
	if (buf == NULL)
		return -ENOMEM;
	memcpy(buf, in->buf, in->end);
	if (in->buf != in->first_buf)
		free(in->buf);
	in->buf = buf;
	in->size = size;
	return 0;
}

static int64_t head_deadline(struct http_in *in, int64_t *begun)
{
	const struct http_limits *l = in->limits;
	int64_t now;

	if (in->end > in->start || !in->begun) {
		if (*begun == 0)
			*begun = wend_now();
		return wend__http_deadline(*begun, l->head_timeout, 0, 0,
					   in->deadline);
	}
	/* Nothing has come yet. When the last reply was written is late
	 * enough to count from, and saves a look at the clock. */
	now = in->out != NULL && in->out->now != 0 ? in->out->now : wend_now();
	return wend__http_deadline(now, l->idle_timeout, 0, 0, in->deadline);
}

int wend__http_in_flush(struct http_in *in)
{
	if (in->out == NULL || in->out->used == 0)
		return 0;
	return wend__http_out_flush(in->out);
}

ssize_t wend__http_in_receive(struct http_in *in, void *to, size_t n,
			      int64_t deadline)
{
	if (in->limits->io_timeout != WEND_FOREVER)
		deadline = wend__http_deadline(
			wend_now(), in->limits->io_timeout, 0, 0, deadline);
	wend_conn_set_read_deadline(in->conn, deadline);
	/* [stop.idle] After the deadline was set; see converse.c. */
	if (in->stopping != NULL && in->end == in->start &&
	    atomic_load(in->stopping))
		return -ECANCELED;
	return wend_conn_read(in->conn, to, n);
}

ssize_t wend__http_in_fill(struct http_in *in, int64_t deadline)
{
	ssize_t n;

	n = wend__http_in_receive(in, in->buf + in->end, in->size - in->end,
				  deadline);
	if (n > 0)
		in->end += (size_t)n;
	return n;
}

static void begin(struct http_in *in)
{
	if (in->pos == in->end)
		in->pos = in->end = 0;
	in->start = in->pos;
	llhttp_reset(&in->parser);
	in->in_body = in->in_value = false;
	in->status = 0;
	in->target = in->target_size = in->count = 0;
	in->body = BODY_NONE;
}

/* Wait for the first byte. */
static ssize_t fill_first(struct http_in *in, int64_t deadline)
{
	int idle = IN_IDLE;
	ssize_t n;

	atomic_store(&in->state, IN_IDLE);
	n = wend__http_in_fill(in, deadline);
	/* What has come nevertheless came too late. */
	return atomic_compare_exchange_strong(&in->state, &idle, IN_BUSY) ?
		       n :
		       -ECANCELED;
}

/* The header is there as a whole. */
static int complete(struct http_in *in)
{
	const llhttp_t *p = &in->parser;
	bool has_body = p->type == HTTP_RESPONSE || p->content_length > 0 ||
			(p->flags & F_CHUNKED);
	int err = has_body ? make_room(in, BODY_ROOM) : 0;

	/* Now that nothing moves any more. */
	return err != 0 ? err : wend__http_in_fields(in);
}

int wend__http_in_head(struct http_in *in)
{
	int64_t begun = 0;
	ssize_t n;
	int r;

	begin(in);
	for (;;) {
		r = wend__http_in_parse(in);
		if (r > 0)
			r = complete(in);
		if (r != 0)
			break;
		r = make_room(in, 1);
		if (r != 0)
			break;
		r = wend__http_in_flush(in);
		if (r != 0)
			break;
		n = in->stopping != NULL && in->end == in->start ?
			    fill_first(in, head_deadline(in, &begun)) :
			    wend__http_in_fill(in, head_deadline(in, &begun));
		if (n > 0)
			continue;
		r = (int)n;
		if (in->end > in->start) {
			in->status = n == 0 ? 400 : n == -ETIMEDOUT ? 408 : 0;
			r = n == 0 ? -EPROTO : (int)n;
		}
		break;
	}
	in->begun = true;
	return r;
}
