/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_conn.c - a client's connection: one request, one answer; and those
 * that are kept unused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "stdlib/net/http/client.h"

/* What is left of a body is read to this size in order to keep a connection. */
#define DRAIN_SIZE (64 * 1024)

void wend__http_client_close(struct client_conn *k)
{
	wend_conn_close(k->conn);
	wend_conn_free(k->conn);
	wend__http_in_free(&k->in);
	free(k->origin);
	free(k->url);
	free(k);
}

static int dial(struct wend_http_client *c, const struct http_url *u,
		int64_t deadline, struct client_conn **conn)
{
	struct client_conn *k = malloc(sizeof(*k));
	int err;

	if (k == NULL)
		return -ENOMEM;
	k->client = c;
	k->used = false;
	k->url = NULL;
	k->origin = strdup(u->origin);
	wend__http_in_init(&k->in, NULL, HTTP_RESPONSE, &c->limits);
	deadline = wend__http_deadline(wend_now(), c->dial_timeout, 0, 0,
				       deadline);
	err = k->origin == NULL ? -ENOMEM : 0;
	if (err == 0)
		err = c->opts.dial(c->opts.dial_arg, u->host, u->port, u->tls,
				   deadline, &k->conn);
	if (err != 0) {
		wend__http_in_free(&k->in);
		free(k->origin);
		free(k);
		return err;
	}
	k->in.conn = k->conn;
	k->in.out = &k->out;
	k->out = (struct http_out){ .conn = k->conn,
				    .timeout = c->limits.io_timeout,
				    .piece = CLIENT_PIECE,
				    .size = CLIENT_OUT_SIZE,
				    .buf = k->out_buf };
	*conn = k;
	return 0;
}

/* Whether the server has closed it meanwhile, or said what nobody asked for;
 * as far as can be known without waiting. */
static bool is_stale(struct client_conn *k)
{
	int fd = wend_conn_fd(k->conn);
	char byte;

	if (wend_now() - k->idle_since > k->client->opts.idle_timeout)
		return true;
	return fd >= 0 && !(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
			    (errno == EAGAIN || errno == EINTR));
}

static struct client_conn *take_idle(struct wend_http_client *c,
				     const char *origin)
{
	struct client_conn **link, *k;

	wend_mutex_lock(&c->lock);
	for (link = &c->idle; (k = *link) != NULL; link = &k->next)
		if (strcmp(k->origin, origin) == 0) {
			*link = k->next;
			break;
		}
	wend_mutex_unlock(&c->lock);
	return k;
}

int wend__http_client_conn(struct wend_http_client *c, const struct http_url *u,
			   bool fresh, int64_t deadline,
			   struct client_conn **conn)
{
	struct client_conn *k;

	while (!fresh && (k = take_idle(c, u->origin)) != NULL) {
		if (!is_stale(k)) {
			*conn = k;
			return 0;
		}
		wend__http_client_close(k);
	}
	return dial(c, u, deadline, conn);
}

/* Whether another request may follow on this connection. */
static bool is_reusable(struct client_conn *k)
{
	char scrap[2048];
	size_t n = 0;

	if (!k->in.keep_alive || k->out.error != 0 || k->in.body_error != 0 ||
	    k->in.body == BODY_TO_END)
		return false;
	while (!wend__http_in_done(&k->in)) {
		ssize_t r;

		if (k->in.body == BODY_LENGTH && k->in.left > DRAIN_SIZE)
			return false;
		r = n < DRAIN_SIZE ?
			    wend__http_in_read(&k->in, scrap, sizeof(scrap)) :
			    -EMSGSIZE;
		if (r < 0)
			return false;
		n += (size_t)r;
	}
	return !wend__http_in_more(&k->in);
}

/* Out of a list, the last of that origin beyond max. */
static struct client_conn *surplus(struct wend_http_client *c,
				   const char *origin)
{
	struct client_conn **link, **last = NULL, *k;
	int count = 0;

	for (link = &c->idle; *link != NULL; link = &(*link)->next)
		if (strcmp((*link)->origin, origin) == 0) {
			last = link;
			count++;
		}
	if (count <= c->opts.max_idle)
		return NULL;
	k = *last;
	*last = k->next;
	return k;
}

void wend__http_client_put(struct client_conn *k)
{
	struct wend_http_client *c = k->client;
	struct client_conn *old;

	if (c->opts.max_idle < 0 || !is_reusable(k)) {
		wend__http_client_close(k);
		return;
	}
	k->used = true;
	k->idle_since = wend_now();
	wend_mutex_lock(&c->lock);
	k->next = c->idle;
	c->idle = k;
	old = surplus(c, k->origin);
	wend_mutex_unlock(&c->lock);
	if (old != NULL)
		wend__http_client_close(old);
}

void wend__http_client_close_idle(struct wend_http_client *c)
{
	struct client_conn *k;

	while ((k = c->idle) != NULL) {
		c->idle = k->next;
		wend__http_client_close(k);
	}
}

static void put_line(struct http_out *o, const char *a, const char *b,
		     const char *c, const char *d)
{
	wend__http_out_text(o, a);
	wend__http_out_text(o, b);
	wend__http_out_text(o, c);
	wend__http_out_text(o, d);
}

static bool is_secret(const char *name)
{
	return strcasecmp(name, "Authorization") == 0 ||
	       strcasecmp(name, "Cookie") == 0;
}

static bool has_body(const wend_http_call *call)
{
	return call->data != NULL || call->body != NULL;
}

