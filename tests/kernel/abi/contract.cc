// SPDX-License-Identifier: Apache-2.0
//
// contract.cc - a broken contract is SIGSEGV.

#include "tests/kernel/abi/abi.h"

namespace
{

/* The body breaks it: the process dies by SIGSEGV. */
void BreakCase(const std::function<void(Domain &, Worker &)> &how)
{
	int status = InChild([&] {
		Domain d;
		Server s(d);
		Worker w(d, [&](Worker &me) { how(d, me); });

		s.Run(s.Next());
		for (;;)
			s.Next(InMs(100));
	});

	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGSEGV);
}

CASE(Contract, BlocksWithoutAServer)
{
	BreakCase([](Domain &, Worker &me) {
		Store(&me.me->t.next_tid, 0);
		Block();
	});
}

CASE(Contract, BlocksWithANextThatIsNobody)
{
	BreakCase([](Domain &, Worker &me) {
		Store(&me.me->t.next_tid, 0x7fffffff);
		Block();
	});
}

CASE(Contract, BlocksWithItselfAsServer)
{
	BreakCase([](Domain &, Worker &me) {
		Store(&me.me->t.next_tid, me.me->tid);
		Block();
	});
}

CASE(Contract, BlocksWhileItsServerIsNotIdle)
{
	BreakCase([](Domain &, Worker &me) {
		Store(&me.me->server->t.state, RUNNING);
		Block();
	});
}

CASE(Contract, BlocksWhileIdle)
{
	BreakCase([](Domain &, Worker &me) {
		Store(&me.me->t.state, IDLE);
		Block();
	});
}

CASE(Contract, BlocksWithReservedBits)
{
	BreakCase([](Domain &, Worker &me) {
		Store(&me.me->t.state, RUNNING | 0x10000);
		Block();
	});
}

CASE(Contract, ComesBackToNoList)
{
	BreakCase([](Domain &, Worker &me) {
		me.me->t.idle_workers_ptr = 8;
		Block();
	});
}

CASE(Contract, ComesBackToNoIdleServerWord)
{
	BreakCase([](Domain &d, Worker &me) {
		me.me->t.idle_server_tid_ptr = (uint64_t)d.base - 4;
		Block();
	});
}

CASE(Contract, ChangedWhileBlocked)
{
	int status = InChild([] {
		Domain d;
		Server s(d);
		Worker w(d, [](Worker &) { SleepMs(300); });
		Slot *it = s.Next();

		CHECK(s.Run(it) == BLOCKED);
		Store(&it->t.state, RUNNING);
		for (;;)
			s.Next(InMs(100));
	});

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

CASE(Contract, PreemptedWhileItsServerIsNotIdle)
{
	BreakCase([](Domain &d, Worker &me) {
		Store(&me.me->server->t.state, RUNNING);
		Store(&me.me->t.state, RUNNING | PREEMPTED);
		d.Preempt(me.me->tid);
		for (;;)
			;
	});
}

} // namespace
