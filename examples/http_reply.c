/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_reply.c - one reply: head, date, buffered output.
 *
 * Replies to pipelined requests gather in the buffer and leave in one write.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "examples/http.h"

static bool write_all(int fd, const char *p, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

void http_flush(struct http_conn *c)
{
	if (!c->broken && !write_all(c->fd, c->out, c->out_size))
		c->broken = true;
	c->out_size = 0;
}

void http_put(struct http_conn *c, const char *data, size_t size)
{
	if (size > sizeof(c->out) - c->out_size)
		http_flush(c);
	if (size > sizeof(c->out)) {
		if (!c->broken && !write_all(c->fd, data, size))
			c->broken = true;
		return;
	}
	memcpy(c->out + c->out_size, data, size);
	c->out_size += size;
}

static void put_text(struct http_conn *c, const char *text)
{
	http_put(c, text, strlen(text));
}

/* The Date header, made anew when the second has changed. */
static void put_date(struct http_conn *c)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != c->date_of && gmtime_r(&now, &tm) != NULL) {
		strftime(c->date, sizeof(c->date), "%a, %d %b %Y %T GMT", &tm);
		c->date_of = now;
	}
	put_text(c, "\r\nDate: ");
	put_text(c, c->date);
}

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

void http_reply(struct http_conn *c, const struct http_reply *r, bool head_only,
		bool keep_alive)
{
	char line[128];
	const char *body = r->body;
	size_t size = r->size;

	if (size == 0 && r->status != 200) {
		body = reason(r->status);
		size = strlen(body);
	}
	snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\nServer: wend",
		 r->status, reason(r->status));
	put_text(c, line);
	put_date(c);
	if (r->allow != NULL) {
		put_text(c, "\r\nAllow: ");
		put_text(c, r->allow);
	}
	snprintf(line, sizeof(line),
		 "\r\nContent-Type: %s\r\nContent-Length: %zu", r->type, size);
	put_text(c, line);
	if (!keep_alive)
		put_text(c, "\r\nConnection: close");
	else if (c->parser.http_major == 1 && c->parser.http_minor == 0)
		put_text(c, "\r\nConnection: keep-alive");
	put_text(c, "\r\n\r\n");
	if (!head_only && size > 0)
		http_put(c, body, size);
}
