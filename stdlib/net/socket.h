/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - what the files of this package have in common.
 */
#ifndef WEND_STD_NET_SOCKET_H
#define WEND_STD_NET_SOCKET_H

#include <netdb.h>
#include <poll.h>

#include <wend/std/net.h>
#include <wend/wend.h>

/* The path in the text of a Unix address; NULL: it is none. */
const char *wend__net_unix(const char *text);

/* getaddrinfo() with the errors of this package; "" is the wildcard's host, or
 * port 0. freeaddrinfo(). */
int wend__net_lookup(const char *host, const char *port, int flags,
		     struct addrinfo **list);

void wend__net_addr_set(wend_net_addr *a, const void *sa, socklen_t size);

/* One address, for who wants no more; no host is the wildcard. 0 or -errno. */
int wend__net_resolve_one(const char *text, wend_net_addr *a, int64_t deadline);

/* --- options: options.c ------------------------------------------------------ */

/* setsockopt() of a number; 0 or -errno. */
int wend__net_set(int fd, int level, int option, int value);

/* Those of opts that a socket has from its start. 0 or -errno. */
int wend__net_set_all(int fd, int family, int type, const wend_net_opts *opts);

/* What stands for NULL. */
static inline const wend_net_opts *wend__net_opts(const wend_net_opts *opts)
{
	static const wend_net_opts defaults;

	return opts ? opts : &defaults;
}

/* --- Unix paths: path.c ------------------------------------------------------ */

/* a's; NULL: it has none. */
const char *wend__net_path(const wend_net_addr *a);

/* Whether it is a socket, of this type if any, that nobody is behind. */
bool wend__net_path_stale(int type, const wend_net_addr *a);

/* Remove the path of a Unix socket if it is still the one that was bound. */
struct wend__net_path {
	dev_t dev;
	ino_t ino;
	char text[108];
};
void wend__net_path_note(struct wend__net_path *p, const wend_net_addr *a);
void wend__net_path_remove(struct wend__net_path *p);

/* --- sockets: socket.c ------------------------------------------------------- */

/* A socket with opts; flags: SOCK_NONBLOCK. Or -errno. */
int wend__net_socket(int family, int type, int flags,
		     const wend_net_opts *opts);

/* The same, bound to the first address that address stands for, the wildcard
 * with IPv4 alone where there is no IPv6. *path is for who closes it. */
int wend__net_bound(const char *address, int type, int flags, int64_t deadline,
		    const wend_net_opts *opts, struct wend__net_path *path);

/* A connection on a connected stream socket that is blocking, its peer's
 * address if it is known. NULL: no memory. fd is its own on success. */
wend_conn *wend__net_conn(int fd, const struct sockaddr *peer, socklen_t size);

/* --- one call under a limit ------------------------------------------------- */

/*
 * Call with what waits:
 *
 *	struct wend__net_call call;
 *
 *	wend__net_begin(&call, &s->rd, s->fd, POLLIN);
 *	do {
 *		n = recv(s->fd, buf, n, wend__net_flags(&call));
 *	} while (wend__net_again(&call, &n));
 *
 * In a task whose calls park, that is one recv() under the limit. Elsewhere it
 * is one that does not wait, and waiting in between. n is the result then, or
 * a negative error number.
 */
struct wend__net_call {
	wend_call_limit *limit, *old;
	int fd;
	short events;
	bool entered;
};

static inline void wend__net_begin(struct wend__net_call *call,
				   wend_call_limit *l, int fd, short events)
{
	call->limit = l;
	call->fd = fd;
	call->events = events;
	call->entered = wend_call_limit_enter(l, &call->old) == 0;
}

static inline int wend__net_flags(const struct wend__net_call *call)
{
	return call->entered ? 0 : MSG_DONTWAIT;
}

/* The slow path of the next. */
bool wend__net_again_slow(struct wend__net_call *call, ssize_t *n, int err);

static inline bool wend__net_again(struct wend__net_call *call, ssize_t *n)
{
	int err = *n < 0 ? errno : 0;

	if (call->entered)
		wend_call_limit_leave(call->old);
	/* 0: shut down here, it may be. */
	return *n <= 0 && wend__net_again_slow(call, n, err);
}

#endif
