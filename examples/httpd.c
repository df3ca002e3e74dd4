/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd.c - an HTTP/1.1 server of plain blocking code, beside other work.
 *
 * How the program starts and stops; httpd.h says what is where. --load N adds N
 * tasks that compute and pass messages in the same process: /stats shows that
 * both get on.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wend/std/os.h>
#include "examples/httpd.h"

#define GRACE (5 * WEND_SECOND)

static const char usage[] =
	"usage: httpd [--port N] [--load N] [--root DIR] [--log]\n"
	"             [--cert FILE --key FILE]\n"
	"Serves HTTP/1.1 on 127.0.0.1 until SIGINT or SIGTERM.\n"
	"  --port N    where (8080; 0: a free port, printed)\n"
	"  --load N    run N other tasks (0) that compute and pass messages\n"
	"  --root DIR  serve the files below DIR as /files/\n"
	"  --log       a line on stderr for each request\n"
	"  --cert FILE, --key FILE  https: a certificate, with those between it\n"
	"              and the root behind it, and its key (PEM)\n"
	"Pages: /, /hello, /stats (JSON), /echo (POST), and an API for notes:\n"
	"  GET /api/notes, POST /api/notes {\"text\": \"...\"},\n"
	"  GET, PUT and DELETE /api/notes/{id}\n";

struct options {
	long port, load;
	const char *root, *cert, *key;
	bool log;
};

/* Waits until told, then for the clients, and ends the load. */
TASK(stop_when_told, (const struct httpd *, h), (wend_nursery *, load))
{
	wend_task_set_name("stop");
	wend_chan_recv(wend_ctx_done(h->told), NULL);
	wend_http_server_stop(h->server, wend_after(GRACE));
	wend_nursery_cancel(load);
}

static void print_record(const wend_http_record *r, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s %s %s%s%s %d %" PRId64 " %" PRId64 "us\n",
		wend_conn_remote(r->conn), r->method, r->path,
		r->query != NULL ? "?" : "", r->query != NULL ? r->query : "",
		r->status, r->sent, r->duration / WEND_MICROSECOND);
}

static void print_summary(struct httpd *h, long load_tasks)
{
	struct load_work work = load_done(h->load);
	wend_http_stats st;

	wend_http_server_stats(h->server, &st);
	printf("%" PRIu64 " requests from %" PRIu64 " clients\n", st.requests,
	       st.accepted);
	if (load_tasks > 0)
		printf("%ld other tasks: %" PRIu64 " messages passed, %" PRIu64
		       " steps computed\n",
		       load_tasks, work.messages, work.steps);
}

/* Serve until told to stop. */
static int serve(struct httpd *h, wend_net_listener *l, const struct options *o)
{
	int err = 0;

	nursery(n) {
		h->load = load_start(&n, o->load);
		if (h->load == NULL ||
		    nursery_go(&n, stop_when_told, h, &n) != 0)
			continue;
		h->started = wend_now();
		printf("listening on http%s://%s\n", h->tls != NULL ? "s" : "",
		       wend_net_listener_address(l));
		fflush(stdout);
		err = wend_http_serve(h->server, l);
		wend_ctx_cancel(h->told);
	}
	if (h->load == NULL || n.result != 0) {
		fputs("httpd: no memory for the tasks\n", stderr);
		return 1;
	}
	if (err != 0)
		fprintf(stderr, "httpd: %s\n", strerror(-err));
	print_summary(h, o->load);
	load_free(h->load);
	return err != 0;
}

/* What the server says, by the options. */
static int furnish(struct httpd *h, const struct options *o)
{
	wend_http_server_opts opts = { .handler = wend_http_router_serve,
				       .done = o->log ? print_record : NULL };
	int err = 0;

	if (o->root != NULL)
		err = wend_http_files_new(
			&(wend_http_files_opts){ .root = o->root }, &h->files);
	if (err != 0)
		return err;
	h->told = wend_ctx_with_cancel(NULL);
	h->router = wend_http_router_new();
	h->notes = notes_new();
	if (h->told == NULL || h->router == NULL || h->notes == NULL)
		return -ENOMEM;
	err = httpd_pages(h->router, h);
	if (err == 0)
		err = httpd_notes(h->router, h->notes);
	if (err != 0)
		return err;
	opts.arg = h->router;
	if (h->tls != NULL) {
		opts.wrap = wend_tls_wrap;
		opts.wrap_arg = h->tls;
	}
	h->server = wend_http_server_new(&opts);
	return h->server != NULL ? 0 : -ENOMEM;
}

static int read_cert(struct httpd *h, const struct options *o)
{
	const wend_tls_opts opts = { .cert_file = o->cert, .key_file = o->key };
	int err = o->cert != NULL ? wend_tls_config_server(&h->tls, &opts) : 0;

	if (err != 0)
		fprintf(stderr, "httpd: %s, %s: %s\n", o->cert, o->key,
			err == -EINVAL ? "no certificate and its key" :
					 strerror(-err));
	return err;
}

static void clear(struct httpd *h)
{
	wend_http_server_free(h->server);
	wend_tls_config_free(h->tls);
	wend_http_router_free(h->router);
	wend_http_files_free(h->files);
	notes_free(h->notes);
	wend_ctx_unref(h->told);
}

static int listen_and_serve(struct httpd *h, const struct options *o)
{
	static const int signals[] = { SIGINT, SIGTERM };
	wend_net_listener *l = NULL;
	char address[32];
	int err;

	snprintf(address, sizeof(address), "127.0.0.1:%ld", o->port);
	err = wend_net_listen(&l, address, NULL);
	if (err == 0)
		err = wend_os_notify_ctx(h->told, signals, 2);
	if (err != 0) {
		fprintf(stderr, "httpd: port %ld: %s\n", o->port,
			strerror(-err));
		err = 1;
	} else {
		err = serve(h, l, o);
	}
	wend_os_notify_ctx_stop(h->told);
	wend_net_listener_free(l);
	return err;
}

static int run(const struct options *o)
{
	struct httpd h = { 0 };
	int err;

	if (read_cert(&h, o) != 0)
		return 1;
	err = furnish(&h, o);
	if (err != 0)
		fprintf(stderr, "httpd: %s: %s\n",
			o->root != NULL ? o->root : "start", strerror(-err));
	else
		err = listen_and_serve(&h, o);
	clear(&h);
	return err != 0;
}

/* A number from 0 to max; anything else ends the program. */
static long number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end != text && *end == '\0' && n >= 0 && n <= max)
		return n;
	fprintf(stderr, "httpd: bad number: %s\n%s", text, usage);
	exit(2);
}

static int app(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "load", required_argument, NULL, 'l' },
		{ "root", required_argument, NULL, 'r' },
		{ "log", no_argument, NULL, 'v' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .port = 8080 };
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			o.port = number(optarg, 65535);
		else if (opt == 'l')
			o.load = number(optarg, 1000000);
		else if (opt == 'r')
			o.root = optarg;
		else if (opt == 'v')
			o.log = true;
		else if (opt == 'c')
			o.cert = optarg;
		else if (opt == 'k')
			o.key = optarg;
		else
			break;
	}
	/* Both or none. */
	if (opt != -1 || optind < argc || !o.cert != !o.key) {
		fputs(usage, opt == 'h' ? stdout : stderr);
		return opt == 'h' ? 0 : 2;
	}
	return run(&o);
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
