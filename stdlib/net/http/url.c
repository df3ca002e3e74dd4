/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.c - a URL taken apart, as far as HTTP needs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wend/wend.h>
#include "stdlib/net/http/url.h"

/* What would end the request line, or its target, early. */
static bool is_clean(const char *p)
{
	for (; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p == 0x7f)
			return false;
	return true;
}

static bool is_port(const char *p, size_t n)
{
	long port = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || i > 4)
			return false;
		port = port * 10 + (p[i] - '0');
	}
	return n > 0 && port > 0 && port < 65536;
}

/* "host", "host:port", "[v6]:port" */
static bool split_authority(const char *p, size_t n, size_t *host_size,
			    const char **port, size_t *port_size)
{
	const char *end = p + n, *colon;

	if (n > 0 && p[0] == '[') {
		const char *close = memchr(p, ']', n);

		if (close == NULL || close == p + 1)
			return false;
		colon = close + 1 < end ? close + 1 : NULL;
		if (colon != NULL && *colon != ':')
			return false;
	} else {
		colon = memchr(p, ':', n);
	}
	*host_size = (size_t)((colon != NULL ? colon : end) - p);
	*port = colon != NULL ? colon + 1 : NULL;
	*port_size = colon != NULL ? (size_t)(end - colon - 1) : 0;
	/* "host:" is the usual port. */
	if (*port_size == 0)
		*port = NULL;
	return *host_size > 0 && memchr(p, '@', n) == NULL &&
	       (*port == NULL || is_port(*port, *port_size));
}

/* RFC 3986, 5.2.4, in place, up to a '?'. path begins with '/'. */
static void remove_dots(char *path)
{
	char *end = path + strcspn(path, "?");
	char *from = path, *to = path;

	while (from < end) {
		size_t n = 1;

		while (from + n < end && from[n] != '/')
			n++;
		if (n == 2 && from[1] == '.') {
			if (from + n == end)
				*to++ = '/';
		} else if (n == 3 && from[1] == '.' && from[2] == '.') {
			while (to > path && *--to != '/')
				;
			if (from + n == end)
				*to++ = '/';
		} else {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	if (to == path)
		*to++ = '/';
	memmove(to, end, strlen(end) + 1);
}

static bool fill(struct http_url *u, const char *host, size_t host_size,
		 const char *port, size_t port_size, const char *rest)
{
	const char *scheme = u->tls ? "https" : "http";
	const char *usual = u->tls ? "443" : "80";
	size_t size = strcspn(rest, "#");
	int bracket = host[0] == '[';
	bool unusual;

	if (port == NULL) {
		port = usual;
		port_size = strlen(usual);
	}
	u->host = strndup(host + bracket, host_size - 2 * (size_t)bracket);
	u->port = strndup(port, port_size);
	if (u->host == NULL || u->port == NULL)
		return false;
	for (char *p = u->host; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	unusual = strcmp(u->port, usual) != 0;
	if (asprintf(&u->authority, "%s%s%s%s%s", bracket ? "[" : "", u->host,
		     bracket ? "]" : "", unusual ? ":" : "",
		     unusual ? u->port : "") < 0)
		u->authority = NULL;
	if (asprintf(&u->origin, "%s://%s%s%s:%s", scheme, bracket ? "[" : "",
		     u->host, bracket ? "]" : "", u->port) < 0)
		u->origin = NULL;
	if (asprintf(&u->target, "%s%.*s", rest[0] == '/' ? "" : "/", (int)size,
		     rest) < 0)
		u->target = NULL;
	if (u->authority == NULL || u->origin == NULL || u->target == NULL)
		return false;
	remove_dots(u->target);
	if (asprintf(&u->text, "%s://%s%s", scheme, u->authority, u->target) <
	    0)
		u->text = NULL;
	return u->text != NULL;
}

int wend__http_url_parse(struct http_url *u, const char *text)
{
	const char *port, *p;
	size_t n, host_size, port_size;

	memset(u, 0, sizeof(*u));
	if (!is_clean(text) || strlen(text) > 1 << 20)
		return -EINVAL;
	if (strncasecmp(text, "http://", 7) == 0)
		p = text + 7;
	else if (strncasecmp(text, "https://", 8) == 0)
		p = text + 8;
	else
		return -EINVAL;
	u->tls = p == text + 8;
	n = strcspn(p, "/?#");
	if (!split_authority(p, n, &host_size, &port, &port_size))
		return -EINVAL;
	if (fill(u, p, host_size, port, port_size, p + n))
		return 0;
	wend__http_url_free(u);
	return -ENOMEM;
}

void wend__http_url_free(struct http_url *u)
{
	free(u->text);
	free(u->origin);
	free(u->host);
	free(u->port);
	free(u->authority);
	free(u->target);
	memset(u, 0, sizeof(*u));
}

int wend__http_url_resolve(struct http_url *u, const struct http_url *base,
			   const char *location)
{
	const char *scheme = base->tls ? "https" : "http";
	size_t n = strcspn(location, ":/?#"), keep;
	char *text;
	int r;

	memset(u, 0, sizeof(*u));
	if (location[n] == ':')
		return wend__http_url_parse(u, location);
	if (location[0] == '/' && location[1] == '/')
		r = asprintf(&text, "%s:%s", scheme, location);
	else if (location[0] == '/')
		r = asprintf(&text, "%s%s", base->origin, location);
	else {
		keep = strcspn(base->target, "?");
		if (location[0] == '\0' || location[0] == '#')
			keep = strlen(base->target);
		else if (location[0] != '?')
			while (base->target[keep - 1] != '/')
				keep--;
		r = asprintf(&text, "%s%.*s%s", base->origin, (int)keep,
			     base->target, location);
	}
	if (r < 0)
		return -ENOMEM;
	r = wend__http_url_parse(u, text);
	free(text);
	return r;
}
