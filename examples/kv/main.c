/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - kv: a server for Redis' clients, of plain blocking code.
 *
 * Options, start and stop; kv.h says what is where.
 */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <wend/std/os.h>

#include "examples/kv/command.h"
#include "examples/kv/server.h"
#include "examples/kv/sweep.h"

static const char usage[] =
	"usage: kv [OPTION]...\n"
	"Serves keys and values to Redis' clients on 127.0.0.1, until SIGINT or\n"
	"SIGTERM.\n"
	"  --port N            where (6379; 0: a free port, printed; -1: none)\n"
	"  --unix PATH         a socket file, too\n"
	"  --aof FILE          keep all changes in FILE (none: nothing is kept)\n"
	"  --fsync WHEN        always: before a change is acknowledged; everysec\n"
	"                      (the default); no: when the kernel likes\n"
	"  --repair            if FILE is damaged, go on with what is before that\n"
	"  --rewrite-min BYTES rewrite FILE by itself from that size on (64 MiB),\n"
	"                      when it has doubled\n"
	"  --maxclients N      at once (10000)\n"
	"  --max-request BYTES of one request or transaction (64 MiB)\n"
	"  --output-limit BYTES  hang up on a subscriber that is behind by so much\n"
	"                      (32 MiB)\n"
	"  --procs N           processors to use (all)\n";

struct kv_options kv_options = {
	.port = 6379,
	.fsync = KV_FSYNC_EVERYSEC,
	.rewrite_min = 64 << 20,
	.max_clients = 10000,
	.max_request = 64 << 20,
	.output_limit = 32 << 20,
};

TASK(stop_when_told, (wend_ctx *, told))
{
	wend_task_set_name("stop");
	wend_chan_recv(wend_ctx_done(told), NULL);
	kv_server_stop();
}

/* On the loopback interface: there are no passwords. */
static int listen_tcp(wend_net_listener **l)
{
	struct kv_options *o = &kv_options;
	char address[32];
	int err;

	snprintf(address, sizeof(address), "127.0.0.1:%ld", o->port);
	err = wend_net_listen(l, address, NULL);
	if (err != 0)
		fprintf(stderr, "kv: port %ld: %s\n", o->port, strerror(-err));
	else
		o->port = wend_net_listener_port(*l);
	return err;
}

static int listen_unix(wend_net_listener **l)
{
	const char *path = kv_options.unix_path;
	char address[WEND_NET_TEXT];
	int n = snprintf(address, sizeof(address), "unix:%s", path);
	int err = (size_t)n < sizeof(address) ?
			  wend_net_listen(l, address, NULL) :
			  -ENAMETOOLONG;

	if (err != 0)
		fprintf(stderr, "kv: %s: %s\n", path, strerror(-err));
	return err;
}

static int listen_all(wend_net_listener *listeners[2])
{
	const struct kv_options *o = &kv_options;
	int err = o->port < 0 ? 0 : listen_tcp(&listeners[0]);

	if (err == 0 && o->unix_path != NULL)
		err = listen_unix(&listeners[1]);
	if (err != 0)
		return err;
	if (o->unix_path != NULL)
		printf("listening at %s\n", o->unix_path);
	if (o->port >= 0)
		printf("listening on 127.0.0.1:%ld\n", o->port);
	fflush(stdout);
	return 0;
}

/* Serve; when that has ended, keep what is to be kept. */
static int serve(wend_net_listener *const listeners[2])
{
	wend_task *sweeper;
	int err = kv_log_start(), kept;

	if (err == 0)
		err = kv_sweep_start(&sweeper);
	if (err == 0) {
		err = kv_server_run(listeners);
		kv_sweep_stop(sweeper);
	}
	kept = kv_log_stop();
	if (kept != 0)
		fprintf(stderr, "kv: changes are lost: %s: %s\n",
			kv_options.log_path, strerror(-kept));
	if (err != 0)
		fprintf(stderr, "kv: %s\n", strerror(-err));
	return err != 0 || kept != 0;
}

