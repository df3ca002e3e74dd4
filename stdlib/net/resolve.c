/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - names to addresses.
 *
 * getaddrinfo() keeps its kernel thread until it is done, so that nothing can
 * end it. It is called in a task of its own; who asked stops waiting when it
 * has to, and the last of the two frees what they share.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "stdlib/net/socket.h"

enum { FOUND_MAX = 64 };

struct lookup {
	wend_mutex lock;
	int owners;
	wend_cond done;
	int count; /* found, or -errno */
	bool ended;
	char host[NI_MAXHOST], port[NI_MAXSERV];
	wend_net_addr found[FOUND_MAX];
};

static void drop(struct lookup *l)
{
	bool last;

	wend_mutex_lock(&l->lock);
	last = --l->owners == 0;
	wend_mutex_unlock(&l->lock);
	if (last)
		free(l);
}

static void look_up(struct lookup *l)
{
	struct addrinfo *list, *a;
	int n = 0, r;

	r = wend__net_lookup(l->host, l->port, 0, &list);
	if (r == 0) {
		for (a = list; a && n < FOUND_MAX; a = a->ai_next)
			wend__net_addr_set(&l->found[n++], a->ai_addr,
					   a->ai_addrlen);
		freeaddrinfo(list);
		r = n;
	}
	wend_mutex_lock(&l->lock);
	l->count = r;
	l->ended = true;
	wend_cond_signal(&l->done);
	wend_mutex_unlock(&l->lock);
}

static void look_up_task(void *args)
{
	struct lookup *l = *(struct lookup **)args;

	look_up(l);
	drop(l);
}

/* Start it, and wait. As wend_net_resolve(). */
static int ask(struct lookup *l, int64_t deadline)
{
	const wend_attr attr = { .name = "resolve" };
	int r = 0;

	l->owners = 2;
	r = wend_spawn(&attr, look_up_task, &l, sizeof(l));
	if (r < 0) {
		l->owners = 1;
		return r;
	}
	wend_mutex_lock(&l->lock);
	while (r == 0 && !l->ended)
		r = wend_cond_wait_until(&l->done, &l->lock, deadline);
	if (l->ended)
		r = l->count;
	wend_mutex_unlock(&l->lock);
	return r;
}

static int resolve_name(const char *text, wend_net_addr *list, size_t n,
			int64_t deadline)
{
	struct lookup *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->owners = 1;
	r = wend_net_split(text, l->host, sizeof(l->host), l->port,
			   sizeof(l->port));
	if (r < 0)
		r = -EINVAL;
	else if (!*l->host && !*l->port)
		r = -EINVAL;
	else
		r = ask(l, deadline);
	if (r > 0) {
		r = (size_t)r > n ? (int)n : r;
		memcpy(list, l->found, (size_t)r * sizeof(*list));
	}
	drop(l);
	return r;
}

/* Whether text is ":port", which is no address to dial but the machine's own. */
static bool has_host(const char *text)
{
	return *text != ':' && strncmp(text, "[]", 2) != 0;
}

int wend_net_resolve(const char *text, wend_net_addr *list, size_t n,
		     int64_t deadline)
{
	if (n == 0)
		return -EINVAL;
	if (has_host(text) && wend_net_addr_parse(&list[0], text) == 0)
		return 1;
	if (wend__net_unix(text))
		return -EINVAL;
	return resolve_name(text, list, n, deadline);
}

/* ":http": the services are in a file of this machine. */
static int resolve_wildcard(const char *text, wend_net_addr *a)
{
	char host[2], port[NI_MAXSERV];
	struct addrinfo *list;
	int r;

	if (wend_net_split(text, host, sizeof(host), port, sizeof(port)) < 0)
		return -EINVAL;
	r = wend__net_lookup("::", port, AI_NUMERICHOST, &list);
	if (r < 0)
		return r;
	wend__net_addr_set(a, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

int wend__net_resolve_one(const char *text, wend_net_addr *a, int64_t deadline)
{
	int r;

	if (!wend__net_unix(text) && !has_host(text))
		return resolve_wildcard(text, a);
	r = wend_net_resolve(text, a, 1, deadline);
	return r < 0 ? r : 0;
}
