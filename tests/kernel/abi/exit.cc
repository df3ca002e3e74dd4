// SPDX-License-Identifier: Apache-2.0
//
// exit.cc - exit in each state, fork and exec.

#include "tests/kernel/abi/abi.h"

namespace
{

CASE(Exit, OfARunningWorkerWakesItsServer)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &) { syscall(SYS_exit, 0); });
	Slot *it = s.Next();

	CHECK(s.Run(it) == NONE);
	w.thread.detach();
	CHECK(Fails(d.Wake(it->tid), ESRCH));
	_exit(0);
}

CASE(Exit, OfALockedWorkerWakesItsServer)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &me) {
		me.Lock();
		syscall(SYS_exit, 0);
	});

	s.Prepare(s.Next());
	CHECK(d.Wait() == 0);
	_exit(0);
}

CASE(Exit, RunningADeadWorkerFails)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &) { syscall(SYS_exit, 0); });
	Slot *it = s.Next();

	CHECK(s.Run(it) == NONE);
	s.me->t.next_tid = it->tid;
	s.SetState(IDLE);
	CHECK(Fails(d.Wait(), ESRCH));
	_exit(0);
}

CASE(Exit, OfTheServerLeavesItsWorkerWithoutOne)
{
	int status = InChild([] {
		Domain d;
		std::atomic<bool> gone{ false };
		std::thread server([&] {
			Server s(d);
			Slot *it = s.Next();

			s.Prepare(it);
			CHECK(d.Wait(UMCG_WAIT_WAKE_ONLY) == 0);
			syscall(SYS_exit, 0);
		});
		server.detach();
		Worker w(d, [&](Worker &me) {
			while (Load(&me.me->server->t.state) != NONE)
				;
			Block();
		});
		SleepMs(20000);
	});

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* Workers in every state there is; then the process is killed. */
CASE(Exit, KilledInEveryState)
{
	int tasks = ModuleCount("tasks"), domains = ModuleCount("domains");

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			Domain d;
			Server s(d);
			Worker idle(d, [](Worker &) {});
			Worker yields(d, [](Worker &me) { me.Yield(); });
			Worker blocks(d, [](Worker &) { SleepMs(60000); });
			Worker locked(d, [](Worker &me) {
				me.Lock();
				Worker::MakeRunning(me.me->server);
				me.d.Wake(me.me->server->tid);
				SleepMs(60000);
			});
			Worker runs(d, [](Worker &) {
				for (;;)
					;
			});
			std::deque<Slot *> all;

			for (int k = 0; k < 5; k++)
				all.push_back(s.Next());
			for (Slot *it : all)
				if (it == yields.me || it == blocks.me)
					s.Run(it);
			s.Prepare(locked.me);
			d.Wait();
			s.SetState(RUNNING);
			s.Run(runs.me);
			_exit(1);
		}
		SleepMs(30 + i * 5);
		CHECK(kill(pid, SIGKILL) == 0);
		int status;
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	CHECK(Eventually([&] { return ModuleCount("tasks") <= tasks; }));
	CHECK(Eventually([&] { return ModuleCount("domains") <= domains; }));
}

CASE(Exit, ChildOfAForkIsNotRegistered)
{
	Domain d;
	Server s(d);
	int status = InChild([&] {
		CHECK(Fails(d.Wait(), EINVAL));
		/* Nor has it the arena. */
		unsigned char vec;
		CHECK(mincore(d.base, 4096, &vec) == -1 && errno == ENOMEM);
	});

	CHECK(status == 0);
	CHECK(Load(&s.me->t.state) == RUNNING);
}

CASE(Exit, ExecEndsTheRegistration)
{
	int tasks = ModuleCount("tasks");
	int status = InChild([] {
		Domain d;
		Server s(d);
		Worker w(d, [](Worker &) {
			execl("/bin/true", "true", (char *)nullptr);
			_exit(1);
		});

		s.RunToEnd(s.Next());
		for (;;)
			SleepMs(1000);
	});

	CHECK(status == 0);
	CHECK(Eventually([&] { return ModuleCount("tasks") <= tasks; }));
}

} // namespace
