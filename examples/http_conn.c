/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_conn.c - one HTTP/1.1 client: read, parse, answer.
 *
 * Plain blocking code, top to bottom: the parser is fed what read() gives,
 * and each time it has seen a whole request the answer is made.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "examples/http.h"

/* The path of "/a?b", and of a proxy's "http://host/a?b". */
static const char *find_path(char *url)
{
	char *p;

	url[strcspn(url, "?#")] = '\0';
	if (url[0] == '/' || (p = strstr(url, "://")) == NULL)
		return url;
	p = strchr(p + 3, '/');
	return p != NULL ? p : "/";
}

/* Answer the request that the parser has paused after. Whether to go on. */
static bool answer(struct http_conn *c)
{
	struct http_server *s = c->server;
	bool keep = llhttp_should_keep_alive(&c->parser) &&
		    !atomic_load(&s->stopping);
	struct http_request q = {
		.method = llhttp_method_name(llhttp_get_method(&c->parser)),
		.path = find_path(c->path),
		.body = c->body,
		.size = c->body_size,
	};
	struct http_reply r;

	http_reply_init(&r, 200);
	http_answer(&q, &r);
	http_reply(c, &r, c->parser.method == HTTP_HEAD, keep);
	atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
	return keep && !c->broken;
}

/* Refuse a request, and let the client read why before it is cut off. */
static void hang_up(struct http_conn *c)
{
	struct http_reply r;

	http_reply_init(&r, c->error != 0 ? c->error : 400);
	http_reply(c, &r, false, false);
	http_flush(c);
	shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < 256 && read(c->fd, c->in, sizeof(c->in)) > 0; i++)
		;
}

/* Feed the parser, answering each request that ends. Whether to go on. */
static bool digest(struct http_conn *c, const char *p, const char *end)
{
	for (;;) {
		llhttp_errno_t err = llhttp_execute(&c->parser, p,
						    (size_t)(end - p));

		if (err == HPE_OK)
			return true;
		if (err != HPE_PAUSED) {
			hang_up(c);
			return false;
		}
		if (!answer(c))
			return false;
		p = llhttp_get_error_pos(&c->parser);
		llhttp_resume(&c->parser);
	}
}

void http_converse(struct http_conn *c)
{
	ssize_t n;

	c->error = 0;
	c->body = NULL;
	c->body_room = c->out_size = 0;
	c->broken = false;
	c->date_of = 0;
	llhttp_init(&c->parser, HTTP_REQUEST, &http_callbacks);
	c->parser.data = c;
	do {
		/* Nothing left to parse: write before waiting for more. */
		http_flush(c);
		n = c->broken ? 0 : read(c->fd, c->in, sizeof(c->in));
	} while ((n < 0 && errno == EINTR) ||
		 (n > 0 && digest(c, c->in, c->in + n)));
	http_flush(c);
	free(c->body);
}
