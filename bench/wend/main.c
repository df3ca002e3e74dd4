/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - wend's side of bench/run: the table, and the runtime's start.
 */
#define _GNU_SOURCE
#include "bench/wend/wend_bench.h"

#include <stdio.h>
#include <stdlib.h>

static struct bench_args args;

/* `http` is examples/httpd, which bench/run starts itself. */
static const struct bench_entry table[] = {
	{ "yield", yield2 },
	{ "yield1k", yield1k },
	{ "spawn", spawn },
	{ "chan_pp", chan_pp },
	{ "chan_buf", chan_buf },
	{ "chan_mpmc", chan_mpmc },
	{ "select4", select4 },
	{ "mutex8", mutex8 },
	{ "fib", fib },
	{ "skynet", skynet },
	{ "sieve", sieve },
	{ "timers", timers },
	{ "live", live },
	{ "echo", echo },
	{ "block_call", block_call },
	{ "block_notice", block_notice },
	{ "preempt", preempt },
	{ "block_pipe", block_pipe },
	{ "announced", announced },
	{ "idle", idle },
};

static int app(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	bench_dispatch(table, sizeof(table) / sizeof(table[0]), &args);
	return 0;
}

int main(int argc, char **argv)
{
	char procs[16];

	bench_parse(&args, argc, argv);
	snprintf(procs, sizeof(procs), "%d", args.procs);
	setenv("WEND_PROCS", procs, 1);
	return wend_main(app, argc, argv);
}
