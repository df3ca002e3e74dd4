/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply_body.c - the body of a reply.
 *
 * While the reply is open its body gathers in a buffer of its own, as its
 * length stands in front of it. When that overflows, or is flushed, the header
 * is sent, and from then on the body follows in chunks of that buffer's size.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/exchange.h"

static bool is_silent(const wend_http_reply *w)
{
	return w->head_only || w->status == 204 || w->status == 304;
}

/* One chunk, or the bytes alone where there are no chunks. */
static int put(wend_http_reply *w, const void *data, size_t n)
{
	struct http_out *o = &exchange_of(w)->out;
	char size[24];

	if (n == 0 || is_silent(w))
		return o->error;
	if (w->state != REPLY_CHUNKED)
		return wend__http_out_put(o, data, n);
	wend__http_out_put(o, size, (size_t)sprintf(size, "%zx\r\n", n));
	wend__http_out_put(o, data, n);
	return wend__http_out_put(o, "\r\n", 2);
}

int wend__http_body_flush(wend_http_reply *w)
{
	size_t n = w->body_used;

	w->body_used = 0;
	return put(w, w->body, n);
}

static ssize_t stream(wend_http_reply *w, const void *data, size_t n)
{
	int err = 0;

	if (n > HTTP_BODY_SIZE - w->body_used)
		err = wend__http_body_flush(w);
	if (err == 0 && n >= HTTP_BODY_SIZE) {
		err = put(w, data, n);
	} else if (err == 0) {
		memcpy(w->body + w->body_used, data, n);
		w->body_used += n;
	}
	return err != 0 ? err : (ssize_t)n;
}

ssize_t wend_http_write(wend_http_reply *w, const void *data, size_t n)
{
	struct http_out *o = &exchange_of(w)->out;
	ssize_t r;

	if (o->error != 0)
		return o->error;
	if (w->state == REPLY_DONE)
		return -EALREADY;
	if (w->length >= 0 && (uint64_t)(w->length - w->written) < n)
		return -EMSGSIZE;
	if (w->state == REPLY_OPEN && n > HTTP_BODY_SIZE - w->body_used)
		wend__http_reply_head(w, w->length, false);
	/* A status without a body: what is written is not sent. */
	if (w->state != REPLY_OPEN && is_silent(w))
		r = (ssize_t)n;
	else
		r = stream(w, data, n);
	if (r > 0)
		w->written += r;
	return r;
}

ssize_t wend__http_body_write(wend_writer *writer, const void *data, size_t n)
{
	return wend_http_write(
		(wend_http_reply *)((char *)writer -
				    offsetof(wend_http_reply, writer)),
		data, n);
}

wend_writer *wend_http_writer(wend_http_reply *w)
{
	return &w->writer;
}

ssize_t wend_http_printf(wend_http_reply *w, const char *format, ...)
{
	char text[512], *large = NULL;
	va_list args;
	ssize_t r;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		return -EINVAL;
	if ((size_t)n < sizeof(text))
		return wend_http_write(w, text, (size_t)n);
	va_start(args, format);
	n = vasprintf(&large, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	r = wend_http_write(w, large, (size_t)n);
	free(large);
	return r;
}

int wend_http_flush(wend_http_reply *w)
{
	struct http_out *o = &exchange_of(w)->out;

	if (w->state == REPLY_DONE)
		return o->error;
	if (w->state == REPLY_OPEN)
		wend__http_reply_head(w, w->length, false);
	wend__http_body_flush(w);
	return wend__http_out_flush(o);
}

static int send_now(wend_http_reply *w, int status, const char *type,
		    const void *body, size_t n)
{
	int err = wend_http_status(w, status);

	if (err == 0 && type != NULL)
		err = wend_http_set(w, "Content-Type", type);
	if (err != 0)
		return err;
	w->body_used = 0;
	w->written = (int64_t)n;
	wend__http_reply_head(w, (int64_t)n, true);
	return put(w, body, n);
}

int wend_http_send(wend_http_reply *w, int status, const char *type,
		   const void *body, size_t n)
{
	int err = exchange_of(w)->in.body_error;

	/* Then the reply is about that, and not the handler's. */
	return err != 0 ? err : send_now(w, status, type, body, n);
}

void wend__http_refuse(struct http_exchange *x, int status)
{
	wend_http_reply *w = &x->reply;
	const char *reason = wend_http_reason(status);
	char line[64];
	size_t n = strlen(reason);

	memcpy(line, reason, n);
	line[n] = '\n';
	wend__http_reply_init(x);
	w->close = true;
	send_now(w, status, "text/plain; charset=utf-8", line, n + 1);
}

int wend_http_error(wend_http_reply *w, int status, const char *text)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s\n",
			 text != NULL ? text : wend_http_reason(status));

	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	return wend_http_send(w, status, "text/plain; charset=utf-8", line,
			      (size_t)n);
}

int wend_http_redirect(wend_http_reply *w, int status, const char *location)
{
	int err = wend_http_set(w, "Location", location);

	if (err != 0)
		return err;
	return wend_http_error(w, status, NULL);
}

int wend_http_switch(wend_http_reply *w, int status)
{
	struct http_exchange *x = exchange_of(w);
	struct http_out *o = &x->out;
	char line[64];

	if (status != 101 && status != 200)
		return -EINVAL;
	if (w->state != REPLY_OPEN)
		return -EALREADY;
	w->status = status;
	wend__http_out_put(o, line,
			   (size_t)sprintf(line, "HTTP/1.1 %d %s\r\n", status,
					   wend_http_reason(status)));
	if (status == 101)
		wend__http_out_text(o, "Connection: Upgrade\r\n");
	wend__http_out_put(o, w->fields, w->fields_used);
	wend__http_out_put(o, "\r\n", 2);
	w->state = REPLY_DONE;
	w->close = true;
	return o->error;
}

int wend_http_take_over(wend_http_reply *w, const char **rest, size_t *n,
			wend_conn **conn)
{
	struct http_exchange *x = exchange_of(w);
	int err;

	if (!wend__http_in_done(&x->in) ||
	    (w->state == REPLY_OPEN && w->body_used > 0) ||
	    (w->state != REPLY_OPEN && w->state != REPLY_DONE))
		return -EBUSY;
	err = wend__http_out_flush(&x->out);
	if (err != 0)
		return err;
	wend_conn_set_deadline(x->in.conn, WEND_FOREVER);
	*rest = x->in.buf + x->in.pos;
	*n = x->in.end - x->in.pos;
	*conn = x->in.conn;
	x->taken_over = true;
	return 0;
}
