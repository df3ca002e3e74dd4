/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/net.h - TCP, UDP and Unix sockets: names, dialling, listening,
 * serving.
 *
 *	static void echo(wend_conn *c, void *arg)
 *	{
 *		char buf[4096];
 *		ssize_t n;
 *
 *		while ((n = wend_conn_read(c, buf, sizeof(buf))) > 0)
 *			if (wend_conn_write(c, buf, (size_t)n) < 0)
 *				break;
 *	}
 *	...
 *	r = wend_net_listen(&l, ":7000", NULL);
 *	s = wend_net_server_new(echo, NULL, NULL);
 *	r = wend_net_server_serve(s, l);	(until wend_net_server_shutdown())
 *
 * Addresses are texts: "host:port", "[v6 address]:port", ":port", with a name
 * or number for the port; "unix:/path" or "/path", "unix:@name" or "@name" for
 * the abstract ones of Linux.
 *
 * Results are 0 or a count, or a negative error number. Everything may be
 * called in tasks and in threads of the program while the runtime runs; what
 * waits ends with -ECANCELED when the task is cancelled. Writing to a
 * connection that is gone is -EPIPE or -ECONNRESET, and no signal.
 */
#ifndef WEND_STD_NET_H
#define WEND_STD_NET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <wend/std/conn.h>

WEND_BEGIN_DECLS

/* --- addresses ------------------------------------------------------------ */

/* An address as the kernel has it. */
typedef struct wend_net_addr {
	socklen_t size; /* of sa, what is used */
	struct sockaddr_storage sa;
} wend_net_addr;

/* Room for any address as text, its 0 included. */
enum { WEND_NET_TEXT = 160 };

/*
 * wend_net_addr_parse - an address from a text in which all is a number or a
 * path; asks nobody. ":80" is the IPv6 wildcard, which IPv4 clients reach too.
 *
 * Errors   EINVAL  no address, or one with names in it
 */
WEND_API WEND_MUST_CHECK int wend_net_addr_parse(wend_net_addr *a,
						 const char *text);

/*
 * wend_net_addr_text - "127.0.0.1:80", "[::1]:80", "/path", "@name"; "" for a
 * Unix socket without a name. Returns the length without the 0, which is
 * always below WEND_NET_TEXT; text has n bytes and gets what fits, as from
 * snprintf().
 */
WEND_API int wend_net_addr_text(const wend_net_addr *a, char *text, size_t n);

/* The port; 0 for what has none. */
WEND_API uint16_t wend_net_addr_port(const wend_net_addr *a);

/*
 * wend_net_split - "host:port" in two, brackets taken off. Either may be empty.
 *
 * Errors   EINVAL  no colon, or several outside brackets
 *          ENOSPC  longer than the room for it
 */
WEND_API WEND_MUST_CHECK int wend_net_split(const char *text, char *host,
					    size_t host_n, char *port,
					    size_t port_n);

/*
 * wend_net_resolve - the addresses of a text, in the order in which they should
 * be tried. Names are looked up by getaddrinfo(), in a task of its own that is
 * left behind when the deadline passes.
 *
 *   list, n     room for n of them, 64 at most are found
 *   deadline    on wend_now()'s clock; WEND_FOREVER
 *
 * Returns  how many there are, 1 to n
 * Errors   ENOENT     no such host or service
 *          EAGAIN     the name server does not answer; later it may
 *          EIO        it answers that something is wrong
 *          EINVAL     no address
 *          ETIMEDOUT, ECANCELED, ENOMEM
 */
WEND_API WEND_MUST_CHECK int wend_net_resolve(const char *text,
					      wend_net_addr *list, size_t n,
					      int64_t deadline);

/* --- options -------------------------------------------------------------- */

