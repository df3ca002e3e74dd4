// SPDX-License-Identifier: Apache-2.0
//
// register.cc - registering, and the way back.

#include "tests/kernel/abi/abi.h"

namespace
{

CASE(Register, ServerStaysRunning)
{
	Domain d;
	Server s(d);

	CHECK(Load(&s.me->t.state) == RUNNING);
	SleepMs(1); /* it may block without being anything but RUNNING */
	CHECK(Load(&s.me->t.state) == RUNNING);
	s.Unregister();
	CHECK(Load(&s.me->t.state) == NONE);
}

CASE(Register, ServerMustBeRunningAndElseZero)
{
	Domain d;
	umcg_task *t = &d.New()->t;

	for (uint32_t state : { NONE, IDLE, BLOCKED, RUNNING | LOCKED,
				RUNNING | PREEMPTED, RUNNING | 0x10000u }) {
		t->state = state;
		CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, t), EINVAL));
	}
	t->state = RUNNING;
	t->next_tid = Tid();
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, t), EINVAL));
	t->next_tid = 0;
	t->idle_workers_ptr = (uint64_t)d.head;
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, t), EINVAL));
	t->idle_workers_ptr = 0;
	t->idle_server_tid_ptr = (uint64_t)d.idle_tid;
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, t), EINVAL));
	t->idle_server_tid_ptr = 0;
	CHECK(d.Ctl(UMCG_CTL_REGISTER, t) == 0);
}

CASE(Register, WorkerMustBeIdleWithItsPointers)
{
	const uint32_t flags = UMCG_CTL_REGISTER | UMCG_CTL_WORKER;
	Domain d;
	umcg_task *t = &d.New()->t;
	uint64_t out = (uint64_t)d.base + d.SIZE;
	const umcg_task good = { IDLE, 0, (uint64_t)d.head,
				 (uint64_t)d.idle_tid };

	for (uint32_t state : { NONE, RUNNING, BLOCKED, IDLE | LOCKED,
				IDLE | PREEMPTED, IDLE | 0x800000u }) {
		*t = good;
		t->state = state;
		CHECK(Fails(d.Ctl(flags, t), EINVAL));
	}
	*t = good;
	t->next_tid = Tid();
	CHECK(Fails(d.Ctl(flags, t), EINVAL));
	for (uint64_t bad : { (uint64_t)0, (uint64_t)&t, out, out - 4,
			      (uint64_t)d.base - 8, (uint64_t)d.base + 2 }) {
		*t = good;
		t->idle_workers_ptr = bad;
		CHECK(Fails(d.Ctl(flags, t), EINVAL));
	}
	for (uint64_t bad : { (uint64_t)0, (uint64_t)&t, out,
			      (uint64_t)d.base - 4, (uint64_t)d.base + 2 }) {
		*t = good;
		t->idle_server_tid_ptr = bad;
		CHECK(Fails(d.Ctl(flags, t), EINVAL));
	}
}

CASE(Register, SelfMustLieInTheArena)
{
	Domain d;
	umcg_task outside = { RUNNING, 0, 0, 0 };
	int fd = open("/dev/umcg", O_RDWR);
	umcg_ctl_args a = { UMCG_CTL_REGISTER, 0, (uint64_t)&d.New()->t };

	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, nullptr), EINVAL));
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, &outside), EINVAL));
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, d.base + 4), EINVAL));
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, d.base + d.SIZE - 16), EINVAL));
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, d.base + d.SIZE), EINVAL));
	/* Another domain's, and one without an arena. */
	CHECK(Fails(ioctl(fd, UMCG_IOC_CTL, &a), EINVAL));
	CHECK(Fails(ioctl(d.fd, UMCG_IOC_CTL, 8), EFAULT));
}

CASE(Register, FlagsAreChecked)
{
	Domain d;
	Slot *s = d.New();

	s->t.state = RUNNING;
	for (uint32_t flags : { 0u, (uint32_t)UMCG_CTL_WORKER,
				UMCG_CTL_REGISTER | UMCG_CTL_UNREGISTER,
				UMCG_CTL_UNREGISTER | UMCG_CTL_WORKER,
				UMCG_CTL_REGISTER | 4u }) {
		CHECK(Fails(d.Ctl(flags, &s->t), EINVAL));
		CHECK(Fails(d.Ctl(flags, nullptr), EINVAL));
	}
	umcg_ctl_args a = { UMCG_CTL_REGISTER, 1, (uint64_t)&s->t };
	CHECK(Fails(ioctl(d.fd, UMCG_IOC_CTL, &a), EINVAL));
}

CASE(Register, OnceOnly)
{
	Domain d;
	Server s(d);
	Slot *other = d.New();

	other->t.state = RUNNING;
	CHECK(Fails(d.Ctl(UMCG_CTL_REGISTER, &other->t), EBUSY));
}

CASE(Register, WorkerIsIdleUntilRun)
{
	Domain d;
	std::atomic<bool> ran{ false };
	Server s(d);
	Worker w(d, [&](Worker &) { ran = true; });

	CHECK(s.Next() == w.me); /* woken as the idle server */
	CHECK(Load(d.idle_tid) == 0);
	CHECK(Load(&w.me->t.state) == IDLE);
	SleepMs(20);
	CHECK(!ran);
	CHECK(s.Run(w.me) == NONE);
	CHECK(ran);
}

CASE(Unregister, NeedsARegistrationAndNoSelf)
{
	Domain d;

	CHECK(Fails(d.Ctl(UMCG_CTL_UNREGISTER, nullptr), EINVAL));
	Server s(d);
	CHECK(Fails(d.Ctl(UMCG_CTL_UNREGISTER, &s.me->t), EINVAL));
}

CASE(Unregister, ServerMustBeRunning)
{
	Domain d;
	Server s(d);

	s.SetState(IDLE);
	CHECK(Fails(d.Ctl(UMCG_CTL_UNREGISTER, nullptr), EINVAL));
	s.SetState(RUNNING);
}

CASE(Unregister, OfARunningWorkerGivesTheServerBack)
{
	Domain d;
	Server s(d);
	Worker w(d, [&](Worker &me) {
		CHECK(d.Ctl(UMCG_CTL_UNREGISTER, nullptr) == 0);
		CHECK(Load(&me.me->t.state) == NONE);
	});

	CHECK(s.Run(s.Next()) == NONE);
}

CASE(Unregister, OfALockedWorker)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) { me.End(); });

	CHECK(s.Run(s.Next()) == NONE);
}

CASE(Unregister, NotAsAnIdleWorker)
{
	Domain d;
	Server s(d);
	Worker w(d, [&](Worker &me) {
		Store(&me.me->t.state, IDLE);
		CHECK(Fails(d.Ctl(UMCG_CTL_UNREGISTER, nullptr), EINVAL));
		Store(&me.me->t.state, RUNNING);
	});

	s.RunToEnd(s.Next());
}

CASE(Unregister, ThenRegisterAgain)
{
	Domain d;

	for (int i = 0; i < 100; i++) {
		Server s(d);
	}
}

} // namespace
