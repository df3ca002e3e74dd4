/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_world.c - the world: blocking calls, preemption, signals, HTTP.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <wend/std/http_client.h>
#include <wend/std/http_server.h>
#include <wend/std/os.h>
#include "examples/tour.h"

/* --- blocking ------------------------------------------------------------ */

TASK(read_byte, (int, fd), (int *, sum))
{
	unsigned char byte;

	if (read(fd, &byte, 1) == 1)
		__atomic_add_fetch(sum, byte, __ATOMIC_RELAXED);
}

void step_blocking(void)
{
	int pipes[50][2], sum = 0;

	nursery(n) {
		for (int i = 0; i < 50; i++)
			if (pipe(pipes[i]) != 0)
				sure(-errno);
			else
				nursery_go(&n, read_byte, pipes[i][0], &sum);
		say("50 tasks are in read() of empty pipes: %d came", sum);
		for (unsigned char i = 0; i < 50; i++)
			if (write(pipes[i][1], &i, 1) != 1)
				say("a write failed");
	}
	say("a byte for each, 0 to 49: together %d", sum);
	for (int i = 0; i < 50; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

/* --- deadlines ----------------------------------------------------------- */

void step_deadlines(void)
{
	wend_call_limit limit = { 0 }, *old;
	int fds[2];
	char byte;
	ssize_t n;

	if (pipe(fds) != 0)
		sure(-errno);
	sure(wend_call_limit_enter(&limit, &old));
	wend_call_limit_set(&limit, wend_after_ms(5));
	n = read(fds[0], &byte, 1);
	say("read() for 5 ms: %s", n < 0 ? strerror(errno) : "something came");
	wend_call_limit_leave(old);
	close(fds[0]);
	close(fds[1]);
}

/* --- preemption ---------------------------------------------------------- */

/* Asks nobody for anything, but for the time now and then: were it not stopped
 * from outside, it would keep its server for ten seconds. */
TASK(spin, (const bool *, enough), (int *, told))
{
	int64_t end = wend_after(10 * WEND_SECOND);
	volatile unsigned int i = 0;

	while (!__atomic_load_n(enough, __ATOMIC_RELAXED))
		if (++i % (1 << 20) == 0 && wend_now() > end)
			return;
	__atomic_add_fetch(told, 1, __ATOMIC_RELAXED);
}

void step_preemption(void)
{
	bool enough = false;
	int told = 0, spinning = wend_procs();

	nursery(n) {
		for (int i = 0; i < spinning; i++)
			nursery_go(&n, spin, &enough, &told);
		wend_sleep(5 * WEND_MILLISECOND);
		__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	}
	say("a loop on every server, and a task that ends them: %s",
	    told == spinning ? "it got through" : "it had to wait");
}

/* --- signals, processes -------------------------------------------------- */

void step_signals(void)
{
	static const int wanted[] = { SIGUSR1 };
	chan(int) came = must(chan_make(int, 1));
	int sig = 0;

	if (wend_os_notify(wend_chan_raw(came), wanted, 1) != 0)
		say("no signals");
	else if (kill(getpid(), SIGUSR1) == 0 && chan_recv(came, &sig) == 0)
		say("%s", sig == SIGUSR1 ? "SIGUSR1 came" : "another one came");
	wend_os_notify_stop(wend_chan_raw(came));
	chan_free(came);
}

void step_process(void)
{
	static const char *const argv[] = { "/bin/sh", "-c",
					    "read line; echo got \"$line\"; "
					    "exit 3",
					    NULL };
	wend_os_cmd cmd = { .argv = argv,
			    .in = WEND_OS_PIPE,
			    .out = WEND_OS_PIPE };
	struct wend_os_output o = { .input = "hello\n", .input_size = 6 };
	int r = wend_os_run(NULL, &cmd, &o);

	if (r == 0)
		say("status %d, it wrote: %.*s", o.end.code,
		    (int)strcspn(o.out, "\n"), o.out);
	else
		say("%s", text_of(r));
	wend_os_output_free(&o);
}

/* --- http ---------------------------------------------------------------- */

static void greet(wend_http_reply *w, wend_http_request *r, void *arg)
{
	wend_http_printf(w, "hello, %s", wend_http_param(r, "name"));
}

TASK(serve, (wend_http_server *, s), (wend_net_listener *, l))
{
	wend_task_fail(wend_http_serve(s, l));
}

static void get(wend_http_client *c, const char *host, const char *path)
{
	wend_http_response *r;
	char url[128], *text;
	int err;

	snprintf(url, sizeof(url), "http://%s%s", host, path);
	err = wend_http_get(c, url, wend_after(60 * WEND_SECOND), &r);
	if (err != 0) {
		say("GET %s: %s", path, text_of(err));
		return;
	}
	if (wend_http_read_all(r, 1000, &text) >= 0) {
		say("GET %s: %d %.*s", path, r->status,
		    (int)strcspn(text, "\n"), text);
		free(text);
	}
	wend_http_response_free(r);
}

void step_http(void)
{
	wend_http_router *router = must(wend_http_router_new());
	wend_http_server_opts opts = { .handler = wend_http_router_serve,
				       .arg = router };
	wend_http_server *s = must(wend_http_server_new(&opts));
	wend_http_client *c = must(wend_http_client_new(NULL));
	wend_net_listener *l = NULL;

	if (wend_http_route(router, "GET /hello/{name}", greet, NULL) == 0 &&
	    wend_net_listen(&l, "127.0.0.1:0", NULL) == 0) {
		nursery(n) {
			nursery_go(&n, serve, s, l);
			get(c, wend_net_listener_address(l), "/hello/world");
			get(c, wend_net_listener_address(l), "/nothing");
			wend_http_server_stop(s, WEND_FOREVER);
		}
		say("the server has stopped: %s", text_of(n.result));
	}
	wend_http_client_free(c);
	wend_net_listener_free(l);
	wend_http_server_free(s);
	wend_http_router_free(router);
}
