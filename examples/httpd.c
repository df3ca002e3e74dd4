/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd.c - an HTTP/1.1 server of plain blocking code, beside other work.
 *
 * How the program starts and stops; http.h says what is where. --load N adds N
 * tasks that compute and pass messages in the same process: /stats shows that
 * both get on.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "examples/http.h"
#include "examples/load.h"

static const char usage[] =
	"usage: httpd [--port N] [--load N]\n"
	"Serves HTTP/1.1 on 127.0.0.1 until SIGINT or SIGTERM.\n"
	"  --port N  where (8080; 0: a free port, printed)\n"
	"  --load N  run N other tasks (0) that compute and pass messages\n"
	"Pages: /, /hello, /stats (JSON), /echo (POST)\n";

struct http_server http_server;

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* The signals are blocked in every thread; this task waits for one. */
TASK(stop_on_signal, (const sigset_t *, signals))
{
	int sig;

	wend_task_set_name("signals");
	sigwait(signals, &sig);
	http_stop(&http_server);
}

static void print_summary(const struct http_server *s, long load_tasks)
{
	struct load_work work = load_done(s->load);

	printf("%" PRIu64 " requests from %" PRIu64 " clients\n", s->requests,
	       s->accepted);
	if (load_tasks > 0)
		printf("%ld other tasks: %" PRIu64 " messages passed, %" PRIu64
		       " steps computed\n",
		       load_tasks, work.messages, work.steps);
}

static int run(struct http_server *s, long load_tasks, const sigset_t *signals)
{
	nursery(n) {
		s->load = load_start(&n, load_tasks);
		if (s->load == NULL ||
		    nursery_go(&n, stop_on_signal, signals) != 0)
			continue;
		printf("listening on http://127.0.0.1:%d\n", s->port);
		fflush(stdout);
		http_run(s);
		wend_nursery_cancel(&n); /* the load */
	}
	if (s->load == NULL || n.result != 0) {
		fputs("httpd: no memory for the tasks\n", stderr);
		return 1;
	}
	print_summary(s, load_tasks);
	load_free(s->load);
	return 0;
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
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	long port = 8080, load_tasks = 0;
	sigset_t signals;
	int opt, err;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			port = number(optarg, 65535);
		else if (opt == 'l')
			load_tasks = number(optarg, 1000000);
		else
			break;
	}
	if (opt != -1 || optind < argc) {
		fputs(usage, opt == 'h' ? stdout : stderr);
		return opt == 'h' ? 0 : 2;
	}
	err = http_listen(&http_server, (int)port);
	if (err != 0) {
		fprintf(stderr, "httpd: port %ld: %s\n", port, strerror(-err));
		return 1;
	}
	stop_signals(&signals);
	err = run(&http_server, load_tasks, &signals);
	close(http_server.listener);
	return err;
}

int main(int argc, char **argv)
{
	sigset_t signals;

	/* Blocked before there is a second thread, so blocked in all. */
	stop_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	return wend_main(app, argc, argv);
}
