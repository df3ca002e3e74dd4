/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_head.h - between in.c, which reads, and in_head.c, which parses a header.
 */
#ifndef STDLIB_NET_HTTP_IN_HEAD_H
#define STDLIB_NET_HTTP_IN_HEAD_H

#include "stdlib/net/http/in.h"

/* The parser's, for header and body. */
extern const llhttp_settings_t wend__http_in_callbacks;

/* Parse what has been read: 1 at the end of the header, 0: more is needed,
 * -EPROTO, and in->status says why. */
int wend__http_in_parse(struct http_in *in);

/* Of a header that was parsed: names and values become strings, in place. 1, or
 * -EPROTO. */
int wend__http_in_fields(struct http_in *in);

#endif
