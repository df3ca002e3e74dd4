/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c - requests of HTTP, passed on one by one (RFC 9110, section 7.6).
 *
 * Bodies go through in pieces, both ways. What is said of one connection (its
 * "Connection" and friends) is not passed on; each side's framing is the
 * library's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wend/std/log.h>
#include "examples/proxy/proxy.h"

#define VIA "1.1 wend-proxy"

struct exchange {
	struct proxy *proxy;
	wend_http_reply *reply;
	wend_http_request *request;
	const char *url;
	int status;       /* sent; 0: none */
	int64_t received; /* bytes of the body */
};

/* --- header fields ------------------------------------------------------- */

static bool is_in(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcasecmp(name, *list) == 0)
			return true;
	return false;
}

/* Whether a field is about the connection it came by. */
static bool is_hop(const wend_http_field *fields, size_t n, const char *name)
{
	static const char *const hop[] = {
		"Connection",
		"Content-Length",
		"Expect",
		"Host",
		"Keep-Alive",
		"Proxy-Authenticate",
		"Proxy-Authorization",
		"Proxy-Connection",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		NULL,
	};

	if (is_in(name, hop))
		return true;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(fields[i].name, "Connection") == 0 &&
		    wend_http_has_token(fields[i].value, name))
			return true;
	return false;
}

/* We are named in it: the request came from here. */
static bool is_loop(const wend_http_request *r)
{
	for (size_t i = 0; i < r->field_count; i++)
		if (strcasecmp(r->fields[i].name, "Via") == 0 &&
		    wend_http_has_token(r->fields[i].value, VIA))
			return true;
	return false;
}

/* The fields to pass on; NULL: no memory. */
static wend_http_field *fields_of(wend_http_request *r, size_t *count)
{
	wend_http_field *to = wend_http_alloc(r, (r->field_count + 1) *
							 sizeof(*to));
	size_t n = 0;

	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < r->field_count; i++)
		if (!is_hop(r->fields, r->field_count, r->fields[i].name))
			to[n++] = r->fields[i];
	to[n++] = (wend_http_field){ "Via", VIA };
	*count = n;
	return to;
}

/* The answer's fields; Date and Server are said anew by our own server. */
static int copy_fields(wend_http_reply *w, const wend_http_response *a)
{
	static const char *const own[] = { "Date", "Server", NULL };
	int err = 0;

	for (size_t i = 0; i < a->field_count && err == 0; i++)
		if (!is_hop(a->fields, a->field_count, a->fields[i].name) &&
		    !is_in(a->fields[i].name, own))
			err = wend_http_add(w, a->fields[i].name,
					    a->fields[i].value);
	return err == 0 ? wend_http_add(w, "Via", VIA) : err;
}

/* --- the exchange -------------------------------------------------------- */

int proxy_refuse(wend_http_reply *w, int error)
{
	int status = error == -ETIMEDOUT ? 504 :
		     error == -ECANCELED ? 503 :
		     error == -EINVAL    ? 400 :
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
		wend_conn_close(x->request->conn);
}

static void pass_answer(struct exchange *x, wend_http_response *a)
{
	const char *length = wend_http_response_header(a, "Content-Length");
	int64_t size = strcmp(x->request->method, "HEAD") != 0 ? a->length :
		       length != NULL ? strtoll(length, NULL, 10) :
					-1;
	int err = wend_http_status(x->reply, a->status);

	if (err == 0)
		err = copy_fields(x->reply, a);
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

	call.fields = fields_of(r, &call.field_count);
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
	size_t n = strlen(r->host) + strlen(r->raw_path) + strlen(query) + 9;
	char *url = wend_http_alloc(r, n);

	if (url != NULL)
		snprintf(url, n, "http://%s%s%s%s", r->host, r->raw_path,
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
	else if (is_loop(r))
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
