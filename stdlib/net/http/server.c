/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the server: its options, and its end.
 */
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/exchange.h"

static int64_t time_or(int64_t ns, int64_t fallback)
{
	if (ns < 0)
		return WEND_FOREVER;
	return ns != 0 ? ns : fallback;
}

static void set_limits(struct http_limits *l, const wend_http_server_opts *o)
{
	l->target = o->max_target != 0 ? o->max_target : 8 << 10;
	l->head = o->max_head != 0 ? o->max_head : 16 << 10;
	l->fields = o->max_fields != 0 ? o->max_fields : 100;
	l->body = o->max_body != 0 ? o->max_body : 1 << 20;
	l->head_timeout = time_or(o->head_timeout, 10 * WEND_SECOND);
	l->idle_timeout = time_or(o->idle_timeout, 60 * WEND_SECOND);
	l->body_timeout = time_or(o->body_timeout, 10 * WEND_SECOND);
	l->write_timeout = time_or(o->write_timeout, 10 * WEND_SECOND);
	l->io_timeout = WEND_FOREVER;
	l->min_rate = o->min_rate != 0 ? o->min_rate : 500;
}

wend_http_server *wend_http_server_new(const wend_http_server_opts *opts)
{
	struct wend_http_server *s;

	if (opts->handler == NULL)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->opts = *opts;
	s->opts.name = NULL;
	s->name = wend__http_own_field("Server", opts->name);
	if (s->name == NULL || wend__http_serve_init(s) != 0) {
		free(s->name);
		free(s);
		return NULL;
	}
	set_limits(&s->limits, opts);
	return s;
}

void wend_http_server_free(wend_http_server *s)
{
	if (s == NULL)
		return;
	wend_net_server_free(s->net);
	free(s->name);
	free(s);
}

void wend_http_server_stats(const wend_http_server *s, wend_http_stats *stats)
{
	/* closed first: it never is ahead of accepted. */
	uint64_t closed = atomic_load(&s->closed);

	stats->accepted = atomic_load(&s->accepted);
	stats->open = stats->accepted - closed;
	stats->requests = atomic_load(&s->requests);
	stats->refused = atomic_load(&s->refused);
	stats->aborted = atomic_load(&s->aborted);
}

bool wend_http_server_stopping(const wend_http_server *s)
{
	return atomic_load(&s->stopping);
}

/* converse.c says why no idle one is missed. */
static void hang_up(struct wend_http_server *s, bool all)
{
	wend_mutex_lock(&s->lock);
	for (struct http_exchange *x = s->conns; x != NULL; x = x->next) {
		int idle = IN_IDLE;

		if (all)
			wend_conn_close(x->in.conn);
		else if (atomic_compare_exchange_strong(&x->in.state, &idle,
							IN_HUNG_UP))
			wend_conn_set_read_deadline(x->in.conn, 0);
	}
	wend_mutex_unlock(&s->lock);
}

int wend_http_server_stop(wend_http_server *s, int64_t deadline)
{
	bool shielded;
	int r;

	atomic_store(&s->stopping, true);
	hang_up(s, false);
	r = wend_net_server_shutdown(s->net, deadline);
	if (r == 0)
		r = wend_waitgroup_wait_until(&s->serving, deadline);
	if (r == 0)
		return 0;
	hang_up(s, true);
	/* Whoever was closed ends soon; not to wait for it would leave it a
	 * server that may be freed. */
	shielded = wend_task_shield(true);
	wend_waitgroup_wait(&s->serving);
	wend_task_shield(shielded);
	return -ETIMEDOUT;
}
