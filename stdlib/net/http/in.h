/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in.h - what is read from a connection: message after message, of server and
 * client.
 *
 * The header of a message stays where it was read, in one piece, until the next
 * one is begun: names and values are pointers into the buffer, ended by NULs
 * that replace the delimiters. The body is read behind it.
 *
 *	buf     start            pos         end          size
 *	 |........|header.........|not parsed.|............|
 *
 * The parser (llhttp) sees the header and the frames of chunks. A body with a
 * length is counted here: it may go to its reader without a copy.
 */
#ifndef STDLIB_NET_HTTP_IN_H
#define STDLIB_NET_HTTP_IN_H

#include <stdatomic.h>
#include <wend/wend.h>
#include <wend/std/http.h>
#include "llhttp.h"
#include "stdlib/net/http/out.h"

#define HTTP_FIRST_FIELDS 12
#define HTTP_FIRST_SIZE   1024

/* A header field while it is read: offsets from the message's start, as the
 * buffer may move. */
struct http_span {
	uint32_t name, name_size;
	uint32_t value, value_size;
};

/* Whether a message has begun. IN_IDLE: the first byte is waited for, and who
 * stops the server may make that IN_HUNG_UP; converse.c says how. */
enum { IN_BUSY, IN_IDLE, IN_HUNG_UP };

enum http_body { BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_TO_END };

struct http_limits {
	size_t target, head;
	unsigned int fields;
	int64_t body; /* bytes; -1: any number */
	int64_t head_timeout, idle_timeout, body_timeout, write_timeout;
	int64_t io_timeout; /* until something comes, whatever it is */
	int64_t min_rate;
};

struct http_in {
	wend_conn *conn;
	struct http_out *out; /* flushed before a wait */
	const struct http_limits *limits;
	int64_t deadline;            /* of all together; WEND_FOREVER: none */
	bool begun;                  /* there was a message before */
	const atomic_bool *stopping; /* no further message; or NULL */
	atomic_int state;            /* IN_BUSY ... where that is not NULL */

	char *buf; /* first_buf, or allocated */
	size_t size, start, pos, end;

	llhttp_t parser;
	bool in_body; /* what the callbacks belong to */
	bool in_value;
	int status; /* of a refusal; 0: nothing can be said */
	uint32_t target, target_size;
	unsigned int count, room;
	struct http_span *spans; /* first_spans, or allocated with fields */
	wend_http_field *fields;
	bool keep_alive; /* as the header has it */

	enum http_body body;
	int body_error;
	int64_t left;      /* BODY_LENGTH: not read yet */
	int64_t got;       /* of the body, read */
	int64_t announced; /* of it, by chunks' headers */
	size_t body_at;    /* where it is read to: behind the header */
	int64_t body_from; /* when the first byte was waited for; 0: not yet */
	size_t trailing;   /* bytes of chunks' frames and trailers */
	const char *span;  /* BODY_CHUNKED: bytes of a chunk, in the buffer */
	size_t span_size;
	bool last; /* the last chunk has been seen */

	/* What most messages need, beside each other: an idle connection keeps
	 * as few pages as can be. */
	struct http_span first_spans[HTTP_FIRST_FIELDS];
	wend_http_field first_fields[HTTP_FIRST_FIELDS];
	char first_buf[HTTP_FIRST_SIZE];
};

/* in does not move from here on. */
void wend__http_in_init(struct http_in *in, wend_conn *conn, llhttp_type_t type,
			const struct http_limits *limits);
void wend__http_in_free(struct http_in *in);

/*
 * Read up to the end of the next header: 1, and target, fields and keep_alive
 * are set. 0: the peer has ended before it. -EPROTO: refuse it with in->status;
 * -ECANCELED: *stopping, or IN_HUNG_UP; or what the connection says
 * (-ETIMEDOUT: in->status is 408 if it had begun).
 */
int wend__http_in_head(struct http_in *in);

/* The body of that message. */
void wend__http_in_body(struct http_in *in, enum http_body kind,
			int64_t length);
ssize_t wend__http_in_read(struct http_in *in, void *to, size_t n);

/* Whether all of it has been read. */
static inline bool wend__http_in_done(const struct http_in *in)
{
	return in->body == BODY_NONE;
}

/* Bytes of the next message are there. */
static inline bool wend__http_in_more(const struct http_in *in)
{
	return in->pos < in->end;
}

#endif
