/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crawler.h - the parts of the crawler.
 *
 *	crawler.c        the command line, the workers
 *	crawler_front.c  what is to be fetched next; what is printed
 *	crawler_page.c   a page: fetched, and looked through for links
 *	crawler_links.c  links and URLs
 */
#ifndef EXAMPLES_CRAWLER_H
#define EXAMPLES_CRAWLER_H

#include <stdbool.h>
#include <stdint.h>
#include <wend/short.h>
#include <wend/std/context.h>
#include <wend/std/http_client.h>
#include <wend/std/str.h>
#include <wend/std/sync.h>

/* --- crawler_page.c ------------------------------------------------------ */

struct page {
	struct page *next;
	struct page *links; /* to the same host, in the page's order */
	struct page **last;
	int depth;
	int status; /* of HTTP, or a negative error number */
	int64_t size;
	char url[];
};

struct page *page_new(const char *url, int depth);

/* Its links, too. */
void page_free(struct page *p);

/* Fills in status, size and links. */
void page_fetch(struct page *p, wend_http_client *client);

/* --- crawler_links.c ----------------------------------------------------- */

#define URL_SIZE 2048

/*
 * The absolute form of a link that stands in the page base, itself in that
 * form (or "": only an absolute link will do): "http://host[:port]/path?query",
 * the host in small letters, no fragment, no "." or ".." (RFC 3986, 5.2).
 *
 * Returns false for what is not http or is too long.
 */
bool url_resolve(const char *base, wend_str link, char url[URL_SIZE]);

/* The number of bytes up to the path of such a URL. */
size_t url_origin(const char *url);

/*
 * Call found for each href="..." of an HTML page that url_resolve() takes. A
 * scanner, not a parser: it looks into comments, too, and passes over
 * <base href>.
 */
void links_scan(const char *base, wend_str html,
		void (*found)(const char *url, void *arg), void *arg);

/* --- crawler_front.c ----------------------------------------------------- */

struct crawl {
	wend_http_client *client;
	wend_ctx *ctx;
	chan(struct page *) todo, done;
	const char *start;
	long jobs, depth, max;

	/* The frontier's own, zero at first. */
	struct page *queue, **last; /* to be fetched */
	wend_sync_map *seen;        /* by URL */
	long busy;                  /* workers */
	long pages, errors;
	int64_t bytes, begin;
	bool bar; /* instead of lines */
};

/* Have the workers fetch start and what follows from it, and print. Returns
 * when nothing is left to do, or nothing under way since ctx has ended. */
void crawl(struct crawl *c);

#endif
