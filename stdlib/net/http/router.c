/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.c - patterns of paths, and what runs around their handlers.
 *
 * A tree by segments. A node's literal children, its one child for "{name}" and
 * the routes that take the rest are tried in this order, with a step back where
 * one leads nowhere; as deep as the longest pattern, whatever the path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/exchange.h"

#define ANY_METHOD (-1)

struct route {
	struct route *next;
	int method;
	wend_http_handler *fn;
	void *arg;
	unsigned int count;
	char *names[HTTP_MAX_PARAMS];
};

struct node {
	struct node *next; /* sibling */
	struct node *children;
	struct node *any;
	struct route *routes; /* that end here */
	struct route *rest;   /* that take what follows */
	size_t size;
	char segment[];
};

struct around {
	wend_http_handler *fn;
	void *arg;
};

struct wend_http_router {
	struct node *root;
	struct around *around;
	size_t around_count;
};

/* A router at work; they may be inside each other. */
struct router_walk {
	const struct wend_http_router *router;
	size_t next; /* of around */
};

static struct node *node_new(const char *segment, size_t size)
{
	struct node *n = calloc(1, sizeof(*n) + size);

	if (n != NULL) {
		n->size = size;
		memcpy(n->segment, segment, size);
	}
	return n;
}

static void routes_free(struct route *r)
{
	struct route *next;

	for (; r != NULL; r = next) {
		next = r->next;
		for (unsigned int i = 0; i < r->count; i++)
			free(r->names[i]);
		free(r);
	}
}

static void node_free(struct node *n)
{
	struct node *next;

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

/* --- making ------------------------------------------------------------- */

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

static struct node *child_of(struct node *parent, const char *segment, size_t n)
{
	struct node **link = &parent->children;

	for (; *link != NULL; link = &(*link)->next)
		if ((*link)->size == n &&
		    memcmp((*link)->segment, segment, n) == 0)
			return *link;
	*link = node_new(segment, n);
	return *link;
}

static struct node *any_of(struct node *parent)
{
	if (parent->any == NULL)
		parent->any = node_new("", 0);
	return parent->any;
}

static int add_name(struct route *r, const char *name, size_t n)
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

static int hang_in(struct route **list, struct route *r)
{
	for (; *list != NULL; list = &(*list)->next)
		if ((*list)->method == r->method)
			return -EEXIST;
	*list = r;
	return 0;
}

/* p stands behind a '/'. */
static int insert(struct node *at, struct route *r, const char *p)
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
	int method = ANY_METHOD, err;
	struct route *r;

	if (pattern[n] == ' ') {
		method = method_of(pattern, n);
		pattern += n;
		pattern += strspn(pattern, " ");
		n = 0;
	}
	if (method < ANY_METHOD || n > 0 || pattern[0] != '/')
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
	struct around *p = reallocarray(r->around, r->around_count + 1,
					sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	r->around = p;
	p[r->around_count++] = (struct around){ fn, arg };
	return 0;
}

/* --- matching ----------------------------------------------------------- */

struct match {
	int method;
	const struct route *route;
	uint64_t allowed; /* the methods of paths that would do */
	unsigned int count;
	struct {
		const char *at;
		size_t n;
	} values[HTTP_MAX_PARAMS];
};

/* The one of that method; GET's for HEAD; the one of any. */
static bool choose(const struct route *list, struct match *m)
{
	const struct route *any = NULL, *get = NULL;

	for (; list != NULL; list = list->next) {
		if (list->method == ANY_METHOD) {
			any = list;
		} else {
			m->allowed |= UINT64_C(1) << list->method;
			if (list->method == m->method) {
				m->route = list;
				return true;
			}
			if (list->method == HTTP_GET && m->method == HTTP_HEAD)
				get = list;
		}
	}
	m->route = get != NULL ? get : any;
	return m->route != NULL;
}

static bool capture(struct match *m, const char *at, size_t n)
{
	if (m->count == HTTP_MAX_PARAMS)
		return false;
	m->values[m->count].at = at;
	m->values[m->count++].n = n;
	return true;
}

static bool walk(const struct node *at, const char *p, struct match *m)
{
	unsigned int count = m->count;
	size_t n;

	if (p == NULL) {
		if (choose(at->routes, m))
			return true;
		return false;
	}
	n = strcspn(p, "/");
	for (const struct node *c = at->children; c != NULL; c = c->next)
		if (c->size == n && memcmp(c->segment, p, n) == 0 &&
		    walk(c, p[n] != '\0' ? p + n + 1 : NULL, m))
			return true;
	if (at->any != NULL && n > 0 && capture(m, p, n) &&
	    walk(at->any, p[n] != '\0' ? p + n + 1 : NULL, m))
		return true;
	m->count = count;
	if (at->rest != NULL && capture(m, p, strlen(p)) && choose(at->rest, m))
		return true;
	m->count = count;
	return false;
}

static int set_params(struct http_exchange *x, const struct match *m)
{
	for (unsigned int i = 0; i < m->count; i++) {
		size_t n = m->values[i].n;
		char *value = wend_http_alloc(&x->request, n + 1);

		if (value == NULL)
			return -ENOMEM;
		memcpy(value, m->values[i].at, n);
		value[n] = '\0';
		x->params[i].name = m->route->names[i];
		x->params[i].value = value;
	}
	x->param_count = m->count;
	return 0;
}

static void put_allow(wend_http_reply *w, uint64_t allowed)
{
	char list[512] = "";
	size_t n = 0;

	if (allowed & (UINT64_C(1) << HTTP_GET))
		allowed |= UINT64_C(1) << HTTP_HEAD;
	allowed |= UINT64_C(1) << HTTP_OPTIONS;
	for (int m = 0; m <= HTTP_QUERY && n < sizeof(list); m++)
		if (allowed & (UINT64_C(1) << m))
			n += (size_t)snprintf(
				list + n, sizeof(list) - n, "%s%s",
				n > 0 ? ", " : "",
				llhttp_method_name((llhttp_method_t)m));
	wend_http_set(w, "Allow", list);
}

static void dispatch(const struct wend_http_router *router, wend_http_reply *w,
		     wend_http_request *r)
{
	struct http_exchange *x = exchange_of(w);
	struct match m = { .method = x->method };

	if (r->path[0] == '/' && walk(router->root, r->path + 1, &m)) {
		if (set_params(x, &m) != 0)
			wend_http_error(w, 503, NULL);
		else
			m.route->fn(w, r, m.route->arg);
		return;
	}
	if (m.allowed == 0) {
		wend_http_error(w, x->method == HTTP_CONNECT ? 501 : 404, NULL);
		return;
	}
	put_allow(w, m.allowed);
	if (x->method == HTTP_OPTIONS)
		wend_http_status(w, 204);
	else
		wend_http_error(w, 405, NULL);
}

void wend_http_next(wend_http_reply *w, wend_http_request *r)
{
	struct router_walk *k = exchange_of(w)->walk;
	const struct around *a;

	if (k->next == k->router->around_count) {
		dispatch(k->router, w, r);
		return;
	}
	a = &k->router->around[k->next++];
	a->fn(w, r, a->arg);
}

void wend_http_router_serve(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct http_exchange *x = exchange_of(w);
	struct router_walk *outer = x->walk;
	struct router_walk k = { .router = arg };

	x->walk = &k;
	wend_http_next(w, r);
	x->walk = outer;
}
