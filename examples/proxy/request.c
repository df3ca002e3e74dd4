/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c - requests of HTTP, passed on one by one (RFC 9110, section 7.6).
 *
 * Bodies go through in pieces, both ways; each side's framing is the library's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wend/std/log.h>
#include "examples/proxy/proxy.h"

struct exchange {
	struct proxy *proxy;
	wend_http_reply *reply;
	wend_http_request *request;
	const char *url;
	int status;       /* sent; 0: none */
	int64_t received; /* bytes of the body */
};

int proxy_refuse(wend_http_reply *w, int error)
{
	int status = error == -ETIMEDOUT       ? 504 :
		     error == -ECANCELED       ? 503 :
		     error == -EINVAL          ? 400 :
		     error == -EPROTONOSUPPORT ? 501 :
						 502;
	char text[128];

	snprintf(text, sizeof(text), "proxy: %s", strerror(-error));
	wend_http_error(w, status, text);
	return status;
}

/* Piece by piece, each sent on as it comes: somebody may wait for it. */
static void copy_body(struct exchange *x, wend_http_response *a)
{
	char buf[16 << 10];
	ssize_t n;

	while ((n = wend_read(&a->body, buf, sizeof(buf))) > 0) {
		if (wend_http_write(x->reply, buf, (size_t)n) < 0 ||
		    wend_http_flush(x->reply) != 0)
			return;
		x->received += n;
	}
	/* A body that is cut short must not look whole. */
	if (n < 0)
		wend_http_abort(x->reply);
}

static void pass_answer(struct exchange *x, wend_http_response *a)
{
	const char *length = wend_http_response_header(a, "Content-Length");
	int64_t size = strcmp(x->request->method, "HEAD") != 0 ? a->length :
		       length != NULL ? strtoll(length, NULL, 10) :
					-1;
	int err = wend_http_status(x->reply, a->status);

	if (err == 0)
		err = fields_of_answer(x->reply, a);
	if (err == 0 && size >= 0)
		err = wend_http_set_length(x->reply, size);
	if (err != 0) {
		x->status = proxy_refuse(x->reply, -EPROTO);
		return;
	}
	x->status = a->status;
	/* Or the answer to a HEAD would say that it is 0. */
	if (size < 0)
		wend_http_flush(x->reply);
	copy_body(x, a);
}

static int ask(void *arg)
{
	struct exchange *x = arg;
	wend_http_request *r = x->request;
	wend_http_call call = { .method = r->method,
				.url = x->url,
				.body = r->length != 0 ? &r->body : NULL,
				.length = r->length };
	wend_http_response *a;
	int err;

	call.fields = fields_of_request(r, &call.field_count);
	if (call.fields == NULL)
		return -ENOMEM;
	err = wend_http_do(x->proxy->client, &call, WEND_FOREVER, &a);
	if (err != 0)
		return err;
	pass_answer(x, a);
	wend_http_response_free(a);
	return 0;
}

/* "http://host/path?query" again; NULL: no memory. */
static const char *url_of(wend_http_request *r)
{
	const char *query = r->query != NULL ? r->query : "";
	/* The client asks us for https in a tunnel, as a rule. */
	const char *scheme = r->scheme != NULL ? r->scheme : "http";
	size_t n = strlen(scheme) + strlen(r->host) + strlen(r->raw_path) +
		   strlen(query) + 5;
	char *url = wend_http_alloc(r, n);

	if (url != NULL)
		snprintf(url, n, "%s://%s%s%s%s", scheme, r->host, r->raw_path,
			 r->query != NULL ? "?" : "", query);
	return url;
}

void proxy_request(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct exchange x = { .proxy = arg, .reply = w, .request = r };
	int64_t from = wend_now();
	int err = 0;

	x.url = url_of(r);
	if (x.url == NULL)
		err = -ENOMEM;
	else if (r->host[0] == '\0' || r->raw_path[0] != '/')
		err = -EINVAL;
	else if (fields_loop(r))
		wend_http_error(w, x.status = 508, NULL);
	else
		err = wend_ctx_run(x.proxy->work, ask, &x);
	if (err != 0)
		x.status = proxy_refuse(w, err);
	wend_log_info("request",
		      wend_log_text("client", wend_conn_remote(r->conn)),
		      wend_log_text("method", r->method),
		      wend_log_text("url", x.url),
		      wend_log_int("status", x.status),
		      wend_log_int("received", x.received),
		      wend_log_duration("took", wend_now() - from));
}
