/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c - what is allowed in a request beside its syntax; its memory.
 *
 * Of the parser's request: what two servers in a row might understand
 * differently is refused, not mended (RFC 9112, sections 3.2, 6.1 and 6.3).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "stdlib/net/http/exchange.h"

/* The fields on which the framing depends. */
struct found {
	unsigned int hosts, codings, lengths;
	const char *host, *coding;
	bool expects, expects_other;
};

static void look_at(struct found *f, const wend_http_field *field)
{
	switch (field->name[0] | 0x20) {
	case 'h':
		if (strcasecmp(field->name, "Host") == 0) {
			f->hosts++;
			f->host = field->value;
		}
		break;
	case 't':
		if (strcasecmp(field->name, "Transfer-Encoding") == 0) {
			f->codings++;
			f->coding = field->value;
		}
		break;
	case 'c':
		if (strcasecmp(field->name, "Content-Length") == 0)
			f->lengths++;
		break;
	case 'e':
		if (strcasecmp(field->name, "Expect") != 0)
			break;
		if (strcasecmp(field->value, "100-continue") == 0)
			f->expects = true;
		else
			f->expects_other = true;
		break;
	default:
		break;
	}
}

/* What can stand between "//" and "/" but for user:password@, which nobody
 * sends to a server. */
static bool is_host(const char *p)
{
	return p[strcspn(p, " \t/?#@,\\\"<>{}|^`")] == '\0';
}

/* "http://host/path": the host is moved to the left by one, which makes room
 * for its end. The path. */
static char *split_absolute(char *target, const char **scheme,
			    const char **host)
{
	char *p, *path;
	size_t n;

	if (strncasecmp(target, "http://", 7) == 0)
		*scheme = "http";
	else if (strncasecmp(target, "https://", 8) == 0)
		*scheme = "https";
	else
		return NULL;
	p = target + strlen(*scheme) + 3;
	n = strcspn(p, "/?#");
	if (n == 0)
		return NULL;
	path = p + n;
	memmove(p - 1, p, n);
	p[n - 1] = '\0';
	*host = p - 1;
	return path;
}

static int set_path(wend_http_request *r, char *path)
{
	char *p, *to;

	path[strcspn(path, "#")] = '\0';
	p = strchr(path, '?');
	if (p != NULL) {
		*p = '\0';
		r->query = p + 1;
	}
	r->raw_path = path[0] != '\0' ? path : "/";
	r->path = r->raw_path;
	if (strchr(r->raw_path, '%') == NULL)
		return 0;
	to = wend_http_alloc(r, strlen(r->raw_path) + 1);
	if (to == NULL)
		return 503;
	if (wend_http_unescape(to, r->raw_path, strlen(r->raw_path), false) < 0)
		return 400;
	r->path = to;
	return 0;
}

static int set_target(struct http_exchange *x)
{
	wend_http_request *r = &x->request;
	char *target = x->in.buf + x->in.start + x->in.target;

	if (x->method == HTTP_CONNECT) {
		r->raw_path = r->path = "";
		r->host = target;
		return is_host(target) ? 0 : 400;
	}
	if (strcmp(target, "*") == 0) {
		r->raw_path = r->path = target;
		return x->method == HTTP_OPTIONS ? 0 : 400;
	}
	if (target[0] != '/') {
		target = split_absolute(target, &r->scheme, &r->host);
		if (target == NULL || !is_host(r->host))
			return 400;
	}
	return set_path(r, target);
}

/* How the body is delimited; a status if it must not be so. */
static int set_body(struct http_exchange *x, const struct found *f)
{
	struct http_in *in = &x->in;
	wend_http_request *r = &x->request;

	r->length = 0;
	if (f->codings > 0) {
		if (f->lengths > 0 || r->minor == 0 || f->codings > 1 ||
		    !(in->parser.flags & F_CHUNKED))
			return 400;
		if (strcasecmp(f->coding, "chunked") != 0)
			return 501;
		r->length = -1;
		wend__http_in_body(in, BODY_CHUNKED, 0);
		return 0;
	}
	if (f->lengths > 1)
		return 400;
	if (f->lengths > 0) {
		if (in->parser.content_length > INT64_MAX)
			return 413;
		r->length = (int64_t)in->parser.content_length;
		if (in->limits->body >= 0 && r->length > in->limits->body)
			return 413;
	} else if (x->server->opts.require_length &&
		   (x->method == HTTP_POST || x->method == HTTP_PUT ||
		    x->method == HTTP_PATCH)) {
		return 411;
	}
	wend__http_in_body(in, BODY_LENGTH, r->length);
	return 0;
}

