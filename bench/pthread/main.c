/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the pthread side of bench/run: a kernel thread per task.
 *
 * There is nothing to set up for --procs: bench/run pins the process.
 */
#include "bench/pthread/pthread_bench.h"

static void no_select(const struct bench_args *a)
{
	(void)a;
	bench_impossible("pthreads have no select over channels");
}

static void too_many(const struct bench_args *a)
{
	(void)a;
	bench_impossible("it takes more threads at once than a system gives");
}

static void no_http(const struct bench_args *a)
{
	(void)a;
	bench_impossible("no HTTP server for plain threads");
}

static void not_announced(const struct bench_args *a)
{
	(void)a;
	bench_impossible("threads announce nothing");
}

static const struct bench_entry table[] = {
	{ "yield", yield2 },
	{ "yield1k", yield1k },
	{ "spawn", spawn },
	{ "chan_pp", chan_pp },
	{ "chan_buf", chan_buf },
	{ "chan_mpmc", chan_mpmc },
	{ "mutex8", mutex8 },
	{ "sieve", sieve },
	{ "timers", timers },
	{ "live", live },
	{ "echo", echo },
	{ "select4", no_select },
	{ "fib", too_many },
	{ "skynet", too_many },
	{ "http", no_http },
	{ "block_call", block_call },
	{ "block_notice", block_notice },
	{ "preempt", preempt },
	{ "block_pipe", block_pipe },
	{ "announced", not_announced },
	{ "idle", idle },
};

int main(int argc, char **argv)
{
	struct bench_args a;

	bench_parse(&a, argc, argv);
	bench_dispatch(table, sizeof(table) / sizeof(table[0]), &a);
	return 0;
}
