/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_body.c - reading messages: the body.
 *
 * The parser is paused at each chunk's header, so that one call of it finds
 * one piece of a body at most.
 */
#include <string.h>
#include "stdlib/net/http/in_body.h"

/* From here on a piece is read to where it is wanted, not to the buffer. */
#define DIRECT_SIZE 1024

static int refuse(struct http_in *in, int status)
{
	in->status = status;
	return HPE_USER;
}

int wend__http_in_trailing(struct http_in *in, size_t n)
{
	in->trailing += n;
	return in->trailing > in->limits->head ? refuse(in, 431) : 0;
}

int wend__http_in_on_extension(llhttp_t *p, const char *at, size_t n)
{
	return wend__http_in_trailing(p->data, n);
}

int wend__http_in_on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http_in *in = p->data;

	in->span = at;
	in->span_size = n;
	return 0;
}

int wend__http_in_on_chunk(llhttp_t *p)
{
	struct http_in *in = p->data;
	int64_t limit = in->limits->body;

	if (p->content_length > (uint64_t)(INT64_MAX - in->announced))
		return refuse(in, 413);
	in->announced += (int64_t)p->content_length;
	if (limit >= 0 && in->announced > limit)
		return refuse(in, 413);
	return HPE_PAUSED;
}

int wend__http_in_on_end(llhttp_t *p)
{
	struct http_in *in = p->data;

	in->last = true;
	return HPE_PAUSED;
}

void wend__http_in_body(struct http_in *in, enum http_body kind, int64_t length)
{
	in->body = kind == BODY_LENGTH && length == 0 ? BODY_NONE : kind;
	in->left = length;
	in->body_at = in->pos;
	in->got = in->announced = in->body_from = 0;
	in->body_error = 0;
	in->trailing = in->span_size = 0;
	in->in_body = true;
	in->last = false;
	if (kind == BODY_CHUNKED)
		llhttp_resume(&in->parser);
}

static ssize_t fail(struct http_in *in, ssize_t err)
{
	if (err == -EMSGSIZE || err == -EBADMSG)
		; /* in->status is set */
	else if (err == -ETIMEDOUT)
		in->status = 408;
	else
		in->status = 0;
	in->body_error = (int)err;
	return err;
}

static int64_t body_deadline(struct http_in *in)
{
	if (in->body_from == 0)
		in->body_from = wend_now();
	return wend__http_deadline(in->body_from, in->limits->body_timeout,
				   in->got, in->limits->min_rate, in->deadline);
}

/* A count once there is something in the buffer; 0: the peer has ended. */
static ssize_t refill(struct http_in *in)
{
	int err;

	if (in->pos < in->end)
		return 1;
	err = wend__http_in_flush(in);
	if (err != 0)
		return err;
	in->pos = in->end = in->body_at;
	return wend__http_in_fill(in, body_deadline(in));
}

/* Straight from the connection, or by way of the buffer. */
static ssize_t read_some(struct http_in *in, void *to, size_t n)
{
	size_t have;
	ssize_t r;

	if (in->pos == in->end && n >= DIRECT_SIZE) {
		r = wend__http_in_flush(in);
		if (r != 0)
			return r;
		return wend__http_in_receive(in, to, n, body_deadline(in));
	}
	r = refill(in);
	if (r <= 0)
		return r;
	have = in->end - in->pos;
	if (n > have)
		n = have;
	memcpy(to, in->buf + in->pos, n);
	in->pos += n;
	return (ssize_t)n;
}

static ssize_t read_length(struct http_in *in, void *to, size_t n)
{
	ssize_t r;

	if ((uint64_t)in->left < n)
		n = (size_t)in->left;
	r = read_some(in, to, n);
	if (r <= 0)
		return fail(in, r < 0 ? r : -ECONNRESET);
	in->got += r;
	in->left -= r;
	if (in->left == 0)
		in->body = BODY_NONE;
	return r;
}

static ssize_t read_to_end(struct http_in *in, void *to, size_t n)
{
	int64_t limit = in->limits->body;
	ssize_t r = read_some(in, to, n);

	if (r < 0)
		return fail(in, r);
	in->got += r;
	if (r == 0)
		in->body = BODY_NONE;
	if (limit >= 0 && in->got > limit) {
		in->status = 413;
		return fail(in, -EMSGSIZE);
	}
	return r;
}

/* Let the parser find the next piece: 1, or an error. */
static ssize_t next_piece(struct http_in *in)
{
	ssize_t r = refill(in);
	llhttp_errno_t err;

	if (r <= 0)
		return fail(in, r < 0 ? r : -ECONNRESET);
	err = llhttp_execute(&in->parser, in->buf + in->pos, in->end - in->pos);
	if (err == HPE_OK) {
		in->pos = in->end;
	} else if (err == HPE_PAUSED) {
		in->pos = (size_t)(llhttp_get_error_pos(&in->parser) - in->buf);
		llhttp_resume(&in->parser);
	} else if (in->span_size == 0) {
		if (in->status == 0)
			in->status = 400;
		return fail(in, in->status == 413 ? -EMSGSIZE : -EBADMSG);
	}
	/* Else there is a piece in front of the mistake, which the parser will
	 * report again. */
	return 1;
}

static ssize_t read_chunked(struct http_in *in, void *to, size_t n)
{
	ssize_t r;

	while (in->span_size == 0 && !in->last) {
		r = next_piece(in);
		if (r < 0)
			return r;
	}
	if (in->span_size == 0) {
		in->body = BODY_NONE;
		return 0;
	}
	if (n > in->span_size)
		n = in->span_size;
	memcpy(to, in->span, n);
	in->span += n;
	in->span_size -= n;
	in->got += (int64_t)n;
	return (ssize_t)n;
}

ssize_t wend__http_in_read(struct http_in *in, void *to, size_t n)
{
	if (in->body_error != 0)
		return in->body_error;
	if (n == 0)
		return 0;
	switch (in->body) {
	case BODY_LENGTH:
		return read_length(in, to, n);
	case BODY_CHUNKED:
		return read_chunked(in, to, n);
	case BODY_TO_END:
		return read_to_end(in, to, n);
	default:
		return 0;
	}
}
