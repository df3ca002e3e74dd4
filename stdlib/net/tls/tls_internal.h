/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_internal.h - the parts of a TLS connection.
 *
 *	config.c     certificates, keys, what is asked of the peer
 *	make.c       making one
 *	handshake.c  agreeing on keys
 *	conn.c       reading, writing, the end
 *	wire.c       what goes out and comes in below
 *	dial.c       from an address to a connection
 *
 * OpenSSL works on two memory buffers, in and out, and never waits; what comes
 * and goes through them is read and written by wire.c. So one lock around
 * OpenSSL is held for no wait, and a task that reads and one that writes do not
 * hold each other up.
 *
 * Locks, in this order
 *   greet   the handshake: who comes second waits for it
 *   send    what leaves out must be written in its order: held over the write
 *   ssl     OpenSSL's object and its buffers; never held over a wait
 *
 * A reader, too, may have to send (an alert, an answer to new keys). It must
 * not wait for a writer whose peer does not read before we do:
 *      reader                            writer
 *      ssl: out gets bytes               send: take out, write it
 *      try send: taken? leave them       unlock send
 *                                        ssl: out not empty? again
 *
 * Rejected: a BIO that reads and writes the connection below directly. The lock
 * would be held while OpenSSL waits in it.
 */
#ifndef WEND_STD_TLS_INTERNAL_H
#define WEND_STD_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include <wend/std/tls.h>
#include <wend/wend.h>

struct wend_tls_config {
	SSL_CTX *ctx;
	bool server, insecure;
	unsigned int alpn_size;
	unsigned char alpn[256]; /* as on the wire: length, name, ... */
};

enum {
	WEND__TLS_RECORD = 16384, /* what one record holds */
	WEND__TLS_ERROR_TEXT = 200,
};

struct wend__tls {
	wend_conn conn;
	wend_conn *under;
	SSL *ssl;
	BIO *in, *out; /* ssl's */
	wend_mutex greet_lock, send_lock, ssl_lock;
	bool greeted;    /* greet */
	int greet_error; /* greet */
	int write_error; /* ssl: nothing can be sent any more */
	bool broken;     /* ssl: OpenSSL's object is of no use */
	bool said_end;   /* ssl */
	bool closed;     /* ssl */
	wend_mutex time_lock;
	int64_t read_deadline, write_deadline; /* time */
	char error[WEND__TLS_ERROR_TEXT];      /* ssl */
	char alpn[256];                        /* written by the handshake */
	char from[WEND__TLS_RECORD];           /* the reader's, or greet's */
	char to[WEND__TLS_RECORD + 1024];      /* send */
};

static inline struct wend__tls *wend__tls_of(wend_conn *c)
{
	return (struct wend__tls *)((char *)c -
				    offsetof(struct wend__tls, conn));
}

/* --- make.c ---------------------------------------------------------------- */

/* All but the connection below. */
void wend__tls_destroy(struct wend__tls *t);

/* --- conn.c ---------------------------------------------------------------- */

extern const struct wend_conn_ops wend__tls_ops;
ssize_t wend__tls_read(wend_reader *reader, void *buf, size_t n);
ssize_t wend__tls_write(wend_writer *writer, const void *buf, size_t n);

/* --- handshake.c ----------------------------------------------------------- */

/* The handshake, once: 0 or what it said the first time. */
int wend__tls_greet(struct wend__tls *t);

/* --- wire.c ---------------------------------------------------------------- */

/* Keep the words for what OpenSSL has just refused. With ssl. The error. */
int wend__tls_refuse(struct wend__tls *t);

/* Write what out has. With send. */
int wend__tls_drain(struct wend__tls *t);

bool wend__tls_has_output(struct wend__tls *t);

/* Send what out has. wait: behind others, if they are sending. */
int wend__tls_flush(struct wend__tls *t, bool wait);

/* Read something from below. 0, or -errno; its end is one, too. */
int wend__tls_fetch(struct wend__tls *t);

#endif
