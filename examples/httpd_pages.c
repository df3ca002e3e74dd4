/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd_pages.c - what the server says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "examples/httpd.h"

static void page_hello(wend_http_reply *w, wend_http_request *r, void *arg)
{
	static const char text[] = "hello from wend\n";

	(void)r, (void)arg;
	wend_http_send(w, 200, "text/plain", text, sizeof(text) - 1);
}

static void page_echo(wend_http_reply *w, wend_http_request *r, void *arg)
{
	const char *body;
	ssize_t n = wend_http_body(r, &body);

	(void)arg;
	if (n >= 0)
		wend_http_send(w, 200, "application/octet-stream", body,
			       (size_t)n);
	else if (n == -ENOMEM)
		wend_http_error(w, 503, NULL);
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

static void page_stats(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct httpd *h = arg;
	struct load_work work = load_done(h->load);
	struct wend_stats st;
	wend_http_stats served;

	(void)r;
	wend_stats_get(&st);
	wend_http_server_stats(h->server, &served);
	wend_http_set(w, "Content-Type", "application/json");
	wend_http_printf(w,
			 "{\"uptime_ms\":%" PRId64 ",\"requests\":%" PRIu64
			 ",\"accepted\":%" PRIu64 ",\"load_messages\":%" PRIu64
			 ",\"load_steps\":%" PRIu64 ",\"tasks_live\":%" PRIu64
			 ",\"tasks_started\":%" PRIu64 ",\"switches\":%" PRIu64
			 ",\"steals\":%" PRIu64 ",\"blocks\":%" PRIu64
			 ",\"kernel_threads\":%" PRIu64
			 ",\"resident_kib\":%ld}\n",
			 (wend_now() - h->started) / WEND_MILLISECOND,
			 served.requests, served.accepted, work.messages,
			 work.steps, st.tasks_live, st.tasks_started,
			 st.switches, st.steals, st.blocks, st.workers,
			 resident_kib());
}

int httpd_pages(wend_http_router *router, struct httpd *h)
{
	const struct {
		const char *pattern;
		wend_http_handler *fn;
	} pages[] = {
		{ "GET /", page_hello },
		{ "GET /hello", page_hello },
		{ "GET /stats", page_stats },
		{ "POST /echo", page_echo },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (err == 0)
			err = wend_http_route(router, pages[i].pattern,
					      pages[i].fn, h);
	if (err == 0 && h->files != NULL)
		err = wend_http_route(router, "/files/{path...}",
				      wend_http_files_serve, h->files);
	return err;
}
