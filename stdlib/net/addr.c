/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr.c - addresses and their texts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <wend/std/net.h>

#include "stdlib/net/socket.h"

static int copy_part(char *to, size_t room, const char *from, size_t n)
{
	if (n >= room)
		return -ENOSPC;
	memcpy(to, from, n);
	to[n] = 0;
	return 0;
}

int wend_net_split(const char *text, char *host, size_t host_n, char *port,
		   size_t port_n)
{
	const char *colon, *begin = text, *end;
	int r;

	if (*text == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (!end || end[1] != ':')
			return -EINVAL;
		colon = end + 1;
	} else {
		end = colon = strchr(text, ':');
		if (!colon)
			return -EINVAL;
	}
	if (strchr(colon + 1, ':'))
		return -EINVAL;
	r = copy_part(host, host_n, begin, (size_t)(end - begin));
	if (r == 0)
		r = copy_part(port, port_n, colon + 1, strlen(colon + 1));
	return r;
}

const char *wend__net_unix(const char *text)
{
	if (strncmp(text, "unix:", 5) == 0)
		return text + 5;
	return *text == '/' || *text == '@' ? text : NULL;
}

/* What begins with @ has a 0 there instead, and none at its end. */
static int parse_unix(wend_net_addr *a, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->sa;
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(un->sun_path))
		return -EINVAL;
	memset(&a->sa, 0, sizeof(a->sa));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n);
	if (*path == '@')
		un->sun_path[0] = 0;
	a->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
			      (*path != '@'));
	return 0;
}

/* A number that is no port, of which the C library would take the low bits. */
static bool is_too_large(const char *port)
{
	size_t digits = strspn(port, "0123456789");

	return digits && !port[digits] &&
	       (digits > 9 || atol(port) > UINT16_MAX);
}

int wend__net_lookup(const char *host, const char *port, int flags,
		     struct addrinfo **list)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		/* One type, or each address comes once for each. */
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags,
	};

	if (is_too_large(port))
		return -EINVAL;
	switch (getaddrinfo(*host ? host : NULL, *port ? port : "0", &hints,
			    list)) {
	case 0:
		return 0;
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
	case EAI_SERVICE:
		return -ENOENT;
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return errno ? -errno : -EIO;
	default:
		return -EIO;
	}
}

void wend__net_addr_set(wend_net_addr *a, const void *sa, socklen_t size)
{
	if (size > sizeof(a->sa))
		size = sizeof(a->sa);
	memset(&a->sa, 0, sizeof(a->sa));
	memcpy(&a->sa, sa, size);
	a->size = size;
}

int wend_net_addr_parse(wend_net_addr *a, const char *text)
{
	char host[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE], port[8];
	const char *path = wend__net_unix(text);
	struct addrinfo *list;

	if (path)
		return parse_unix(a, path);
	if (wend_net_split(text, host, sizeof(host), port, sizeof(port)) < 0)
		return -EINVAL;
	if (wend__net_lookup(*host ? host : "::", port,
			     AI_NUMERICHOST | AI_NUMERICSERV, &list) < 0)
		return -EINVAL;
	wend__net_addr_set(a, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

static int unix_text(const wend_net_addr *a, char *text, size_t n)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t size = a->size > head ? a->size - head : 0;

	if (size == 0)
		return snprintf(text, n, "%s", "");
	if (un->sun_path[0] == 0)
		return snprintf(text, n, "@%.*s", (int)size - 1,
				un->sun_path + 1);
	return snprintf(text, n, "%.*s", (int)size, un->sun_path);
}

int wend_net_addr_text(const wend_net_addr *a, char *text, size_t n)
{
	char host[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE], port[8];

	if (a->sa.ss_family == AF_UNIX)
		return unix_text(a, text, n);
	/* It knows about scopes. */
	if (getnameinfo((const struct sockaddr *)&a->sa, a->size, host,
			sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return snprintf(text, n, "%s", "");
	return snprintf(text, n,
			a->sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
			port);
}

uint16_t wend_net_addr_port(const wend_net_addr *a)
{
	if (a->sa.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&a->sa)->sin_port);
	if (a->sa.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&a->sa)->sin6_port);
	return 0;
}