/* Serve until a signal comes. */
static int run(wend_ctx *told)
{
	static const int signals[] = { SIGINT, SIGTERM };
	wend_net_listener *listeners[2] = { NULL, NULL };
	int status = 1, err;
	wend_task *stopper;
	wend_attr attr = { .handle = &stopper };

	/* First: who has read where it listens may send one. */
	err = wend_os_notify_ctx(told, signals, 2);
	if (err == 0)
		err = go_with(&attr, stop_when_told, told);
	if (err != 0) {
		fprintf(stderr, "kv: signals: %s\n", strerror(-err));
		wend_os_notify_ctx_stop(told);
		return 1;
	}
	if (listen_all(listeners) == 0)
		status = serve(listeners);
	wend_os_notify_ctx_stop(told);
	wend_ctx_cancel(told);
	wend_join(stopper, NULL);
	for (int i = 0; i < 2; i++)
		wend_net_listener_free(listeners[i]);
	return status;
}

static int app(int argc, char **argv)
{
	wend_ctx *told;
	int status = 1;

	kv_db_init();
	kv_commands_init();
	if (kv_options.log_path != NULL && kv_log_open(kv_options.log_path))
		return 1;
	told = wend_ctx_with_cancel(NULL);
	if (told != NULL)
		status = run(told);
	wend_ctx_unref(told);
	kv_db_free();
	return status;
}

static void complain(const char *what)
{
	fprintf(stderr, "kv: bad value: %s\n%s", what, usage);
	exit(2);
}

/* A number from min to max; anything else ends the program. */
static long number(const char *text, long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n < min || n > max)
		complain(text);
	return n;
}

static enum kv_fsync fsync_policy(const char *text)
{
	if (strcmp(text, "always") == 0)
		return KV_FSYNC_ALWAYS;
	if (strcmp(text, "everysec") == 0)
		return KV_FSYNC_EVERYSEC;
	if (strcmp(text, "no") != 0)
		complain(text);
	return KV_FSYNC_NO;
}

static void set_option(int opt, const char *value)
{
	struct kv_options *o = &kv_options;

	switch (opt) {
	case 'p':
		o->port = number(value, -1, 65535);
		break;
	case 'u':
		o->unix_path = value;
		break;
	case 'a':
		o->log_path = value;
		break;
	case 'f':
		o->fsync = fsync_policy(value);
		break;
	case 'r':
		o->repair = true;
		break;
	case 'w':
		o->rewrite_min = (size_t)number(value, 0, LONG_MAX);
		break;
	case 'c':
		o->max_clients = number(value, 1, 1000000);
		break;
	case 'm':
		o->max_request = (size_t)number(value, 1024, 512 << 20);
		break;
	case 'o':
		o->output_limit = (size_t)number(value, 1024, LONG_MAX);
		break;
	case 'n':
		number(value, 1, 1024);
		setenv("WEND_PROCS", value, 1);
		break;
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "unix", required_argument, NULL, 'u' },
		{ "aof", required_argument, NULL, 'a' },
		{ "fsync", required_argument, NULL, 'f' },
		{ "repair", no_argument, NULL, 'r' },
		{ "rewrite-min", required_argument, NULL, 'w' },
		{ "maxclients", required_argument, NULL, 'c' },
		{ "max-request", required_argument, NULL, 'm' },
		{ "output-limit", required_argument, NULL, 'o' },
		{ "procs", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h' || opt == '?') {
			fputs(usage, opt == 'h' ? stdout : stderr);
			exit(opt == 'h' ? 0 : 2);
		}
		set_option(opt, optarg);
	}
	if (optind < argc)
		complain(argv[optind]);
	if (kv_options.port < 0 && kv_options.unix_path == NULL)
		complain("--port -1 without --unix");
}

/* As many descriptors as may be; with fewer than clients, some wait until
 * others have gone. */
static void raise_limits(void)
{
	struct rlimit files;
	rlim_t need = (rlim_t)kv_options.max_clients + 64;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= need)
		return;
	files.rlim_cur = files.rlim_max < need ? files.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < need)
		fprintf(stderr,
			"kv: %ld descriptors, fewer than --maxclients needs\n",
			(long)files.rlim_cur);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	raise_limits();
	/* Errors of write(), not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return wend_main(app, argc, argv);
}
