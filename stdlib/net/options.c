/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - what a socket is to be like.
 */
#define _GNU_SOURCE
#include "stdlib/net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

enum { KEEPALIVE_S = 15, KEEPALIVE_S_MAX = 32767 };

int wend__net_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ?
		       -errno :
		       0;
}

static int set_delay(int fd, bool on)
{
	return wend__net_set(fd, IPPROTO_TCP, TCP_NODELAY, !on);
}

static int set_keepalive(int fd, int64_t keepalive)
{
	int64_t s = KEEPALIVE_S;
	int r;

	if (keepalive < 0)
		return wend__net_set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (keepalive > KEEPALIVE_S_MAX * WEND_SECOND)
		s = KEEPALIVE_S_MAX;
	else if (keepalive)
		s = (keepalive + WEND_SECOND - 1) / WEND_SECOND;
	r = wend__net_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (r == 0)
		r = wend__net_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)s);
	if (r == 0)
		r = wend__net_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)s);
	return r;
}

static int set_buffers(int fd, int rcvbuf, int sndbuf)
{
	int r = 0;

	if (rcvbuf)
		r = wend__net_set(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf);
	if (r == 0 && sndbuf)
		r = wend__net_set(fd, SOL_SOCKET, SO_SNDBUF, sndbuf);
	return r;
}

int wend__net_set_all(int fd, int family, int type, const wend_net_opts *opts)
{
	int r = set_buffers(fd, opts->rcvbuf, opts->sndbuf);

	if (r < 0 || family == AF_UNIX || type != SOCK_STREAM)
		return r;
	r = set_delay(fd, opts->delay);
	return r < 0 ? r : set_keepalive(fd, opts->keepalive);
}

int wend_net_set_delay(wend_conn *c, bool on)
{
	int fd = wend_conn_fd(c);

	return fd < 0 ? fd : set_delay(fd, on);
}

int wend_net_set_keepalive(wend_conn *c, int64_t keepalive)
{
	int fd = wend_conn_fd(c);

	return fd < 0 ? fd : set_keepalive(fd, keepalive);
}

int wend_net_set_buffers(wend_conn *c, int rcvbuf, int sndbuf)
{
	int fd = wend_conn_fd(c);

	if (fd < 0)
		return fd;
	return set_buffers(fd, rcvbuf, sndbuf);
}

int wend_net_set_linger(wend_conn *c, int seconds)
{
	const struct linger l = { seconds >= 0, seconds < 0 ? 0 : seconds };
	int fd = wend_conn_fd(c);

	if (fd < 0)
		return fd;
	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) < 0 ?
		       -errno :
		       0;
}
