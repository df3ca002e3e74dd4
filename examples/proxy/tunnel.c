/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel.c - relays: of the forwarder, and of HTTP's CONNECT.
 */
#include <wend/std/log.h>
#include <wend/std/str.h>
#include "examples/proxy/proxy.h"

static void access_line(const char *what, const char *to, const struct relay *r,
			int64_t from)
{
	wend_log_info(what,
		      wend_log_text("client", wend_conn_remote(r->client)),
		      wend_log_text("to", to), wend_log_int("sent", r->sent),
		      wend_log_int("received", r->received),
		      wend_log_duration("took", wend_now() - from),
		      wend_log_code("end", r->result));
}

void proxy_forward(wend_conn *client, void *arg)
{
	struct proxy *p = arg;
	struct relay r = { .client = client, .idle = p->options->idle };
	int64_t from = wend_now();

	r.result = proxy_dial(p, p->options->to, &r.server);
	if (r.result == 0)
		relay_run(&r);
	access_line("forward", p->options->to, &r, from);
	wend_conn_free(r.server);
}

/* Whether the client may have a tunnel there: "host:port", as it said. */
static bool is_allowed(const struct proxy_options *o, const char *to)
{
	char host[256], port[6];
	uint64_t number;

	if (wend_net_split(to, host, sizeof(host), port, sizeof(port)) != 0 ||
	    host[0] == '\0' ||
	    wend_str_to_u64(wend_str_from(port), 10, &number) != 0)
		return false;
	for (size_t i = 0; i < o->allow_count; i++)
		if (o->allow[i] == number)
			return true;
	return false;
}

/* Say that it stands; from here on it is no HTTP. */
static int begin(wend_http_reply *w, struct relay *r)
{
	const char *rest;
	size_t n;
	int err = wend_http_switch(w, 200);

	if (err == 0)
		err = wend_http_take_over(w, &rest, &n, &r->client);
	/* What the client has sent behind its request. */
	if (err == 0 && n > 0) {
		wend_conn_set_write_deadline(r->server, wend_after(r->idle));
		r->sent = wend_conn_write(r->server, rest, n);
		err = r->sent < 0 ? (int)r->sent : 0;
	}
	return err;
}

void proxy_connect(wend_http_reply *w, wend_http_request *request, void *arg)
{
	struct proxy *p = arg;
	struct relay r = { .client = request->conn, .idle = p->options->idle };
	int64_t from = wend_now();

	if (!is_allowed(p->options, request->host)) {
		wend_http_error(w, 403, "no tunnels to this port");
		r.result = -EACCES;
	} else if (request->length != 0) {
		wend_http_error(w, 400, "CONNECT has no body");
		r.result = -EPROTO;
	} else {
		r.result = proxy_dial(p, request->host, &r.server);
		if (r.result != 0)
			proxy_refuse(w, r.result);
	}
	if (r.result == 0)
		r.result = begin(w, &r);
	if (r.result == 0)
		relay_run(&r);
	access_line("connect", request->host, &r, from);
	wend_conn_free(r.server);
}
