// SPDX-License-Identifier: Apache-2.0
//
// cross.cc - servers of several processes, and who may switch to whose.

#include "tests/kernel/abi/abi.h"

namespace
{

/* The other process's server waits; this one's switches to it. */
void CrossCase(uid_t mine, uid_t others, int err)
{
	Domain d;
	Slot *theirs = d.New();
	pid_t pid = fork();

	if (pid == 0) {
		Domain same(d.fd);
		Slot *me = (Slot *)(same.base + ((char *)theirs - d.base));

		CHECK(setresuid(others, others, others) == 0);
		me->t.state = RUNNING;
		CHECK(same.Ctl(UMCG_CTL_REGISTER, &me->t) == 0);
		Store(&me->t.state, IDLE);
		Store(&me->tid, Tid());
		while (same.Wait(0, InMs(10)) && !Load(&me->t.next_tid))
			CHECK(errno == ETIMEDOUT);
		_exit(0);
	}
	CHECK(Eventually([&] { return Load(&theirs->tid) != 0; }));
	Server s(d);
	CHECK(setresuid(mine, mine, mine) == 0);
	s.me->t.next_tid = theirs->tid;
	if (err) {
		CHECK(Fails(d.Wait(UMCG_WAIT_WAKE_ONLY), err));
		s.SetState(IDLE);
		CHECK(Fails(d.Wait(), err));
		CHECK(Fails(d.Wake(theirs->tid), err));
		s.SetState(RUNNING);
		Store(&theirs->t.next_tid, s.me->tid); /* ends it */
	} else {
		CHECK(Eventually(
			[&] { return Load(&theirs->t.state) == IDLE; }));
		Store(&theirs->t.state, RUNNING);
		CHECK(d.Wait(UMCG_WAIT_WAKE_ONLY) == 0);
	}
	CHECK(waitpid(pid, nullptr, 0) == pid);
}

CASE(Cross, ServersOfOneUser)
{
	CrossCase(1000, 1000, 0);
}

CASE(Cross, RootWakesAnybody)
{
	CrossCase(0, 1000, 0);
}

CASE(Cross, NotAnotherUsers)
{
	CrossCase(1000, 1001, EPERM);
}

CASE(Cross, NoWorkersOfOthers)
{
	Domain d;
	int up[2], down[2];
	uint32_t tid = 0;
	char c;

	CHECK(pipe(up) == 0 && pipe(down) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		Domain own;
		Worker w(own, [](Worker &) {});

		CHECK(Eventually(
			[&] { return *(volatile uint64_t *)own.head != 0; }));
		tid = Load(&w.me->tid);
		CHECK(write(up[1], &tid, sizeof(tid)) == sizeof(tid));
		CHECK(read(down[0], &c, 1) == 1);
		_exit(0);
	}
	CHECK(read(up[0], &tid, sizeof(tid)) == sizeof(tid));
	Server s(d);
	CHECK(Fails(d.Wake(tid), EINVAL));
	CHECK(Fails(d.Preempt(tid), EINVAL));
	s.me->t.next_tid = tid;
	CHECK(Fails(d.Wait(UMCG_WAIT_WAKE_ONLY), EINVAL));
	CHECK(write(down[1], "x", 1) == 1);
	CHECK(waitpid(pid, nullptr, 0) == pid);
}

} // namespace
