/* SPDX-License-Identifier: Apache-2.0 */
/*
 * converse.c - the life of a connection.
 *
 * Being hung up on, between wend_http_server_stop() and the connection's task:
 *
 *	stop                               task, waiting for a request's first byte
 *	stopping = true      [stop.idle]   state = IDLE
 *	if (state: IDLE -> HUNG_UP)        set the read deadline
 *	        read deadline = 0          if (stopping) leave   [stop.idle]
 *	                                   read
 *	                                   if (!(state: IDLE -> BUSY)) leave
 *
 * All of it sequentially consistent: either the task sees `stopping`, or the
 * deadline of 0 comes after its own, and ends its read. A deadline of 0 never
 * meets a request that is being read: who has won IDLE -> BUSY is not told.
 */
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/exchange.h"

/* A client that is refused may go on sending for so long before it looks. */
#define LINGER      (2 * WEND_SECOND)
#define LINGER_SIZE (4 << 20)

/* What the client has got of the status, as far as that is known. */
static int sent_status(const struct http_exchange *x)
{
	const wend_http_reply *w = &x->reply;

	if (w->aborted)
		return x->out.before == HTTP_BEGUN ? w->status : 0;
	return x->out.error != 0 && w->state == REPLY_OPEN ? 0 : w->status;
}

static void report(struct http_exchange *x, int64_t from)
{
	const wend_http_server_opts *o = &x->server->opts;
	wend_http_record record = {
		.conn = x->in.conn,
		.method = x->request.method,
		.path = x->request.path,
		.query = x->request.query,
		.status = sent_status(x),
		.minor = x->request.minor,
		.sent = x->reply.written,
		.duration = wend_now() - from,
	};

	o->done(&record, o->done_arg);
}

