/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skynet.c - a million tasks and their parents.
 *
 * Each task starts ten children, which do the same, until there are a million
 * leaves; each leaf answers with its number, each parent with the sum of its
 * children's. A task costs what its stack touches: a page for these.
 *
 * The benchmark is Alexander Temerev's "skynet".
 */
#include <sys/resource.h>
#include <wend/short.h>
#include "examples/args.h"

#define CHILDREN 10

static const char usage[] =
	"usage: skynet [LEAVES]\n"
	"Sums the numbers below LEAVES (1000000, a power of ten) by a tree of\n"
	"tasks.\n";

TASK(skynet, (long, first), (long, leaves), (chan(long), answer))
{
	long share = leaves / CHILDREN, part, sum = 0;

	if (leaves == 1) {
		chan_send(answer, first);
		return;
	}
	chan(long) parts = must(chan_make(long, CHILDREN));

	for (int i = 0; i < CHILDREN; i++)
		if (go(skynet, first + i * share, share, parts) != 0)
			/* No memory for a child: do its work here. */
			skynet(first + i * share, share, parts);
	for (int i = 0; i < CHILDREN; i++) {
		chan_recv(parts, &part);
		sum += part;
	}
	chan_free(parts);
	chan_send(answer, sum);
}

static bool is_power_of_ten(long n)
{
	while (n % 10 == 0)
		n /= 10;
	return n == 1;
}

static int app(int argc, char **argv)
{
	long leaves = args_number(argc, argv, usage, 1000000, 1, 100000000);
	chan(long) answer = must(chan_make(long, 1));
	int64_t start = wend_now();
	struct wend_stats stats;
	struct rusage used;
	long sum;

	if (!is_power_of_ten(leaves)) {
		fputs(usage, stderr);
		return 2;
	}
	skynet(0, leaves, answer);
	chan_recv(answer, &sum);

	wend_stats_get(&stats);
	getrusage(RUSAGE_SELF, &used);
	printf("sum %ld by %llu tasks in %.0f ms, at most %ld MiB\n", sum,
	       (unsigned long long)stats.tasks_started,
	       (double)(wend_now() - start) / WEND_MILLISECOND,
	       used.ru_maxrss / 1024);
	chan_free(answer);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
