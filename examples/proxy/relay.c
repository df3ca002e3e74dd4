/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - two connections, each one's bytes to the other.
 *
 * A task for each direction. Silence counts only if both are silent: a
 * download says nothing on its way up.
 */
#include <stdatomic.h>
#include "examples/proxy/proxy.h"

#define PIECE (16 << 10)

static int64_t quiet_at(struct relay *r)
{
	int64_t last = atomic_load_explicit(&r->last, memory_order_relaxed);

	return r->idle > WEND_FOREVER - last ? WEND_FOREVER : last + r->idle;
}

/* As a read; the time is over only if the other direction is silent, too. */
static ssize_t read_some(struct relay *r, wend_conn *from, char *buf)
{
	ssize_t n;

	do {
		wend_conn_set_read_deadline(from, quiet_at(r));
		n = wend_conn_read(from, buf, PIECE);
	} while (n == -ETIMEDOUT && wend_now() < quiet_at(r));
	return n;
}

/* Up to from's end, which is passed on. 0 or an error. */
static int pump(struct relay *r, wend_conn *from, wend_conn *to, int64_t *bytes)
{
	char buf[PIECE];
	ssize_t n;

	while ((n = read_some(r, from, buf)) > 0) {
		wend_conn_set_write_deadline(to, wend_after(r->idle));
		n = wend_conn_write(to, buf, (size_t)n);
		if (n < 0)
			break;
		*bytes += n;
		atomic_store_explicit(&r->last, wend_now(),
				      memory_order_relaxed);
	}
	if (n == 0)
		n = wend_conn_close_write(to);
	/* A peer that has gone wants no more. */
	return n == -ENOTCONN ? -EPIPE : (int)n;
}

/* The first error is the relay's; the other direction ends with it. */
static void finish(struct relay *r, int error)
{
	int none = 0;

	if (error == 0)
		return;
	atomic_compare_exchange_strong(&r->error, &none, error);
	wend_conn_close(r->client);
	wend_conn_close(r->server);
}

TASK(pump_back, (struct relay *, r))
{
	finish(r, pump(r, r->server, r->client, &r->received));
}

void relay_run(struct relay *r)
{
	atomic_store(&r->last, wend_now());
	nursery(n) {
		if (nursery_go(&n, pump_back, r) != 0) {
			finish(r, -ENOMEM);
			continue;
		}
		finish(r, pump(r, r->client, r->server, &r->sent));
	}
	r->result = atomic_load(&r->error);
}
