/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.c - connections to the other side, within their time.
 */
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
