/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stalls.c - what the benches of "nothing stalls" do in every C program.
 *
 * The runtimes differ only in how a task is started and waited for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/common/bench.h"
#include "bench/common/stall.h"

/* The fastest batch counts: what others did meanwhile is in the slower ones. */
static uint64_t time_batch(bench_write *w, const int pipe[2])
{
	char drain[BENCH_WRITES];
	uint64_t begin = bench_now_ns(), ns;

	for (int i = 0; i < BENCH_WRITES; i++) {
		if (w(pipe[1], "x", 1) != 1)
			bench_fail("announced: a write failed");
	}
	ns = bench_now_ns() - begin;
	if (read(pipe[0], drain, sizeof(drain)) != BENCH_WRITES)
		bench_fail("announced: bytes are missing");
	return ns;
}

void bench_announced(const struct bench_args *a, bench_write *announced,
		     bench_write *bare)
{
	int batches = a->quick ? BENCH_BATCHES_QUICK : BENCH_BATCHES;
	uint64_t best[2] = { UINT64_MAX, UINT64_MAX };
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC))
		bench_fail("pipe: error %d", errno);
	for (int i = 0; i < 2 * batches; i++) {
		uint64_t ns = time_batch(i % 2 ? announced : bare, pipe);

		if (ns < best[i % 2])
			best[i % 2] = ns;
	}
	bench_result("bare", (double)best[0] / BENCH_WRITES, "ns");
	bench_result("extra",
		     ((double)best[1] - (double)best[0]) / BENCH_WRITES, "ns");
	close(pipe[0]);
	close(pipe[1]);
}

/* Rounds, and the CPU time that was there for them. */
struct speed {
	uint64_t rounds;
	uint64_t offered_ns;
};

static void compute_for(const struct bench_crowd_ops *ops, uint64_t ms,
			struct speed *s)
{
	uint64_t offered = stall_offered_ns();

	s->rounds += ops->compute(bench_now_ns() + ms * 1000000);
	s->offered_ns += stall_offered_ns() - offered;
}

/* The rounds done beside a crowd; false: it had to be rescued. */
static bool compute_beside(const struct bench_crowd_ops *ops, struct speed *s)
{
	struct crowd *c = crowd_new(BENCH_CROWD);
	struct speed settling = { 0 };
	bool rescued;

	if (!c)
		bench_impossible("no pipes for so many tasks");
	ops->gather(c);
	/* The last ones have said that they will block, not that they do. */
	compute_for(ops, BENCH_TURN_MS / 4, &settling);
	compute_for(ops, BENCH_TURN_MS, s);
	crowd_send_home(c);
	ops->disperse();
	rescued = crowd_rescued(c);
	crowd_free(c);
	return !rescued;
}

static double rate(const struct speed *s)
{
	return (double)s->rounds / (double)s->offered_ns;
}

/* In turns, as other programs' load comes and goes. */
void bench_block_pipe(const struct bench_args *a,
		      const struct bench_crowd_ops *ops)
{
	int turns = a->quick ? BENCH_TURNS_QUICK : BENCH_TURNS;
	struct speed warm = { 0 }, alone = { 0 }, beside = { 0 };

	compute_for(ops, BENCH_TURN_MS, &warm);
	for (int i = 0; i < turns; i++) {
		compute_for(ops, BENCH_TURN_MS, &alone);
		if (!compute_beside(ops, &beside)) {
			bench_note("never: the blocked tasks kept the others "
				   "from running for %d s",
				   STALL_CROWD_PATIENCE_MS / 1000);
			return;
		}
	}
	bench_result("loss", 100 * (1 - rate(&beside) / rate(&alone)), "%");
}

size_t bench_pipes(size_t wanted)
{
	const size_t others = 100; /* descriptors for everything else */
	struct rlimit files;
	size_t most;

	if (getrlimit(RLIMIT_NOFILE, &files))
		bench_fail("no limit on files");
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max >= 2 * wanted + others)
		return wanted;
	most = files.rlim_max > others ? (files.rlim_max - others) / 2 : 0;
	bench_note("%zu pipes instead of %zu: `ulimit -Hn`", most, wanted);
	return most;
}

void bench_idle(const struct bench_args *a, void (*pause_s)(int seconds))
{
	int seconds = a->quick ? BENCH_IDLE_QUICK_S : BENCH_IDLE_S;
	struct rusage before, after;
	uint64_t ns, cpu;

	/* What starting so many tasks has left to do is not idling. */
	pause_s(1);
	getrusage(RUSAGE_SELF, &before);
	cpu = bench_cpu_ns();
	ns = bench_now_ns();
	pause_s(seconds);
	cpu = bench_cpu_ns() - cpu;
	ns = bench_now_ns() - ns;
	getrusage(RUSAGE_SELF, &after);
	bench_result("cpu", 100 * (double)cpu / (double)ns, "%");
	bench_result("wakeups",
		     (double)(after.ru_nvcsw - before.ru_nvcsw) / (double)ns *
			     1e9,
		     "Hz");
}
