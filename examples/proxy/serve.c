/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - start and stop.
 *
 * At a signal nobody is accepted any more. What is under way has --grace to
 * end by itself; then clients are hung up on, and who waits for the other side
 * is cancelled. A second signal ends the program at once.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <wend/std/log.h>
#include <wend/std/os.h>
#include "examples/proxy/proxy.h"

/* Streams have no natural size; their rate is what is limited. */
#define MAX_BODY (INT64_C(1) << 40)

static void handle(wend_http_reply *w, wend_http_request *r, void *arg)
{
	if (strcmp(r->method, "CONNECT") == 0)
		proxy_connect(w, r, arg);
	else
		proxy_request(w, r, arg);
}

static void serve_http(wend_conn *client, void *arg)
{
	struct proxy *p = arg;

	/* Why it ended is in the access lines. */
	(void)wend_http_serve_conn(p->http, client);
}

static int make_http(struct proxy *p)
{
	p->http = wend_http_server_new(&(wend_http_server_opts){
		.handler = handle,
		.arg = p,
		.name = "",
		.max_body = MAX_BODY,
		.idle_timeout = p->options->idle,
	});
	p->client = wend_http_client_new(
		&(wend_http_client_opts){ .dial = proxy_dial_http,
					  .dial_arg = p,
					  .io_timeout = p->options->idle,
					  .max_redirects = -1,
					  .user_agent = "" });
	return p->http != NULL && p->client != NULL ? 0 : -ENOMEM;
}

static int make(struct proxy *p)
{
	bool http = p->options->to == NULL;
	int err = http ? make_http(p) : 0;

	p->work = wend_ctx_with_cancel(NULL);
	p->net = wend_net_server_new(
		http ? serve_http : proxy_forward, p,
		&(wend_net_server_opts){ .name = "client",
					 .max_conns = p->options->conns });
	return err != 0 || p->work == NULL || p->net == NULL ? -ENOMEM : 0;
}

/* In the reverse order: the handlers use all the rest. */
static void clear(struct proxy *p)
{
	wend_net_server_free(p->net);
	wend_http_server_free(p->http);
	wend_http_client_free(p->client);
	wend_ctx_unref(p->work);
}

TASK(stop_http, (struct proxy *, p), (int64_t, deadline))
{
	(void)wend_http_server_stop(p->http, deadline);
}

TASK(stop_when_told, (struct proxy *, p), (wend_ctx *, told))
{
	int64_t deadline;
	int err = 0;

	wend_chan_recv(wend_ctx_done(told), NULL);
	deadline = wend_after(p->options->grace);
	nursery(n) {
		if (p->http != NULL)
			nursery_go(&n, stop_http, p, deadline);
		err = wend_net_server_shutdown(p->net, deadline);
		wend_ctx_cancel(p->work);
	}
	if (err != 0)
		wend_log_info("some were cut off");
}

/* Serve until told to stop: 0 or an error. */
static int serve(struct proxy *p, wend_net_listener *l, wend_ctx *told)
{
	wend_task *stopper;
	wend_attr attr = { .name = "stop", .handle = &stopper };
	int err = go_with(&attr, stop_when_told, p, told);

	if (err != 0)
		return err;
	printf("listening on %s\n", wend_net_listener_address(l));
	fflush(stdout);
	err = wend_net_server_serve(p->net, l);
	wend_ctx_cancel(told);
	wend_join(stopper, NULL);
	return err;
}

static int run(struct proxy *p, wend_net_listener *l)
{
	static const int signals[] = { SIGINT, SIGTERM };
	wend_ctx *told = wend_ctx_with_cancel(NULL);
	int err = told == NULL ? -ENOMEM : make(p);

	if (err == 0)
		err = wend_os_notify_ctx(told, signals, 2);
	if (err == 0) {
		err = serve(p, l, told);
		wend_os_notify_ctx_stop(told);
	}
	clear(p);
	wend_ctx_unref(told);
	return err;
}

int proxy_serve(const struct proxy_options *options)
{
	struct proxy p = { .options = options };
	wend_net_listener *l = NULL;
	int err = wend_net_listen(&l, options->listen, NULL);

	if (err == 0)
		err = run(&p, l);
	wend_net_listener_free(l);
	if (err != 0)
		fprintf(stderr, "proxy: %s: %s\n", options->listen,
			strerror(-err));
	return err != 0;
}
