/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpool.c - SQL from hundreds of tasks over a few connections.
 *
 * How the program starts and ends; pgpool.h says what is where.
 *
 * The tasks are a group: the first error, or a signal, ends its context, the
 * tasks are cancelled, and with them the calls in which libpq waits.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <wend/std/os.h>
#include <wend/std/sync.h>
#include <wend/std/time.h>
#include "examples/args.h"
#include "examples/pgpool.h"

static const char usage[] =
	"usage: pgpool [--dsn TEXT] [--tasks N] [--conns N] [--queries N]\n"
	"Asks a PostgreSQL server simple questions and shows how long they took.\n"
	"  --dsn TEXT    \"host=... user=... dbname=...\" or \"postgresql://...\";\n"
	"                what it does not say is from PGHOST, PGUSER ...\n"
	"  --tasks N     that ask at once (200)\n"
	"  --conns N     connections at most (10)\n"
	"  --queries N   of each task (20)\n"
	"Ends by itself, or by SIGINT or SIGTERM; an error is the exit status 1.\n";

static void print_summary(struct run *r, int64_t took, bool interrupted)
{
	char time[WEND_TIME_DURATION_TEXT];

	wend_time_format_duration(time, sizeof(time),
				  took / WEND_MILLISECOND * WEND_MILLISECOND);
	printf("%" PRIu64 " answers to %ld tasks over %d connections in %s: "
	       "%.0f a second%s\n",
	       r->answers, r->tasks, r->opened, time,
	       (double)r->answers * WEND_SECOND / (double)(took + 1),
	       interrupted ? ", interrupted" : "");
	printf("%-6s %9s %9s %9s %9s\n", "", "50 %", "90 %", "99 %", "longest");
	latency_print(&r->wait, "wait");
	latency_print(&r->query, "query");
}

static int run(struct run *r)
{
	static const int sigs[] = { SIGINT, SIGTERM };
	wend_ctx *signalled = must(wend_ctx_with_cancel(NULL));
	wend_sync_group *g = must(wend_sync_group_new(signalled, 0));
	int64_t begin = wend_now();
	bool interrupted;
	int err;

	r->ctx = wend_sync_group_ctx(g);
	err = wend_os_notify_ctx(signalled, sigs, 2);
	for (long i = 0; err == 0 && i < r->tasks; i++)
		err = wend_sync_group_go(g, ask_often, r);
	if (err != 0 && wend_ctx_err(r->ctx) == 0)
		complain(r, strerror(-err));
	wend_sync_group_wait(g);
	interrupted = wend_ctx_err(signalled) != 0;
	wend_os_notify_ctx_stop(signalled);
	print_summary(r, wend_now() - begin, interrupted);
	wend_sync_group_free(g);
	wend_ctx_unref(signalled);
	return r->complaints != 0;
}

/* --- the command line ---------------------------------------------------- */

/* A number from 1 to max; anything else ends the program. */
static long number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end != text && *end == '\0' && n >= 1 && n <= max)
		return n;
	fprintf(stderr, "pgpool: bad number: %s\n%s", text, usage);
	exit(2);
}

static void get_options(struct run *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "dsn", required_argument, NULL, 'd' },
		{ "tasks", required_argument, NULL, 't' },
		{ "conns", required_argument, NULL, 'c' },
		{ "queries", required_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'd')
			r->dsn = optarg;
		else if (opt == 't')
			r->tasks = number(optarg, 100000);
		else if (opt == 'c')
			r->conns = number(optarg, 10000);
		else if (opt == 'q')
			r->queries = number(optarg, 1000000000);
		else
			break;
	}
	if (opt == -1 && optind == argc)
		return;
	fputs(usage, opt == 'h' ? stdout : stderr);
	exit(opt == 'h' ? 0 : 2);
}

static int app(int argc, char **argv)
{
	/* Not on the stack: two tables of 8 KiB. */
	static struct run r = { .dsn = "",
				.tasks = 200,
				.conns = 10,
				.queries = 20 };
	int status;

	get_options(&r, argc, argv);
	pool_open(&r);
	status = run(&r);
	pool_close(&r);
	return status;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
