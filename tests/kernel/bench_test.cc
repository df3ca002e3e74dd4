// SPDX-License-Identifier: Apache-2.0
//
// bench_test.cc - what a switch costs, against two threads that wake each other
// by futex on one CPU. Ratios, of the better of several runs each: the machine
// is a virtual one.

#include <linux/futex.h>
#include <sched.h>

#include <algorithm>

#include "tests/kernel/world.h"

namespace
{

enum { ROUNDS = 20000, RUNS = 5 };

void Pin(bool pinned)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < (pinned ? 1 : 2); i++)
		CPU_SET(i, &set);
	CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}

void FutexWait(uint32_t *word, uint32_t until)
{
	uint32_t seen;

	while ((seen = Load(word)) != until)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, nullptr);
}

void FutexSet(uint32_t *word, uint32_t to)
{
	Store(word, to);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
}

/* ns a round trip, two threads on one CPU */
double FutexPingPong()
{
	static uint32_t ping, pong;
	uint64_t start;

	ping = pong = 0;
	Pin(true);
	std::thread other([] {
		for (uint32_t i = 1; i <= ROUNDS; i++) {
			FutexWait(&ping, i);
			FutexSet(&pong, i);
		}
	});
	start = NowNs(CLOCK_MONOTONIC);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		FutexSet(&ping, i);
		FutexWait(&pong, i);
	}
	uint64_t took = NowNs(CLOCK_MONOTONIC) - start;
	other.join();
	return (double)took / ROUNDS;
}

double ServerWorker(bool pinned)
{
	uint64_t start = 0, took;

	Pin(pinned);
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) {
		for (int i = 0; i < ROUNDS; i++)
			me.Yield();
	});
	Slot *it = s.Next();

	start = NowNs(CLOCK_MONOTONIC);
	for (int i = 0; i < ROUNDS; i++)
		CHECK(s.Run(it) == UMCG_TASK_IDLE);
	took = NowNs(CLOCK_MONOTONIC) - start;
	CHECK(s.Run(it) == UMCG_TASK_NONE);
	return (double)took / ROUNDS;
}

/* ns a switch */
double WorkerWorker(bool pinned)
{
	uint64_t start = 0, took = 0;
	Slot *a_slot = nullptr, *b_slot = nullptr;

	Pin(pinned);
	Domain d;
	Server s(d);
	Worker a(d, [&](Worker &me) {
		start = NowNs(CLOCK_MONOTONIC);
		for (int i = 0; i < ROUNDS; i++)
			me.SwitchTo(b_slot);
		took = NowNs(CLOCK_MONOTONIC) - start;
	});
	a_slot = s.Next();
	Worker b(d, [&](Worker &me) {
		for (int i = 0; i < ROUNDS; i++)
			me.SwitchTo(a_slot);
	});
	b_slot = s.Next();
	CHECK(s.Run(a_slot) == UMCG_TASK_NONE);
	CHECK(s.Run(b_slot) == UMCG_TASK_NONE);
	return (double)took / ROUNDS / 2;
}

/* From before the call that blocks to the server's return from its wait. */
double Detection()
{
	enum { TIMES = 300 };
	double sum = 0;
	uint64_t at = 0;
	int seen = 0;

	Pin(true);
	Domain d;
	Server s(d);
	Worker w(d, [&](Worker &) {
		for (int i = 0; i < TIMES; i++) {
			timespec t = { 0, 1000000 };

			at = NowNs(CLOCK_MONOTONIC);
			syscall(SYS_nanosleep, &t, nullptr);
		}
	});

	/* One whose time was over before it slept is not seen. */
	for (Slot *it = s.Next();; it = s.Next()) {
		s.Prepare(it);
		CHECK(d.Wait() == 0);
		if (Server::StateOf(it) == UMCG_TASK_NONE)
			break;
		sum += (double)(NowNs(CLOCK_MONOTONIC) - at);
		seen++;
	}
	return sum / seen;
}

template <typename F> double Best(F f)
{
	double best = f();

	for (int i = 1; i < RUNS; i++)
		best = std::min(best, f());
	return best;
}

CASE(Bench, AgainstAFutexPingPong)
{
	alarm(600);
	double futex = Best(FutexPingPong);

	printf("futex ping-pong, one CPU        %8.0f ns   1.00\n", futex);
	for (bool pinned : { true, false }) {
		const char *how = pinned ? "pinned" : "free  ";
		double sw = Best([=] { return ServerWorker(pinned); });
		double ww = Best([=] { return WorkerWorker(pinned); });

		printf("server-worker-server, %s    %8.0f ns   %.2f of it\n",
		       how, sw, sw / futex);
		printf("worker-worker switch, %s    %8.0f ns   %.2f of half "
		       "of it\n",
		       how, ww, ww / (futex / 2));
	}
	double block = Detection();

	printf("block to server, nanosleep      %8.0f ns   %.2f of it\n", block,
	       block / futex);
	fflush(stdout);
}

} // namespace
