/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_parse.c - the request that is being read.
 *
 * The parser is llhttp, Node.js's. These are its callbacks: they keep what
 * the handlers want to see. One that does not like what it gets notes the
 * status of the refusal and stops the parser; the end of a request pauses it.
 * A callback may write to the client, and wait: it runs in the client's task.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "examples/http.h"

static int refuse(struct http_conn *c, int status)
{
	c->error = status;
	return -1;
}

static int on_begin(llhttp_t *p)
{
	struct http_conn *c = p->data;

	c->error = c->hosts = 0;
	c->head_size = c->path_size = c->body_size = 0;
	c->path[0] = c->name[0] = c->value[0] = '\0';
	c->expects_continue = false;
	return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t size)
{
	struct http_conn *c = p->data;

	if (size >= sizeof(c->path) - c->path_size)
		return refuse(c, 414);
	memcpy(c->path + c->path_size, at, size);
	c->path_size += size;
	c->path[c->path_size] = '\0';
	return 0;
}

/* Headers may come in pieces. What does not fit is none that we look for. */
static int take(struct http_conn *c, char text[24], const char *at, size_t size)
{
	size_t used = strlen(text), room = sizeof(c->name) - 1 - used;

	c->head_size += size;
	if (c->head_size > HTTP_MAX_HEAD)
		return refuse(c, 431);
	strncat(text, at, size < room ? size : room);
	return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t size)
{
	struct http_conn *c = p->data;

	return take(c, c->name, at, size);
}

static int on_value(llhttp_t *p, const char *at, size_t size)
{
	struct http_conn *c = p->data;

	return take(c, c->value, at, size);
}

static int on_header(llhttp_t *p)
{
	struct http_conn *c = p->data;

	if (strcasecmp(c->name, "Host") == 0)
		c->hosts++;
	else if (strcasecmp(c->name, "Expect") == 0)
		c->expects_continue |= !strcasecmp(c->value, "100-continue");
	c->name[0] = c->value[0] = '\0';
	return 0;
}

static int on_headers(llhttp_t *p)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_conn *c = p->data;
	bool has_body = p->content_length > 0 || (p->flags & F_CHUNKED);

	p->upgrade = 0; /* we speak nothing else */
	if (p->http_major != 1 || c->hosts > 1 ||
	    (c->hosts == 0 && p->http_minor > 0))
		return refuse(c, 400);
	if (p->content_length > HTTP_MAX_BODY)
		return refuse(c, 413);
	if (c->expects_continue && has_body && p->http_minor > 0) {
		http_put(c, go_on, sizeof(go_on) - 1);
		http_flush(c);
	}
	return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t size)
{
	struct http_conn *c = p->data;

	if (c->body_size + size > HTTP_MAX_BODY)
		return refuse(c, 413);
	if (c->body_size + size > c->body_room) {
		size_t room = 2 * (c->body_size + size);
		char *body = realloc(c->body, room);

		if (body == NULL)
			return refuse(c, 503);
		c->body = body;
		c->body_room = room;
	}
	memcpy(c->body + c->body_size, at, size);
	c->body_size += size;
	return 0;
}

static int on_complete(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

const llhttp_settings_t http_callbacks = {
	.on_message_begin = on_begin,
	.on_url = on_url,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_header,
	.on_headers_complete = on_headers,
	.on_body = on_body,
	.on_message_complete = on_complete,
	/* Kept nowhere, but they count as head. */
	.on_chunk_extension_name = on_name,
	.on_chunk_extension_value = on_value,
};
