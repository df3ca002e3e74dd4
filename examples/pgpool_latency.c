/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpool_latency.c - how long something took, of very many times.
 *
 * A number has its bucket by where its highest bit is and the LATENCY_BITS
 * bits that follow; smaller ones than those have a bucket each.
 */
#include <stdio.h>
#include <wend/std/time.h>
#include "examples/pgpool.h"

#define STEP (INT64_C(1) << LATENCY_BITS)

static size_t bucket(int64_t ns)
{
	int shift;

	if (ns < STEP)
		return ns > 0 ? (size_t)ns : 0;
	shift = 63 - __builtin_clzll((unsigned long long)ns) - LATENCY_BITS;
	return ((size_t)shift << LATENCY_BITS) + (size_t)(ns >> shift);
}

/* The least that is in a bucket. */
static int64_t floor_of(size_t bucket)
{
	int64_t b = (int64_t)bucket;

	return b < STEP ? b : (b % STEP + STEP) << (b / STEP - 1);
}

void latency_add(struct latency *l, int64_t ns)
{
	int64_t most = __atomic_load_n(&l->most, __ATOMIC_RELAXED);

	__atomic_fetch_add(&l->counts[bucket(ns)], 1, __ATOMIC_RELAXED);
	while (ns > most &&
	       !__atomic_compare_exchange_n(&l->most, &most, ns, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static int64_t percentile(const struct latency *l, unsigned int percent)
{
	uint64_t all = 0, below = 0;
	size_t n = sizeof(l->counts) / sizeof(l->counts[0]), i;

	for (i = 0; i < n; i++)
		all += l->counts[i];
	for (i = 0; i < n; i++) {
		below += l->counts[i];
		if (below * 100 >= all * percent)
			break;
	}
	return i < n ? floor_of(i) : 0;
}

static void print_time(int64_t ns)
{
	char text[WEND_TIME_DURATION_TEXT];
	int64_t unit = 1;

	while (ns / unit >= 1000)
		unit *= 10;
	wend_time_format_duration(text, sizeof(text), ns / unit * unit);
	printf(" %9s", text);
}

void latency_print(const struct latency *l, const char *name)
{
	printf("%-6s", name);
	print_time(percentile(l, 50));
	print_time(percentile(l, 90));
	print_time(percentile(l, 99));
	print_time(l->most);
	putchar('\n');
}
