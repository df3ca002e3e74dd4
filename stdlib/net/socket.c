/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.c - making sockets and setting their options.
 */
#define _GNU_SOURCE
#include "stdlib/net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { KEEPALIVE_S = 15, KEEPALIVE_S_MAX = 32767 };

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ?
		       -errno :
		       0;
}

int wend__net_set_delay(int fd, bool on)
{
	return set(fd, IPPROTO_TCP, TCP_NODELAY, !on);
}

int wend__net_set_keepalive(int fd, int64_t keepalive)
{
	int64_t s = keepalive ? (keepalive + WEND_SECOND - 1) / WEND_SECOND :
				KEEPALIVE_S;
	int r;

	if (keepalive < 0)
		return set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (keepalive > KEEPALIVE_S_MAX * WEND_SECOND)
		s = KEEPALIVE_S_MAX;
	r = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (r == 0)
		r = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)s);
	if (r == 0)
		r = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)s);
	return r;
}

static int set_all(int fd, int family, int type, const wend_net_opts *opts)
{
	int r = 0;

	if (opts->rcvbuf)
		r = set(fd, SOL_SOCKET, SO_RCVBUF, opts->rcvbuf);
	if (r == 0 && opts->sndbuf)
		r = set(fd, SOL_SOCKET, SO_SNDBUF, opts->sndbuf);
	if (r < 0 || family == AF_UNIX || type != SOCK_STREAM)
		return r;
	r = wend__net_set_delay(fd, opts->delay);
	return r < 0 ? r : wend__net_set_keepalive(fd, opts->keepalive);
}

int wend__net_socket(int family, int type, int flags, const wend_net_opts *opts)
{
	int fd = socket(family, type | flags | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set_all(fd, family, type, opts);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* --- Unix paths -------------------------------------------------------------- */

static const char *path_of(const wend_net_addr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;

	return un->sun_family == AF_UNIX && un->sun_path[0] ? un->sun_path :
							      NULL;
}

/* Whether a's path is a socket that nobody is behind. Asked with a socket of the
 * other type, which a listener refuses in another way, and hears nothing of. */
static bool is_stale(int type, const wend_net_addr *a)
{
	int other = type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM;
	struct stat st;
	int fd;
	bool refused;

	if (lstat(path_of(a), &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, other | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)&a->sa, a->size) < 0 &&
		  errno == ECONNREFUSED;
	(void)close(fd);
	return refused;
}

int wend__net_bind(int fd, int type, const wend_net_addr *a,
		   const wend_net_opts *opts)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->sa;

	if (sa->sa_family != AF_UNIX && type == SOCK_STREAM)
		(void)set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (opts->reuseport && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -errno;
	if (sa->sa_family == AF_INET6 &&
	    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, opts->v6only) < 0)
		return -errno;
	/* The path is made with the socket's own permissions. */
	if (path_of(a) && opts->mode && fchmod(fd, opts->mode) < 0)
		return -errno;
	if (bind(fd, sa, a->size) == 0)
		return 0;
	if (errno != EADDRINUSE || !path_of(a))
		return -errno;
	if (!is_stale(type, a) || unlink(path_of(a)) < 0)
		return -EADDRINUSE;
	return bind(fd, sa, a->size) < 0 ? -errno : 0;
}

void wend__net_path_note(struct wend__net_path *p, const wend_net_addr *a)
{
	const char *path = path_of(a);
	struct stat st;

	p->text[0] = 0;
	if (!path || lstat(path, &st) < 0)
		return;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	memcpy(p->text, path, sizeof(p->text));
	p->text[sizeof(p->text) - 1] = 0;
}

void wend__net_path_remove(struct wend__net_path *p)
{
	struct stat st;

	/* Not the one of a program that has taken the path over. */
	if (p->text[0] && lstat(p->text, &st) == 0 && st.st_dev == p->dev &&
	    st.st_ino == p->ino)
		(void)unlink(p->text);
	p->text[0] = 0;
}

/* --- calls ------------------------------------------------------------------- */

bool wend__net_again_slow(struct wend__net_call *call, ssize_t *n, int err)
{
	int r;

	if (*n == 0) {
		if (wend_call_limit_check(call->limit) == -ECANCELED)
			*n = -ECANCELED;
		return false;
	}
	if (err == EAGAIN || err == EINTR) {
		/* In a task EAGAIN is for one who sends a file on the same
		 * socket now. */
		r = err == EAGAIN ? wend_call_limit_wait(call->limit, call->fd,
							 call->events) :
				    wend_call_limit_check(call->limit);
		*n = r;
		if (r == 0 && call->entered)
			call->entered = wend_call_limit_enter(call->limit,
							      &call->old) == 0;
		return r == 0;
	}
	/* What a socket says that was shut down by a close. */
	*n = wend_call_limit_check(call->limit) == -ECANCELED ? -ECANCELED :
								-err;
	return false;
}