/* What a socket is to be like. All zero, or no options at all: the default. */
typedef struct wend_net_opts {
	/* TCP. Small writes wait for acknowledgements (Nagle). Default: no. */
	bool delay;
	/* TCP. Nanoseconds of silence after which the peer is asked whether it
	 * is there, and between questions; below 0: never. Default: 15 s. */
	int64_t keepalive;
	/* Bytes that the kernel keeps. Default: the kernel's. */
	int rcvbuf, sndbuf;

	/* Listening. Connections that wait to be accepted. Default: as many
	 * as the kernel allows. */
	int backlog;
	/* Other sockets may listen on the same port; the kernel spreads. */
	bool reuseport;
	/* "[::]:80" is not reached by IPv4 clients. */
	bool v6only;
	/* Unix. Permissions of the path, 0660 say. Default: as by umask. */
	unsigned int mode;

	/* Dialling. The address to come from: "10.0.0.1:0". */
	const char *local;
	/* Nanoseconds that an attempt gets before the next address is tried,
	 * too. Default: 250 ms. */
	int64_t stagger;
} wend_net_opts;

/* --- connections ---------------------------------------------------------- */

/*
 * wend_net_dial - connect to address.
 *
 *   c           the connection, for wend_conn_free()
 *   deadline    of all together: looking up the name, every attempt
 *   opts        NULL for the default; read during the call only
 *
 * A host's addresses are tried one after the other, IPv6 and IPv4 by turns,
 * each 250 ms after the one before or as soon as that has failed. The first
 * connection that stands is it, the others are closed (RFC 8305).
 *
 * Errors   those of wend_net_resolve(); ETIMEDOUT, ECANCELED; when all attempts
 *          failed the error of the first: ECONNREFUSED, EHOSTUNREACH, ...;
 *          ENOENT for a Unix path; EMFILE, ENFILE, ENOMEM
 */
WEND_API WEND_MUST_CHECK int wend_net_dial(wend_conn **c, const char *address,
					   int64_t deadline,
					   const wend_net_opts *opts);

/*
 * wend_net_from_fd - a connection from a connected stream socket.
 *
 * fd is the connection's from here on, and closed by wend_conn_free(); it is
 * made blocking.
 * Errors   ENOTSOCK, EBADF, EINVAL (not a stream), ENOMEM; fd is the caller's
 *          still.
 *
 * Of such a connection, and of one dialled or accepted:
 *   A read or write that is called after its deadline fails with -ETIMEDOUT,
 *   whether data are there or not.
 *   wend_conn_close() shuts the socket down and ends what is under way; the
 *   descriptor is given back by wend_conn_free().
 *   -ETIMEDOUT may also be the network's, and a peer's that died.
 */
WEND_API WEND_MUST_CHECK int wend_net_from_fd(wend_conn **c, int fd);

/* Two connections, each other's peers, without a name. EMFILE, ENFILE, ENOMEM. */
WEND_API WEND_MUST_CHECK int wend_net_pair(wend_conn *c[2]);

/*
 * wend_net_sendfile - write n bytes of a file from offset on, in the kernel.
 *
 * Under the write deadline, as wend_conn_write(). The file's position stays.
 * Returns  n, or less if the file ends before.
 * Errors   as for a write: an unknown number has been written
 *          ENOTSUP  c is not a socket's (TLS); nothing was written
 */
WEND_API WEND_MUST_CHECK ssize_t wend_net_sendfile(wend_conn *c, int file,
						   off_t offset, size_t n);

/*
 * Options of a connection. -ENOTSUP: c is not a socket's.
 * keepalive: as in wend_net_opts. buffers: bytes, 0 leaves one as it is.
 * linger: wend_conn_free() drops what was not sent and resets the connection
 *         (seconds 0); below 0: it goes on sending in the background, the
 *         default.
 */
WEND_API WEND_MUST_CHECK int wend_net_set_delay(wend_conn *c, bool on);
WEND_API WEND_MUST_CHECK int wend_net_set_keepalive(wend_conn *c,
						    int64_t keepalive);
WEND_API WEND_MUST_CHECK int wend_net_set_buffers(wend_conn *c, int rcvbuf,
						  int sndbuf);
