/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.c - from an address to a TLS connection.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include <wend/wend.h>

#include <wend/std/tls.h>

/* TLS over what dialling address gives. After an error *c is still there if it
 * has words for it. */
static int dial(wend_conn **c, wend_tls_config *config, const char *address,
		const char *host, int64_t deadline, const wend_net_opts *opts)
{
	wend_conn *under;
	int r;

	*c = NULL;
	r = wend_net_dial(&under, address, deadline, opts);
	if (r < 0)
		return r;
	r = wend_tls_client(c, config, under, host);
	if (r < 0) {
		wend_conn_free(under);
		return r;
	}
	return wend_tls_handshake(*c, deadline);
}

int wend_tls_dial(wend_conn **c, wend_tls_config *config, const char *address,
		  int64_t deadline, const wend_net_opts *opts)
{
	char host[256], port[32];
	int r;

	*c = NULL;
	r = wend_net_split(address, host, sizeof(host), port, sizeof(port));
	if (r == 0)
		r = dial(c, config, address, host, deadline, opts);
	if (r < 0) {
		wend_conn_free(*c);
		*c = NULL;
	}
	return r;
}

int wend_tls_http_dial(void *dialer, const char *host, const char *port,
		       bool tls, int64_t deadline, wend_conn **conn)
{
	const wend_tls_dialer *d = dialer;
	bool v6 = strchr(host, ':') != NULL;
	char address[300];
	int n, r;

	n = snprintf(address, sizeof(address), v6 ? "[%s]:%s" : "%s:%s", host,
		     port);
	if ((size_t)n >= sizeof(address))
		return -EINVAL;
	if (!tls)
		return wend_net_dial(conn, address, deadline, d->opts);
	r = dial(conn, d->config, address, host, deadline, d->opts);
	if (r == 0)
		return 0;
	if (d->failed)
		d->failed(address, r,
			  *conn ? wend_tls_error(*conn) : strerror(-r), d->arg);
	wend_conn_free(*conn);
	*conn = NULL;
	return r;
}
