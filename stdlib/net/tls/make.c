/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make.c - making TLS connections over others.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include "stdlib/net/tls/tls_internal.h"

void wend__tls_destroy(struct wend__tls *t)
{
	SSL_free(t->ssl);
	free(t);
}

static struct wend__tls *make(wend_tls_config *config, wend_conn *under)
{
	struct wend__tls *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->conn.reader.read = wend__tls_read;
	t->conn.writer.write = wend__tls_write;
	t->conn.ops = &wend__tls_ops;
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
	wend__tls_destroy(t);
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
	struct wend__tls *t;
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
		wend__tls_destroy(t);
		return r;
	}
	SSL_set_connect_state(t->ssl);
	*c = &t->conn;
	return 0;
}

int wend_tls_server(wend_conn **c, wend_tls_config *config, wend_conn *under)
{
	struct wend__tls *t;

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

int wend_tls_wrap(wend_conn **c, void *config)
{
	wend_conn *over;
	int r = wend_tls_server(&over, config, *c);

	if (r == 0)
		*c = over;
	return r;
}
