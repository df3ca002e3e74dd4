/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crawler.c - a site's pages, several at once.
 *
 *	           +-> worker --+
 *	frontier --+-> worker --+--> frontier
 *	     (todo)+-> worker --+(done)
 *
 * One task alone knows what has been seen and what is still to be fetched, so
 * nothing needs a lock; a worker knows one page. All the scheduling is a select
 * between channels that are NULL while there is nothing to do with them.
 *
 * The first SIGINT or SIGTERM ends the workers' context, and with that what
 * they wait for; the frontier takes in what is under way and sums up.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>
#include <wend/short.h>
#include <wend/std/os.h>
#include <wend/std/sync.h>
#include <wend/std/time.h>
#include "examples/args.h"
#include "examples/crawler.h"

static const char usage[] =
	"usage: crawler [--jobs N] [--depth N] [--max N] http://HOST[:PORT]/...\n"
	"Fetches a page, what it links to on the same host, and so on.\n"
	"  --jobs N    pages at once (8)\n"
	"  --depth N   links between the first page and the last ones (16)\n"
	"  --max N     pages altogether (10000)\n"
	"Prints a line for each page: status, bytes, URL; on a terminal, how far\n"
	"it is. Ends by itself, or by SIGINT or SIGTERM, with a summary. The exit\n"
	"status is 1 if there was no page.\n";

struct crawl {
	wend_http_client *client;
	wend_ctx *ctx;
	chan(struct page *) todo, done;
	long jobs, depth, max;

	struct page *queue, **last; /* to be fetched */
	wend_sync_map *seen;        /* by URL */
	long busy, pages, errors;
	int64_t bytes, begin;
	bool bar; /* instead of lines */
};

/* done has room for each worker's page: to send there never waits. */
static int work(wend_ctx *ctx, void *arg)
{
	struct crawl *c = arg;
	struct page *p;

	while (chan_recv(c->todo, &p) == 0) {
		page_fetch(p, c->client);
		chan_send(c->done, p);
	}
	return 0;
}

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

static void crawl(struct crawl *c, wend_timer *tick)
{
	struct page *p;
	int64_t now;

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
}

static int run(struct crawl *c, const char *start)
{
	static const int sigs[] = { SIGINT, SIGTERM };
	wend_sync_group *g = must(wend_sync_group_new(c->ctx, 0));
	wend_timer *tick = must(wend_ticker_new(100 * WEND_MILLISECOND));
	int err = wend_os_notify_ctx(c->ctx, sigs, 2);

	for (long i = 0; err == 0 && i < c->jobs; i++)
		err = wend_sync_group_go(g, work, c);
	if (err == 0) {
		want(c, page_new(start, 0));
		crawl(c, tick);
		show_summary(c);
	} else {
		fprintf(stderr, "crawler: %s\n", strerror(-err));
	}
	chan_close(c->todo);
	wend_sync_group_free(g);
	wend_os_notify_ctx_stop(c->ctx);
	wend_timer_free(tick);
	return err != 0 || (c->pages == 0 && wend_ctx_err(c->ctx) == 0);
}

/* A number from min to max; anything else ends the program. */
static long number(const char *text, long min, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end != text && *end == '\0' && n >= min && n <= max)
		return n;
	fprintf(stderr, "crawler: bad number: %s\n%s", text, usage);
	exit(2);
}

static void get_options(struct crawl *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "jobs", required_argument, NULL, 'j' },
		{ "depth", required_argument, NULL, 'd' },
		{ "max", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'j')
			c->jobs = number(optarg, 1, 1000);
		else if (opt == 'd')
			c->depth = number(optarg, 0, 1000000);
		else if (opt == 'm')
			c->max = number(optarg, 1, 10000000);
		else
			break;
	}
	if (opt == -1 && argc - optind == 1)
		return;
	fputs(usage, opt == 'h' ? stdout : stderr);
	exit(opt == 'h' ? 0 : 2);
}

static int app(int argc, char **argv)
{
	struct crawl c = { .jobs = 8, .depth = 16, .max = 10000 };
	char start[URL_SIZE];
	int status;

	get_options(&c, argc, argv);
	if (!url_resolve("", wend_str_from(argv[optind]), start)) {
		fprintf(stderr, "crawler: not a http URL: %s\n", argv[optind]);
		return 2;
	}
	c.client = must(wend_http_client_new(
		&(wend_http_client_opts){ .max_idle = (int)c.jobs,
					  .max_redirects = -1,
					  .user_agent = "wend-crawler" }));
	c.ctx = must(wend_ctx_with_cancel(NULL));
	c.todo = must(chan_make(struct page *, 0));
	c.done = must(chan_make(struct page *, (size_t)c.jobs));
	c.seen = must(wend_sync_map_new(NULL, NULL));
	c.last = &c.queue;
	c.begin = wend_now();
	c.bar = isatty(STDOUT_FILENO);
	status = run(&c, start);
	wend_sync_map_free(c.seen);
	chan_free(c.todo);
	chan_free(c.done);
	wend_ctx_unref(c.ctx);
	wend_http_client_free(c.client);
	return status;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
