// SPDX-License-Identifier: Apache-2.0
//
// fuzz_test.cc - threads that make requests at random, and one that writes at
// random over all that is shared with the kernel meanwhile. Whatever becomes of
// the process, the kernel must not care: what it logs fails the run
// (tools/kernel-test), and what it keeps fails this test.
//
// WEND_STRESS_SECONDS   how long (30)
// WEND_SEED             what is random; printed

#include <sched.h>
#include <sys/prctl.h>

#include <vector>

#include "tests/kernel/world.h"

namespace
{

enum { THREADS = 8, SLOTS = 12 };

struct Dice {
	uint64_t state;

	explicit Dice(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1)
	{
	}
	uint64_t Next()
	{
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		return state * 0x2545f4914f6cdd1du;
	}
	uint32_t Below(uint32_t n)
	{
		return (uint32_t)(Next() >> 32) % n;
	}
};

struct Fuzz {
	Domain d;
	Slot *slots[SLOTS];
	std::atomic<uint32_t> tids[THREADS] = {};
};

uint64_t Env(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v && *v ? strtoull(v, nullptr, 0) : otherwise;
}

uint32_t AnyState(Dice &dice)
{
	static const uint32_t states[] = {
		UMCG_TASK_NONE,
		UMCG_TASK_RUNNING,
		UMCG_TASK_IDLE,
		UMCG_TASK_BLOCKED,
		UMCG_TASK_RUNNING | UMCG_TF_LOCKED,
		UMCG_TASK_IDLE | UMCG_TF_LOCKED,
		UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED,
		UMCG_TASK_IDLE | UMCG_TF_PREEMPTED,
	};

	switch (dice.Below(8)) {
	case 0:
		return (uint32_t)dice.Next();
	case 1:
		return states[dice.Below(8)] | (uint32_t)dice.Next() << 24;
	default:
		return states[dice.Below(8)];
	}
}

uint32_t AnyTid(Fuzz &f, Dice &dice)
{
	switch (dice.Below(8)) {
	case 0:
		return 0;
	case 1:
		return (uint32_t)dice.Next();
	case 2:
		return 1;
	default:
		return f.tids[dice.Below(THREADS)];
	}
}

uint64_t AnyPtr(Fuzz &f, Dice &dice)
{
	switch (dice.Below(8)) {
	case 0:
		return 0;
	case 1:
		return dice.Next();
	case 2:
		return (uint64_t)f.d.base + Domain::SIZE - dice.Below(64);
	case 3:
		return (uint64_t)&f.slots[dice.Below(SLOTS)]->t.idle_workers_ptr;
	case 4:
		return (uint64_t)f.d.idle_tid;
	default:
		return (uint64_t)f.d.head;
	}
}

void Scribble(Fuzz &f, Dice &dice)
{
	umcg_task *t = &f.slots[dice.Below(SLOTS)]->t;

	switch (dice.Below(7)) {
	case 0:
	case 1:
		Store(&t->state, AnyState(dice));
		break;
	case 2:
		Store(&t->next_tid, AnyTid(f, dice));
		break;
	case 3:
		t->idle_workers_ptr = AnyPtr(f, dice);
		break;
	case 4:
		t->idle_server_tid_ptr = AnyPtr(f, dice);
		break;
	case 5:
		*f.d.head = dice.Below(2) ? 0 : dice.Next();
		break;
	default:
		Store(f.d.idle_tid, AnyTid(f, dice));
	}
}

/* As it should be, so that it gets further than the first check. */
void Tidy(Fuzz &f, Dice &dice, umcg_task *t, bool worker)
{
	t->next_tid = worker && dice.Below(2) ? AnyTid(f, dice) : 0;
	t->idle_workers_ptr = worker ? (uint64_t)f.d.head : 0;
	t->idle_server_tid_ptr = worker ? (uint64_t)f.d.idle_tid : 0;
	Store(&t->state, worker ? UMCG_TASK_IDLE : UMCG_TASK_RUNNING);
}

void Register(Fuzz &f, Dice &dice)
{
	Slot *s = f.slots[dice.Below(SLOTS)];
	bool worker = dice.Below(2);

	s->tid = Tid();
	Tidy(f, dice, &s->t, worker);
	s->t.next_tid = 0;
	f.d.Ctl(UMCG_CTL_REGISTER | (worker ? UMCG_CTL_WORKER : 0), &s->t);
}

void Memory(Fuzz &f, Dice &dice)
{
	void *p = mmap(nullptr, Domain::SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED, f.d.fd, 0);

	if (p != MAP_FAILED && dice.Below(8))
		munmap(p, Domain::SIZE);
	if (dice.Below(200) == 0)
		munmap(f.d.base, 4096); /* whoever touches it dies */
}

void Child(Dice &dice)
{
	pid_t pid = dice.Below(2) ? fork() : vfork();

	if (pid == 0)
		_exit(0);
	if (pid > 0 && dice.Below(2))
		waitpid(pid, nullptr, 0);
}

void Request(Fuzz &f, Dice &dice)
{
	uint64_t until = dice.Below(3) ? InMs(dice.Below(3)) : dice.Next();

	switch (dice.Below(16)) {
	case 0:
	case 1:
		Register(f, dice);
		break;
	case 2:
		f.d.Ctl(UMCG_CTL_UNREGISTER, nullptr);
		break;
	case 3:
		f.d.Ctl((uint32_t)dice.Next(), (void *)AnyPtr(f, dice));
		break;
	case 4:
	case 5:
	case 6:
		f.d.Wait(0, until);
		break;
	case 7:
		f.d.Wait(dice.Below(8), until);
		break;
	case 8:
		f.d.Wake(AnyTid(f, dice));
		break;
	case 9:
		f.d.Preempt(AnyTid(f, dice));
		break;
	case 10:
		syscall(SYS_tgkill, getpid(), AnyTid(f, dice), SIGUSR1);
		break;
	case 11:
		SleepMs(0);
		break;
	case 12:
		ioctl(f.d.fd, (unsigned int)dice.Next(), dice.Next());
		break;
	case 13:
		ioctl(f.d.fd, dice.Below(2) ? UMCG_IOC_CTL : UMCG_IOC_WAIT,
		      dice.Next());
		break;
	case 14:
		if (dice.Below(10) == 0)
			Memory(f, dice);
		break;
	default:
		if (dice.Below(100) == 0)
			Child(dice);
		else if (dice.Below(300) == 0)
			syscall(SYS_exit, 0);
		else if (dice.Below(1000) == 0)
			execl("/bin/true", "true", (char *)nullptr);
	}
}

void Nothing(int)
{
}

[[noreturn]] void Process(uint64_t seed)
{
	static Fuzz f;
	Dice dice(seed);

	close(2);
	signal(SIGUSR1, Nothing);
	/* Half of them live on with it. */
	if (seed & 1) {
		struct sigaction sa = {};

		sa.sa_handler = [](int) { syscall(SYS_exit, 0); };
		sigaction(SIGSEGV, &sa, nullptr);
	}
	for (Slot *&s : f.slots)
		s = f.d.New();
	for (int i = 0; i < THREADS; i++)
		std::thread([i, seed] {
			Dice mine(seed + (uint64_t)i * 7919);

			f.tids[i] = Tid();
			for (;;)
				Request(f, mine);
		}).detach();
	for (;;) {
		Scribble(f, dice);
		if (dice.Below(20) == 0)
			sched_yield();
	}
}

TEST(Fuzz, TheKernelDoesNotCare)
{
	uint64_t seed = Env("WEND_SEED", NowNs());
	uint64_t until = NowNs(CLOCK_MONOTONIC) +
			 Env("WEND_STRESS_SECONDS", 30) * 1000000000u;
	uint64_t processes = 0, by_segv = 0;
	Dice dice(seed);

	printf("WEND_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	while (NowNs(CLOCK_MONOTONIC) < until) {
		uint64_t mine = dice.Next();
		pid_t pid = fork();
		int status;

		ASSERT_GE(pid, 0);
		if (pid == 0)
			Process(mine);
		SleepMs(10 + dice.Below(200));
		kill(pid, SIGKILL);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		by_segv += WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
		processes++;
	}
	/* What they forked. */
	while (waitpid(-1, nullptr, WNOHANG) > 0)
		;
	printf("%llu processes, %llu ended by SIGSEGV\n",
	       (unsigned long long)processes, (unsigned long long)by_segv);
	EXPECT_TRUE(Eventually([] { return ModuleCount("tasks") == 0; }))
		<< ModuleCount("tasks") << " tasks left";
	EXPECT_TRUE(Eventually([] { return ModuleCount("domains") == 0; }))
		<< ModuleCount("domains") << " domains left";
}

} // namespace