WEND_API WEND_MUST_CHECK int wend_net_set_linger(wend_conn *c, int seconds);

/* --- listening ------------------------------------------------------------ */

typedef struct wend_net_listener wend_net_listener;

/*
 * wend_net_listen - listen on an address; port 0 is any that is free.
 *
 * ":80" is every address, of IPv6 and IPv4 where the machine has both. A name
 * stands for its first address. A Unix path that is there from a program that
 * has ended is replaced, and removed by wend_net_listener_close().
 *
 * Errors   EADDRINUSE, EACCES, EADDRNOTAVAIL, EMFILE, ENFILE, ENOMEM; those of
 *          wend_net_resolve()
 */
WEND_API WEND_MUST_CHECK int wend_net_listen(wend_net_listener **l,
					     const char *address,
					     const wend_net_opts *opts);

/* A listening socket that came from elsewhere (socket activation). It is made
 * O_NONBLOCK, and the listener's. EINVAL: it does not listen. */
WEND_API WEND_MUST_CHECK int wend_net_listener_from_fd(wend_net_listener **l,
						       int fd);

/*
 * wend_net_accept - the next connection; any number of tasks may ask.
 *
 * Connections that were given up before they were accepted, and errors of the
 * network that accept(2) passes on, are passed over.
 *
 * Errors   ETIMEDOUT, ECANCELED (closed, or the task is cancelled)
 *          EMFILE, ENFILE, ENOBUFS, ENOMEM  for now: the connection waits, try
 *          again after a pause
 */
WEND_API WEND_MUST_CHECK int wend_net_accept(wend_net_listener *l,
					     wend_conn **c);
WEND_API WEND_MUST_CHECK int
wend_net_accept_until(wend_net_listener *l, wend_conn **c, int64_t deadline);

/* As text, the port that was found included. Valid as long as l. */
WEND_API const char *wend_net_listener_address(const wend_net_listener *l);
WEND_API uint16_t wend_net_listener_port(const wend_net_listener *l);
WEND_API int wend_net_listener_fd(const wend_net_listener *l);

/* No more connections: who accepts gets -ECANCELED, who connects is refused.
 * Once or more, from any task. */
WEND_API void wend_net_listener_close(wend_net_listener *l);

/* Closed if need be. Nobody uses it any more. NULL does nothing. */
WEND_API void wend_net_listener_free(wend_net_listener *l);

/* --- serving -------------------------------------------------------------- */

typedef struct wend_net_server wend_net_server;

/* Called in a task of its own for each connection, which is freed when it has
 * returned. */
typedef void (*wend_net_handler)(wend_conn *c, void *arg);

typedef struct wend_net_server_opts {
	const char *name;   /* of the tasks; default "conn" */
	size_t stack_size;  /* of the tasks; default: the runtime's */
	uint32_t max_conns; /* more wait to be accepted; default: no limit */
	/* If not NULL, called once for each connection that is there when the
	 * server is told to end: for a handler whose client may be silent for
	 * long (keep-alive). Must not wait; it runs beside the handler. */
	void (*stopping)(wend_conn *c, void *arg);
	/* If not NULL, called in a connection's task before the handler: puts
	 * into *c a connection over the one that is there and that frees it
	 * with itself, as wend_tls_wrap() does. Must not wait: a handshake is
	 * for the first read. After an error the connection is closed. */
	int (*wrap)(wend_conn **c, void *arg);
	void *wrap_arg;
} wend_net_server_opts;

/* NULL: no memory. opts is read during the call only, but for name. */
WEND_API WEND_MUST_CHECK wend_net_server *
wend_net_server_new(wend_net_handler handler, void *arg,
		    const wend_net_server_opts *opts);

