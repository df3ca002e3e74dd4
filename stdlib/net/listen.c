/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.c - listening, and accepting connections.
 *
 * The socket is O_NONBLOCK: what another one has accepted meanwhile, in this
 * process or in another that shares it, must not hold anybody up. Who waits
 * does so under a limit of its own, which is in the listener's list, so that a
 * close finds it. The descriptor is closed by the close, or by the last who
 * accepts after it. Not by shutdown(): that would end the listening of others
 * who share the socket, too.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "stdlib/net/socket.h"

/* One accept under way; on its caller's stack. */
struct accepting {
	wend_call_limit limit;
	struct accepting *next, **link;
};

struct wend_net_listener {
	wend_mutex lock;
	int fd; /* -1: closed */
	bool closed;
	struct accepting *under_way;
	struct wend__net_path path;
	uint16_t port;
	char text[WEND_NET_TEXT];
};

/* --- making one ------------------------------------------------------------------ */

static wend_net_listener *listener_of(int fd)
{
	wend_net_listener *l = calloc(1, sizeof(*l));
	wend_net_addr a = { .size = sizeof(a.sa) };

	if (!l)
		return NULL;
	l->fd = fd;
	if (getsockname(fd, (struct sockaddr *)&a.sa, &a.size) == 0) {
		(void)wend_net_addr_text(&a, l->text, sizeof(l->text));
		l->port = wend_net_addr_port(&a);
	}
	return l;
}

int wend_net_listen(wend_net_listener **l, const char *address,
		    const wend_net_opts *opts)
{
	struct wend__net_path path;
	int fd, r = 0;

	*l = NULL;
	opts = wend__net_opts(opts);
	fd = wend__net_bound(address, SOCK_STREAM, SOCK_NONBLOCK, WEND_FOREVER,
			     opts, &path);
	if (fd < 0)
		return fd;
	/* More than the kernel allows is as many as it allows. */
	if (listen(fd, opts->backlog ? opts->backlog : 1 << 30) < 0)
		r = -errno;
	if (r == 0) {
		*l = listener_of(fd);
		r = *l ? 0 : -ENOMEM;
	}
	if (r < 0) {
		wend__net_path_remove(&path);
		(void)close(fd);
		return r;
	}
	(*l)->path = path;
	return 0;
}

int wend_net_listener_from_fd(wend_net_listener **l, int fd)
{
	socklen_t size = sizeof(int);
	int listens, flags;

	*l = NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
		return -errno;
	if (!listens)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	*l = listener_of(fd);
	return *l ? 0 : -ENOMEM;
}

/* --- accepting ------------------------------------------------------------------- */

/* Errors of a connection, not of the listener; accept(2) has the list. */
static bool is_passing(int err)
{
	static const int list[] = {
		ECONNABORTED, EINTR,       EPROTO, ENETDOWN,
		ENOPROTOOPT,  EHOSTDOWN,   ENONET, EHOSTUNREACH,
		EOPNOTSUPP,   ENETUNREACH, EPERM, /* a firewall's */
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (err == list[i])
			return true;
	return false;
}

static int accept_one(wend_net_listener *l, struct accepting *me, wend_conn **c)
{
	struct sockaddr_storage sa;
	socklen_t size;
	int fd, r = 0;

	do {
		size = sizeof(sa);
		fd = accept4(l->fd, (struct sockaddr *)&sa, &size,
			     SOCK_CLOEXEC);
		if (fd < 0 && errno == EAGAIN)
			r = wend_call_limit_wait(&me->limit, l->fd, POLLIN);
		else if (fd < 0 && !is_passing(errno))
			r = -errno;
		else if (fd < 0)
			r = wend_call_limit_check(&me->limit);
	} while (fd < 0 && r == 0);
	if (fd < 0)
		return r;
	*c = wend__net_conn(fd, (struct sockaddr *)&sa, size);
	if (*c)
		return 0;
	(void)close(fd);
	return -ENOMEM;
}

static bool enter(wend_net_listener *l, struct accepting *me)
{
	bool open;

	wend_mutex_lock(&l->lock);
	open = !l->closed;
	if (open) {
		me->link = &l->under_way;
		me->next = l->under_way;
		if (me->next)
			me->next->link = &me->next;
		l->under_way = me;
	}
	wend_mutex_unlock(&l->lock);
	return open;
}

/* With the lock: the descriptor goes when it is closed and nobody uses it. */
static void close_if_last(wend_net_listener *l)
{
	if (!l->closed || l->under_way || l->fd < 0)
		return;
	(void)close(l->fd);
	l->fd = -1;
}

static void leave(wend_net_listener *l, struct accepting *me)
{
	wend_mutex_lock(&l->lock);
	*me->link = me->next;
	if (me->next)
		me->next->link = me->link;
	close_if_last(l);
	wend_mutex_unlock(&l->lock);
}

int wend_net_accept_until(wend_net_listener *l, wend_conn **c, int64_t deadline)
{
	struct accepting me = { 0 };
	int r;

	*c = NULL;
	if (deadline != WEND_FOREVER)
		wend_call_limit_set(&me.limit, deadline);
	if (!enter(l, &me))
		return -ECANCELED;
	r = accept_one(l, &me, c);
	leave(l, &me);
	return r;
}

int wend_net_accept(wend_net_listener *l, wend_conn **c)
{
	return wend_net_accept_until(l, c, WEND_FOREVER);
}

/* --- the rest -------------------------------------------------------------------- */

const char *wend_net_listener_address(const wend_net_listener *l)
{
	return l->text;
}

uint16_t wend_net_listener_port(const wend_net_listener *l)
{
	return l->port;
}

int wend_net_listener_fd(const wend_net_listener *l)
{
	return l->fd;
}

void wend_net_listener_close(wend_net_listener *l)
{
	wend_mutex_lock(&l->lock);
	if (!l->closed) {
		/* Before the descriptor: who has the path next is another. */
		wend__net_path_remove(&l->path);
		l->closed = true;
	}
	for (struct accepting *a = l->under_way; a; a = a->next)
		wend_call_limit_end(&a->limit);
	close_if_last(l);
	wend_mutex_unlock(&l->lock);
}

void wend_net_listener_free(wend_net_listener *l)
{
	if (!l)
		return;
	wend_net_listener_close(l);
	free(l);
}
