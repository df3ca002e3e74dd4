/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c - the header of a reply, and its end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "stdlib/net/http/exchange.h"

/* A body of a request that the handler did not read is read to this size, so
 * that the connection can go on. */
#define DRAIN_SIZE (256 * 1024)

void wend__http_reply_init(struct http_exchange *x)
{
	wend_http_reply *w = &x->reply;

	w->writer.write = wend__http_body_write;
	w->state = REPLY_OPEN;
	w->status = 200;
	w->head_only = x->method == HTTP_HEAD;
	w->close = w->broken = w->aborted = w->has_type = false;
	w->length = -1;
	w->written = 0;
	w->fields = w->fields_room;
	w->fields_size = sizeof(w->fields_room);
	w->fields_used = w->body_used = 0;
	wend__http_out_begin(&x->out);
}

static bool may_have_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* Whether the connection can be used for another request after this one. ended:
 * the handler reads no more of the body. */
bool wend__http_keeps(struct http_exchange *x, bool ended)
{
	/* Who waits for a 100 that has not come may send the body or not. */
	return x->in.keep_alive && !x->reply.close && !x->reply.broken &&
	       !x->expects && x->in.body_error == 0 && x->out.error == 0 &&
	       (!ended || x->in.body != BODY_LENGTH ||
		x->in.left <= DRAIN_SIZE) &&
	       !atomic_load(&x->server->stopping);
}

static void put_date(struct http_exchange *x)
{
	time_t now = time(NULL);
	char *p = x->date;
	size_t n = strlen(x->server->name);

	if (now != x->date_of) {
		memcpy(p, x->server->name, n);
		memcpy(p + n, "Date: ", 6);
		if (wend_http_date(p + n + 6, now) != 0)
			n = 0; /* a clock far off: no date */
		else
			n += 6 + WEND_HTTP_DATE_SIZE - 1;
		memcpy(p + n, "\r\n", 2);
		x->date_size = n > 0 ? n + 2 : 0;
		x->date_of = now;
	}
	wend__http_out_put(&x->out, p, x->date_size);
}

static void put_status(struct http_out *o, int status)
{
	char line[64] = "HTTP/1.1 ";
	const char *reason = wend_http_reason(status);
	size_t n = strlen(reason);

	line[9] = (char)('0' + status / 100);
	line[10] = (char)('0' + status / 10 % 10);
	line[11] = (char)('0' + status % 10);
	line[12] = ' ';
	memcpy(line + 13, reason, n);
	memcpy(line + 13 + n, "\r\n", 2);
	wend__http_out_put(o, line, 15 + n);
}

static void put_length(struct http_out *o, int64_t length)
{
	char line[48], *p = line + sizeof(line);

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + length % 10);
	while ((length /= 10) > 0);
	p -= 16;
	memcpy(p, "Content-Length: ", 16);
	wend__http_out_put(o, p, (size_t)(line + sizeof(line) - p));
}

/* How the body ends. */
static void put_framing(wend_http_reply *w, int64_t length)
{
	struct http_exchange *x = exchange_of(w);

	if (!may_have_body(w->status)) {
		w->state = REPLY_LENGTH;
		w->length = 0;
		return;
	}
	if (!w->has_type && length != 0)
		wend__http_out_text(
			&x->out, "Content-Type: application/octet-stream\r\n");
	w->length = length;
	if (length >= 0) {
		w->state = REPLY_LENGTH;
		put_length(&x->out, length);
	} else if (x->request.minor > 0) {
		w->state = REPLY_CHUNKED;
		wend__http_out_text(&x->out, "Transfer-Encoding: chunked\r\n");
	} else {
		w->state = REPLY_TO_END;
		w->close = true;
	}
}

int wend__http_reply_head(wend_http_reply *w, int64_t length, bool ended)
{
	struct http_exchange *x = exchange_of(w);
	struct http_out *o = &x->out;

	put_status(o, w->status);
	put_date(x);
	wend__http_out_put(o, w->fields, w->fields_used);
	put_framing(w, length);
	if (!wend__http_keeps(x, ended)) {
		w->close = true;
		wend__http_out_text(o, "Connection: close\r\n");
	} else if (x->request.minor == 0) {
		wend__http_out_text(o, "Connection: keep-alive\r\n");
	}
	return wend__http_out_put(o, "\r\n", 2);
}

/* Read what the handler has left of the body. */
static void drain(struct http_exchange *x)
{
	char scrap[2048];
	size_t n = 0;
	ssize_t r;

	while (!wend__http_in_done(&x->in)) {
		r = n < DRAIN_SIZE ?
			    wend__http_in_read(&x->in, scrap, sizeof(scrap)) :
			    -EMSGSIZE;
		if (r < 0) {
			x->reply.close = true;
			return;
		}
		n += (size_t)r;
	}
}

