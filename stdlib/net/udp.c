/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp.c - datagrams.
 *
 * Closing ends the limits only: shutdown() is not for a socket that has no
 * peer, and what others send meanwhile is lost anyway.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stdlib/net/socket.h"

struct wend_net_udp {
	wend_call_limit rd, wr;
	int fd;
	struct wend__net_path path;
};

/* fd and the path are the object's, or gone. */
static int make(wend_net_udp **u, int fd, struct wend__net_path *path)
{
	*u = calloc(1, sizeof(**u));
	if (!*u) {
		wend__net_path_remove(path);
		(void)close(fd);
		return -ENOMEM;
	}
	(*u)->fd = fd;
	(*u)->path = *path;
	return 0;
}

int wend_net_udp_listen(wend_net_udp **u, const char *address,
			const wend_net_opts *opts)
{
	struct wend__net_path path;
	int fd;

	*u = NULL;
	fd = wend__net_bound(address, SOCK_DGRAM, 0, WEND_FOREVER,
			     wend__net_opts(opts), &path);
	return fd < 0 ? fd : make(u, fd, &path);
}

int wend_net_udp_dial(wend_net_udp **u, const char *address, int64_t deadline,
		      const wend_net_opts *opts)
{
	struct wend__net_path path = { .text = "" };
	wend_net_addr a;
	int fd, r;

	*u = NULL;
	opts = wend__net_opts(opts);
	r = wend_net_resolve(address, &a, 1, deadline);
	if (r < 0)
		return r;
	if (opts->local)
		fd = wend__net_bound(opts->local, SOCK_DGRAM, 0, deadline, opts,
				     &path);
	else
		fd = wend__net_socket(a.sa.ss_family, SOCK_DGRAM, 0, opts);
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&a.sa, a.size) < 0) {
		r = -errno;
		wend__net_path_remove(&path);
		(void)close(fd);
		return r;
	}
	return make(u, fd, &path);
}

ssize_t wend_net_udp_recv(wend_net_udp *u, void *buf, size_t n,
			  wend_net_addr *from)
{
	struct iovec iov = { buf, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct wend__net_call call;
	ssize_t got = wend_call_limit_check(&u->rd);

	if (got < 0)
		return got;
	wend__net_begin(&call, &u->rd, u->fd, POLLIN);
	do {
		if (from) {
			memset(&from->sa, 0, sizeof(from->sa));
			msg.msg_name = &from->sa;
			msg.msg_namelen = sizeof(from->sa);
		}
		got = recvmsg(u->fd, &msg, MSG_TRUNC | wend__net_flags(&call));
	} while (wend__net_again(&call, &got));
	if (from)
		from->size = got < 0 ? 0 : msg.msg_namelen;
	return got;
}

ssize_t wend_net_udp_send(wend_net_udp *u, const void *buf, size_t n,
			  const wend_net_addr *to)
{
	const struct sockaddr *sa = to ? (const struct sockaddr *)&to->sa :
					 NULL;
	struct wend__net_call call;
	ssize_t sent = wend_call_limit_check(&u->wr);

	if (sent < 0)
		return sent;
	wend__net_begin(&call, &u->wr, u->fd, POLLOUT);
	do {
		sent = sendto(u->fd, buf, n,
			      MSG_NOSIGNAL | wend__net_flags(&call), sa,
			      to ? to->size : 0);
	} while (wend__net_again(&call, &sent));
	return sent;
}

void wend_net_udp_set_recv_deadline(wend_net_udp *u, int64_t deadline)
{
	wend_call_limit_set(&u->rd, deadline);
}

void wend_net_udp_set_send_deadline(wend_net_udp *u, int64_t deadline)
{
	wend_call_limit_set(&u->wr, deadline);
}

int wend_net_udp_local(wend_net_udp *u, wend_net_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->size = sizeof(a->sa);
	return getsockname(u->fd, (struct sockaddr *)&a->sa, &a->size) < 0 ?
		       -errno :
		       0;
}

int wend_net_udp_fd(const wend_net_udp *u)
{
	return u->fd;
}

void wend_net_udp_close(wend_net_udp *u)
{
	wend_call_limit_end(&u->rd);
	wend_call_limit_end(&u->wr);
}

void wend_net_udp_free(wend_net_udp *u)
{
	if (!u)
		return;
	wend__net_path_remove(&u->path);
	(void)close(u->fd);
	free(u);
}
