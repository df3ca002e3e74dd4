/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_internal.h - what config.c and conn.c share.
 */
#ifndef WEND_STD_TLS_INTERNAL_H
#define WEND_STD_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include <wend/std/tls.h>

struct wend_tls_config {
	SSL_CTX *ctx;
	bool server, insecure;
	unsigned int alpn_size;
	unsigned char alpn[256]; /* as on the wire: length, name, ... */
};

#endif
