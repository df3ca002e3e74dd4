/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/tls.h - TLS over any connection, by OpenSSL.
 *
 *	r = wend_tls_config_client(&config, NULL);
 *	r = wend_tls_dial(&c, config, "example.org:443", deadline, NULL);
 *	...				(as with any wend_conn)
 *	wend_conn_free(c);
 *	wend_tls_config_free(config);
 *
 * Not in libwend but in libwend-tls, which needs OpenSSL: pkg-config wend-tls, or
 * CMake's wend::tls.
 *
 * A connection of this kind is a wend_conn in all, with these differences
 *   read        0 only if the peer has said that it ends (close_notify). An end
 *               without that is -ECONNRESET: what was read may be cut.
 *   write       after an error, a deadline's too, every write fails with it.
 *   close_write says that we end; reading goes on.
 *   close       says it if that can be done without waiting; reset does not
 *               say it.
 *   fd          -ENOTSUP.
 * and these errors of reads and writes, and of the handshake
 *   EPROTO        what came is not TLS, or the peer has refused ours;
 *                 wend_tls_error() has the words
 *   EKEYREJECTED  the peer's certificate is not to be trusted, or is somebody
 *                 else's; wend_tls_error() has the words
 *   EKEYEXPIRED   its time is over, or has not come yet
 */
#ifndef WEND_STD_TLS_H
#define WEND_STD_TLS_H

#include <wend/std/conn.h>
#include <wend/std/net.h>

WEND_BEGIN_DECLS

/* --- configuration -------------------------------------------------------- */

/* What many connections share. Not changed by use; any task may use it. */
typedef struct wend_tls_config wend_tls_config;

enum wend_tls_version {
	WEND_TLS_DEFAULT, /* 1.2 */
	WEND_TLS_1_2,
	WEND_TLS_1_3,
};

/* All zero, or none at all: a client that trusts whom the system trusts. Texts
 * are PEM; files are read when the configuration is made, and must not wait. */
typedef struct wend_tls_opts {
	/* Who we are: a certificate, then those between it and the root. */
	const char *cert_file, *cert;
	const char *key_file, *key;
	/* Whom we trust to say who the peer is. */
	const char *ca_file, *ca;
	/* A client: do not ask who the peer is. */
	bool insecure;
	/* A server: clients need a certificate by ca. */
	bool client_certs;
	/* Protocols that are spoken inside, best first: "h2,http/1.1". */
	const char *alpn;
	enum wend_tls_version min_version;
} wend_tls_opts;

/*
 * wend_tls_config_client, wend_tls_config_server - a server needs cert and key.
 *
 * Errors   ENOENT, EACCES  a file
 *          EINVAL  no such certificate or key, or they do not fit together;
 *                  a server without; a bad alpn
 *          ENOMEM
 */
WEND_API WEND_MUST_CHECK int wend_tls_config_client(wend_tls_config **c,
						    const wend_tls_opts *opts);
WEND_API WEND_MUST_CHECK int wend_tls_config_server(wend_tls_config **c,
						    const wend_tls_opts *opts);

/* When its connections are freed. NULL does nothing. */
WEND_API void wend_tls_config_free(wend_tls_config *c);

/* --- connections ---------------------------------------------------------- */

/*
 * wend_tls_client, wend_tls_server - TLS over a connection.
 *
 *   c           the new connection, which frees under with itself
 *   under       any; not used by others any more
 *   host        whose certificate it has to be, a name or an address, and what
 *               the server is asked for (SNI). NULL only with insecure
 *
 * Nothing is sent yet: the handshake is made by wend_tls_handshake(), or by the
 * first read or write.
 * Errors   EINVAL  no host, or the configuration is for the other side
 *          ENOMEM; under is the caller's still
 */
WEND_API WEND_MUST_CHECK int wend_tls_client(wend_conn **c,
					     wend_tls_config *config,
					     wend_conn *under,
					     const char *host);
WEND_API WEND_MUST_CHECK int
wend_tls_server(wend_conn **c, wend_tls_config *config, wend_conn *under);

/*
 * wend_tls_wrap - wend_tls_server() over *c, and in its place; config is a
 * wend_tls_config. For wend_net_server_opts.wrap and wend_http_server_opts.wrap.
 * Errors as there; *c is what it was.
 */
WEND_API WEND_MUST_CHECK int wend_tls_wrap(wend_conn **c, void *config);

/*
 * wend_tls_handshake - agree on keys, and see who the peer is. The second time
 * it does nothing.
 *
 *   deadline    for this; those that were set on c count again afterwards
 *
 * Errors   ETIMEDOUT, ECANCELED, EPROTO, EKEYREJECTED, EKEYEXPIRED, ECONNRESET;
 *          c is of no use then, but for wend_tls_error() and to be freed
 */
WEND_API WEND_MUST_CHECK int wend_tls_handshake(wend_conn *c, int64_t deadline);

/*
 * wend_tls_dial - wend_net_dial(), wend_tls_client() for the host in address,
 * and wend_tls_handshake(), all before deadline. opts is the socket's.
 */
WEND_API WEND_MUST_CHECK int
wend_tls_dial(wend_conn **c, wend_tls_config *config, const char *address,
	      int64_t deadline, const wend_net_opts *opts);

/*
 * wend_tls_http_dial - how a client of HTTP connects, with TLS and without it:
 * wend_http_client_opts.dial, with a wend_tls_dialer as dial_arg.
 *
 *   config      of a client; its alpn is none or "http/1.1"
 *   opts        of the sockets; NULL: the default
 *   failed      if not NULL, called when https could not be dialled, in the
 *               task that wanted it: words say why ("self-signed certificate")
 *               where error is a number that the caller gets
 *
 * All of it is used during each call.
 */
typedef struct wend_tls_dialer {
	wend_tls_config *config;
	const wend_net_opts *opts;
	void (*failed)(const char *address, int error, const char *words,
		       void *arg);
	void *arg;
} wend_tls_dialer;
WEND_API WEND_MUST_CHECK int wend_tls_http_dial(void *dialer, const char *host,
						const char *port, bool tls,
						int64_t deadline,
						wend_conn **conn);

/* Of a TLS connection, after the handshake, valid as long as c:
 * the protocol that both want, "" for none; "TLSv1.3"; what went wrong, ""
 * for nothing; the SSL * of OpenSSL, for reading facts of it only. */
WEND_API const char *wend_tls_alpn(wend_conn *c);
WEND_API const char *wend_tls_version_name(wend_conn *c);
WEND_API const char *wend_tls_error(wend_conn *c);
WEND_API void *wend_tls_ssl(wend_conn *c);

WEND_END_DECLS

#endif
