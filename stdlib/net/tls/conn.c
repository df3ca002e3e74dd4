/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.c - a connection over a connection.
 *
 * OpenSSL works on two memory buffers, in and out, and never waits; what comes
 * and goes through them is read and written here. So one lock around OpenSSL
 * is held for no wait, and a task that reads and one that writes do not hold
 * each other up.
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
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <wend/wend.h>

#include "stdlib/net/tls/tls_internal.h"

enum {
	RECORD = 16384, /* what one record holds */
	ERROR_TEXT = 200,
	CLOSE_MS = 250, /* for the last words where nothing else bounds them */
};

struct tls {
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
	char error[ERROR_TEXT];                /* ssl */
	char alpn[256];                        /* written by the handshake */
	char from[RECORD];                     /* the reader's, or greet's */
	char to[RECORD + 1024];                /* send */
};

static struct tls *of_conn(wend_conn *c)
{
	return (struct tls *)((char *)c - offsetof(struct tls, conn));
}

/* --- errors ----------------------------------------------------------------------- */

/* Keep the words for what OpenSSL has just refused. With ssl. */
static int refuse(struct tls *t)
{
	unsigned long e = ERR_peek_last_error();
	long verified = SSL_get_verify_result(t->ssl);
	const char *reason = ERR_reason_error_string(e);
	bool rejected = ERR_GET_LIB(e) == ERR_LIB_SSL &&
			ERR_GET_REASON(e) == SSL_R_CERTIFICATE_VERIFY_FAILED;

	t->broken = true;
	if (rejected && verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	(void)snprintf(t->error, sizeof(t->error), "%s",
		       reason ? reason : "the TLS connection is broken");
	ERR_clear_error();
	return rejected ? -EKEYREJECTED : -EPROTO;
}

/* --- what goes out ----------------------------------------------------------------- */

/* Write what out has. With send. */
static int drain(struct tls *t)
{
	int n;
	ssize_t r;

	for (;;) {
		wend_mutex_lock(&t->ssl_lock);
		r = t->write_error;
		n = r ? 0 : BIO_read(t->out, t->to, sizeof(t->to));
		wend_mutex_unlock(&t->ssl_lock);
		if (n <= 0)
			return (int)r;
		r = wend_conn_write(t->under, t->to, (size_t)n);
		if (r >= 0)
			continue;
		/* A record was cut: nothing that follows has a meaning. */
		wend_mutex_lock(&t->ssl_lock);
		t->write_error = (int)r;
		wend_mutex_unlock(&t->ssl_lock);
		return (int)r;
	}
}

static bool has_output(struct tls *t)
{
	bool has;

	wend_mutex_lock(&t->ssl_lock);
	has = !t->write_error && BIO_ctrl_pending(t->out) > 0;
	wend_mutex_unlock(&t->ssl_lock);
	return has;
}

/* Send what out has. wait: behind others, if they are sending. */
static int flush(struct tls *t, bool wait)
{
	int r;

	do {
		if (wait)
			wend_mutex_lock(&t->send_lock);
		else if (!wend_mutex_try(&t->send_lock))
			return 0;
		r = drain(t);
		wend_mutex_unlock(&t->send_lock);
	} while (r == 0 && has_output(t));
	return r;
}

/* --- what comes in ----------------------------------------------------------------- */

/* Read something from below. 0, or -errno; its end is one, too. */
static int fetch(struct tls *t)
{
	ssize_t n = wend_conn_read(t->under, t->from, sizeof(t->from));
	int r = 0;

	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	wend_mutex_lock(&t->ssl_lock);
	if (BIO_write(t->in, t->from, (int)n) != n)
		r = -ENOMEM;
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

/* --- the handshake ------------------------------------------------------------------ */

static void note_alpn(struct tls *t)
{
	const unsigned char *name;
	unsigned int n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	if (name && n < sizeof(t->alpn))
		memcpy(t->alpn, name, n);
}

/* One step. 1: done, 0: more has to come, or -errno. */
static int greet_step(struct tls *t)
{
	int r, e;

	wend_mutex_lock(&t->ssl_lock);
	ERR_clear_error();
	r = SSL_do_handshake(t->ssl);
	e = SSL_get_error(t->ssl, r);
	if (r == 1)
		note_alpn(t);
	else if (e == SSL_ERROR_WANT_READ)
		r = 0;
	else
		r = refuse(t);
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

/* With greet. */
static int greet_locked(struct tls *t)
{
	int r, sent;

	for (;;) {
		r = greet_step(t);
		/* Also the alert that says why not. */
		sent = flush(t, true);
		if (r < 0)
			return r;
		/* What a server sends last (tickets) is not for us: a peer
		 * that does not stay for it may have sent something. */
		if (r == 1)
			return 0;
		if (sent < 0)
			return sent;
		r = fetch(t);
		if (r < 0)
			return r;
	}
}

static int greet(struct tls *t)
{
	int r;

	wend_mutex_lock(&t->greet_lock);
	if (!t->greeted) {
		t->greet_error = greet_locked(t);
		t->greeted = true;
	}
	r = t->greet_error;
	wend_mutex_unlock(&t->greet_lock);
	return r;
}

/* The deadlines that c was given, on the connection below. */
static void restore_deadlines(struct tls *t)
{
	wend_mutex_lock(&t->time_lock);
	wend_conn_set_read_deadline(t->under, t->read_deadline);
	wend_conn_set_write_deadline(t->under, t->write_deadline);
	wend_mutex_unlock(&t->time_lock);
}

int wend_tls_handshake(wend_conn *c, int64_t deadline)
{
	struct tls *t = of_conn(c);
	int r;

	wend_conn_set_deadline(t->under, deadline);
	r = greet(t);
	restore_deadlines(t);
	return r;
}

/* --- reading and writing -------------------------------------------------------------- */

/* One SSL_read(). Above 0: bytes; 0: the end; -EAGAIN: more has to come. */
static ssize_t take(struct tls *t, void *buf, size_t n)
{
	size_t got = 0;
	ssize_t r = -EPROTO;
	int ok, e;

	wend_mutex_lock(&t->ssl_lock);
	if (!t->broken) {
		ERR_clear_error();
		ok = SSL_read_ex(t->ssl, buf, n, &got);
		e = ok ? SSL_ERROR_NONE : SSL_get_error(t->ssl, ok);
		if (e == SSL_ERROR_NONE)
			r = (ssize_t)got;
		else if (e == SSL_ERROR_ZERO_RETURN)
			r = 0;
		else if (e == SSL_ERROR_WANT_READ)
			r = -EAGAIN;
		else
			r = refuse(t);
	}
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

static ssize_t tls_read(wend_reader *reader, void *buf, size_t n)
{
	struct tls *t = (struct tls *)((char *)reader -
				       offsetof(struct tls, conn.reader));
	ssize_t r = greet(t);

	if (r < 0 || n == 0)
		return r;
	for (;;) {
		r = take(t, buf, n);
		if (has_output(t))
			(void)flush(t, false); /* the next write reports it */
		if (r != -EAGAIN)
			return r;
		r = fetch(t);
		if (r < 0)
			return r;
	}
}

/* One SSL_write(), of a record at most. Above 0: bytes, or -errno. */
static ssize_t put(struct tls *t, const char *p, size_t n)
{
	size_t put = 0;
	ssize_t r;

	wend_mutex_lock(&t->ssl_lock);
	if (t->closed) {
		r = -ECANCELED;
	} else if (t->write_error) {
		r = t->write_error;
	} else if (t->said_end) {
		r = -EPIPE;
	} else if (t->broken) {
		r = -EPROTO;
	} else {
		ERR_clear_error();
		r = SSL_write_ex(t->ssl, p, n < RECORD ? n : RECORD, &put) ?
			    (ssize_t)put :
			    refuse(t);
	}
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

static ssize_t tls_write(wend_writer *writer, const void *buf, size_t n)
{
	struct tls *t = (struct tls *)((char *)writer -
				       offsetof(struct tls, conn.writer));
	size_t done = 0;
	ssize_t r = greet(t);

	if (r < 0)
		return r;
	while (done < n) {
		r = put(t, (const char *)buf + done, n - done);
		if (r < 0)
			return r;
		done += (size_t)r;
		r = flush(t, true);
		if (r < 0)
			return r;
	}
	return (ssize_t)n;
}

/* --- the end ---------------------------------------------------------------------------- */

/* Put close_notify into out. false: there is no one to say it to. */
static bool say_end(struct tls *t)
{
	bool can;

	wend_mutex_lock(&t->ssl_lock);
	can = !t->broken && !t->said_end && !t->write_error &&
	      SSL_is_init_finished(t->ssl);
	if (can) {
		t->said_end = true;
		ERR_clear_error();
		(void)SSL_shutdown(t->ssl);
		ERR_clear_error();
	}
	wend_mutex_unlock(&t->ssl_lock);
	return can;
}

static int tls_close_write(wend_conn *c)
{
	struct tls *t = of_conn(c);
	int r = greet(t);

	if (r < 0)
		return r;
	if (say_end(t))
		return flush(t, true);
	wend_mutex_lock(&t->ssl_lock);
	r = t->write_error;
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

/* Last words, for which nobody is to wait. With send. */
static void say_end_quickly(struct tls *t)
{
	int fd = wend_conn_fd(t->under), n;

	if (!say_end(t))
		return;
	if (fd < 0) {
		wend_conn_set_write_deadline(t->under, wend_after_ms(CLOSE_MS));
		(void)drain(t);
		return;
	}
	wend_mutex_lock(&t->ssl_lock);
	n = BIO_read(t->out, t->to, sizeof(t->to));
	wend_mutex_unlock(&t->ssl_lock);
	if (n > 0)
		(void)send(fd, t->to, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int tls_close(wend_conn *c)
{
	struct tls *t = of_conn(c);

	/* Before the last words, or a writer would take them for its own. */
	wend_mutex_lock(&t->ssl_lock);
	t->closed = true;
	wend_mutex_unlock(&t->ssl_lock);
	/* A writer in the middle of a record leaves no room for words. */
	if (wend_mutex_try(&t->send_lock)) {
		say_end_quickly(t);
		wend_mutex_unlock(&t->send_lock);
	}
	return wend_conn_close(t->under);
}

static void destroy(struct tls *t)
{
	SSL_free(t->ssl);
	free(t);
}

static void tls_free(wend_conn *c)
{
	struct tls *t = of_conn(c);

	say_end_quickly(t);
	wend_conn_free(t->under);
	destroy(t);
}

/* --- the rest --------------------------------------------------------------------------- */

static void tls_set_read_deadline(wend_conn *c, int64_t deadline)
{
	struct tls *t = of_conn(c);

	wend_mutex_lock(&t->time_lock);
	t->read_deadline = deadline;
	wend_conn_set_read_deadline(t->under, deadline);
	wend_mutex_unlock(&t->time_lock);
}

static void tls_set_write_deadline(wend_conn *c, int64_t deadline)
{
	struct tls *t = of_conn(c);

	wend_mutex_lock(&t->time_lock);
	t->write_deadline = deadline;
	wend_conn_set_write_deadline(t->under, deadline);
	wend_mutex_unlock(&t->time_lock);
}

static int tls_fd(wend_conn *c)
{
	(void)c;
	return -ENOTSUP;
}

static const char *tls_local(wend_conn *c)
{
	return wend_conn_local(of_conn(c)->under);
}

static const char *tls_remote(wend_conn *c)
{
	return wend_conn_remote(of_conn(c)->under);
}

static const struct wend_conn_ops tls_ops = {
	.close_write = tls_close_write,
	.close = tls_close,
	.free = tls_free,
	.set_read_deadline = tls_set_read_deadline,
	.set_write_deadline = tls_set_write_deadline,
	.fd = tls_fd,
	.local = tls_local,
	.remote = tls_remote,
};

const char *wend_tls_alpn(wend_conn *c)
{
	return of_conn(c)->alpn;
}

const char *wend_tls_version_name(wend_conn *c)
{
	return SSL_get_version(of_conn(c)->ssl);
}

const char *wend_tls_error(wend_conn *c)
{
	return of_conn(c)->error;
}

void *wend_tls_ssl(wend_conn *c)
{
	return of_conn(c)->ssl;
}

/* --- making one --------------------------------------------------------------------------- */

static struct tls *make(wend_tls_config *config, wend_conn *under)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->conn.reader.read = tls_read;
	t->conn.writer.write = tls_write;
	t->conn.ops = &tls_ops;
	t->under = under;
	t->read_deadline = t->write_deadline = WEND_FOREVER;
	t->ssl = SSL_new(config->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (t->ssl && t->in && t->out) {
		SSL_set_bio(t->ssl, t->in, t->out);
		return t;
	}
	BIO_free(t->in);
	BIO_free(t->out);
	destroy(t);
	return NULL;
}

static int set_host(SSL *ssl, const char *host)
{
	unsigned char any[16];

	if (inet_pton(AF_INET, host, any) == 1 ||
	    inet_pton(AF_INET6, host, any) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
						     host) == 1 ?
			       0 :
			       -ENOMEM;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 &&
			       SSL_set_tlsext_host_name(ssl, host) == 1 ?
		       0 :
		       -EINVAL;
}

int wend_tls_client(wend_conn **c, wend_tls_config *config, wend_conn *under,
		    const char *host)
{
	struct tls *t;
	int r = 0;

	*c = NULL;
	if (config->server || (!host && !config->insecure))
		return -EINVAL;
	t = make(config, under);
	if (!t)
		return -ENOMEM;
	if (host)
		r = set_host(t->ssl, host);
	if (r < 0) {
		destroy(t);
		return r;
	}
	SSL_set_connect_state(t->ssl);
	*c = &t->conn;
	return 0;
}

int wend_tls_server(wend_conn **c, wend_tls_config *config, wend_conn *under)
{
	struct tls *t;

	*c = NULL;
	if (!config->server)
		return -EINVAL;
	t = make(config, under);
	if (!t)
		return -ENOMEM;
	SSL_set_accept_state(t->ssl);
	*c = &t->conn;
	return 0;
}

int wend_tls_dial(wend_conn **c, wend_tls_config *config, const char *address,
		  int64_t deadline, const wend_net_opts *opts)
{
	char host[256], port[32];
	wend_conn *under;
	int r;

	*c = NULL;
	r = wend_net_split(address, host, sizeof(host), port, sizeof(port));
	if (r == 0)
		r = wend_net_dial(&under, address, deadline, opts);
	if (r < 0)
		return r;
	r = wend_tls_client(c, config, under, host);
	if (r < 0) {
		wend_conn_free(under);
		return r;
	}
	r = wend_tls_handshake(*c, deadline);
	if (r < 0) {
		wend_conn_free(*c);
		*c = NULL;
	}
	return r;
}
