// SPDX-License-Identifier: Apache-2.0
//
// preempt.cc - preemption: a worker is asked to give its server back.

#include "tests/kernel/abi/abi.h"

namespace
{

void Nothing(int)
{
}

/* Whether it is; else says what it is. */
bool Is(uint32_t state, uint32_t expected)
{
	if (state != expected)
		dprintf(2, "state %#x, not %#x\n", state, expected);
	return state == expected;
}

void PreemptCase(const std::function<void(Domain &, Slot *)> &kick)
{
	Domain d;
	Server s(d);
	std::atomic<bool> stop{ false };
	std::atomic<uint64_t> count{ 0 };
	Worker w(d, [&](Worker &) {
		while (!stop)
			count++;
	});
	Slot *it = s.Next();

	signal(SIGUSR1, Nothing);
	for (int stops = 0, tries = 0; stops < 20; tries++) {
		uint64_t before = count;
		std::thread watchdog([&] {
			CHECK(Eventually([&] { return count != before; }));
			CHECK(Eventually([&] {
				return Cas(&it->t.state, RUNNING,
					   RUNNING | PREEMPTED);
			}));
			kick(d, it);
		});

		uint32_t state = s.Run(it);

		/* A page fault may come first. */
		while (state == BLOCKED || state == IDLE)
			state = s.Run(s.Next());
		watchdog.join();
		if (state == (BLOCKED | PREEMPTED) && tries < 200) {
			/* Or then, of the signal's frame. */
			CHECK(s.Next() == it);
			continue;
		}
		stops++;
		CHECK(Is(state, IDLE | PREEMPTED));
		CHECK(Load(&s.me->t.next_tid) == it->tid);
		uint64_t now = count;
		SleepMs(2);
		CHECK(count == now); /* it does not run */
	}
	stop = true;
	CHECK(s.Run(it) == NONE);
}

CASE(Preempt, BySignal)
{
	PreemptCase([](Domain &, Slot *it) {
		CHECK(syscall(SYS_tgkill, getpid(), it->tid, SIGUSR1) == 0);
	});
}

CASE(Preempt, WithoutSignal)
{
	PreemptCase(
		[](Domain &d, Slot *it) { CHECK(d.Preempt(it->tid) == 0); });
}

CASE(Preempt, OfABlockedWorker)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) {
		CHECK(Cas(&me.me->t.state, RUNNING, RUNNING | PREEMPTED));
		SleepMs(200);
	});
	Slot *it = s.Next();

	CHECK(s.Run(it) == (BLOCKED | PREEMPTED));
	CHECK(s.Next() == it);
	CHECK(Load(&it->t.state) == IDLE);
	s.RunToEnd(it);
}

CASE(Preempt, KickOfABlockedWorkerInterruptsNothing)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &) {
		timespec t = { 0, 200000000 };

		CHECK(syscall(SYS_nanosleep, &t, nullptr) == 0);
	});
	Slot *it = s.Next();

	CHECK(s.Run(it) == BLOCKED);
	CHECK(d.Preempt(it->tid) == 0);
	CHECK(s.Next() == it);
	s.RunToEnd(it);
}

CASE(Preempt, UnmarkedGoesOn)
{
	Domain d;
	Server s(d);
	std::atomic<bool> stop{ false };
	Worker w(d, [&](Worker &) {
		while (!stop)
			;
	});
	Slot *it = s.Next();
	std::thread t([&] {
		CHECK(Eventually(
			[&] { return Load(&it->t.state) == RUNNING; }));
		for (int i = 0; i < 50; i++)
			CHECK(d.Preempt(it->tid) == 0);
		CHECK(Load(&it->t.state) == RUNNING);
		stop = true;
	});

	CHECK(s.Run(it) == NONE);
	t.join();
}

CASE(Preempt, OfWhoIsNoWorker)
{
	Domain d;
	Server s(d);

	CHECK(Fails(d.Preempt(s.me->tid), EINVAL));
	CHECK(Fails(d.Preempt(1), ESRCH));
	CHECK(Fails(d.Preempt(0xffffffffu), EINVAL));
}

} // namespace
