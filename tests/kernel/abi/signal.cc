// SPDX-License-Identifier: Apache-2.0
//
// signal.cc - signals, to workers and servers in each state.

#include "tests/kernel/abi/abi.h"

namespace
{

std::atomic<int> handled{ 0 };

void Count(int)
{
	handled++;
}

CASE(Signal, IdleServerReturnsEintr)
{
	Domain d;
	Server s(d);
	std::thread t([&] {
		SleepMs(20);
		syscall(SYS_tgkill, getpid(), s.me->tid, SIGUSR1);
	});

	signal(SIGUSR1, Count);
	s.SetState(IDLE);
	CHECK(Fails(d.Wait(), EINTR));
	CHECK(handled == 1);
	CHECK(Load(&s.me->t.state) == IDLE);
	s.SetState(RUNNING);
	t.join();
}

CASE(Signal, BlockedWorkerHandlesItOnceItIsRun)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &) {
		timespec t = { 30, 0 };

		CHECK(Fails((int)syscall(SYS_nanosleep, &t, nullptr), EINTR));
	});
	Slot *it = s.Next();

	signal(SIGUSR1, Count);
	CHECK(s.Run(it) == BLOCKED);
	syscall(SYS_tgkill, getpid(), it->tid, SIGUSR1);
	CHECK(s.Next() == it);
	SleepMs(10);
	CHECK(handled == 0);
	s.RunToEnd(it);
	CHECK(handled == 1);
}

CASE(Signal, IdleWorkerIsLeftAlone)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) { CHECK(me.Yield() == 0); });
	Slot *it = s.Next();

	signal(SIGUSR1, Count);
	CHECK(s.Run(it) == IDLE);
	syscall(SYS_tgkill, getpid(), it->tid, SIGUSR1);
	SleepMs(10);
	CHECK(handled == 0);
	CHECK(Load(&it->t.state) == IDLE);
	CHECK(s.Run(it) == NONE);
	CHECK(handled == 1);
}

} // namespace
