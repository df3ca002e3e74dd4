/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the parts of the client.
 *
 *	client.c       redirects, sending again; what the user calls
 *	client_conn.c  a connection: one request, one answer; those kept unused
 *	url.c          URLs
 */
#ifndef STDLIB_NET_HTTP_CLIENT_H
#define STDLIB_NET_HTTP_CLIENT_H

#include <wend/wend.h>
#include <wend/std/http_client.h>
#include "stdlib/net/http/in.h"
#include "stdlib/net/http/out.h"
#include "stdlib/net/http/url.h"

struct wend_http_client {
	wend_http_client_opts opts;
	char *user_agent; /* "User-Agent: wend\r\n", or "" */
	struct http_limits limits;
	int64_t dial_timeout;
	wend_mutex lock;          /* of idle */
	struct client_conn *idle; /* the one used last in front */
};

#define CLIENT_OUT_SIZE 4096
#define CLIENT_PIECE    (64 << 10) /* io_timeout is for each */

struct client_conn {
	struct client_conn *next; /* client->lock */
	struct wend_http_client *client;
	char *origin;
	char *url; /* of the response */
	wend_conn *conn;
	int64_t idle_since;
	bool used; /* before, for another request */
	wend_http_response response;
	struct http_in in;
	struct http_out out;
	char out_buf[CLIENT_OUT_SIZE];
};

static inline struct client_conn *conn_of(wend_http_response *r)
{
	return (struct client_conn *)((char *)r -
				      offsetof(struct client_conn, response));
}

/* One that is kept for u, or a new one. */
int wend__http_client_conn(struct wend_http_client *c, const struct http_url *u,
			   bool fresh, int64_t deadline,
			   struct client_conn **conn);

/* Keep it for the next one, if it can be used again; or close it. */
void wend__http_client_put(struct client_conn *k);
void wend__http_client_close(struct client_conn *k);
void wend__http_client_close_idle(struct wend_http_client *c);

/* Send the request, read the header of the answer. *begun: bytes of an answer
 * have come. */
int wend__http_client_ask(struct client_conn *k, const wend_http_call *call,
			  const struct http_url *u, bool other_host,
			  int64_t deadline, bool *begun);

/* client_dial.c: TCP by the package net. */
wend_http_dial wend__http_dial;

#endif
