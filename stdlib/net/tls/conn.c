/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.c - reading, writing, and the end; tls_internal.h has the rules.
 */
#define _GNU_SOURCE
#include <openssl/err.h>

#include "stdlib/net/tls/tls_internal.h"

/* For the last words where nothing else bounds them. */
enum { CLOSE_MS = 250 };

/* --- reading and writing -------------------------------------------------------------- */

/* One SSL_read(). Above 0: bytes; 0: the end; -EAGAIN: more has to come. */
static ssize_t take(struct wend__tls *t, void *buf, size_t n)
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
			r = wend__tls_refuse(t);
	}
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

ssize_t wend__tls_read(wend_reader *reader, void *buf, size_t n)
{
	struct wend__tls *t = (struct wend__tls *)((char *)reader -
						   offsetof(struct wend__tls,
							    conn.reader));
	ssize_t r = wend__tls_greet(t);

	if (r < 0 || n == 0)
		return r;
	for (;;) {
		r = take(t, buf, n);
		if (wend__tls_has_output(t))
			(void)wend__tls_flush(
				t, false); /* the next write reports it */
		if (r != -EAGAIN)
			return r;
		r = wend__tls_fetch(t);
		if (r < 0)
			return r;
	}
}

/* One SSL_write(), of a record at most. Above 0: bytes, or -errno. */
static ssize_t put(struct wend__tls *t, const char *p, size_t n)
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
		r = SSL_write_ex(t->ssl, p,
				 n < WEND__TLS_RECORD ? n : WEND__TLS_RECORD,
				 &put) ?
			    (ssize_t)put :
			    wend__tls_refuse(t);
	}
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

ssize_t wend__tls_write(wend_writer *writer, const void *buf, size_t n)
{
	struct wend__tls *t = (struct wend__tls *)((char *)writer -
						   offsetof(struct wend__tls,
							    conn.writer));
	size_t done = 0;
	ssize_t r = wend__tls_greet(t);

	if (r < 0)
		return r;
	while (done < n) {
		r = put(t, (const char *)buf + done, n - done);
		if (r < 0)
			return r;
		done += (size_t)r;
		r = wend__tls_flush(t, true);
		if (r < 0)
			return r;
	}
	return (ssize_t)n;
}

/* --- the end ---------------------------------------------------------------------------- */

/* Put close_notify into out. false: there is no one to say it to. */
static bool say_end(struct wend__tls *t)
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
	struct wend__tls *t = wend__tls_of(c);
	int r = wend__tls_greet(t);

	if (r < 0)
		return r;
	if (say_end(t))
		return wend__tls_flush(t, true);
	wend_mutex_lock(&t->ssl_lock);
	r = t->write_error;
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

/* Last words, for which nobody is to wait. With send. */
static void say_end_quickly(struct wend__tls *t)
{
	int fd = wend_conn_fd(t->under), n;

	if (!say_end(t))
		return;
	if (fd < 0) {
		wend_conn_set_write_deadline(t->under, wend_after_ms(CLOSE_MS));
		(void)wend__tls_drain(t);
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
	struct wend__tls *t = wend__tls_of(c);

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

/* No last words: the end that they tell of is one of all. */
static int tls_reset(wend_conn *c)
{
	struct wend__tls *t = wend__tls_of(c);

	wend_mutex_lock(&t->ssl_lock);
	t->closed = t->said_end = true;
	wend_mutex_unlock(&t->ssl_lock);
	return wend_conn_reset(t->under);
}

static void tls_free(wend_conn *c)
{
	struct wend__tls *t = wend__tls_of(c);

	say_end_quickly(t);
	wend_conn_free(t->under);
	wend__tls_destroy(t);
}

/* --- the rest --------------------------------------------------------------------------- */

static void tls_set_read_deadline(wend_conn *c, int64_t deadline)
{
	struct wend__tls *t = wend__tls_of(c);

	wend_mutex_lock(&t->time_lock);
	t->read_deadline = deadline;
	wend_conn_set_read_deadline(t->under, deadline);
	wend_mutex_unlock(&t->time_lock);
}

static void tls_set_write_deadline(wend_conn *c, int64_t deadline)
{
	struct wend__tls *t = wend__tls_of(c);

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
	return wend_conn_local(wend__tls_of(c)->under);
}

static const char *tls_remote(wend_conn *c)
{
	return wend_conn_remote(wend__tls_of(c)->under);
}

const struct wend_conn_ops wend__tls_ops = {
	.close_write = tls_close_write,
	.close = tls_close,
	.free = tls_free,
	.set_read_deadline = tls_set_read_deadline,
	.set_write_deadline = tls_set_write_deadline,
	.fd = tls_fd,
	.local = tls_local,
	.remote = tls_remote,
	.reset = tls_reset,
};

const char *wend_tls_alpn(wend_conn *c)
{
	return wend__tls_of(c)->alpn;
}

const char *wend_tls_version_name(wend_conn *c)
{
	return SSL_get_version(wend__tls_of(c)->ssl);
}

const char *wend_tls_error(wend_conn *c)
{
	return wend__tls_of(c)->error;
}

void *wend_tls_ssl(wend_conn *c)
{
	return wend__tls_of(c)->ssl;
}
