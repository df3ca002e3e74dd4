/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - asking: redirects, and sending again.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "stdlib/net/http/client.h"

static int64_t time_or_none(int64_t ns)
{
	return ns > 0 ? ns : WEND_FOREVER;
}

static void set_defaults(struct wend_http_client *c)
{
	wend_http_client_opts *o = &c->opts;

	if (o->max_idle == 0)
		o->max_idle = 8;
	if (o->idle_timeout == 0)
		o->idle_timeout = 30 * WEND_SECOND;
	c->dial_timeout = time_or_none(o->dial_timeout);
	if (o->max_redirects == 0)
		o->max_redirects = 10;
	c->limits = (struct http_limits){
		.target = 64 << 10, /* no target is read */
		.head = o->max_head != 0 ? o->max_head : 64 << 10,
		.fields = o->max_fields != 0 ? o->max_fields : 200,
		.body = o->max_body != 0 ? o->max_body : -1,
		.head_timeout = WEND_FOREVER,
		.idle_timeout = WEND_FOREVER,
		.body_timeout = WEND_FOREVER,
		.write_timeout = WEND_FOREVER,
		.io_timeout = time_or_none(o->io_timeout),
	};
}

wend_http_client *wend_http_client_new(const wend_http_client_opts *opts)
{
	struct wend_http_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (opts != NULL)
		c->opts = *opts;
	if (c->opts.dial == NULL)
		c->opts.dial = wend__http_dial;
	set_defaults(c);
	c->user_agent = wend__http_own_field("User-Agent", c->opts.user_agent);
	c->opts.user_agent = NULL;
	if (c->user_agent == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void wend_http_client_free(wend_http_client *c)
{
	if (c == NULL)
		return;
	wend__http_client_close_idle(c);
	free(c->user_agent);
	free(c);
}

static bool is_token(const char *p)
{
	return *p != '\0' && p[strspn(p, "!#$%&'*+-.^_`|~0123456789"
					 "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static bool is_own(const char *name)
{
	return strcasecmp(name, "Host") == 0 ||
	       strcasecmp(name, "Connection") == 0 ||
	       strcasecmp(name, "Content-Length") == 0 ||
	       strcasecmp(name, "Transfer-Encoding") == 0;
}

static bool is_valid(const wend_http_call *call)
{
	if ((call->method != NULL && !is_token(call->method)) ||
	    (call->method != NULL && strcmp(call->method, "CONNECT") == 0))
		return false;
	for (size_t i = 0; i < call->field_count; i++)
		if (!is_token(call->fields[i].name) ||
		    is_own(call->fields[i].name) ||
		    strpbrk(call->fields[i].value, "\r\n") != NULL)
			return false;
	return true;
}

static bool may_repeat(const wend_http_call *call)
{
	static const char *const safe[] = { "GET", "HEAD", "PUT", "DELETE",
					    "OPTIONS" };

	if (call->body != NULL)
		return false;
	if (call->method == NULL)
		return true;
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
		if (strcmp(call->method, safe[i]) == 0)
			return true;
	return false;
}

/*
 * One request, one answer. A connection that was kept may have been closed by
 * the server while the request was on its way: then nothing of an answer comes,
 * and what may be sent twice is sent over a new one.
 */
static int ask(struct wend_http_client *c, const wend_http_call *call,
	       const struct http_url *u, bool other_host, int64_t deadline,
	       struct client_conn **conn)
{
	bool fresh = false, begun, again;
	struct client_conn *k;
	int err;

	do {
		err = wend__http_client_conn(c, u, fresh, deadline, &k);
		if (err != 0)
			return err;
		err = wend__http_client_ask(k, call, u, other_host, deadline,
					    &begun);
		if (err == 0) {
			*conn = k;
			return 0;
		}
		again = k->used && !begun && may_repeat(call) &&
			(err == -ECONNRESET || err == -EPIPE);
		wend__http_client_close(k);
		fresh = true;
	} while (again);
	return err;
}

/* Whether the answer leads elsewhere, and the call is changed for it. */
static bool redirects(const wend_http_response *r, wend_http_call *call)
{
	const char *method = call->method != NULL ? call->method : "GET";
	bool post = strcmp(method, "POST") == 0;

	if (wend_http_response_header(r, "Location") == NULL)
		return false;
	switch (r->status) {
	case 301:
	case 302:
		if (!post)
			return call->body == NULL;
		break;
	case 303:
		if (strcmp(method, "HEAD") == 0)
			return true;
		break;
	case 307:
	case 308:
		return call->body == NULL;
	default:
		return false;
	}
	call->method = "GET";
	call->data = NULL;
	call->body = NULL;
	return true;
}

static void finish(struct client_conn *k, struct http_url *u)
{
	free(k->url);
	k->url = u->text;
	k->response.url = k->url;
	u->text = NULL;
	wend__http_url_free(u);
}

int wend_http_do(wend_http_client *c, const wend_http_call *asked,
		 int64_t deadline, wend_http_response **response)
{
	wend_http_call call = *asked;
	struct http_url u, next;
	struct client_conn *k;
	bool other_host = false;
	int err, left = c->opts.max_redirects;

	if (!is_valid(&call))
		return -EINVAL;
	err = wend__http_url_parse(&u, call.url);
	if (err != 0)
		return err;
	for (;;) {
		err = ask(c, &call, &u, other_host, deadline, &k);
		if (err != 0)
			break;
		if (left < 0 || !redirects(&k->response, &call)) {
			finish(k, &u);
			*response = &k->response;
			return 0;
		}
		err = left-- == 0 ?
			      -ELOOP :
			      wend__http_url_resolve(
				      &next, &u,
				      wend_http_response_header(&k->response,
								"Location"));
		wend__http_client_put(k);
		if (err != 0)
			break;
		other_host |= strcmp(next.origin, u.origin) != 0;
		wend__http_url_free(&u);
		u = next;
	}
	wend__http_url_free(&u);
	return err;
}

int wend_http_get(wend_http_client *c, const char *url, int64_t deadline,
		  wend_http_response **response)
{
	return wend_http_do(c, &(wend_http_call){ .url = url }, deadline,
			    response);
}

ssize_t wend_http_read_all(wend_http_response *r, size_t max, char **data)
{
	size_t room = r->length > 0 && (uint64_t)r->length < max ?
			      (size_t)r->length + 1 :
			      4096;
	size_t size = 0;
	ssize_t n = 0;
	char *p = NULL, *larger;

	for (;;) {
		if (p == NULL || size + 1 == room) {
			room = p == NULL ? room : 2 * room;
			larger = realloc(p, room);
			if (larger == NULL) {
				n = -ENOMEM;
				break;
			}
			p = larger;
		}
		n = wend_read(&r->body, p + size, room - size - 1);
		if (n <= 0)
			break;
		size += (size_t)n;
		if (size > max) {
			n = -EMSGSIZE;
			break;
		}
	}
	if (n < 0) {
		free(p);
		return n;
	}
	p[size] = '\0';
	*data = p;
	return (ssize_t)size;
}

void wend_http_response_free(wend_http_response *r)
{
	if (r != NULL)
		wend__http_client_put(conn_of(r));
}
