// SPDX-License-Identifier: Apache-2.0
//
// wait.cc - waiting, waking only, and time-outs.

#include "tests/kernel/abi/abi.h"

namespace
{

CASE(Wait, ErrorsChangeNothing)
{
	Domain d;

	CHECK(Fails(d.Wait(), EINVAL)); /* not registered */
	Server s(d);
	CHECK(Fails(d.Wait(4), EINVAL));
	CHECK(Fails(d.Wait(UMCG_WAIT_WAKE_ONLY), EINVAL)); /* whom? */
	umcg_wait_args a = { 0, 1, 0 };
	CHECK(Fails(ioctl(d.fd, UMCG_IOC_WAIT, &a), EINVAL));
	CHECK(Fails(ioctl(d.fd, UMCG_IOC_WAIT, 8), EFAULT));
	for (uint32_t state : { NONE, BLOCKED, IDLE | LOCKED, RUNNING | LOCKED,
				IDLE | 0x10000u }) {
		s.SetState(state);
		CHECK(Fails(d.Wait(), EINVAL));
		CHECK(Load(&s.me->t.state) == state);
	}
	s.SetState(IDLE);
	s.me->t.next_tid = s.me->tid;
	CHECK(Fails(d.Wait(), EINVAL));
	s.me->t.next_tid = 1; /* init, which is not registered */
	CHECK(Fails(d.Wait(), ESRCH));
	CHECK(Fails(d.Wait(UMCG_WAIT_WAKE_ONLY), ESRCH));
	s.me->t.next_tid = 0x7fffffff;
	CHECK(Fails(d.Wait(), ESRCH));
	s.SetState(RUNNING);
}

CASE(Wait, WorkerMustBeIdleAndLocked)
{
	Domain d;
	Server s(d);
	Worker w(d, [&](Worker &me) {
		for (uint32_t state :
		     { RUNNING, IDLE, IDLE | PREEMPTED, BLOCKED,
		       IDLE | LOCKED | PREEMPTED, RUNNING | LOCKED }) {
			Store(&me.me->t.state, state);
			CHECK(Fails(d.Wait(), EINVAL));
			CHECK(Load(&me.me->t.state) == state);
		}
		/* Nobody to switch to: still locked. */
		uint32_t server = me.me->t.next_tid;
		Store(&me.me->t.state, IDLE | LOCKED);
		me.me->t.next_tid = 0x7fffffff;
		CHECK(Fails(d.Wait(), ESRCH));
		CHECK(Load(&me.me->t.state) == (IDLE | LOCKED));
		me.me->t.next_tid = server;
		Store(&me.me->t.state, RUNNING);
	});

	s.RunToEnd(s.Next());
}

CASE(Wait, RunningReturnsAtOnce)
{
	Domain d;
	Server s(d);

	CHECK(d.Wait() == 0);
}

CASE(Wait, ThroughTheOwnDomainOnly)
{
	Domain d, other;
	Server s(d);

	CHECK(Fails(other.Wait(), EINVAL));
	CHECK(Fails(other.Ctl(UMCG_CTL_UNREGISTER, nullptr), EINVAL));
}

CASE(Wait, TimeIsOver)
{
	Domain d;
	Server s(d);

	for (uint64_t until : { (uint64_t)1, NowNs(), InMs(20) }) {
		s.SetState(IDLE);
		CHECK(Fails(d.Wait(0, until), ETIMEDOUT));
		CHECK(NowNs() >= until);
		CHECK(Load(&s.me->t.state) == IDLE);
	}
	s.SetState(RUNNING);
}

CASE(Wait, WokenBeforeItsTime)
{
	Domain d;
	Server s(d);
	std::thread waker([&] {
		SleepMs(10);
		CHECK(Cas(&s.me->t.state, IDLE, RUNNING));
		CHECK(d.Wake(s.me->tid) == 0);
	});

	s.SetState(IDLE);
	CHECK(d.Wait(0, ~0ull) == 0);
	waker.join();
}

CASE(Wait, OfAWorkerTimesOut)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) {
		CHECK(Fails(me.Yield(InMs(20)), ETIMEDOUT));
		/* Not before a server ran it. */
		CHECK(Load(&me.me->t.state) == RUNNING);
	});
	Slot *it = s.Next();

	CHECK(s.Run(it) == IDLE);
	CHECK(s.Next() == it);
	CHECK(s.Run(it) == NONE);
}

CASE(Wait, OfAWorkerRunBeforeItsTime)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) { CHECK(me.Yield(InMs(60000)) == 0); });
	Slot *it = s.Next();

	CHECK(s.Run(it) == IDLE);
	CHECK(s.Run(it) == NONE);
}

