/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.c - between OpenSSL's buffers and the connection below; and what OpenSSL
 * refuses of what came.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "stdlib/net/tls/tls_internal.h"

int wend__tls_refuse(struct wend__tls *t)
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
	if (!rejected)
		return -EPROTO;
	return verified == X509_V_ERR_CERT_HAS_EXPIRED ||
			       verified == X509_V_ERR_CERT_NOT_YET_VALID ?
		       -EKEYEXPIRED :
		       -EKEYREJECTED;
}

int wend__tls_drain(struct wend__tls *t)
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

bool wend__tls_has_output(struct wend__tls *t)
{
	bool has;

	wend_mutex_lock(&t->ssl_lock);
	has = !t->write_error && BIO_ctrl_pending(t->out) > 0;
	wend_mutex_unlock(&t->ssl_lock);
	return has;
}

int wend__tls_flush(struct wend__tls *t, bool wait)
{
	int r;

	do {
		if (wait)
			wend_mutex_lock(&t->send_lock);
		else if (!wend_mutex_try(&t->send_lock))
			return 0;
		r = wend__tls_drain(t);
		wend_mutex_unlock(&t->send_lock);
	} while (r == 0 && wend__tls_has_output(t));
	return r;
}

int wend__tls_fetch(struct wend__tls *t)
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
