// SPDX-License-Identifier: Apache-2.0
//
// switch.cc - context switches: who runs next, and who hears of it.

#include "tests/kernel/abi/abi.h"

namespace
{

CASE(Switch, ServerToWorkerAndBack)
{
	Domain d;
	Server s(d);
	int rounds = 0;
	Worker w(d, [&](Worker &me) {
		for (int i = 0; i < 1000; i++) {
			CHECK(Load(&me.me->t.state) == RUNNING);
			CHECK(Load(&s.me->t.state) == IDLE);
			rounds++;
			CHECK(me.Yield() == 0);
		}
	});
	Slot *it = s.Next();

	for (int i = 0; i < 1000; i++) {
		CHECK(s.Run(it) == IDLE);
		CHECK(Load(&s.me->t.state) == RUNNING);
		CHECK(rounds == i + 1);
	}
	CHECK(s.Run(it) == NONE);
	/* Who yields is not on the list. */
	s.Drain();
	CHECK(s.idle.empty());
}

CASE(Switch, WorkerToWorker)
{
	Domain d;
	Server s(d);
	Slot *a_slot = nullptr, *b_slot = nullptr;
	int order = 0;
	Worker a(d, [&](Worker &me) {
		for (int i = 0; i < 500; i++) {
			CHECK(order++ == 2 * i);
			CHECK(me.SwitchTo(b_slot) == 0);
			CHECK(Server::StateOf(b_slot) == IDLE);
		}
	});
	a_slot = s.Next();
	Worker b(d, [&](Worker &me) {
		for (int i = 0; i < 500; i++) {
			CHECK(order++ == 2 * i + 1);
			CHECK(Server::StateOf(a_slot) == IDLE);
			CHECK(me.SwitchTo(a_slot) == 0);
		}
	});
	b_slot = s.Next();
	CHECK(a_slot == a.me && b_slot == b.me);
	CHECK(s.Run(a_slot) == NONE);
	CHECK(order == 1000);
	CHECK(s.Run(b_slot) == NONE);
}

CASE(Switch, TheServerGoesWithTheWorker)
{
	Domain d;
	Server s(d);
	Slot *b_slot = nullptr;
	Worker a(d, [&](Worker &me) { me.SwitchTo(b_slot); });
	Slot *a_slot = s.Next();
	Worker b(d, [](Worker &) { SleepMs(200); });

	b_slot = s.Next();
	/* B blocks: the server of A, which is B's now, hears of it. */
	CHECK(s.Run(a_slot) == IDLE);
	CHECK(Server::StateOf(b_slot) == BLOCKED);
	CHECK(s.Next() == b_slot);
	s.RunToEnd(b_slot);
	s.RunToEnd(a_slot);
}

CASE(Switch, ServerToServer)
{
	Domain d;
	Slot *slots[2] = { nullptr, nullptr };
	std::atomic<int> ready{ 0 };
	int order = 0;
	auto main = [&](int which) {
		Server s(d);
		Slot *other;

		slots[which] = s.me;
		ready++;
		CHECK(Eventually([&] { return ready == 2; }));
		other = slots[!which];
		s.me->t.next_tid = other->tid;
		for (int i = 0; i < 1000; i++) {
			if (which == 0 || i > 0) {
				CHECK(order == 2 * i + which);
			} else {
				s.SetState(IDLE);
				s.me->t.next_tid = 0;
				CHECK(d.Wait() == 0);
				s.me->t.next_tid = other->tid;
				CHECK(order == 1);
			}
			order++;
			if (which == 1 && i == 999)
				break;
			s.SetState(IDLE);
			CHECK(Eventually(
				[&] { return Load(&other->t.state) == IDLE; }));
			Store(&other->t.state, RUNNING);
			if (which == 0 && i == 999)
				CHECK(d.Wait(UMCG_WAIT_WAKE_ONLY) == 0);
			else
				CHECK(d.Wait() == 0);
		}
		s.SetState(RUNNING);
	};
	std::thread other(main, 1);

	main(0);
	other.join();
	CHECK(order == 2000);
}

} // namespace
