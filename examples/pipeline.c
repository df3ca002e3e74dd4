/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c - stages of tasks, fanned out and in again.
 *
 *	           +-> measure --+
 *	deal out --+-> measure --+--> keep the longest
 *	           +-> measure --+
 *
 * The work: which number below LIMIT takes the most steps to come down to 1,
 * halving what is even and tripling plus one what is odd (Collatz)?
 *
 * Each stage ends when its input is closed and empty, and closes its output
 * when it is the last to send there: that is all the shutting down there is.
 */
#include <wend/short.h>
#include "examples/args.h"

#define MEASURERS 4
#define BATCH     1000

static const char usage[] =
	"usage: pipeline [LIMIT]\n"
	"Finds the number below LIMIT (1000000) with the longest Collatz\n"
	"sequence, in three stages of tasks.\n";

struct chain {
	long start;
	int steps;
};

TASK(deal_out, (long, limit), (chan(long), batches))
{
	for (long first = 1; first < limit; first += BATCH)
		chan_send(batches, first);
	chan_close(batches);
}

static int count_steps(uint64_t n)
{
	int steps = 0;

	for (; n != 1; steps++)
		n = n % 2 == 0 ? n / 2 : 3 * n + 1;
	return steps;
}

TASK(measure, (long, limit), (chan(long), batches),
     (chan(struct chain), longest), (wend_waitgroup *, measuring))
{
	long first;

	while (chan_recv(batches, &first) == 0) {
		struct chain best = { .start = first, .steps = -1 };

		for (long n = first; n < first + BATCH && n < limit; n++) {
			int steps = count_steps((uint64_t)n);

			if (steps > best.steps)
				best = (struct chain){ n, steps };
		}
		chan_send(longest, best);
	}
	wend_waitgroup_done(measuring);
}

TASK(close_after, (wend_waitgroup *, measuring), (chan(struct chain), longest))
{
	wend_waitgroup_wait(measuring);
	chan_close(longest);
}

static int app(int argc, char **argv)
{
	long limit = args_number(argc, argv, usage, 1000000, 2, 100000000);
	chan(long) batches = must(chan_make(long, MEASURERS));
	chan(struct chain) longest = must(chan_make(struct chain, MEASURERS));
	struct chain best = { 0, -1 }, c;
	wend_waitgroup measuring = { 0 };

	wend_waitgroup_add(&measuring, MEASURERS);
	nursery(n) {
		nursery_go(&n, deal_out, limit, batches);
		for (int i = 0; i < MEASURERS; i++)
			nursery_go(&n, measure, limit, batches, longest,
				   &measuring);
		nursery_go(&n, close_after, &measuring, longest);

		while (n.result == 0 && chan_recv(longest, &c) == 0)
			if (c.steps > best.steps ||
			    (c.steps == best.steps && c.start < best.start))
				best = c;
	}
	if (n.result != 0)
		fprintf(stderr, "pipeline: %s\n", strerror(-n.result));
	else
		printf("%ld comes down to 1 in %d steps, the most below %ld\n",
		       best.start, best.steps, limit);
	chan_free(batches);
	chan_free(longest);
	return n.result != 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
