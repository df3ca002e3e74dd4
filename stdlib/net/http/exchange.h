/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - the server's side of a connection: one request, one reply, and
 * what they share. Made once for a connection and used again for each request.
 *
 *	server.c     the server, its options, stopping
 *	serve.c      listening
 *	converse.c   the life of a connection
 *	request.c    what is allowed in a request; its memory
 *	reply.c      the header of a reply
 *	reply_body.c its body
 *	router.c     routes; route.c: finding one, and what is around it
 *	files.c, serve_file.c, condition.c   static files
 */
#ifndef STDLIB_NET_HTTP_EXCHANGE_H
#define STDLIB_NET_HTTP_EXCHANGE_H

#include <stdatomic.h>
#include <wend/wend.h>
#include <wend/std/http_server.h>
#include "stdlib/net/http/in.h"
#include "stdlib/net/http/out.h"

#define HTTP_BODY_SIZE   4096 /* a body up to this is sent with its length */
#define HTTP_OUT_SIZE    (HTTP_BODY_SIZE + 1024)
#define HTTP_ARENA_SIZE  2048
#define HTTP_FIELDS_SIZE 256
#define HTTP_MAX_FIELDS  8192
#define HTTP_MAX_PARAMS  8

struct wend_http_server {
	wend_http_server_opts opts;
	struct http_limits limits;
	char *name; /* "Server: wend\r\n", or "" */
	atomic_bool stopping;
	wend_mutex lock; /* of conns */
	struct http_exchange *conns;
	wend_waitgroup serving;
	wend_net_server *net; /* of wend_http_serve() */
	_Atomic uint64_t accepted, requests, refused, aborted;
	_Atomic uint64_t closed;
};

enum reply_state {
	REPLY_OPEN,   /* nothing of it is in the output */
	REPLY_LENGTH, /* the header is; as many bytes follow as it says */
	REPLY_CHUNKED,
	REPLY_TO_END,
	REPLY_DONE,
};

struct wend_http_reply {
	wend_writer writer;
	enum reply_state state;
	int status;
	bool head_only; /* of HEAD */
	bool close;     /* the connection, after it */
	bool broken;    /* it cannot be completed: close without more */
	bool aborted;   /* by the handler */
	bool has_type;
	int64_t length;  /* as said before; -1: it was not */
	int64_t written; /* of the body, by the handler */
	char *fields;    /* "Name: value\r\n"... */
	size_t fields_used, fields_size;
	size_t body_used;
	char *body;
	char fields_room[HTTP_FIELDS_SIZE];
};

struct http_block {
	struct http_block *next;
};

struct http_param {
	const char *name;
	const char *value;
};

struct http_exchange {
	struct wend_http_server *server;
	struct http_exchange *next, **link; /* server->lock */

	wend_http_request request;
	int method;
	bool expects; /* 100-continue, and it was not sent yet */
	bool taken_over;
	unsigned int param_count;
	struct http_param params[HTTP_MAX_PARAMS];
	struct router_walk *walk; /* the router that is serving */

	struct wend_http_reply reply;
	struct http_in in;
	struct http_out out;

	/* "Server: ...\r\nDate: ...\r\n" of this second. */
	time_t date_of;
	size_t date_size;
	char *date;

	struct http_block *blocks; /* memory beside the arena */
	size_t arena_used;
	char *arena; /* aligned to 16 */
};

static inline struct http_exchange *exchange_of(wend_http_reply *w)
{
	return (struct http_exchange *)((char *)w -
					offsetof(struct http_exchange, reply));
}

static inline struct http_exchange *
exchange_of_request(const wend_http_request *r)
{
	return (struct http_exchange *)((char *)(uintptr_t)r -
					offsetof(struct http_exchange,
						 request));
}

/* serve.c */
int wend__http_serve_init(struct wend_http_server *s);

/* request.c */
int wend__http_request_init(struct http_exchange *x);
void wend__http_request_end(struct http_exchange *x);

/* reply.c */
void wend__http_reply_init(struct http_exchange *x);
int wend__http_reply_head(wend_http_reply *w, int64_t length, bool ended);
/* Whether it was the handler's, whole. */
bool wend__http_reply_finish(wend_http_reply *w);
bool wend__http_keeps(struct http_exchange *x, bool ended);

/* reply_body.c */
void wend__http_refuse(struct http_exchange *x, int status);
int wend__http_body_flush(wend_http_reply *w);
ssize_t wend__http_body_write(wend_writer *w, const void *data, size_t n);

/* condition.c: what a client asks for of a file that it may know. The status:
 * 200, 206 with *from and *size changed, 304, 412 or 416. */
struct http_version {
	const char *etag;
	time_t changed;
};
int wend__http_condition(const wend_http_request *r,
			 const struct http_version *v, int64_t *from,
			 int64_t *size);

#endif
