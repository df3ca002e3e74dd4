/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.c - a connection on a stream socket.
 *
 * A close ends both limits, and then shuts the socket down: so who returns
 * from a call because of the shutdown sees that the limit has ended. The
 * descriptor is closed when the object is freed, as a call on it may be under
 * way until then, and would go over to the file that gets the number next.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stdlib/net/stream.h"

static struct wend__net_stream *of_reader(wend_reader *r)
{
	return (struct wend__net_stream *)((char *)r -
					   offsetof(struct wend__net_stream,
						    conn.reader));
}

static struct wend__net_stream *of_writer(wend_writer *w)
{
	return (struct wend__net_stream *)((char *)w -
					   offsetof(struct wend__net_stream,
						    conn.writer));
}

static struct wend__net_stream *of_conn(wend_conn *c)
{
	return (struct wend__net_stream *)((char *)c -
					   offsetof(struct wend__net_stream,
						    conn));
}

/* --- reading and writing --------------------------------------------------------- */

static ssize_t sock_read(wend_reader *r, void *buf, size_t n)
{
	struct wend__net_stream *s = of_reader(r);
	struct wend__net_call call;
	ssize_t got;

	got = wend__net_check(s, &s->rd);
	if (got < 0 || n == 0)
		return got;
	wend__net_begin(&call, &s->rd, s->fd, POLLIN);
	do {
		got = recv(s->fd, buf, n, wend__net_flags(&call));
	} while (wend__net_again(&call, &got));
	return got;
}

/* One send(), of a part perhaps. */
static ssize_t send_some(struct wend__net_stream *s, const char *p, size_t n)
{
	struct wend__net_call call;
	ssize_t sent;

	sent = wend__net_check(s, &s->wr);
	if (sent < 0)
		return sent;
	wend__net_begin(&call, &s->wr, s->fd, POLLOUT);
	do {
		sent = send(s->fd, p, n, MSG_NOSIGNAL | wend__net_flags(&call));
	} while (wend__net_again(&call, &sent));
	return sent;
}

static ssize_t sock_write(wend_writer *w, const void *buf, size_t n)
{
	struct wend__net_stream *s = of_writer(w);
	size_t done = 0;
	ssize_t r;

	if (n == 0)
		return wend__net_check(s, &s->wr);
	while (done < n) {
		r = send_some(s, (const char *)buf + done, n - done);
		if (r < 0)
			return r;
		done += (size_t)r;
	}
	return (ssize_t)n;
}

/* --- the rest of a connection ------------------------------------------------------ */

static int sock_close_write(wend_conn *c)
{
	struct wend__net_stream *s = of_conn(c);

	if (wend__net_check(s, &s->wr) == -ECANCELED)
		return -ECANCELED;
	return shutdown(s->fd, SHUT_WR) < 0 ? -errno : 0;
}

static void end_both(struct wend__net_stream *s)
{
	atomic_store_explicit(&s->closed, true, memory_order_release);
	wend_call_limit_end(&s->rd);
	wend_call_limit_end(&s->wr);
}

static int sock_close(wend_conn *c)
{
	struct wend__net_stream *s = of_conn(c);

	end_both(s);
	/* ENOTCONN: the peer was first. */
	(void)shutdown(s->fd, SHUT_RDWR);
	return 0;
}

/*
 * connect() to no address resets a TCP connection at once; close() would do that
 * only when the object is freed, and after the shutdown it would be too late.
 * Where there is no such thing (a Unix socket; a kernel that does not take it
 * while somebody waits for the socket) the rest is a close.
 *
 * By syscall(), as ThreadSanitizer takes connect() for the beginning of a
 * descriptor's life, which nobody may read from yet; here somebody may.
 */
static int sock_reset(wend_conn *c)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	const struct linger drop = { .l_onoff = 1, .l_linger = 0 };
	struct wend__net_stream *s = of_conn(c);

	end_both(s);
	(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &drop, sizeof(drop));
	(void)syscall(SYS_connect, s->fd, &none, sizeof(none));
	return sock_close(c);
}

