// SPDX-License-Identifier: Apache-2.0
//
// stress_test.cc - processes full of servers and workers, which make all
// transitions there are until they are killed, at any moment and in any state.
// Shown afterwards: the module holds nothing of them any more. Then some that are
// moved from CPU to CPU as they switch, while one of these comes and goes.
//
// WEND_STRESS_SECONDS   how long (30)
// WEND_STRESS_KILLS     until so many servers and workers were killed, instead
// WEND_SEED             what is random; printed

#include <sched.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tests/kernel/world.h"

namespace
{

enum { SERVERS = 2, WORKERS = 20 };

struct Tally {
	std::atomic<uint64_t> registered, ended, switches, blocks, preempts;
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
			if (dice.Below(40) == 0) {
				tally->ended++;
				syscall(SYS_exit, 0);
			}
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
bool Yielded(Server &s, Slot *it, uint32_t state)
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
		} else if (Yielded(s, it, state)) {
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

[[noreturn]] void Process(uint64_t seed, int words)
{
	Pool p;
	std::vector<std::unique_ptr<Worker>> workers;

	signal(SIGUSR1, Nothing);
	/* What is said while all are being killed is of no interest: a server
	 * may be dead before its worker. */
	dup2(words, 2);
	for (int i = 0; i < WORKERS; i++)
		workers.push_back(std::make_unique<Worker>(
			p.d, [=](Worker &me) { Live(me, seed + i); }));
	std::thread watch([&] { Watch(p, seed + 100); });
	std::thread second([&] { Serve(p, 1, seed + 101); });
	Serve(p, 0, seed + 102);
	_exit(0);
}

/* Objects in use of a kernel's cache, once it has let go of what each CPU keeps
 * for the next ones; -1: this kernel does not say. */
long SlabObjects(const char *cache)
{
	char path[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	f = fopen(path, "w");
	if (f) {
		fputs("1", f);
		fclose(f);
	}
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	f = fopen(path, "r");
	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

/* Each process has one of the first, and each thread one of the second; the
 * third are files, a process' domain among them. The last is the module's. */
const char *const caches[] = { "mm_struct", "task_struct", "filp", "umcg_ctx" };
enum { CACHES = sizeof(caches) / sizeof(caches[0]) };

void CountSlabs(long (&objects)[CACHES])
{
	for (int i = 0; i < CACHES; i++)
		objects[i] = SlabObjects(caches[i]);
}

void PrintSlabs(const char *when, const long (&objects)[CACHES])
{
	printf("slab objects %s:", when);
	for (int i = 0; i < CACHES; i++)
		printf(" %s %ld", caches[i], objects[i]);
	printf("\n");
}

/* One process after the other, in each of a few places. */
struct Place {
	int words = memfd_create("words", 0);
	pid_t pid = -1;

	~Place()
	{
		close(words);
	}
	void Start(uint64_t seed)
	{
		pid = fork();
		if (pid == 0)
			Process(seed, words);
	}
	/* Whether it had lived until then. What it said, if it had not. */
	bool Kill()
	{
		char said[4096];
		ssize_t n = 0;
		int status = 0;

		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid)
			return false;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
			if (lseek(words, 0, SEEK_CUR) > 1 << 20)
				n = ftruncate(words, 0);
			return n == 0;
		}
		n = lseek(words, 0, SEEK_CUR);
		n = pread(words, said, sizeof(said),
			  n > (ssize_t)sizeof(said) ? n - sizeof(said) : 0);
		printf("ended with status %#x, after\n%.*s", status,
		       (int)std::max(n, (ssize_t)0), said);
		return false;
	}
};

uint64_t Killed()
{
	return tally->registered - tally->ended;
}

TEST(Stress, KilledAtRandomNothingIsLeft)
{
	uint64_t seed = Env("WEND_SEED", NowNs());
	uint64_t kills = Env("WEND_STRESS_KILLS", 0);
	uint64_t until = NowNs(CLOCK_MONOTONIC) +
			 Env("WEND_STRESS_SECONDS", 30) * 1000000000u;
	uint64_t processes = 0, odd = 0;
	uint32_t life = 40000000; /* ns; as long as they take to begin */
	long before[CACHES], after[CACHES];
	Dice dice(seed);
	Place place[3];

	printf("WEND_SEED=%llu\n", (unsigned long long)seed);
	tally = (Tally *)mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE((void *)tally, MAP_FAILED);
	CountSlabs(before);
	fflush(stdout);
	while (kills ? Killed() < kills : NowNs(CLOCK_MONOTONIC) < until) {
		for (Place &p : place) {
			p.Start(dice.state + (uint64_t)(&p - place));
			ASSERT_GE(p.pid, 0);
			dice.Below(2);
		}
		uint64_t begun = tally->registered;
		timespec t = { 0, (long)dice.Below(life) };

		nanosleep(&t, nullptr);
		begun = tally->registered - begun;
		if (begun < SERVERS && life < 400000000)
			life += life / 4;
		else if (begun > 2 * WORKERS && life > 1000000)
			life -= life / 4;
		for (Place &p : place) {
			if (!p.Kill())
				odd++;
			processes++;
		}
	}
	printf("%llu processes, %llu servers and workers killed, "
	       "%llu switches, %llu blocks, %llu preemptions\n",
	       (unsigned long long)processes, (unsigned long long)Killed(),
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
	/* The kernel frees what was a process' when it comes to it, and others
	 * start and end meanwhile. What each loses would be seen. */
	auto more = (long)(processes / 8 + 64);
	Eventually([&] {
		CountSlabs(after);
		for (int i = 0; i < CACHES; i++)
			if (after[i] > before[i] + more)
				return false;
		return after[CACHES - 1] <= 0;
	});
	PrintSlabs("before", before);
	PrintSlabs("after ", after);
	EXPECT_LE(after[CACHES - 1], 0) << "the module's objects";
	for (int i = 0; i < CACHES; i++)
		EXPECT_LE(after[i], before[i] + more) << caches[i];
}

/* --- tasks that are moved, and CPUs that go ----------------------------------- */

enum { GROUPS = 3, MEMBERS = 3 };

struct Move {
	std::atomic<bool> stop{ false };
	std::atomic<int> ready{ 0 };
	std::atomic<uint32_t> tids[GROUPS * (MEMBERS + 1)] = {};
	std::atomic<uint64_t> switches{ 0 };
	uint64_t moves = 0, turns = 0, longest = 0;
};

/* A server whose workers come one after the other: by way of the server, and
 * each other pair directly. */
void SwitchAlways(Move &m, int group)
{
	Domain d;
	Server s(d);
	std::vector<std::unique_ptr<Worker>> workers;
	std::vector<Slot *> slots(MEMBERS);
	std::atomic<uint32_t> *tids = &m.tids[group * (MEMBERS + 1)];
	Dice dice((uint64_t)group + 1);

	for (int i = 0; i < MEMBERS; i++) {
		workers.emplace_back(new Worker(d, [&, i](Worker &me) {
			Dice dice((uint64_t)i);

			while (!m.stop) {
				m.switches++;
				/* Longer than a time slice, at times. */
				Spin(dice.Below(dice.Below(500) ? 500 :
								  20000000));
				if (i == 0 && dice.Below(2))
					me.SwitchTo(slots[1]);
				else if (i == 1 && dice.Below(2))
					me.SwitchTo(slots[0]);
				else
					me.Yield();
			}
		}));
		slots[i] = s.Next();
		tids[i] = slots[i]->tid;
	}
	tids[MEMBERS] = Tid();
	/* Nothing is mapped any more then, so that no worker blocks. */
	for (m.ready++; m.ready < GROUPS;)
		sched_yield();
	while (!m.stop)
		s.Run(slots[dice.Below(MEMBERS)]);
	for (Slot *it : slots)
		while (Server::StateOf(it) != UMCG_TASK_NONE)
			s.Run(it);
}

/* Whom they go to does not matter, only that it is done. */
void MoveThem(Move &m)
{
	Dice dice(7);

	while (!m.stop) {
		uint32_t tid = m.tids[dice.Below(GROUPS * (MEMBERS + 1))];
		uint32_t where = dice.Below(4) + 1;
		uint64_t start = NowNs(CLOCK_MONOTONIC);
		cpu_set_t set;

		CPU_ZERO(&set);
		for (int i = 0; i < 2; i++)
			if (where & (1u << i) || where == 4)
				CPU_SET(i, &set);
		if (tid &&
		    sched_setaffinity((pid_t)tid, sizeof(set), &set) == 0)
			m.moves++;
		m.longest = std::max(m.longest, NowNs(CLOCK_MONOTONIC) - start);
		SleepMs(dice.Below(3));
	}
}

/* false: it is not for us to turn off. */
bool TurnCpu(const char *on)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);
	bool done = fd >= 0 && write(fd, on, 1) == 1;

	close(fd);
	return done;
}

void TurnCpus(Move &m)
{
	while (!m.stop) {
		if (!TurnCpu("0"))
			break;
		SleepMs(20);
		CHECK(TurnCpu("1"));
		SleepMs(100);
		m.turns++;
	}
}

CASE(Stress, MovedAtRandomAndCpusThatGo)
{
	auto seconds = (unsigned int)Env("WEND_STRESS_SECONDS", 30);
	std::vector<std::thread> threads;
	Move m;

	alarm(seconds + CASE_SECONDS);
	threads.emplace_back([&] { MoveThem(m); });
	threads.emplace_back([&] { TurnCpus(m); });
	for (int i = 0; i < GROUPS; i++)
		threads.emplace_back([&m, i] { SwitchAlways(m, i); });
	SleepMs(seconds * 1000);
	m.stop = true;
	for (std::thread &t : threads)
		t.join();
	printf("%llu switches; %llu times moved, in %llu ms at most; "
	       "%llu times without a CPU\n",
	       (unsigned long long)m.switches, (unsigned long long)m.moves,
	       (unsigned long long)m.longest / 1000000,
	       (unsigned long long)m.turns);
	fflush(stdout);
	CHECK(m.switches > 0);
	CHECK(m.moves > 0);
}

} // namespace
