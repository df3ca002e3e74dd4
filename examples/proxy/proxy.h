/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h - the parts of proxy.
 *
 *	main.c     options
 *	serve.c    start and stop
 *	dial.c     connections to the other side
 *	relay.c    two connections, each one's bytes to the other
 *	tunnel.c   relays: of the forwarder, and of HTTP's CONNECT
 *	request.c  requests of HTTP, passed on one by one
 *	fields.c   their header fields
 *
 * The protocol of HTTP is the library's, on both sides.
 */
#ifndef EXAMPLES_PROXY_H
#define EXAMPLES_PROXY_H

#include <wend/short.h>
#include <wend/std/context.h>
#include <wend/std/http_client.h>
#include <wend/std/http_server.h>
#include <wend/std/net.h>

#define PROXY_PORTS 16 /* at most, of --allow */

struct proxy_options {
	const char *listen;
	const char *to; /* NULL: a proxy of HTTP */
	uint16_t allow[PROXY_PORTS];
	size_t allow_count;
	int64_t connect, idle, grace; /* nanoseconds */
	uint32_t conns;
};

struct proxy {
	const struct proxy_options *options;
	wend_ctx *work; /* ends when nobody's work is waited for any more */
	wend_net_server *net;
	wend_http_server *http;   /* NULL: a forwarder */
	wend_http_client *client; /* the same */
};

/* The program's exit status. */
int proxy_serve(const struct proxy_options *options);

/* Connect within --connect: 0 or an error; -ECANCELED when p->work ends. */
int proxy_dial(struct proxy *p, const char *address, wend_conn **conn);

/* The same for the client of HTTP, whose arg is the proxy. */
wend_http_dial proxy_dial_http;

/*
 * Each side's bytes to the other, until both have ended: the end of one is
 * passed on, and the other direction goes on. Both connections are closed when
 * one fails, or nothing has come for idle nanoseconds either way.
 */
struct relay {
	wend_conn *client, *server;
	int64_t idle;
	int64_t sent, received; /* bytes, by the client's view */
	int result;             /* 0, or what ended it */
	_Atomic int64_t last;   /* when something came */
	_Atomic int error;
};
void relay_run(struct relay *r);

/* A connection of the forwarder; arg is the proxy, here as below. */
void proxy_forward(wend_conn *client, void *arg);
wend_http_handler proxy_connect;
wend_http_handler proxy_request;

/* Whether a request came from here; its fields to pass on, in memory of the
 * request, NULL: none; and those of an answer, 0 or an error. */
bool fields_loop(const wend_http_request *r);
wend_http_field *fields_of_request(wend_http_request *r, size_t *count);
int fields_of_answer(wend_http_reply *w, const wend_http_response *a);

/* Answer that the other side could not be reached: the status sent. */
int proxy_refuse(wend_http_reply *w, int error);

#endif
