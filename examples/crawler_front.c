/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crawler_front.c - the frontier, and what is printed.
 *
 * One task alone knows what has been seen and what is still to be fetched, so
 * nothing needs a lock; a worker knows one page. All the scheduling is a select
 * between channels that are NULL while there is nothing to do with them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <wend/std/time.h>
#include "examples/args.h"
#include "examples/crawler.h"

/* --- what is printed ----------------------------------------------------- */

static void show_page(struct crawl *c, const struct page *p)
{
	if (c->bar)
		return;
	if (p->status > 0)
		printf("%d %" PRId64 " %s\n", p->status, p->size, p->url);
	else
		printf("%s %s\n", strerror(-p->status), p->url);
}

static void show_bar(struct crawl *c)
{
	long seen = (long)wend_sync_map_len(c->seen);
	long done = c->pages + c->errors;
	int full = (int)(20 * done / (seen > 0 ? seen : 1));

	if (!c->bar)
		return;
	printf("\r[%-20.*s] %ld of %ld pages, %" PRId64 " KiB, %ld errors ",
	       full, "####################", done, seen, c->bytes / 1024,
	       c->errors);
	fflush(stdout);
}

static void show_summary(struct crawl *c)
{
	char time[WEND_TIME_DURATION_TEXT];
	int64_t took = (wend_now() - c->begin) / WEND_MILLISECOND;

	show_bar(c);
	wend_time_format_duration(time, sizeof(time), took * WEND_MILLISECOND);
	printf("%s%ld pages, %" PRId64 " bytes, %ld errors in %s%s\n",
	       c->bar ? "\n" : "", c->pages, c->bytes, c->errors, time,
	       wend_ctx_err(c->ctx) != 0 ? ", interrupted" : "");
}

/* --- the frontier -------------------------------------------------------- */

/* Queue a page, unless it is known, too deep or one too many. */
static void want(struct crawl *c, struct page *p)
{
	void *known;

	if (p->depth > c->depth ||
	    wend_sync_map_len(c->seen) >= (size_t)c->max ||
	    wend_sync_map_load_or_store(c->seen, p->url, strlen(p->url), c,
					&known) != 0) {
		page_free(p);
		return;
	}
	p->next = NULL;
	*c->last = p;
	c->last = &p->next;
}

static void unqueue(struct crawl *c)
{
	c->queue = c->queue->next;
	if (c->queue == NULL)
		c->last = &c->queue;
}

static void take_in(struct crawl *c, struct page *p)
{
	/* Cut off by the signal: neither page nor error. */
	if (p->status != -ECANCELED) {
		bool good = p->status > 0 && p->status < 400;

		*(good ? &c->pages : &c->errors) += 1;
		c->bytes += p->size;
		show_page(c, p);
	}
	while (p->links != NULL) {
		struct page *link = p->links;

		p->links = link->next;
		want(c, link);
	}
	page_free(p);
}

void crawl(struct crawl *c)
{
	wend_timer *tick = must(wend_ticker_new(100 * WEND_MILLISECOND));
	struct page *p;
	int64_t now;

	c->last = &c->queue;
	c->begin = wend_now();
	want(c, page_new(c->start, 0));
	while (c->busy > 0 || (c->queue != NULL && !wend_ctx_err(c->ctx))) {
		bool over = wend_ctx_err(c->ctx) != 0;
		bool more = c->queue != NULL && c->busy < c->jobs && !over;

		switch (select_(
			WEND_FOREVER, on_send(more ? c->todo : NULL, c->queue),
			on_recv(c->done, &p),
			wend_on_recv(wend_timer_chan(tick), &now),
			wend_on_recv(over ? NULL : wend_ctx_done(c->ctx),
				     NULL))) {
		case 0:
			unqueue(c);
			c->busy++;
			break;
		case 1:
			c->busy--;
			take_in(c, p);
			break;
		case 2:
			show_bar(c);
			break;
		}
	}
	while ((p = c->queue) != NULL) {
		unqueue(c);
		page_free(p);
	}
	wend_timer_free(tick);
	show_summary(c);
}