/* A client that waits for it is told to go on when its body is first wanted. */
static ssize_t read_body(wend_reader *reader, void *to, size_t n)
{
	struct http_exchange *x =
		(struct http_exchange *)((char *)reader -
					 offsetof(struct http_exchange,
						  request.body));

	if (x->expects) {
		x->expects = false;
		wend__http_out_text(&x->out, "HTTP/1.1 100 Continue\r\n\r\n");
		/* No part of the answer: an abort leaves it. */
		wend__http_out_begin(&x->out);
	}
	return wend__http_in_read(&x->in, to, n);
}

int wend__http_request_init(struct http_exchange *x)
{
	struct http_in *in = &x->in;
	wend_http_request *r = &x->request;
	struct found f = { 0 };
	int status;

	x->method = in->parser.method;
	*r = (wend_http_request){
		.method = llhttp_method_name((llhttp_method_t)x->method),
		.host = "",
		.path = "",
		.minor = in->parser.http_minor,
		.fields = in->fields,
		.field_count = in->count,
		.body.read = read_body,
		.conn = in->conn,
	};
	if (in->parser.http_major != 1)
		return in->parser.http_major == 0 ? 400 : 505;
	for (unsigned int i = 0; i < in->count; i++)
		look_at(&f, &in->fields[i]);
	if (f.hosts > 1 || (f.hosts == 0 && r->minor > 0) ||
	    (f.hosts > 0 && !is_host(f.host)))
		return 400;
	if (f.hosts > 0)
		r->host = f.host;
	status = set_target(x);
	if (status == 0)
		status = set_body(x, &f);
	if (status == 0 && f.expects_other)
		status = 417;
	/* Version 1.0 does not know of it. */
	x->expects = f.expects && r->minor > 0 && !wend__http_in_done(in);
	return status;
}

void *wend_http_alloc(wend_http_request *r, size_t size)
{
	struct http_exchange *x = exchange_of_request(r);
	struct http_block *b;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	if (size <= HTTP_ARENA_SIZE - x->arena_used) {
		p = x->arena + x->arena_used;
		x->arena_used += size;
		return p;
	}
	b = malloc(16 + size);
	if (b == NULL)
		return NULL;
	b->next = x->blocks;
	x->blocks = b;
	return (char *)b + 16;
}

void wend__http_request_end(struct http_exchange *x)
{
	struct http_block *b;

	while ((b = x->blocks) != NULL) {
		x->blocks = b->next;
		free(b);
	}
	x->arena_used = 0;
	x->param_count = 0;
}

const char *wend_http_param(const wend_http_request *r, const char *name)
{
	struct http_exchange *x = exchange_of_request(r);

	for (unsigned int i = 0; i < x->param_count; i++)
		if (strcmp(x->params[i].name, name) == 0)
			return x->params[i].value;
	return NULL;
}

const char *wend_http_query(wend_http_request *r, const char *name)
{
	const char *p = r->query;
	size_t n, key;
	char *to;

	for (; p != NULL && *p != '\0'; p += n + (p[n] == '&')) {
		n = strcspn(p, "&");
		key = strcspn(p, "=&");
		to = wend_http_alloc(r, n + 1);
		if (to == NULL)
			return NULL;
		if (wend_http_unescape(to, p, key, true) < 0 ||
		    strcmp(to, name) != 0)
			continue;
		if (p[key] != '=')
			return "";
		p += key + 1;
		return wend_http_unescape(to, p, n - key - 1, true) < 0 ? NULL :
									  to;
	}
	return NULL;
}

/* Grown as it comes: chunks do not say how many follow. */
static ssize_t body_of_chunks(wend_http_request *r, const char **data)
{
	size_t room = 1024, size = 0;
	char *p = wend_http_alloc(r, room), *larger;
	ssize_t n;

	for (;;) {
		if (p == NULL)
			return -ENOMEM;
		n = wend_read(&r->body, p + size, room - size - 1);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size + 1 < room)
			continue;
		larger = wend_http_alloc(r, 2 * room);
		if (larger != NULL)
			memcpy(larger, p, size);
		p = larger;
		room *= 2;
	}
	p[size] = '\0';
	*data = p;
	return (ssize_t)size;
}

ssize_t wend_http_body(wend_http_request *r, const char **data)
{
	size_t size = 0;
	ssize_t n;
	char *p;

	if (r->length < 0)
		return body_of_chunks(r, data);
	p = wend_http_alloc(r, (size_t)r->length + 1);
	if (p == NULL)
		return -ENOMEM;
	while ((int64_t)size < r->length) {
		n = wend_read(&r->body, p + size, (size_t)r->length - size);
		if (n < 0)
			return n;
		if (n == 0) /* some of it was read before */
			break;
		size += (size_t)n;
	}
	p[size] = '\0';
	*data = p;
	return (ssize_t)size;
}
