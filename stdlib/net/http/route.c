/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.c - from a request's path to its handler, and what runs around it.
 */
#include <stdio.h>
#include <string.h>
#include "stdlib/net/http/router.h"

/* A router at work; they may be inside each other. */
struct router_walk {
	const struct wend_http_router *router;
	size_t next; /* of around */
};

struct match {
	int method;
	const struct http_route *route;
	uint64_t allowed; /* the methods of paths that would do */
	unsigned int count;
	struct {
		const char *at;
		size_t n;
	} values[HTTP_MAX_PARAMS];
};

/* The one of that method; GET's for HEAD; the one of any. */
static bool choose(const struct http_route *list, struct match *m)
{
	const struct http_route *any = NULL, *get = NULL;

	for (; list != NULL; list = list->next) {
		if (list->method == HTTP_ANY_METHOD) {
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

static bool walk(const struct http_node *at, const char *p, struct match *m)
{
	unsigned int count = m->count;
	size_t n;

	if (p == NULL) {
		if (choose(at->routes, m))
			return true;
		return false;
	}
	n = strcspn(p, "/");
	for (const struct http_node *c = at->children; c != NULL; c = c->next)
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
	const struct http_around *a;

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
