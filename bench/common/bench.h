/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - what the benchmark programs in C and C++ have in common.
 *
 * The contract with bench/run: `PROG --bench NAME --procs P [--quick]`
 * prints lines `metric value unit` and exits 0; BENCH_IMPOSSIBLE says that
 * this peer cannot do the work.  bench/go has the same in Go; a change here
 * is a change there.
 *
 * One rule for all: what is measured is checked as well (sums, counts), so
 * that no peer is fast by losing work.
 */
#ifndef BENCH_COMMON_BENCH_H
#define BENCH_COMMON_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_IMPOSSIBLE 64 /* exit code: this peer cannot do that */

/* The sizes that every peer must agree on; the second is for --quick. */
#define BENCH_SPAWN_BATCH  1000
#define BENCH_YIELD_MANY   1000
#define BENCH_CHAN_CAP     128
#define BENCH_MPMC         8
#define BENCH_SELECT       4
#define BENCH_MUTEX        8
#define BENCH_FIB          27
#define BENCH_FIB_QUICK    23
#define BENCH_SKYNET       1000000
#define BENCH_SKYNET_QUICK 100000
#define BENCH_SIEVE        2000
#define BENCH_SIEVE_QUICK  700
#define BENCH_TIMERS       100000
#define BENCH_TIMERS_QUICK 20000
#define BENCH_LIVE         100000
#define BENCH_LIVE_QUICK   20000

struct bench_args {
	const char *name;
	int procs;
	bool quick;
};

typedef void bench_fn(const struct bench_args *a);

struct bench_entry {
	const char *name;
	bench_fn *fn;
};

/* The clock of every measurement: CLOCK_MONOTONIC, in nanoseconds. */
uint64_t bench_now_ns(void);

/* CPU time that all threads of this process have used, in nanoseconds. */
uint64_t bench_cpu_ns(void);

/* Bytes of this process that are resident now (/proc/self/statm). */
uint64_t bench_resident_bytes(void);

/* Parses the command line; a wrong one prints a line and exits 2. */
void bench_parse(struct bench_args *a, int argc, char **argv);

/* Runs the entry that `a` names; exits BENCH_IMPOSSIBLE if none has it. */
void bench_dispatch(const struct bench_entry *table, size_t count,
		    const struct bench_args *a);

/* Prints one line of result. */
void bench_result(const char *metric, double value, const char *unit);

/* Ends the program at once: wrong result, or a call that must not fail. */
void bench_fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* Ends the program at once: this peer, or this machine, cannot do it. */
void bench_impossible(const char *why) __attribute__((noreturn));

/*
 * bench_per_op - measure the cost of one operation, as `time X ns`.
 *
 *   body           does `rounds` rounds, returns the nanoseconds they took
 *   ops_per_round  operations that one round stands for
 *
 * The number of rounds grows until one call takes long enough (0.4 s, with
 * --quick 0.08 s); the calls before are the warm-up, the last one counts.
 */
typedef uint64_t bench_body(uint64_t rounds);
void bench_per_op(const struct bench_args *a, bench_body *body,
		  uint64_t ops_per_round);

/* The i-th sleep of `timers`: 1 to 100 ms, in ns, the same in each language. */
uint64_t bench_sleep_ns(uint64_t i);

/* Sorts `late` and prints late_p50 and late_p99 in microseconds. */
void bench_lateness(int64_t *late, size_t count);

/* A socket that listens on a free loopback port; prints `port N`. */
int bench_listen(void);

#ifdef __cplusplus
}
#endif
#endif
