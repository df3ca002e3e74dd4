/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_body.h - between in.c, which reads, and in_body.c, the body.
 */
#ifndef STDLIB_NET_HTTP_IN_BODY_H
#define STDLIB_NET_HTTP_IN_BODY_H

#include "stdlib/net/http/in.h"

/* One read of the connection, to anywhere. */
ssize_t wend__http_in_receive(struct http_in *in, void *to, size_t n,
			      int64_t deadline);

/* Read more behind end, where there is room: a count, 0, or an error. */
ssize_t wend__http_in_fill(struct http_in *in, int64_t deadline);

/* What was written has to be out before a wait for the peer. */
int wend__http_in_flush(struct http_in *in);

/* Bytes that a body has beside its own: not without limit either. */
int wend__http_in_trailing(struct http_in *in, size_t n);

/* The parser's callbacks. */
int wend__http_in_on_body(llhttp_t *p, const char *at, size_t n);
int wend__http_in_on_chunk(llhttp_t *p);
int wend__http_in_on_extension(llhttp_t *p, const char *at, size_t n);
int wend__http_in_on_end(llhttp_t *p);

#endif
