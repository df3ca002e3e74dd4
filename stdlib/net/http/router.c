/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.c - making routers: patterns of paths.
 */
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/router.h"

static struct http_node *node_new(const char *segment, size_t size)
{
	struct http_node *n = calloc(1, sizeof(*n) + size);

	if (n != NULL) {
		n->size = size;
		memcpy(n->segment, segment, size);
	}
	return n;
}

static void routes_free(struct http_route *r)
{
	struct http_route *next;

	for (; r != NULL; r = next) {
		next = r->next;
		for (unsigned int i = 0; i < r->count; i++)
			free(r->names[i]);
		free(r);
	}
}

static void node_free(struct http_node *n)
{
	struct http_node *next;

	for (; n != NULL; n = next) {
		next = n->next;
		node_free(n->children);
		node_free(n->any);
		routes_free(n->routes);
		routes_free(n->rest);
		free(n);
	}
}

wend_http_router *wend_http_router_new(void)
{
	struct wend_http_router *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->root = node_new("", 0);
	if (r->root == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void wend_http_router_free(wend_http_router *r)
{
	if (r == NULL)
		return;
	node_free(r->root);
	free(r->around);
	free(r);
}

/* The method in front of a pattern; -2: there is no such method. */
static int method_of(const char *name, size_t n)
{
	for (int m = 0; m <= HTTP_QUERY; m++) {
		const char *known = llhttp_method_name((llhttp_method_t)m);

		if (known != NULL && strlen(known) == n &&
		    memcmp(known, name, n) == 0)
			return m;
	}
	return -2;
}

static struct http_node *child_of(struct http_node *parent, const char *segment,
				  size_t n)
{
	struct http_node **link = &parent->children;

	for (; *link != NULL; link = &(*link)->next)
		if ((*link)->size == n &&
		    memcmp((*link)->segment, segment, n) == 0)
			return *link;
	*link = node_new(segment, n);
	return *link;
}

static struct http_node *any_of(struct http_node *parent)
{
	if (parent->any == NULL)
		parent->any = node_new("", 0);
	return parent->any;
}

static int add_name(struct http_route *r, const char *name, size_t n)
{
	if (n == 0 || r->count == HTTP_MAX_PARAMS ||
	    memchr(name, '{', n) != NULL)
		return -EINVAL;
	r->names[r->count] = strndup(name, n);
	if (r->names[r->count] == NULL)
		return -ENOMEM;
	r->count++;
	return 0;
}

static int hang_in(struct http_route **list, struct http_route *r)
{
	for (; *list != NULL; list = &(*list)->next)
		if ((*list)->method == r->method)
			return -EEXIST;
	*list = r;
	return 0;
}

/* p stands behind a '/'. */
static int insert(struct http_node *at, struct http_route *r, const char *p)
{
	for (;;) {
		size_t n = strcspn(p, "/");
		bool last = p[n] == '\0';
		int err;

		if (n > 0 && p[0] == '{') {
			if (p[n - 1] != '}')
				return -EINVAL;
			if (n >= 5 && memcmp(p + n - 4, "...}", 4) == 0) {
				err = add_name(r, p + 1, n - 5);
				if (err == 0 && !last)
					err = -EINVAL;
				return err != 0 ? err : hang_in(&at->rest, r);
			}
			err = add_name(r, p + 1, n - 2);
			if (err != 0)
				return err;
			at = any_of(at);
		} else {
			if (memchr(p, '{', n) != NULL ||
			    memchr(p, '}', n) != NULL)
				return -EINVAL;
			at = child_of(at, p, n);
		}
		if (at == NULL)
			return -ENOMEM;
		if (last)
			return hang_in(&at->routes, r);
		p += n + 1;
	}
}

int wend_http_route(wend_http_router *router, const char *pattern,
		    wend_http_handler *fn, void *arg)
{
	size_t n = strcspn(pattern, " /");
	int method = HTTP_ANY_METHOD, err;
	struct http_route *r;

	if (pattern[n] == ' ') {
		method = method_of(pattern, n);
		pattern += n;
		pattern += strspn(pattern, " ");
		n = 0;
	}
	if (method < HTTP_ANY_METHOD || n > 0 || pattern[0] != '/')
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->method = method;
	r->fn = fn;
	r->arg = arg;
	err = insert(router->root, r, pattern + 1);
	if (err != 0)
		routes_free(r);
	return err;
}

int wend_http_use(wend_http_router *r, wend_http_handler *fn, void *arg)
{
	struct http_around *p = reallocarray(r->around, r->around_count + 1,
					     sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	r->around = p;
	p[r->around_count++] = (struct http_around){ fn, arg };
	return 0;
}
