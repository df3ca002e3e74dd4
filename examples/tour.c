/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour.c - a guided run through the library: each step does something, and
 * says what it has seen. Read the step's function beside it.
 */
#include <getopt.h>
#include <signal.h>
#include <wend/std/os.h>
#include "examples/tour.h"

/* kernel: not on the sim port, where time is virtual and nothing blocks. */
static const struct step {
	const char *name, *about;
	void (*run)(void);
	bool kernel;
} steps[] = {
	{ "tasks", "start functions, wait for their end", step_tasks },
	{ "channels", "values from one task to another", step_channels },
	{ "select", "the first of several channels", step_select },
	{ "timers", "sleep, timers, tickers", step_timers },
	{ "locks", "mutex, once, semaphore", step_locks },
	{ "nursery", "tasks that end before their block", step_nursery },
	{ "cancel", "ask a task to end", step_cancel },
	{ "defer", "clean up at the end of a block", step_defer },
	{ "context", "how long a piece of work may go on", step_context },
	{ "blocking", "plain read() in many tasks", step_blocking, true },
	{ "deadlines", "read(), but not for ever", step_deadlines, true },
	{ "preemption", "endless loops hold nobody up", step_preemption, true },
	{ "signals", "signals out of a channel", step_signals, true },
	{ "process", "run a program", step_process, true },
	{ "http", "a server, and a client of it", step_http, true },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void print_usage(FILE *to)
{
	fputs("usage: tour [--pace MS] [STEP]...\n"
	      "Goes through the library, or through the steps named, and says\n"
	      "what each has seen.\n"
	      "  --pace MS   wait that long between steps (0)\n"
	      "SIGINT and SIGTERM end it after the step. The steps:\n",
	      to);
	for (size_t i = 0; i < STEPS; i++)
		fprintf(to, "  %-11s %s\n", steps[i].name, steps[i].about);
}

static const struct step *find(const char *name)
{
	for (size_t i = 0; i < STEPS; i++)
		if (strcmp(steps[i].name, name) == 0)
			return &steps[i];
	return NULL;
}

/* false: the tour is over. */
static bool go_through(const struct step *s, wend_ctx *ctx, long pace)
{
	if (wend_ctx_err(ctx) != 0)
		return false;
	printf("%s: %s\n", s->name, s->about);
	if (s->kernel && strcmp(wend_port_name(), "sim") == 0)
		say("not on the sim port");
	else
		s->run();
	fflush(stdout);
	return wend_ctx_sleep(ctx, pace * WEND_MILLISECOND) == 0;
}

static int tour(char **names, size_t n, long pace)
{
	static const int sigs[] = { SIGINT, SIGTERM };
	wend_ctx *ctx = wend_ctx_with_cancel(NULL);
	bool on = true;

	if (ctx == NULL)
		return 1;
	if (strcmp(wend_port_name(), "sim") != 0 &&
	    wend_os_notify_ctx(ctx, sigs, 2) != 0)
		on = false;
	for (size_t i = 0; on && i < (n > 0 ? n : STEPS); i++)
		on = go_through(n > 0 ? find(names[i]) : &steps[i], ctx, pace);
	if (!on)
		puts(wend_ctx_err(ctx) != 0 ? "interrupted" : "no memory");
	wend_os_notify_ctx_stop(ctx);
	on = on || wend_ctx_err(ctx) != 0;
	wend_ctx_unref(ctx);
	return !on;
}

/* -1: no number. */
static long milliseconds(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end != text && *end == '\0' && n <= 1000000 ? n : -1;
}

static int app(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pace", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	long pace = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) == 'p')
		pace = milliseconds(optarg);
	if (opt == 'h') {
		print_usage(stdout);
		return 0;
	}
	for (int i = optind; opt == -1 && i < argc; i++)
		if (find(argv[i]) == NULL)
			opt = '?';
	if (opt != -1 || pace < 0) {
		print_usage(stderr);
		return 2;
	}
	return tour(argv + optind, (size_t)(argc - optind), pace);
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
