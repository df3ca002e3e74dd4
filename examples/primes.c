/* SPDX-License-Identifier: Apache-2.0 */
/*
 * primes.c - the sieve as a chain of tasks.
 *
 * The first task sends 2, 3, 4 ... Whatever number comes out at the end of
 * the chain is prime; a new task is put there, which lets everything through
 * but that prime's multiples:
 *
 *	count -> not by 2 -> not by 3 -> not by 5 -> ...
 *
 * The nursery makes sure that none of them is left behind: cancelling it
 * ends every wait with -ECANCELED, and its block ends when the last task has.
 *
 * After M. D. McIlroy's and C. A. R. Hoare's sieves of processes.
 */
#include <wend/short.h>
#include "examples/args.h"

static const char usage[] = "usage: primes [COUNT]\n"
			    "Prints the first COUNT (25) primes.\n";

TASK(count_up, (chan(int), out))
{
	for (int n = 2; chan_send(out, n) == 0; n++)
		;
}

TASK(sift, (int, prime), (chan(int), in), (chan(int), out))
{
	int n;

	while (chan_recv(in, &n) == 0)
		if (n % prime != 0 && chan_send(out, n) != 0)
			break;
}

static int app(int argc, char **argv)
{
	long count = args_number(argc, argv, usage, 25, 1, 100000);
	chan(int) *link = must(calloc((size_t)count + 1, sizeof(*link)));

	nursery(n) {
		link[0] = must(chan_make(int, 0));
		nursery_go(&n, count_up, link[0]);
		for (long i = 0; i < count; i++) {
			int prime;

			if (n.result != 0 || chan_recv(link[i], &prime) != 0)
				break;
			printf("%d\n", prime);
			link[i + 1] = must(chan_make(int, 0));
			nursery_go(&n, sift, prime, link[i], link[i + 1]);
		}
		wend_nursery_cancel(&n);
	}
	for (long i = 0; i <= count; i++)
		chan_free(link[i]);
	free(link);
	if (n.result != 0)
		fprintf(stderr, "primes: %s\n", strerror(-n.result));
	return n.result != 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
