/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.c - connections to the other side, within their time.
 */
#include <stdio.h>
#include <string.h>
#include "examples/proxy/proxy.h"

struct dialling {
	const char *address;
	int64_t deadline;
	wend_conn *conn;
};

static int dial(void *arg)
{
	struct dialling *d = arg;

	return wend_net_dial(&d->conn, d->address, d->deadline, NULL);
}

int proxy_dial(struct proxy *p, const char *address, wend_conn **conn)
{
	struct dialling d = { .address = address,
			      .deadline = wend_after(p->options->connect) };
	int err = wend_ctx_run(p->work, dial, &d);

	if (err == 0)
		*conn = d.conn;
	return err;
}

int proxy_dial_http(void *arg, const char *host, const char *port, bool tls,
		    int64_t deadline, wend_conn **conn)
{
	bool v6 = strchr(host, ':') != NULL;
	char address[300];
	int n;

	(void)deadline; /* WEND_FOREVER; proxy_dial() has its own */
	if (tls)
		return -EPROTONOSUPPORT;
	n = snprintf(address, sizeof(address), v6 ? "[%s]:%s" : "%s:%s", host,
		     port);
	if ((size_t)n >= sizeof(address))
		return -EINVAL;
	return proxy_dial(arg, address, conn);
}