static void count(_Atomic uint64_t *n)
{
	/* Only ever read as a number. */
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

/* What comes next is no request, or not yet: nothing of the last one's. */
static void forget_request(struct http_exchange *x)
{
	x->request = (wend_http_request){ .method = "",
					  .path = "",
					  .host = "",
					  .minor = 1,
					  .conn = x->in.conn };
	x->method = -1;
	x->expects = false;
}

/* Refuse what could not be read as a request. */
static void refuse(struct http_exchange *x, int status)
{
	int64_t from = x->server->opts.done != NULL ? wend_now() : 0;

	forget_request(x);
	count(&x->server->refused);
	wend__http_refuse(x, status);
	if (x->server->opts.done != NULL)
		report(x, from);
}

/* One request that has been read. Whether the connection can go on. */
static bool answer(struct http_exchange *x)
{
	const wend_http_server_opts *o = &x->server->opts;
	int64_t from = o->done != NULL ? wend_now() : 0;
	int status = wend__http_request_init(x);
	_Atomic uint64_t *counter = &x->server->refused;

	wend__http_reply_init(x);
	if (status != 0) {
		wend__http_refuse(x, status);
	} else {
		o->handler(&x->reply, &x->request, o->arg);
		if (x->reply.aborted)
			counter = &x->server->aborted;
		else if (x->taken_over || wend__http_reply_finish(&x->reply))
			counter = &x->server->requests;
	}
	count(counter);
	if (o->done != NULL)
		report(x, from);
	wend__http_request_end(x);
	return status == 0 && !x->taken_over && wend__http_keeps(x, true);
}

/* Whether what the client has sent was all read: if not, closing now would
 * reset the connection, and the last reply might get lost with that. */
static bool is_clean(const struct http_exchange *x)
{
	return !wend__http_in_more(&x->in) && wend__http_in_done(&x->in) &&
	       x->in.status == 0;
}

static void linger(struct http_exchange *x)
{
	wend_conn *c = x->in.conn;
	int64_t until = wend_after(LINGER);
	size_t n = 0;
	ssize_t r;

	if (wend_conn_close_write(c) != 0)
		return;
	wend_conn_set_read_deadline(c, until);
	while (n < LINGER_SIZE) {
		r = wend_conn_read(c, x->in.buf, x->in.size);
		if (r <= 0)
			return;
		n += (size_t)r;
	}
}

static int converse(struct http_exchange *x)
{
	int r;

	do
		r = wend__http_in_head(&x->in);
	while (r > 0 && answer(x));
	if (r < 0 && x->in.status != 0)
		refuse(x, x->in.status);
	if (wend__http_out_flush(&x->out) != 0)
		return x->out.error;
	if (!x->taken_over && !is_clean(x))
		linger(x);
	if (r == -EPROTO || r >= 0)
		return r < 0 ? r : 0;
	/* Nothing was lost: it was idle, or hung up on. */
	return (r == -ETIMEDOUT && x->in.status == 0) ||
			       (r == -ECANCELED &&
				atomic_load(&x->server->stopping)) ?
		       0 :
		       r;
}

/* Not while it stops: nobody would wait for it. */
static bool link_conn(struct http_exchange *x)
{
	struct wend_http_server *s = x->server;
	bool stopping;

	wend_mutex_lock(&s->lock);
	stopping = atomic_load(&s->stopping);
	if (!stopping) {
		wend_waitgroup_add(&s->serving, 1);
		x->next = s->conns;
		x->link = &s->conns;
		if (x->next != NULL)
			x->next->link = &x->next;
		s->conns = x;
	}
	wend_mutex_unlock(&s->lock);
	return !stopping;
}

static void unlink_conn(struct http_exchange *x)
{
	struct wend_http_server *s = x->server;

	wend_mutex_lock(&s->lock);
	*x->link = x->next;
	if (x->next != NULL)
		x->next->link = x->link;
	wend_mutex_unlock(&s->lock);
}

static struct http_exchange *make(struct wend_http_server *s, wend_conn *conn)
{
	/* One block, what every request needs in front: pages that are not
	 * touched cost nothing. */
	size_t date_size = strlen(s->name) + sizeof("Date: \r\n") +
			   WEND_HTTP_DATE_SIZE;
	size_t front = (sizeof(struct http_exchange) + date_size + 15) &
		       ~(size_t)15;
	struct http_exchange *x = malloc(front + HTTP_OUT_SIZE +
					 HTTP_ARENA_SIZE + HTTP_BODY_SIZE);

	if (x == NULL)
		return NULL;
	wend__http_in_init(&x->in, conn, HTTP_REQUEST, &s->limits);
	x->server = s;
	forget_request(x);
	x->taken_over = false;
	x->walk = NULL;
	x->in.out = &x->out;
	x->in.stopping = &s->stopping;
	x->in.keep_alive = true;
	x->out = (struct http_out){ .conn = conn,
				    .timeout = s->limits.write_timeout,
				    .min_rate = s->limits.min_rate,
				    .deadline = WEND_FOREVER,
				    .size = HTTP_OUT_SIZE,
				    .buf = (char *)x + front };
	x->date = (char *)(x + 1);
	x->arena = x->out.buf + HTTP_OUT_SIZE;
	x->reply.body = x->arena + HTTP_ARENA_SIZE;
	x->date_of = -1;
	x->blocks = NULL;
	x->arena_used = 0;
	x->param_count = 0;
	wend__http_reply_init(x);
	return x;
}

int wend_http_serve_conn(wend_http_server *s, wend_conn *conn)
{
	struct http_exchange *x = make(s, conn);
	bool linked;
	int r;

	if (x == NULL) {
		wend_conn_close(conn);
		return -ENOMEM;
	}
	count(&s->accepted);
	linked = link_conn(x);
	if (linked) {
		r = converse(x);
	} else {
		wend__http_refuse(x, 503);
		r = wend__http_out_flush(&x->out);
	}
	if (x->reply.aborted)
		wend_conn_reset(conn);
	else
		wend_conn_close(conn);
	if (linked)
		unlink_conn(x);
	count(&s->closed);
	wend__http_request_end(x);
	wend__http_in_free(&x->in);
	free(x);
	/* The last thing: the server may be freed from here on. */
	if (linked)
		wend_waitgroup_done(&s->serving);
	return r;
}
