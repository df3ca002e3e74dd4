/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - the parts of httpd: who calls whom, and what they share.
 *
 *	httpd.c        options, start and stop
 *	http_pages.c   what the server says
 *	http_server.c  listening, accepting, stopping; a task for each client
 *	http_conn.c    one client: read, parse, answer
 *	http_parse.c   what the parser (llhttp) finds in a request
 *	http_reply.c   one reply: head, date, buffered output
 *	load.c         other tasks of the same process that keep it busy
 */
#ifndef EXAMPLES_HTTP_H
#define EXAMPLES_HTTP_H

#include <stdatomic.h>
#include <time.h>
#include <wend/short.h>
#include "third_party/llhttp/llhttp.h"

#define HTTP_MAX_PATH 1024
#define HTTP_MAX_HEAD (16 * 1024)
#define HTTP_MAX_BODY (1024 * 1024)

struct http_request {
	const char *method;
	const char *path; /* without the query */
	const char *body;
	size_t size;
};

/* http_answer() fills this in; an error needs no more than its status. */
struct http_reply {
	int status;
	const char *type;
	const char *allow; /* of a 405: the methods that are */
	const char *body;
	size_t size;
	char text[1024]; /* room for a body made on the spot */
};

struct http_server {
	int listener;
	int port;
	int64_t started;
	struct load *load;
	atomic_bool stopping;
	_Atomic uint64_t requests;
	_Atomic uint64_t accepted;
	wend_waitgroup serving;
	wend_mutex lock; /* of clients */
	struct http_conn *clients;
};
extern struct http_server http_server; /* the one there is */

/* One client. It lives on its task's stack: of the buffers below, only what
 * is touched costs memory. */
struct http_conn {
	int fd;
	struct http_server *server;
	struct http_conn *next, **link; /* server->lock */

	/* The request that is being read. */
	llhttp_t parser;
	int error; /* the status to refuse it with, or 0 */
	size_t head_size;
	size_t path_size;
	char path[HTTP_MAX_PATH];
	char name[24], value[24]; /* of a header, as far as we care */
	int hosts;
	bool expects_continue;
	char *body;
	size_t body_size, body_room;

	/* What is to be written, and the date it says. */
	bool broken;
	size_t out_size;
	char out[4096];
	time_t date_of;
	char date[32];
	char in[8192];
};

/* Listen on 127.0.0.1; port 0 finds a free one. Sets s->listener and s->port.
 * Returns 0 or a negative errno value. */
int http_listen(struct http_server *s, int port);

/* Serve clients until http_stop() is called by another task; then finish the
 * requests that have arrived, and hang up. Neither closes the listener. */
void http_run(struct http_server *s);
void http_stop(struct http_server *s);

/* The parser's callbacks; they stop it with c->error set, or pause it. */
extern const llhttp_settings_t http_callbacks;

/* Serve one client until either side has had enough. */
void http_converse(struct http_conn *c);

/* Not "r = { .status = ... }": that would zero the room for text, too. */
static inline void http_reply_init(struct http_reply *r, int status)
{
	r->status = status;
	r->type = "text/plain";
	r->allow = NULL;
	r->body = "";
	r->size = 0;
}

/* The pages. r is initialised, with status 200. */
void http_answer(const struct http_request *q, struct http_reply *r);

/* Append a reply to the output; write the output. A failure is remembered in
 * c->broken, and nothing is written any more. */
void http_reply(struct http_conn *c, const struct http_reply *r, bool head_only,
		bool keep_alive);
void http_put(struct http_conn *c, const char *data, size_t size);
void http_flush(struct http_conn *c);

#endif
