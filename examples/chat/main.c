/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - chat: rooms to talk in, for who has nc or telnet.
 *
 * Options, start and stop; chat.h says what is where.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wend/std/os.h>
#include "examples/chat/chat.h"

#define GRACE (3 * WEND_SECOND)

static const char usage[] =
	"usage: chat [OPTION]...\n"
	"Rooms to talk in, on 127.0.0.1 until SIGINT or SIGTERM; connect with nc and\n"
	"say /help. A line on stderr for each who comes and goes.\n"
	"  --port N     where (7777; 0: a free port, printed)\n"
	"  --clients N  at once (1000); more wait\n"
	"  --queue N    lines that may wait for one client (256); one that reads\n"
	"               more slowly is dropped\n"
	"  --rate N     lines a second that a client may say (20), twice as many at\n"
	"               once; more wait\n";

struct chat_options chat_options = {
	.port = 7777,
	.clients = 1000,
	.queue = 256,
	.rate = 20,
};
wend_ctx *chat_told;

/* Wakes the task that reads; it says why to the client. */
static void hang_up(wend_conn *conn, void *arg)
{
	(void)arg;
	wend_conn_set_read_deadline(conn, 0);
}

TASK(stop_when_told, (wend_net_server *, s))
{
	wend_chan_recv(wend_ctx_done(chat_told), NULL);
	/* Past the grace they are hung up on, and wait for nothing. */
	if (wend_net_server_shutdown(s, wend_after(GRACE)) != 0)
		fputs("chat: some clients were cut off\n", stderr);
}

/* Serve until told to stop: 0 or an error. */
static int serve(wend_net_server *s, wend_net_listener *l)
{
	wend_task *stopper;
	wend_attr attr = { .name = "stop", .handle = &stopper };
	int err = go_with(&attr, stop_when_told, s);

	if (err != 0)
		return err;
	printf("listening on %s\n", wend_net_listener_address(l));
	fflush(stdout);
	err = wend_net_server_serve(s, l);
	wend_ctx_cancel(chat_told);
	wend_join(stopper, NULL);
	return err;
}

static int run(wend_net_listener *l)
{
	static const int signals[] = { SIGINT, SIGTERM };
	wend_net_server_opts opts = { .name = "reader",
				      .max_conns = chat_options.clients,
				      .stopping = hang_up };
	wend_net_server *s = wend_net_server_new(client_serve, NULL, &opts);
	int err = -ENOMEM;

	chat_told = wend_ctx_with_cancel(NULL);
	if (s != NULL && chat_told != NULL)
		err = wend_os_notify_ctx(chat_told, signals, 2);
	if (err == 0) {
		err = serve(s, l);
		wend_os_notify_ctx_stop(chat_told);
	}
	wend_net_server_free(s);
	wend_ctx_unref(chat_told);
	return err;
}

static _Noreturn void complain(const char *what)
{
	fprintf(stderr, "chat: bad value: %s\n%s", what, usage);
	exit(2);
}

static uint32_t number(const char *text, uint32_t min, uint32_t max)
{
	uint64_t n;

	if (wend_str_to_u64(wend_str_from(text), 10, &n) != 0 || n < min ||
	    n > max)
		complain(text);
	return (uint32_t)n;
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "clients", required_argument, NULL, 'c' },
		{ "queue", required_argument, NULL, 'q' },
		{ "rate", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct chat_options *o = &chat_options;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			o->port = (uint16_t)number(optarg, 0, 65535);
		else if (opt == 'c')
			o->clients = number(optarg, 1, 1000000);
		else if (opt == 'q')
			o->queue = number(optarg, 16, 1000000);
		else if (opt == 'r')
			o->rate = number(optarg, 1, 1000000);
		else
			break;
	}
	if (opt != -1 || optind < argc) {
		fputs(usage, opt == 'h' ? stdout : stderr);
		exit(opt == 'h' ? 0 : 2);
	}
}

static int app(int argc, char **argv)
{
	/* What waits for a client waits in its queue, not in the kernel. */
	wend_net_opts opts = { .sndbuf = 32 << 10 };
	wend_net_listener *l = NULL;
	char address[32];
	int err;

	read_options(argc, argv);
	snprintf(address, sizeof(address), "127.0.0.1:%u", chat_options.port);
	err = wend_net_listen(&l, address, &opts);
	if (err == 0)
		err = run(l);
	wend_net_listener_free(l);
	if (err != 0)
		fprintf(stderr, "chat: %s: %s\n", address, strerror(-err));
	return err != 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
