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
#include <unistd.h>
#include "examples/httpd.h"

#define GRACE (5 * WEND_SECOND)

static const char usage[] =
	"usage: httpd [--port N] [--load N] [--root DIR] [--log]\n"
	"Serves HTTP/1.1 on 127.0.0.1 until SIGINT or SIGTERM.\n"
	"  --port N    where (8080; 0: a free port, printed)\n"
	"  --load N    run N other tasks (0) that compute and pass messages\n"
	"  --root DIR  serve the files below DIR as /files/\n"
	"  --log       a line on stderr for each request\n"
	"Pages: /, /hello, /stats (JSON), /echo (POST), and an API for notes:\n"
	"  GET /api/notes, POST /api/notes {\"text\": \"...\"},\n"
	"  GET, PUT and DELETE /api/notes/{id}\n";

struct options {
	long port, load;
	const char *root;
	bool log;
};

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* The signals are blocked in every thread; this task waits for one. */
TASK(stop_on_signal, (const sigset_t *, signals), (wend_http_server *, s))
{
	int sig;

	wend_task_set_name("signals");
	sigwait(signals, &sig);
	wend_http_server_stop(s, wend_after(GRACE));
}

static void count(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct httpd *h = arg;

	wend_http_next(w, r);
	atomic_fetch_add_explicit(&h->requests, 1, memory_order_relaxed);
}

static void print_record(const wend_http_record *r, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s %s %s%s%s %d %" PRId64 " %" PRId64 "us\n",
		wend_conn_remote(r->conn), r->method, r->path,
		r->query != NULL ? "?" : "", r->query != NULL ? r->query : "",
		r->status, r->sent, r->duration / WEND_MICROSECOND);
}

static void serve(wend_conn *c, void *arg)
{
	(void)c, (void)arg;
}

