/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - a server on listeners: a task for each connection.
 */
#include "stdlib/net/http/exchange.h"

static void serve(wend_conn *conn, void *arg)
{
	/* Whatever ends a connection is the client's business, and in the log
	 * if there is one. */
	(void)wend_http_serve_conn(arg, conn);
}

int wend__http_serve_init(struct wend_http_server *s)
{
	s->net = wend_net_server_new(serve, s,
				     &(wend_net_server_opts){
					     .name = "http",
					     .stack_size = s->opts.stack_size,
					     .max_conns = s->opts.max_conns,
					     .wrap = s->opts.wrap,
					     .wrap_arg = s->opts.wrap_arg,
				     });
	return s->net == NULL ? -ENOMEM : 0;
}

int wend_http_serve(wend_http_server *s, wend_net_listener *l)
{
	return wend_net_server_serve(s->net, l);
}
