/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patient.c - connections of the client of HTTP, which end when they are silent.
 *
 * That client knows one deadline for all of an answer, and a download may last.
 * So its connections are wrapped in one that counts silence: each read and
 * write has --idle, or what its user set if that is sooner.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "examples/proxy/proxy.h"

struct patient {
	wend_conn conn;
	wend_conn *inner;
	int64_t idle;
	int64_t read_deadline, write_deadline;
};

static int64_t sooner(int64_t deadline, int64_t idle)
{
	int64_t quiet = wend_after(idle);

	return deadline < quiet ? deadline : quiet;
}

static ssize_t patient_read(wend_reader *r, void *buf, size_t n)
{
	struct patient *c = (struct patient *)((char *)r -
					       offsetof(struct patient,
							conn.reader));

	wend_conn_set_read_deadline(c->inner,
				    sooner(c->read_deadline, c->idle));
	return wend_conn_read(c->inner, buf, n);
}

static ssize_t patient_write(wend_writer *w, const void *buf, size_t n)
{
	struct patient *c = (struct patient *)((char *)w -
					       offsetof(struct patient,
							conn.writer));

	wend_conn_set_write_deadline(c->inner,
				     sooner(c->write_deadline, c->idle));
	return wend_conn_write(c->inner, buf, n);
}

static wend_conn *inner_of(wend_conn *c)
{
	return ((struct patient *)c)->inner;
}

static int patient_close_write(wend_conn *c)
{
	return wend_conn_close_write(inner_of(c));
}

static int patient_close(wend_conn *c)
{
	return wend_conn_close(inner_of(c));
}

static void patient_free(wend_conn *c)
{
	wend_conn_free(inner_of(c));
	free(c);
}

/* Of the calls to come: the client of HTTP does all from one task. */
static void patient_set_read_deadline(wend_conn *c, int64_t deadline)
{
	((struct patient *)c)->read_deadline = deadline;
}

static void patient_set_write_deadline(wend_conn *c, int64_t deadline)
{
	((struct patient *)c)->write_deadline = deadline;
}

static int patient_fd(wend_conn *c)
{
	return wend_conn_fd(inner_of(c));
}

static const char *patient_local(wend_conn *c)
{
	return wend_conn_local(inner_of(c));
}

static const char *patient_remote(wend_conn *c)
{
	return wend_conn_remote(inner_of(c));
}

static const struct wend_conn_ops patient_ops = {
	.close_write = patient_close_write,
	.close = patient_close,
	.free = patient_free,
	.set_read_deadline = patient_set_read_deadline,
	.set_write_deadline = patient_set_write_deadline,
	.fd = patient_fd,
	.local = patient_local,
	.remote = patient_remote,
};

int proxy_dial_http(void *arg, const char *host, const char *port, bool tls,
		    int64_t deadline, wend_conn **conn)
{
	struct proxy *p = arg;
	struct patient *c;
	bool v6 = strchr(host, ':') != NULL;
	char address[300];
	int n, err;

	(void)deadline; /* WEND_FOREVER; proxy_dial() has its own */
	if (tls)
		return -EPROTONOSUPPORT;
	n = snprintf(address, sizeof(address), v6 ? "[%s]:%s" : "%s:%s", host,
		     port);
	if ((size_t)n >= sizeof(address))
		return -EINVAL;
	c = malloc(sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	*c = (struct patient){ .conn = { .reader.read = patient_read,
					 .writer.write = patient_write,
					 .ops = &patient_ops },
			       .idle = p->options->idle,
			       .read_deadline = WEND_FOREVER,
			       .write_deadline = WEND_FOREVER };
	err = proxy_dial(p, address, &c->inner);
	if (err != 0) {
		free(c);
		return err;
	}
	*conn = &c->conn;
	return 0;
}
