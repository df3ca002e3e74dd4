/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.c - making sockets, and giving them an address.
 */
#define _GNU_SOURCE
#include "stdlib/net/socket.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int wend__net_socket(int family, int type, int flags, const wend_net_opts *opts)
{
	int fd = socket(family, type | flags | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = wend__net_set_all(fd, family, type, opts);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* bind(). A Unix path that nobody listens on any more is replaced. */
static int bind_to(int fd, int type, const wend_net_addr *a,
		   const wend_net_opts *opts)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->sa;
	const char *path = wend__net_path(a);
	int r = 0;

	if (sa->sa_family != AF_UNIX && type == SOCK_STREAM)
		(void)wend__net_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (opts->reuseport)
		r = wend__net_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0 && sa->sa_family == AF_INET6)
		r = wend__net_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, opts->v6only);
	if (r < 0)
		return r;
	/* The path is made with the socket's own permissions. */
	if (path && opts->mode && fchmod(fd, opts->mode) < 0)
		return -errno;
	if (bind(fd, sa, a->size) == 0)
		return 0;
	if (errno != EADDRINUSE || !path)
		return -errno;
	if (!wend__net_path_stale(type, a) || unlink(path) < 0)
		return -EADDRINUSE;
	return bind(fd, sa, a->size) < 0 ? -errno : 0;
}

static int open_at(const wend_net_addr *a, int type, int flags,
		   const wend_net_opts *opts)
{
	int fd = wend__net_socket(a->sa.ss_family, type, flags, opts);
	int r;

	if (fd < 0)
		return fd;
	r = bind_to(fd, type, a, opts);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* A machine without IPv6 has the IPv4 wildcard. */
static int wildcard_v4(const char *address, wend_net_addr *a)
{
	char text[WEND_NET_TEXT];
	const char *port = strrchr(address, ':');

	if (*address != ':' && strncmp(address, "[]:", 3) != 0)
		return -EAFNOSUPPORT;
	(void)snprintf(text, sizeof(text), "0.0.0.0%s", port);
	return wend__net_resolve_one(text, a, WEND_FOREVER);
}

int wend__net_bound(const char *address, int type, int flags, int64_t deadline,
		    const wend_net_opts *opts, struct wend__net_path *path)
{
	wend_net_addr a;
	int fd, r;

	r = wend__net_resolve_one(address, &a, deadline);
	if (r < 0)
		return r;
	fd = open_at(&a, type, flags, opts);
	if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) &&
	    wildcard_v4(address, &a) == 0)
		fd = open_at(&a, type, flags, opts);
	if (fd >= 0)
		wend__net_path_note(path, &a);
	return fd;
}
