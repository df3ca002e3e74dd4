/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.c - command line, clocks and results of the C and C++ programs.
 *
 * Nothing here knows a peer: no threads, no tasks.  Sockets are opened here
 * so that every server listens with the same backlog and options.
 */
#define _GNU_SOURCE
#include "bench/common/bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S        1000000000ull
#define TARGET_NS       (NS_PER_S * 4 / 10)
#define QUICK_TARGET_NS (NS_PER_S * 8 / 100)
#define GROWTH          16 /* rounds grow at most this much from call to call */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t bench_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_resident_bytes(void)
{
	unsigned long total, resident;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%lu %lu", &total, &resident) != 2)
		bench_fail("cannot read /proc/self/statm");
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void usage(const char *prog)
{
	fprintf(stderr, "usage: %s --bench NAME --procs P [--quick]\n", prog);
	exit(2);
}

void bench_parse(struct bench_args *a, int argc, char **argv)
{
	*a = (struct bench_args){ .name = NULL, .procs = 1, .quick = false };
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick"))
			a->quick = true;
		else if (!strcmp(argv[i], "--bench") && i + 1 < argc)
			a->name = argv[++i];
		else if (!strcmp(argv[i], "--procs") && i + 1 < argc)
			a->procs = atoi(argv[++i]);
		else
			usage(argv[0]);
	}
	if (!a->name || a->procs < 1)
		usage(argv[0]);
}

void bench_dispatch(const struct bench_entry *table, size_t count,
		    const struct bench_args *a)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, a->name) == 0) {
			table[i].fn(a);
			fflush(stdout);
			return;
		}
	}
	bench_impossible("it has no such bench");
}

void bench_result(const char *metric, double value, const char *unit)
{
	printf("%s %.6g %s\n", metric, value, unit);
}

void bench_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("note ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	/* It may be the last that is heard of this program. */
	fflush(stdout);
}

void bench_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	/* Not exit(): other threads may still use what it tears down. */
	_exit(1);
}

void bench_impossible(const char *why)
{
	fprintf(stderr, "%s\n", why);
	_exit(BENCH_IMPOSSIBLE);
}

void bench_per_op(const struct bench_args *a, bench_body *body,
		  uint64_t ops_per_round)
{
	const double target = a->quick ? QUICK_TARGET_NS : TARGET_NS;
	uint64_t rounds = 1;

	for (;;) {
		double ns = (double)body(rounds);
		double factor = ns > 0 ? 1.1 * target / ns : GROWTH;

		if (ns >= 0.8 * target) {
			bench_result("time",
				     ns / (double)rounds /
					     (double)ops_per_round,
				     "ns");
			return;
		}
		if (factor > GROWTH)
			factor = GROWTH;
		rounds = (uint64_t)((double)rounds * factor) + 1;
	}
}

uint64_t bench_sleep_ns(uint64_t i)
{
	/* splitmix64's mixer: neighbours get unrelated sleeps. */
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	x ^= x >> 31;
	return 1000000 + x % 99000001;
}

static int compare_int64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void bench_lateness(int64_t *late, size_t count)
{
	qsort(late, count, sizeof(*late), compare_int64);
	if (late[0] < 0)
		bench_fail("a sleep ended %lld ns early", (long long)-late[0]);
	bench_result("late_p50", (double)late[count / 2] / 1e3, "us");
	bench_result("late_p99", (double)late[count * 99 / 100] / 1e3, "us");
}

static void print_time(const char *prefix, const char *what, int64_t ns,
		       struct bench_unit unit)
{
	char metric[64];

	snprintf(metric, sizeof(metric), "%s%s", prefix, what);
	bench_result(metric, (double)ns / unit.ns, unit.name);
}

void bench_times(const char *prefix, int64_t *ns, size_t count,
		 struct bench_unit unit, bool with_max)
{
	qsort(ns, count, sizeof(*ns), compare_int64);
	print_time(prefix, "p50", ns[count / 2], unit);
	print_time(prefix, "p99", ns[count * 99 / 100], unit);
	if (with_max)
		print_time(prefix, "max", ns[count - 1], unit);
}

int bench_listen(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, SOMAXCONN) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		bench_fail("cannot listen on loopback: %m");
	/* Accepted sockets inherit it. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	printf("port %d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}
