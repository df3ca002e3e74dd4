/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.h - a URL taken apart, as far as HTTP needs it.
 */
#ifndef STDLIB_NET_HTTP_URL_H
#define STDLIB_NET_HTTP_URL_H

#include <stdbool.h>

struct http_url {
	char *text;   /* the whole of it, without a fragment; one block */
	char *origin; /* "http://host:port", port always there */
	char *host;   /* without brackets */
	char *port;
	char *authority; /* for the Host field: the port if it is unusual */
	char *target;    /* "/path?query" */
	bool tls;
};

/* 0, -EINVAL or -ENOMEM. */
int wend__http_url_parse(struct http_url *u, const char *text);

/* What a Location means, seen from base (RFC 3986, 5.2). */
int wend__http_url_resolve(struct http_url *u, const struct http_url *base,
			   const char *location);
void wend__http_url_free(struct http_url *u);

#endif
