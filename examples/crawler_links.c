/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crawler_links.c - the links of a page, and what they mean there.
 */
#include <ctype.h>
#include "examples/crawler.h"

/* How far behind "href" its value ends at the latest. */
#define NEAR (2 * URL_SIZE)

/* What is written to a URL; too much of it is noticed at the end. */
struct text {
	char *ptr;
	size_t len;
	bool full;
};

static void put_byte(struct text *t, char c)
{
	if (t->len + 1 < URL_SIZE)
		t->ptr[t->len++] = c;
	else
		t->full = true;
}

/* What may not stand in a request is escaped, as browsers do. */
static void put(struct text *t, wend_str s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c > ' ' && c < 0x7f) {
			put_byte(t, (char)c);
			continue;
		}
		put_byte(t, '%');
		put_byte(t, digits[c / 16]);
		put_byte(t, digits[c % 16]);
	}
}

/* The segments of a path, one '/' in front of each; ".." goes back to root at
 * the most. */
static void put_path(struct text *t, size_t root, wend_str path)
{
	wend_str segment;

	if (wend_str_has_prefix(path, WEND_STR("/")))
		path = wend_str_sub(path, 1, path.len);
	while (wend_str_next(&path, '/', &segment)) {
		bool last = path.ptr == NULL;

		if (wend_str_equal(segment, WEND_STR(".."))) {
			while (t->len > root && t->ptr[--t->len] != '/')
				;
		} else if (!wend_str_equal(segment, WEND_STR("."))) {
			put_byte(t, '/');
			put(t, segment);
			continue;
		}
		if (last)
			put_byte(t, '/');
	}
}

/* "http:" in front is taken off; false: it is another scheme's. */
static bool take_scheme(wend_str *link, bool *absolute)
{
	wend_str scheme, rest;

	*absolute = false;
	if (!wend_str_cut(*link, WEND_STR(":"), &scheme, &rest) ||
	    wend_str_find_byte(scheme, '/') >= 0 ||
	    wend_str_find_byte(scheme, '?') >= 0)
		return true;
	*absolute = true;
	*link = rest;
	return wend_str_equal_fold(scheme, WEND_STR("http")) &&
	       wend_str_has_prefix(rest, WEND_STR("//"));
}

/* "//host:port" from the front of link; the port 80 is left out. */
static bool put_host(struct text *t, wend_str *link)
{
	size_t end = 2;
	wend_str host;

	while (end < link->len && link->ptr[end] != '/' &&
	       link->ptr[end] != '?')
		end++;
	host = wend_str_sub(*link, 2, end);
	*link = wend_str_sub(*link, end, link->len);
	if (wend_str_has_suffix(host, WEND_STR(":80")))
		host.len -= 3;
	put(t, WEND_STR("http://"));
	for (size_t i = 0; i < host.len; i++) {
		if (!isgraph((unsigned char)host.ptr[i]) || host.ptr[i] == '@')
			return false;
		put_byte(t, (char)tolower((unsigned char)host.ptr[i]));
	}
	return host.len > 0;
}

size_t url_origin(const char *url)
{
	size_t host = sizeof("http://") - 1;

	return host + strcspn(url + host, "/");
}

/* Where a link's path begins: the directory of the page that it stands in. */
static wend_str directory(wend_str page_path)
{
	return wend_str_sub(page_path, 0,
			    (size_t)wend_str_rfind_byte(page_path, '/'));
}

bool url_resolve(const char *base, wend_str link, char url[URL_SIZE])
{
	struct text t = { .ptr = url };
	wend_str here, path, query, dir = WEND_STR("");
	bool absolute, asks;
	size_t root;

	wend_str_cut(wend_str_trim(link), WEND_STR("#"), &link, NULL);
	if (!take_scheme(&link, &absolute) || (!absolute && base[0] == '\0'))
		return false;
	if (link.len == 0)
		link = wend_str_from(base + url_origin(base));
	absolute = absolute || wend_str_has_prefix(link, WEND_STR("//"));
	if (!absolute)
		put(&t, wend_str_of(base, url_origin(base)));
	else if (!put_host(&t, &link))
		return false;
	root = t.len;

	asks = wend_str_cut(link, WEND_STR("?"), &path, &query);
	if (!absolute) {
		wend_str_cut(wend_str_from(base + url_origin(base)),
			     WEND_STR("?"), &here, NULL);
		if (path.len == 0)
			path = here;
		else if (path.ptr[0] != '/')
			dir = directory(here);
	}
	if (dir.len > 0)
		put_path(&t, root, dir);
	put_path(&t, root, path);
	if (asks) {
		put_byte(&t, '?');
		put(&t, query);
	}
	url[t.len] = '\0';
	return !t.full;
}

/* A link as it stands in HTML: "&amp;" is '&'. In place. */
static wend_str unescape(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; n++) {
		bool amp = len - i >= 5 && memcmp(text + i, "&amp;", 5) == 0;

		text[n] = text[i];
		i += amp ? 5 : 1;
	}
	return wend_str_of(text, n);
}

/* What follows "href" of a page: =, and the value with its quotes or without.
 * Empty: no attribute. */
static wend_str attribute(wend_str s)
{
	size_t begin, end;
	const char *stop = " \t\r\n>";

	s = wend_str_trim(s);
	if (!wend_str_has_prefix(s, WEND_STR("=")))
		return WEND_STR("");
	s = wend_str_trim(wend_str_sub(s, 1, s.len));
	begin = 0;
	if (s.len > 0 && (s.ptr[0] == '"' || s.ptr[0] == '\'')) {
		stop = s.ptr[0] == '"' ? "\"" : "'";
		begin = 1;
	}
	for (end = begin; end < s.len; end++)
		if (strchr(stop, s.ptr[end]) != NULL)
			return wend_str_sub(s, begin, end);
	return WEND_STR(""); /* it does not end */
}

void links_scan(const char *base, wend_str html,
		void (*found)(const char *url, void *arg), void *arg)
{
	char text[URL_SIZE], url[URL_SIZE];

	for (size_t i = 1; i + 4 < html.len; i++) {
		wend_str value;

		if (!isspace((unsigned char)html.ptr[i - 1]) ||
		    !wend_str_equal_fold(wend_str_sub(html, i, i + 4),
					 WEND_STR("href")))
			continue;
		value = attribute(wend_str_sub(html, i + 4, i + 4 + NEAR));
		if (value.len == 0 || value.len > sizeof(text))
			continue;
		memcpy(text, value.ptr, value.len);
		if (url_resolve(base, unescape(text, value.len), url))
			found(url, arg);
	}
}