bool wend__http_reply_finish(wend_http_reply *w)
{
	struct http_exchange *x = exchange_of(w);

	if (w->state == REPLY_OPEN && x->in.body_error != 0) {
		/* It was the request's fault. */
		if (x->in.status != 0)
			wend__http_refuse(x, x->in.status);
		w->broken = true;
		return false;
	}
	if (w->state == REPLY_OPEN) {
		if (w->length >= 0 && w->length != w->written &&
		    !w->head_only && may_have_body(w->status))
			w->broken = true; /* said what it did not do */
		wend__http_reply_head(
			w, w->length >= 0 ? w->length : w->written, true);
	}
	wend__http_body_flush(w);
	if (w->state == REPLY_CHUNKED && !w->head_only)
		wend__http_out_put(&x->out, "0\r\n\r\n", 5);
	else if (w->state == REPLY_LENGTH && w->written < w->length &&
		 !w->head_only)
		w->broken = true;
	w->state = REPLY_DONE;
	if (wend__http_keeps(x, true))
		drain(x);
	return true;
}

int wend_http_status(wend_http_reply *w, int status)
{
	if (status < 200 || status > 599)
		return -EINVAL;
	if (w->state != REPLY_OPEN)
		return -EALREADY;
	w->status = status;
	return 0;
}

void wend_http_close(wend_http_reply *w)
{
	w->close = true;
}

void wend_http_abort(wend_http_reply *w)
{
	if (!w->aborted)
		wend__http_out_cut(&exchange_of(w)->out, -ECONNABORTED);
	w->aborted = true;
}

int wend_http_set_length(wend_http_reply *w, int64_t bytes)
{
	if (bytes < 0)
		return -EINVAL;
	if (w->state != REPLY_OPEN)
		return -EALREADY;
	w->length = bytes;
	return 0;
}

static bool is_name(const char *p)
{
	const char *from = p;

	for (; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') ||
		      strchr("!#$%&'*+-.^_`|~", *p) != NULL))
			return false;
	return p > from;
}

static bool is_own(const char *name)
{
	return strcasecmp(name, "Connection") == 0 ||
	       strcasecmp(name, "Transfer-Encoding") == 0 ||
	       strcasecmp(name, "Date") == 0 || strcasecmp(name, "Server") == 0;
}

/* A value with CR or LF would be another header, of somebody else's making. */
static int check_field(const char *name, const char *value)
{
	if (!is_name(name) || is_own(name))
		return -EINVAL;
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') ||
		    *value == 0x7f)
			return -EINVAL;
	return 0;
}

static int make_room(wend_http_reply *w, size_t n)
{
	size_t size = w->fields_size;
	char *p;

	while (size - w->fields_used < n)
		size *= 2;
	if (size == w->fields_size)
		return 0;
	if (size > HTTP_MAX_FIELDS)
		return -ENOMEM;
	p = wend_http_alloc(&exchange_of(w)->request, size);
	if (p == NULL)
		return -ENOMEM;
	memcpy(p, w->fields, w->fields_used);
	w->fields = p;
	w->fields_size = size;
	return 0;
}

static int set_own_length(wend_http_reply *w, const char *value)
{
	char *end;
	long long n;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	n = strtoll(value, &end, 10);
	if (*end != '\0' || errno != 0)
		return -EINVAL;
	return wend_http_set_length(w, n);
}

int wend_http_add(wend_http_reply *w, const char *name, const char *value)
{
	size_t n = strlen(name), m = strlen(value);
	int err = check_field(name, value);
	char *p;

	if (err != 0)
		return err;
	if (w->state != REPLY_OPEN)
		return -EALREADY;
	if (n == 14 && strcasecmp(name, "Content-Length") == 0)
		return set_own_length(w, value);
	err = make_room(w, n + m + 4);
	if (err != 0)
		return err;
	p = w->fields + w->fields_used;
	memcpy(p, name, n);
	memcpy(p + n, ": ", 2);
	memcpy(p + n + 2, value, m);
	memcpy(p + n + 2 + m, "\r\n", 2);
	w->fields_used += n + m + 4;
	w->has_type |= n == 12 && strcasecmp(name, "Content-Type") == 0;
	return 0;
}

static void remove_fields(wend_http_reply *w, const char *name)
{
	size_t n = strlen(name);
	char *p = w->fields, *end = p + w->fields_used, *next;

	while (p < end) {
		next = (char *)memchr(p, '\n', (size_t)(end - p)) + 1;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
			memmove(p, next, (size_t)(end - next));
			end -= next - p;
		} else {
			p = next;
		}
	}
	w->fields_used = (size_t)(end - w->fields);
}

int wend_http_set(wend_http_reply *w, const char *name, const char *value)
{
	int err = check_field(name, value);

	if (err != 0)
		return err;
	if (w->state != REPLY_OPEN)
		return -EALREADY;
	remove_fields(w, name);
	return wend_http_add(w, name, value);
}
