/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - what the benchmark programs in C and C++ have in common.
 *
 * The contract with bench/run: `PROG --bench NAME --procs P [--quick]`
 * prints lines `metric value unit` or `note TEXT` and exits 0; BENCH_IMPOSSIBLE says that
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
#include <sys/types.h>

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

#define BENCH_CALLS         100 /* block_call: tasks, and each one's time */
#define BENCH_CALL_MS       100
#define BENCH_HOT           400 /* block_notice: stalls in a row */
#define BENCH_HOT_QUICK     60
#define BENCH_COLD          80 /* ... and after a pause */
#define BENCH_COLD_QUICK    15
#define BENCH_PAUSE_MS      20
#define BENCH_LOOPS         100 /* preempt */
#define BENCH_LOOPS_QUICK   25
#define BENCH_CROWD         1000 /* block_pipe: tasks in read() */
#define BENCH_COMPUTING     4
#define BENCH_TURN_MS       100 /* ... they compute alone, and beside them */
#define BENCH_TURNS         12
#define BENCH_TURNS_QUICK   6
#define BENCH_WRITES        1000 /* announced: a batch, and how many */
#define BENCH_BATCHES       300
#define BENCH_BATCHES_QUICK 100
#define BENCH_IDLE          10000 /* idle: parked tasks, seconds */
#define BENCH_IDLE_S        10
#define BENCH_IDLE_QUICK_S  3

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

/* Prints a line that bench/run shows: why there is no such result. */
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

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

/*
 * Sorts the times, in ns, and prints PREFIXp50, PREFIXp99 and, if wanted,
 * PREFIXmax, in units of unit_ns nanoseconds.
 */
struct bench_unit {
	const char *name;
	double ns;
};
#define BENCH_US ((struct bench_unit){ "us", 1e3 })
#define BENCH_MS ((struct bench_unit){ "ms", 1e6 })
void bench_times(const char *prefix, int64_t *ns, size_t count,
		 struct bench_unit unit, bool with_max);

/*
 * What `announced` compares: batches of one-byte writes in two ways, in turn,
 * to a pipe that is drained in between. Prints `bare` and `extra`, ns a call,
 * from the fastest batch of each way.
 */
typedef ssize_t bench_write(int fd, const void *buf, size_t n);
void bench_announced(const struct bench_args *a, bench_write *announced,
		     bench_write *bare);

/*
 * What `block_pipe` does: how much computing a crowd of blocked tasks costs.
 *
 *   compute(end)  BENCH_COMPUTING tasks call stall_compute(end); returns the
 *                 sum of their rounds
 *   gather(c)     starts BENCH_CROWD tasks of crowd_join(c, i), returns when
 *                 all have joined, or the crowd was rescued
 *   disperse()    waits until those have ended
 *
 * Prints `loss`, %.
 */
struct crowd;
struct bench_crowd_ops {
	uint64_t (*compute)(uint64_t end_ns);
	void (*gather)(struct crowd *c);
	void (*disperse)(void);
};
void bench_block_pipe(const struct bench_args *a,
		      const struct bench_crowd_ops *ops);

/* How many pipes `idle` may open, wanted if the limit on files allows it;
 * raises the limit as far as it may, and notes it when that is not enough. */
size_t bench_pipes(size_t wanted);

/*
 * What `idle` measures in a program whose tasks all wait by now: pause(s)
 * waits for that long. Prints `cpu`, %, and `wakeups`, Hz.
 */
void bench_idle(const struct bench_args *a, void (*pause_s)(int seconds));

/* A socket that listens on a free loopback port; prints `port N`. */
int bench_listen(void);

#ifdef __cplusplus
}
#endif
#endif
