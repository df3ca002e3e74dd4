/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crawler.c - a site's pages, several at once.
 *
 *	           +-> worker --+
 *	frontier --+-> worker --+--> frontier
 *	     (todo)+-> worker --+(done)
 *
 * How the program starts and ends; crawler.h says what is where.
 *
 * The first SIGINT or SIGTERM ends the workers' context, and with that what
 * they wait for; the frontier takes in what is under way and sums up.
 */
#include <getopt.h>
#include <signal.h>
#include <unistd.h>
#include <wend/short.h>
#include <wend/std/os.h>
#include <wend/std/sync.h>
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

static int run(struct crawl *c)
{
	static const int sigs[] = { SIGINT, SIGTERM };
	wend_sync_group *g = must(wend_sync_group_new(c->ctx, 0));
	int err = wend_os_notify_ctx(c->ctx, sigs, 2);

	for (long i = 0; err == 0 && i < c->jobs; i++)
		err = wend_sync_group_go(g, work, c);
	if (err == 0) {
		crawl(c);
	} else {
		fprintf(stderr, "crawler: %s\n", strerror(-err));
	}
	chan_close(c->todo);
	wend_sync_group_free(g);
	wend_os_notify_ctx_stop(c->ctx);
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
	c.start = start;
	c.bar = isatty(STDOUT_FILENO);
	status = run(&c);
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
