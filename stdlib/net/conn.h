/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/conn.h - a connection: what TCP, Unix sockets and TLS have in common.
 *
 * Who implements one embeds wend_conn and fills in ops; who uses one calls the
 * functions below. A read, a write and a close may be made by three tasks at
 * once: a close ends the other two with -ECANCELED. Two reads at once may not,
 * nor two writes.
 */
#ifndef WEND_STD_CONN_H
#define WEND_STD_CONN_H

#include <wend/std/io.h>

WEND_BEGIN_DECLS

typedef struct wend_conn wend_conn;

struct wend_conn_ops {
	/* End of what we send: the peer reads 0. -ENOTSUP: cannot be said. */
	int (*close_write)(wend_conn *c);
	/* Ends reads and writes under way; the object stays. Once or more. */
	int (*close)(wend_conn *c);
	/* Closed if need be, and freed. Nobody uses it any more. */
	void (*free)(wend_conn *c);
	/* On wend_now()'s clock; WEND_FOREVER: none. Reads or writes that are
	 * under way see it, too, and end with -ETIMEDOUT when it passes. */
	void (*set_read_deadline)(wend_conn *c, int64_t deadline);
	void (*set_write_deadline)(wend_conn *c, int64_t deadline);
	/* The socket below, for sendfile() and the like; -ENOTSUP: bytes
	 * written there would not be what the peer reads (TLS). */
	int (*fd)(wend_conn *c);
	/* As text: "127.0.0.1:80", "[::1]:80", "/run/socket". Valid as long as
	 * c. */
	const char *(*local)(wend_conn *c);
	const char *(*remote)(wend_conn *c);
	/* As close, but the peer is not to take what it got for all of it. NULL:
	 * as close. */
	int (*reset)(wend_conn *c);
};

struct wend_conn {
	wend_reader reader;
	wend_writer writer;
	const struct wend_conn_ops *ops;
};

static inline ssize_t wend_conn_read(wend_conn *c, void *buf, size_t n)
{
	return c->reader.read(&c->reader, buf, n);
}

/* All of it, or a negative error number. */
static inline ssize_t wend_conn_write(wend_conn *c, const void *buf, size_t n)
{
	return c->writer.write(&c->writer, buf, n);
}

static inline int wend_conn_close_write(wend_conn *c)
{
	return c->ops->close_write(c);
}

static inline int wend_conn_close(wend_conn *c)
{
	return c->ops->close(c);
}

/*
 * What has to be cut short: a close after which the peer's read fails with
 * -ECONNRESET where a close would be the end (TCP: what was not sent yet is
 * dropped, and the connection reset; TLS: no close_notify, too). The peer of a
 * Unix socket sees an end all the same. Returns what close does.
 */
static inline int wend_conn_reset(wend_conn *c)
{
	return c->ops->reset ? c->ops->reset(c) : c->ops->close(c);
}

static inline void wend_conn_free(wend_conn *c)
{
	if (c)
		c->ops->free(c);
}

static inline void wend_conn_set_read_deadline(wend_conn *c, int64_t deadline)
{
	c->ops->set_read_deadline(c, deadline);
}

static inline void wend_conn_set_write_deadline(wend_conn *c, int64_t deadline)
{
	c->ops->set_write_deadline(c, deadline);
}

static inline void wend_conn_set_deadline(wend_conn *c, int64_t deadline)
{
	c->ops->set_read_deadline(c, deadline);
	c->ops->set_write_deadline(c, deadline);
}

static inline int wend_conn_fd(wend_conn *c)
{
	return c->ops->fd(c);
}

static inline const char *wend_conn_local(wend_conn *c)
{
	return c->ops->local(c);
}

static inline const char *wend_conn_remote(wend_conn *c)
{
	return c->ops->remote(c);
}

WEND_END_DECLS

#endif
