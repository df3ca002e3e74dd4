/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_pages.c - what the server says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "examples/http.h"
#include "examples/load.h"

static void page_hello(const struct http_request *q, struct http_reply *r)
{
	(void)q;
	r->body = "hello from wend\n";
	r->size = strlen(r->body);
}

static void page_echo(const struct http_request *q, struct http_reply *r)
{
	r->type = "application/octet-stream";
	r->body = q->body;
	r->size = q->size;
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void page_stats(const struct http_request *q, struct http_reply *r)
{
	struct http_server *s = &http_server;
	struct load_work work = load_done(s->load);
	struct wend_stats st;

	(void)q;
	wend_stats_get(&st);
	r->type = "application/json";
	r->body = r->text;
	r->size = (size_t)snprintf(
		r->text, sizeof(r->text),
		"{\"uptime_ms\":%" PRId64 ",\"requests\":%" PRIu64
		",\"accepted\":%" PRIu64 ",\"load_messages\":%" PRIu64
		",\"load_steps\":%" PRIu64 ",\"tasks_live\":%" PRIu64
		",\"tasks_started\":%" PRIu64 ",\"switches\":%" PRIu64
		",\"steals\":%" PRIu64 ",\"blocks\":%" PRIu64
		",\"kernel_threads\":%" PRIu64 ",\"resident_kib\":%ld}\n",
		(wend_now() - s->started) / WEND_MILLISECOND, s->requests,
		s->accepted, work.messages, work.steps, st.tasks_live,
		st.tasks_started, st.switches, st.steals, st.blocks, st.workers,
		resident_kib());
}

static const struct page {
	const char *path;
	const char *methods;
	void (*make)(const struct http_request *q, struct http_reply *r);
} pages[] = {
	{ "/", "GET, HEAD", page_hello },
	{ "/hello", "GET, HEAD", page_hello },
	{ "/stats", "GET, HEAD", page_stats },
	{ "/echo", "POST", page_echo },
};

void http_answer(const struct http_request *q, struct http_reply *r)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(q->path, pages[i].path) != 0)
			continue;
		if (strstr(pages[i].methods, q->method) != NULL) {
			pages[i].make(q, r);
		} else {
			r->status = 405;
			r->allow = pages[i].methods;
		}
		return;
	}
	r->status = 404;
}