/*
 * wend_net_server_serve - accept from l, and handle, until
 * wend_net_server_shutdown(). Several tasks may serve, each a listener.
 *
 * Out of descriptors or memory it pauses, for 5 ms to 1 s or until one of its
 * own connections ends, and goes on; nothing that is open is closed for it.
 * A connection for which there can be no task is closed.
 *
 * Returns  0: shut down
 * Errors   ECANCELED  the task was cancelled, or l closed by somebody else
 *          or what is wrong with l
 * l stays the caller's, closed in the first case.
 */
WEND_API WEND_MUST_CHECK int wend_net_server_serve(wend_net_server *s,
						   wend_net_listener *l);

/*
 * wend_net_server_shutdown - close the listeners, and wait until the handlers
 * of all connections have returned. Once or more, from any task but theirs.
 *
 *   deadline    then the connections that are left are closed
 *
 * Returns  0: all have returned, and nobody serves any more
 * Errors   ETIMEDOUT, ECANCELED  the connections were closed; their handlers
 *          see it soon, and wend_net_server_free() waits for them
 */
WEND_API WEND_MUST_CHECK int wend_net_server_shutdown(wend_net_server *s,
						      int64_t deadline);

/* Connections that are handled now. */
WEND_API uint32_t wend_net_server_conns(wend_net_server *s);
/* Whether it was told to end. */
WEND_API bool wend_net_server_stopping(wend_net_server *s);

/* Shut down without patience, waited for, freed. NULL does nothing. */
WEND_API void wend_net_server_free(wend_net_server *s);

/* --- datagrams ------------------------------------------------------------ */

typedef struct wend_net_udp wend_net_udp;

/*
 * wend_net_udp_listen - a socket that receives at address, ":0" for any port.
 * wend_net_udp_dial - one that sends to address and receives from it alone.
 * For UDP, and "unix:..." paths. A name stands for its first address. Errors
 * as wend_net_listen().
 */
WEND_API WEND_MUST_CHECK int wend_net_udp_listen(wend_net_udp **u,
						 const char *address,
						 const wend_net_opts *opts);
WEND_API WEND_MUST_CHECK int wend_net_udp_dial(wend_net_udp **u,
					       const char *address,
					       int64_t deadline,
					       const wend_net_opts *opts);

/*
 * wend_net_udp_recv - wait for one datagram.
 *
 *   buf, n      gets its first n bytes, the rest is lost
 *   from        if not NULL, who sent it
 *
 * Returns  its whole size, which may be above n; 0 is an empty one.
 * Errors   ETIMEDOUT, ECANCELED; ECONNREFUSED: one sent before, by a socket of
 *          wend_net_udp_dial(), found nobody
 *
 * wend_net_udp_send - send one datagram, all of it.
 *
 *   to          NULL: to whom it was dialled
 *
 * Returns  n. Errors  ETIMEDOUT, ECANCELED, EMSGSIZE: too large for one;
 *          EDESTADDRREQ or ENOTCONN: to is NULL, nobody was dialled
 *
 * One task may receive, others send, at once; any number of each.
 */
WEND_API WEND_MUST_CHECK ssize_t wend_net_udp_recv(wend_net_udp *u, void *buf,
						   size_t n,
						   wend_net_addr *from);
WEND_API WEND_MUST_CHECK ssize_t wend_net_udp_send(wend_net_udp *u,
						   const void *buf, size_t n,
						   const wend_net_addr *to);

/* Those under way see it, too. */
WEND_API void wend_net_udp_set_recv_deadline(wend_net_udp *u, int64_t deadline);
WEND_API void wend_net_udp_set_send_deadline(wend_net_udp *u, int64_t deadline);

/* Where it receives. */
WEND_API int wend_net_udp_local(wend_net_udp *u, wend_net_addr *a);
WEND_API int wend_net_udp_fd(const wend_net_udp *u);
/* Ends what is under way with -ECANCELED. Once or more. */
WEND_API void wend_net_udp_close(wend_net_udp *u);
/* Nobody uses it any more. A Unix path of its own is removed. */
WEND_API void wend_net_udp_free(wend_net_udp *u);

WEND_END_DECLS

#endif
