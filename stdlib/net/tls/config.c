/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - certificates, keys, and what is asked of the peer.
 *
 * OpenSSL keeps its errors in the kernel thread's storage: none of the calls
 * here waits between an error and the look at it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "stdlib/net/tls/tls_internal.h"

/* Why a file could not be used. */
static int file_error(const char *file)
{
	if (access(file, R_OK) == 0)
		return -EINVAL;
	return errno == EACCES ? -EACCES : -ENOENT;
}

/* "h2,http/1.1" as on the wire. */
static int parse_alpn(wend_tls_config *c, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ",");

		if (n == 0 || c->alpn_size + n + 1 > sizeof(c->alpn))
			return -EINVAL;
		c->alpn[c->alpn_size++] = (unsigned char)n;
		memcpy(c->alpn + c->alpn_size, text, n);
		c->alpn_size += (unsigned int)n;
		text += n;
		/* Something has to follow a comma. */
		if (*text == ',' && !*++text)
			return -EINVAL;
	}
	return 0;
}

/* A server's choice: its own first that the client has, too. Nothing in common
 * is an error that the client is told (RFC 7301). */
static int choose_alpn(SSL *ssl, const unsigned char **out,
		       unsigned char *out_size, const unsigned char *in,
		       unsigned int in_size, void *arg)
{
	wend_tls_config *c = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_size, c->alpn, c->alpn_size, in,
				  in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int set_alpn(wend_tls_config *c, const char *text)
{
	int r = parse_alpn(c, text);

	if (r < 0)
		return r;
	if (c->server)
		SSL_CTX_set_alpn_select_cb(c->ctx, choose_alpn, c);
	else if (SSL_CTX_set_alpn_protos(c->ctx, c->alpn, c->alpn_size))
		return -ENOMEM;
	return 0;
}

/* --- certificates ------------------------------------------------------------ */

static BIO *memory(const char *text)
{
	return BIO_new_mem_buf(text, -1);
}

/* The first is ours, those behind it lead to the root. */
static int use_cert_text(SSL_CTX *ctx, const char *text)
{
	BIO *b = memory(text);
	X509 *x;
	int r = -EINVAL;

	if (!b)
		return -ENOMEM;
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	if (x && SSL_CTX_use_certificate(ctx, x) == 1)
		r = 0;
	X509_free(x);
	while (r == 0 && (x = PEM_read_bio_X509(b, NULL, NULL, NULL))) {
		if (SSL_CTX_add0_chain_cert(ctx, x) == 1)
			continue;
		X509_free(x);
		r = -EINVAL;
	}
	BIO_free(b);
	return r;
}

static int use_key_text(SSL_CTX *ctx, const char *text)
{
	BIO *b = memory(text);
	EVP_PKEY *key;
	int r;

	if (!b)
		return -ENOMEM;
	key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	r = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 ? 0 : -EINVAL;
	EVP_PKEY_free(key);
	BIO_free(b);
	return r;
}

static int set_identity(SSL_CTX *ctx, const wend_tls_opts *o)
{
	int r = 0;

	if (o->cert)
		r = use_cert_text(ctx, o->cert);
	else if (o->cert_file &&
		 SSL_CTX_use_certificate_chain_file(ctx, o->cert_file) != 1)
		r = file_error(o->cert_file);
	if (r < 0)
		return r;
	if (o->key)
		r = use_key_text(ctx, o->key);
	else if (o->key_file &&
		 SSL_CTX_use_PrivateKey_file(ctx, o->key_file,
					     SSL_FILETYPE_PEM) != 1)
		r = file_error(o->key_file);
	if (r < 0)
		return r;
	if ((o->cert || o->cert_file) && SSL_CTX_check_private_key(ctx) != 1)
		return -EINVAL;
	return 0;
}

static int trust_text(SSL_CTX *ctx, const char *text)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *b = memory(text);
	X509 *x;
	int count = 0;

	if (!b)
		return -ENOMEM;
	while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(b);
	return count ? 0 : -EINVAL;
}

static int set_trust(wend_tls_config *c, const wend_tls_opts *o)
{
	int r = 0, mode = SSL_VERIFY_NONE;

	if (o->ca)
		r = trust_text(c->ctx, o->ca);
	else if (o->ca_file &&
		 SSL_CTX_load_verify_file(c->ctx, o->ca_file) != 1)
		r = file_error(o->ca_file);
	else if (!o->ca_file && !c->server &&
		 SSL_CTX_set_default_verify_paths(c->ctx) != 1)
		r = -EINVAL;
	if (c->server && o->client_certs)
		mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	else if (!c->server && !o->insecure)
		mode = SSL_VERIFY_PEER;
	SSL_CTX_set_verify(c->ctx, mode, NULL);
	return r;
}

/* --- all of it ------------------------------------------------------------------- */

static int fill(wend_tls_config *c, const wend_tls_opts *o)
{
	int r;

	c->ctx = SSL_CTX_new(c->server ? TLS_server_method() :
					 TLS_client_method());
	if (!c->ctx)
		return -ENOMEM;
	SSL_CTX_set_min_proto_version(c->ctx, o->min_version == WEND_TLS_1_3 ?
						      TLS1_3_VERSION :
						      TLS1_2_VERSION);
	/* So a write never waits for something to read. */
	SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS |
					 SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_AUTO_RETRY);
	if (c->server &&
	    !((o->cert || o->cert_file) && (o->key || o->key_file)))
		return -EINVAL;
	r = set_identity(c->ctx, o);
	if (r == 0)
		r = set_trust(c, o);
	if (r == 0 && o->alpn)
		r = set_alpn(c, o->alpn);
	return r;
}

static int make(wend_tls_config **result, const wend_tls_opts *o, bool server)
{
	static const wend_tls_opts defaults;
	wend_tls_config *c = calloc(1, sizeof(*c));
	int r;

	*result = NULL;
	if (!c)
		return -ENOMEM;
	if (!o)
		o = &defaults;
	c->server = server;
	c->insecure = o->insecure;
	r = fill(c, o);
	ERR_clear_error();
	if (r < 0)
		wend_tls_config_free(c);
	else
		*result = c;
	return r;
}

int wend_tls_config_client(wend_tls_config **c, const wend_tls_opts *opts)
{
	return make(c, opts, false);
}

int wend_tls_config_server(wend_tls_config **c, const wend_tls_opts *opts)
{
	return make(c, opts, true);
}

void wend_tls_config_free(wend_tls_config *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}