static void sock_free(wend_conn *c)
{
	struct wend__net_stream *s = of_conn(c);

	(void)close(s->fd);
	free(s->local);
	free(s->remote);
	free(s);
}

static void sock_set_read_deadline(wend_conn *c, int64_t deadline)
{
	wend_call_limit_set(&of_conn(c)->rd, deadline);
}

static void sock_set_write_deadline(wend_conn *c, int64_t deadline)
{
	wend_call_limit_set(&of_conn(c)->wr, deadline);
}

static int sock_fd(wend_conn *c)
{
	return of_conn(c)->fd;
}

/* a as a text in *kept, made once. "" if there is no memory for it. */
static const char *text_of(struct wend__net_stream *s, char **kept,
			   const wend_net_addr *a)
{
	char text[WEND_NET_TEXT];
	const char *result;

	wend_mutex_lock(&s->lock);
	if (!*kept) {
		(void)wend_net_addr_text(a, text, sizeof(text));
		*kept = strdup(text);
	}
	result = *kept ? *kept : "";
	wend_mutex_unlock(&s->lock);
	return result;
}

static const char *sock_local(wend_conn *c)
{
	struct wend__net_stream *s = of_conn(c);
	wend_net_addr a = { .size = sizeof(a.sa) };

	if (getsockname(s->fd, (struct sockaddr *)&a.sa, &a.size) < 0)
		a.size = 0;
	return text_of(s, &s->local, &a);
}

static const char *sock_remote(wend_conn *c)
{
	struct wend__net_stream *s = of_conn(c);
	wend_net_addr a = { .size = sizeof(a.sa) };

	if (s->peer.sa.sa_family)
		wend__net_addr_set(&a, &s->peer, sizeof(s->peer));
	else if (getpeername(s->fd, (struct sockaddr *)&a.sa, &a.size) < 0)
		a.size = 0;
	return text_of(s, &s->remote, &a);
}

static const struct wend_conn_ops sock_ops = {
	.close_write = sock_close_write,
	.close = sock_close,
	.free = sock_free,
	.set_read_deadline = sock_set_read_deadline,
	.set_write_deadline = sock_set_write_deadline,
	.fd = sock_fd,
	.local = sock_local,
	.remote = sock_remote,
	.reset = sock_reset,
};

struct wend__net_stream *wend__net_stream(wend_conn *c)
{
	return c->ops == &sock_ops ? of_conn(c) : NULL;
}

/* --- making one ---------------------------------------------------------------------- */

wend_conn *wend__net_conn(int fd, const struct sockaddr *peer, socklen_t size)
{
	struct wend__net_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->conn.reader.read = sock_read;
	s->conn.writer.write = sock_write;
	s->conn.ops = &sock_ops;
	s->fd = fd;
	if (size <= sizeof(s->peer) &&
	    (peer->sa_family == AF_INET || peer->sa_family == AF_INET6))
		memcpy(&s->peer, peer, size);
	return &s->conn;
}

static int clear_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK))
		return 0;
	return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

int wend_net_from_fd(wend_conn **c, int fd)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t size = sizeof(sa), n = sizeof(int);
	int type, r;

	*c = NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EINVAL;
	r = clear_nonblock(fd);
	if (r < 0)
		return r;
	if (getpeername(fd, (struct sockaddr *)&sa, &size) < 0)
		size = 0;
	*c = wend__net_conn(fd, (struct sockaddr *)&sa, size);
	return *c ? 0 : -ENOMEM;
}

int wend_net_pair(wend_conn *c[2])
{
	const struct sockaddr none = { 0 };
	int fd[2];

	c[0] = c[1] = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return -errno;
	c[0] = wend__net_conn(fd[0], &none, 0);
	c[1] = wend__net_conn(fd[1], &none, 0);
	if (c[0] && c[1])
		return 0;
	for (int i = 0; i < 2; i++) {
		if (c[i])
			wend_conn_free(c[i]);
		else
			(void)close(fd[i]);
		c[i] = NULL;
	}
	return -ENOMEM;
}
