/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.c - agreeing on keys, and on who the peer is.
 */
#define _GNU_SOURCE
#include <string.h>

#include <openssl/err.h>

#include "stdlib/net/tls/tls_internal.h"

static void note_alpn(struct wend__tls *t)
{
	const unsigned char *name;
	unsigned int n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	if (name && n < sizeof(t->alpn))
		memcpy(t->alpn, name, n);
}

/* One step. 1: done, 0: more has to come, or -errno. */
static int greet_step(struct wend__tls *t)
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
		r = wend__tls_refuse(t);
	wend_mutex_unlock(&t->ssl_lock);
	return r;
}

/* With greet. */
static int greet_locked(struct wend__tls *t)
{
	int r, sent;

	for (;;) {
		r = greet_step(t);
		/* Also the alert that says why not. */
		sent = wend__tls_flush(t, true);
		if (r < 0)
			return r;
		/* What a server sends last (tickets) is not for us: a peer
		 * that does not stay for it may have sent something. */
		if (r == 1)
			return 0;
		if (sent < 0)
			return sent;
		r = wend__tls_fetch(t);
		if (r < 0)
			return r;
	}
}

int wend__tls_greet(struct wend__tls *t)
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
static void restore_deadlines(struct wend__tls *t)
{
	wend_mutex_lock(&t->time_lock);
	wend_conn_set_read_deadline(t->under, t->read_deadline);
	wend_conn_set_write_deadline(t->under, t->write_deadline);
	wend_mutex_unlock(&t->time_lock);
}

int wend_tls_handshake(wend_conn *c, int64_t deadline)
{
	struct wend__tls *t = wend__tls_of(c);
	int r;

	wend_conn_set_deadline(t->under, deadline);
	r = wend__tls_greet(t);
	restore_deadlines(t);
	return r;
}