CASE(Wait, OfAWorkerWithoutANext)
{
	Domain d;
	Server s(d);
	Worker w(d, [&](Worker &me) {
		Slot *server = me.me->server;

		me.Lock();
		me.me->t.next_tid = 0;
		Worker::MakeRunning(server);
		CHECK(d.Wake(server->tid) == 0);
		CHECK(d.Wait() == 0);
	});
	Slot *it = s.Next();

	CHECK(s.Run(it) == IDLE);
	CHECK(s.Run(it) == NONE);
}

CASE(Wake, ServerWakesServer)
{
	Domain d;
	Server s(d);
	std::atomic<Slot *> other{ nullptr };
	std::thread t([&] {
		Server mine(d);

		mine.SetState(IDLE);
		other = mine.me;
		CHECK(d.Wait() == 0);
		CHECK(Load(&mine.me->t.state) == RUNNING);
	});

	CHECK(Eventually([&] { return other.load() != nullptr; }));
	CHECK(Cas(&other.load()->t.state, IDLE, RUNNING));
	s.me->t.next_tid = other.load()->tid;
	/* The waker stays RUNNING. */
	CHECK(d.Wait(UMCG_WAIT_WAKE_ONLY | UMCG_WAIT_WF_CURRENT_CPU) == 0);
	CHECK(Load(&s.me->t.state) == RUNNING);
	t.join();
}

CASE(Wake, WorkerWithoutServerGoesBackToTheList)
{
	Domain d;
	Server s(d);
	std::atomic<bool> ran{ false };
	Worker w(d, [&](Worker &) { ran = true; });
	Slot *it = s.Next();

	it->t.idle_workers_ptr = (uint64_t)d.head;
	Store(&s.me->t.next_tid, it->tid);
	Store(&it->t.next_tid, 0);
	CHECK(Cas(&it->t.state, IDLE, RUNNING));
	CHECK(d.Wait(UMCG_WAIT_WAKE_ONLY) == 0);
	CHECK(s.Next() == it);
	CHECK(Load(&it->t.state) == IDLE);
	CHECK(!ran);
	CHECK(s.Run(it) == NONE);
}

CASE(Wake, WorkerWakesWorker)
{
	Domain d;
	Server s(d);
	Slot *b_slot = nullptr;
	Worker a(d, [&](Worker &me) {
		uint32_t server = me.me->t.next_tid;

		b_slot->t.idle_workers_ptr = (uint64_t)d.head;
		Store(&b_slot->t.next_tid, 0);
		me.Lock();
		Store(&me.me->t.next_tid, b_slot->tid);
		CHECK(Cas(&b_slot->t.state, IDLE, RUNNING));
		CHECK(d.Wait(UMCG_WAIT_WAKE_ONLY) == 0);
		Store(&me.me->t.next_tid, server);
		me.Unlock();
	});
	Slot *a_slot = s.Next();
	Worker b(d, [](Worker &) {});

	b_slot = s.Next();
	CHECK(s.Run(a_slot) == NONE);
	CHECK(s.Next() == b_slot);
	CHECK(s.Run(b_slot) == NONE);
}

CASE(Wake, ByAThreadThatIsNotRegistered)
{
	Domain d;
	Server s(d);

	CHECK(Fails(d.Wake(s.me->tid), EINVAL)); /* oneself */
	CHECK(Fails(d.Wake(1), ESRCH));
	CHECK(Fails(d.Wake(0), ESRCH));
	CHECK(Fails(d.Wake(0xffffffffu), EINVAL));
	std::thread t([&] {
		CHECK(Eventually([&] { return Load(&s.me->t.state) == IDLE; }));
		Store(&s.me->t.state, RUNNING);
		CHECK(d.Wake(s.me->tid) == 0);
	});
	s.SetState(IDLE);
	CHECK(d.Wait() == 0);
	t.join();
}

CASE(Wake, WithoutANewStateIsNone)
{
	Domain d;
	Server s(d);
	std::atomic<bool> done{ false };
	std::thread t([&] {
		for (int i = 0; i < 20; i++) {
			CHECK(d.Wake(s.me->tid) == 0);
			SleepMs(1);
		}
		done = true;
		Store(&s.me->t.state, RUNNING);
		CHECK(d.Wake(s.me->tid) == 0);
	});

	s.SetState(IDLE);
	CHECK(d.Wait() == 0);
	CHECK(done);
	t.join();
}

} // namespace
