/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.h - between router.c, which makes routers, and route.c, which uses them.
 *
 * A tree by segments. A node's literal children, its one child for "{name}" and
 * the routes that take the rest are tried in this order, with a step back where
 * one leads nowhere; as deep as the longest pattern, whatever the path.
 */
#ifndef STDLIB_NET_HTTP_ROUTER_H
#define STDLIB_NET_HTTP_ROUTER_H

#include "stdlib/net/http/exchange.h"

#define HTTP_ANY_METHOD (-1)

struct http_route {
	struct http_route *next;
	int method;
	wend_http_handler *fn;
	void *arg;
	unsigned int count;
	char *names[HTTP_MAX_PARAMS];
};

struct http_node {
	struct http_node *next; /* sibling */
	struct http_node *children;
	struct http_node *any;
	struct http_route *routes; /* that end here */
	struct http_route *rest;   /* that take what follows */
	size_t size;
	char segment[];
};

struct http_around {
	wend_http_handler *fn;
	void *arg;
};

struct wend_http_router {
	struct http_node *root;
	struct http_around *around;
	size_t around_count;
};

#endif