static void send_head(struct client_conn *k, const wend_http_call *call,
		      const struct http_url *u, bool other_host)
{
	struct http_out *o = &k->out;
	const char *method = call->method != NULL ? call->method : "GET";
	int64_t length = call->data != NULL ? (int64_t)call->size :
					      call->length;
	char text[32];

	put_line(o, method, " ", u->target, " HTTP/1.1\r\n");
	put_line(o, "Host: ", u->authority, "\r\n", k->client->user_agent);
	for (size_t i = 0; i < call->field_count; i++)
		if (!other_host || !is_secret(call->fields[i].name))
			put_line(o, call->fields[i].name, ": ",
				 call->fields[i].value, "\r\n");
	if (has_body(call) && length < 0) {
		wend__http_out_text(o, "Transfer-Encoding: chunked\r\n");
	} else if (has_body(call) || strcmp(method, "POST") == 0 ||
		   strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0) {
		snprintf(text, sizeof(text), "%" PRId64 "\r\n",
			 has_body(call) ? length : 0);
		wend__http_out_text(o, "Content-Length: ");
		wend__http_out_text(o, text);
	}
	if (call->close)
		wend__http_out_text(o, "Connection: close\r\n");
	wend__http_out_text(o, "\r\n");
}

/* 0, or what the reader says. What the connection says stays in the output. */
static int send_from_reader(struct http_out *o, const wend_http_call *call)
{
	int64_t left = call->length;
	char buf[4096], size[24];
	ssize_t n;

	while (left != 0 && o->error == 0) {
		n = wend_read(call->body, buf,
			      left > 0 && left < (int64_t)sizeof(buf) ?
				      (size_t)left :
				      sizeof(buf));
		if (n < 0)
			return (int)n;
		if (n == 0 && left > 0)
			return -EINVAL; /* less than was said */
		if (left < 0) {
			snprintf(size, sizeof(size), "%zx\r\n", (size_t)n);
			wend__http_out_text(o, size);
		}
		wend__http_out_put(o, buf, (size_t)n);
		if (left < 0)
			wend__http_out_text(o, "\r\n");
		else
			left -= n;
		if (n == 0)
			break;
	}
	return 0;
}

/* How the body of the answer ends (RFC 9112, 6.3). */
static int set_body(struct client_conn *k, const char *method)
{
	struct http_in *in = &k->in;
	wend_http_response *r = &k->response;
	const char *coding = wend_http_field_find(in->fields, in->count,
						  "Transfer-Encoding");

	r->length = 0;
	if (strcmp(method, "HEAD") == 0 || r->status == 204 ||
	    r->status == 304) {
		wend__http_in_body(in, BODY_NONE, 0);
	} else if (coding != NULL) {
		if (strcasecmp(coding, "chunked") != 0)
			return -EPROTO;
		r->length = -1;
		wend__http_in_body(in, BODY_CHUNKED, 0);
	} else if (in->parser.flags & F_CONTENT_LENGTH) {
		if (in->parser.content_length > INT64_MAX)
			return -EPROTO;
		r->length = (int64_t)in->parser.content_length;
		wend__http_in_body(in, BODY_LENGTH, r->length);
	} else {
		r->length = -1;
		in->keep_alive = false;
		wend__http_in_body(in, BODY_TO_END, 0);
	}
	if (r->length > 0 && in->limits->body >= 0 &&
	    r->length > in->limits->body)
		return -EMSGSIZE;
	return 0;
}

static ssize_t read_body(wend_reader *reader, void *to, size_t n)
{
	wend_http_response *r =
		(wend_http_response *)((char *)reader -
				       offsetof(wend_http_response, body));

	return wend__http_in_read(&conn_of(r)->in, to, n);
}

/* The header of the answer, those before it that only say to go on left out. */
static int read_head(struct client_conn *k, const char *method, bool *begun)
{
	struct http_in *in = &k->in;
	int r;

	do {
		r = wend__http_in_head(in);
		*begun |= in->end > in->start;
		if (r == 0)
			return k->out.error != 0 ? k->out.error : -ECONNRESET;
		if (r == -EPROTO && (in->status == 431 || in->status == 414))
			return -EMSGSIZE;
		if (r < 0)
			return r;
		if (in->parser.http_major != 1 || in->parser.status_code == 101)
			return -EPROTO;
	} while (in->parser.status_code < 200);
	k->response.status = in->parser.status_code;
	k->response.minor = in->parser.http_minor;
	k->response.fields = in->fields;
	k->response.field_count = in->count;
	k->response.body.read = read_body;
	return set_body(k, method);
}

int wend__http_client_ask(struct client_conn *k, const wend_http_call *call,
			  const struct http_url *u, bool other_host,
			  int64_t deadline, bool *begun)
{
	struct http_out *o = &k->out;
	const char *method = call->method != NULL ? call->method : "GET";
	int err;

	*begun = false;
	k->in.deadline = o->deadline = deadline;
	send_head(k, call, u, other_host);
	if (call->data != NULL) {
		wend__http_out_put(o, call->data, call->size);
	} else if (call->body != NULL) {
		err = send_from_reader(o, call);
		if (err != 0)
			return err;
	}
	/* A server that refuses a body may close before all of it is sent, and
	 * has said why: so look, whatever became of the sending. */
	if (wend__http_out_flush(o) == -ETIMEDOUT)
		return -ETIMEDOUT;
	o->used = 0;
	return read_head(k, method, begun);
}
