// SPDX-License-Identifier: Apache-2.0
//
// stress_test.cc - processes full of servers and workers, which make all
// transitions there are until they are killed, at any moment and in any state.
// Shown afterwards: the module holds nothing of them any more.
//
// WEND_STRESS_SECONDS   how long (30)
// WEND_SEED             what is random; printed

#include <sched.h>

#include <memory>
#include <random>
#include <vector>

#include "tests/kernel/world.h"

namespace
{

enum { SERVERS = 2, WORKERS = 20 };

struct Tally {
	std::atomic<uint64_t> registered, switches, blocks, preempts;
};
Tally *tally;

uint64_t Env(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v && *v ? strtoull(v, nullptr, 0) : otherwise;
}

struct Dice {
	uint64_t state;

	explicit Dice(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1)
	{
	}
	uint32_t Below(uint32_t n)
	{
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		return (uint32_t)(state >> 32) % n;
	}
};

void Spin(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		__asm__ volatile("");
}

/* What a worker does in its life; it may end by itself. */
void Live(Worker &me, uint64_t seed)
{
	Dice dice(seed);

	tally->registered++;
	for (;;) {
		switch (dice.Below(8)) {
		case 0:
			Store(&me.me->how, dice.Below(4) ? 1 : 2);
			me.Yield(me.me->how == 2 ? InMs(dice.Below(3)) : 0);
			Store(&me.me->how, 0);
			break;
		case 1:
			SleepMs(dice.Below(2));
			break;
		case 2: {
			timespec t = { 0, (long)dice.Below(200000) };

			syscall(SYS_nanosleep, &t, nullptr);
			break;
		}
		case 3:
			sched_yield();
			break;
		case 4:
			if (dice.Below(40) == 0)
				syscall(SYS_exit, 0);
			break;
		default:
			Spin(dice.Below(5000));
		}
	}
}

struct Pool {
	Domain d;
	std::atomic<bool> lock{ false };
	std::deque<Slot *> idle;
	std::atomic<Slot *> now[SERVERS] = {};
};

Slot *Take(Pool &p, Server &s)
{
	Slot *it = nullptr;

	while (p.lock.exchange(true))
		sched_yield();
	s.Drain();
	p.idle.insert(p.idle.end(), s.idle.begin(), s.idle.end());
	s.idle.clear();
	if (!p.idle.empty()) {
		it = p.idle.front();
		p.idle.pop_front();
	}
	p.lock = false;
	return it;
}

/* Whether it gave itself up to this server, or was stopped, and is on no list:
 * else it comes by the kernel's, or has come that way already. */
bool Yielded(Pool &p, Server &s, Slot *it, uint32_t state)
{
	if (it->server != s.me)
		return false;
	if (state == (UMCG_TASK_IDLE | UMCG_TF_PREEMPTED))
		return true;
	return state == UMCG_TASK_IDLE && Load(&it->how) == 1;
}

void Serve(Pool &p, int which, uint64_t seed)
{
	Server s(p.d);
	Dice dice(seed);

	tally->registered++;
	for (;;) {
		Slot *it = Take(p, s);
		uint32_t state;

		if (!it) {
			s.WaitIdle(InMs(2));
			continue;
		}
		p.now[which] = it;
		s.Prepare(it);
		/* A signal, or the worker's end. */
		while (p.d.Wait() && errno == EINTR)
			;
		p.now[which] = nullptr;
		s.SetState(UMCG_TASK_RUNNING);
		state = Load(&it->t.state);
		while ((state = Load(&it->t.state)) & UMCG_TF_LOCKED)
			sched_yield();
		tally->switches++;
		if (state == UMCG_TASK_BLOCKED) {
			tally->blocks++;
		} else if (Yielded(p, s, it, state)) {
			while (p.lock.exchange(true))
				sched_yield();
			p.idle.push_back(it);
			p.lock = false;
		}
	}
}

/* Preempts whoever runs; and is one that waits for nobody. */
void Watch(Pool &p, uint64_t seed)
{
	Dice dice(seed);

	for (;;) {
		Slot *it = p.now[dice.Below(SERVERS)];

		SleepMs(1);
		if (!it || !Cas(&it->t.state, UMCG_TASK_RUNNING,
				UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED))
			continue;
		tally->preempts++;
		if (dice.Below(2))
			p.d.Preempt(it->tid);
		else
			syscall(SYS_tgkill, getpid(), it->tid, SIGUSR1);
	}
}

void Nothing(int)
{
}

[[noreturn]] void Process(uint64_t seed)
{
	Pool p;
	std::vector<std::unique_ptr<Worker>> workers;

	signal(SIGUSR1, Nothing);
	/* The contract may be broken when a server is killed before its
	 * worker: that is as it should be, and not to be written down. */
	fclose(stderr);
	close(2);
	for (int i = 0; i < WORKERS; i++)
		workers.push_back(std::make_unique<Worker>(
			p.d, [=](Worker &me) { Live(me, seed + i); }));
	std::thread watch([&] { Watch(p, seed + 100); });
	std::thread second([&] { Serve(p, 1, seed + 101); });
	Serve(p, 0, seed + 102);
	_exit(0);
}

uint64_t SlabObjects()
{
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[256];
	unsigned long n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "umcg_ctx %lu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

TEST(Stress, KilledAtRandomNothingIsLeft)
{
	uint64_t seed = Env("WEND_SEED", NowNs());
	uint64_t until = NowNs(CLOCK_MONOTONIC) +
			 Env("WEND_STRESS_SECONDS", 30) * 1000000000u;
	uint64_t processes = 0, odd = 0;
	Dice dice(seed);

	printf("WEND_SEED=%llu\n", (unsigned long long)seed);
	tally = (Tally *)mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE((void *)tally, MAP_FAILED);
	fflush(stdout);
	while (NowNs(CLOCK_MONOTONIC) < until) {
		pid_t pid[3];
		int status;

		for (pid_t &p : pid) {
			p = fork();
			ASSERT_GE(p, 0);
			if (p == 0)
				Process(dice.state + (uint64_t)(&p - pid));
			dice.Below(2);
		}
		timespec t = { 0, (long)dice.Below(40000000) };
		nanosleep(&t, nullptr);
		for (pid_t p : pid) {
			kill(p, SIGKILL);
			ASSERT_EQ(waitpid(p, &status, 0), p);
			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
				odd++;
			processes++;
		}
	}
	printf("%llu processes, %llu servers and workers killed, "
	       "%llu switches, %llu blocks, %llu preemptions\n",
	       (unsigned long long)processes,
	       (unsigned long long)tally->registered,
	       (unsigned long long)tally->switches,
	       (unsigned long long)tally->blocks,
	       (unsigned long long)tally->preempts);
	EXPECT_GT(tally->registered.load(), 0u);
	EXPECT_GT(tally->switches.load(), 0u);
	EXPECT_GT(tally->blocks.load(), 0u);
	EXPECT_EQ(odd, 0u) << "processes that did not live to be killed";
	EXPECT_TRUE(Eventually([] { return ModuleCount("tasks") == 0; }))
		<< ModuleCount("tasks") << " tasks left";
	EXPECT_TRUE(Eventually([] { return ModuleCount("domains") == 0; }))
		<< ModuleCount("domains") << " domains left";
	/* The cache keeps a few free ones for each CPU. */
	printf("slab objects left: %llu\n", (unsigned long long)SlabObjects());
}

} // namespace
