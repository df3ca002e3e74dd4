/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crawler_page.c - a page: fetched, and looked through for links.
 */
#include <strings.h>
#include <wend/wend.h>
#include "examples/args.h"
#include "examples/crawler.h"

#define PAGE_TIME (30 * WEND_SECOND)
#define PAGE_SIZE (16 << 20) /* of HTML, which is kept while it is read */

struct page *page_new(const char *url, int depth)
{
	struct page *p = must(calloc(1, sizeof(*p) + strlen(url) + 1));

	p->last = &p->links;
	p->depth = depth;
	strcpy(p->url, url);
	return p;
}

void page_free(struct page *p)
{
	while (p->links != NULL) {
		struct page *link = p->links;

		p->links = link->next;
		free(link);
	}
	free(p);
}

/* Other hosts are not our business. */
static void add_link(const char *url, void *arg)
{
	struct page *p = arg;
	size_t origin = url_origin(p->url);

	if (url_origin(url) != origin || memcmp(url, p->url, origin) != 0)
		return;
	*p->last = page_new(url, p->depth + 1);
	p->last = &(*p->last)->next;
}

/* The client follows no redirects: where they go is a link. */
static int64_t read_body(struct page *p, wend_http_response *r)
{
	const char *to = wend_http_response_header(r, "Location");
	const char *type = wend_http_response_header(r, "Content-Type");
	char url[URL_SIZE], *text;
	ssize_t n;

	if (p->status / 100 == 3 && to != NULL &&
	    url_resolve(p->url, wend_str_from(to), url))
		add_link(url, p);
	if (type == NULL || strncasecmp(type, "text/html", 9) != 0)
		return wend_io_copy(wend_io_discard(), &r->body);
	n = wend_http_read_all(r, PAGE_SIZE, &text);
	if (n >= 0) {
		links_scan(p->url, wend_str_of(text, (size_t)n), add_link, p);
		free(text);
	}
	return n;
}

void page_fetch(struct page *p, wend_http_client *client)
{
	wend_http_response *r;
	int err = wend_http_get(client, p->url, wend_after(PAGE_TIME), &r);

	if (err != 0) {
		p->status = err;
		return;
	}
	p->status = r->status;
	p->size = read_body(p, r);
	if (p->size < 0) {
		p->status = (int)p->size;
		p->size = 0;
	}
	wend_http_response_free(r);
}
