// SPDX-License-Identifier: Apache-2.0
//
// abi_test.cc - the ABI v0.4 as /dev/umcg has it, transition by transition and
// error by error. Each case names what of the ABI it shows.

#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <vector>

#include "tests/kernel/world.h"

namespace
{

const uint32_t RUNNING = UMCG_TASK_RUNNING, IDLE = UMCG_TASK_IDLE,
	       BLOCKED = UMCG_TASK_BLOCKED, NONE = UMCG_TASK_NONE,
	       LOCKED = UMCG_TF_LOCKED, PREEMPTED = UMCG_TF_PREEMPTED;

bool Fails(int r, int err)
{
	return r == -1 && errno == err;
}

/* --- the device ----------------------------------------------------------------- */

CASE(Device, TellsItsVersion)
{
	Domain d;

	CHECK(ioctl(d.fd, UMCG_IOC_VERSION) == UMCG_ABI_VERSION);
	CHECK(Fails(ioctl(d.fd, _IO(UMCG_IOC_MAGIC, 99)), ENOTTY));
}

CASE(Device, ArenaIsSharedMemoryOfOneSize)
{
	Domain d;
	const int rw = PROT_READ | PROT_WRITE;

	d.base[100] = 42;
	char *again = (char *)mmap(nullptr, d.SIZE, rw, MAP_SHARED, d.fd, 0);
	CHECK(again != MAP_FAILED && again[100] == 42);
	CHECK(mmap(nullptr, d.SIZE, rw, MAP_PRIVATE, d.fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mmap(nullptr, d.SIZE / 2, rw, MAP_SHARED, d.fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mmap(nullptr, d.SIZE, rw, MAP_SHARED, d.fd, 4096) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mremap(again, d.SIZE, d.SIZE * 2, MREMAP_MAYMOVE) == MAP_FAILED);

	int fd = open("/dev/umcg", O_RDWR);
	CHECK(mmap(nullptr, 128 << 20, rw, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
}

CASE(Device, ArenaCountsAsLockedMemory)
{
	const rlimit none = { 65536, 65536 };
	int fd = open("/dev/umcg", O_RDWR);

	CHECK(fd >= 0);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
	CHECK(setuid(1000) == 0);
	CHECK(mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0) == MAP_FAILED);
	CHECK(errno == ENOMEM);
	CHECK(mmap(nullptr, 1 << 14, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0) != MAP_FAILED);
}

/* --- registration ----------------------------------------------------------------- */

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

/* --- unregistering ------------------------------------------------------------------ */

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

/* --- switches -------------------------------------------------------------------------- */

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

/* --- wait and wake ------------------------------------------------------------------------ */

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

/* --- block and wake detection --------------------------------------------------------------- */

/* The worker blocks in what; then somebody ends that. */
void BlockCase(const std::function<void()> &what,
	       const std::function<void()> &end)
{
	Domain d;
	Server s(d);
	std::atomic<bool> back{ false };
	Worker w(d, [&](Worker &me) {
		what();
		back = true;
		CHECK(Load(&me.me->t.state) == RUNNING);
	});
	Slot *it = s.Next();

	CHECK(s.Run(it) == BLOCKED);
	CHECK(Load(&s.me->t.state) == RUNNING);
	CHECK(!back);
	end();
	/* Wakes this server, which waits as the idle one. */
	CHECK(s.Next() == it);
	CHECK(Load(&it->t.state) == IDLE);
	SleepMs(5);
	CHECK(!back); /* not in user mode without a server */
	s.RunToEnd(it);
	CHECK(back);
}

CASE(Block, Nanosleep)
{
	BlockCase([] { SleepMs(200); }, [] {});
}

CASE(Block, Pipe)
{
	int fd[2];
	char c = 0;

	CHECK(pipe(fd) == 0);
	BlockCase([&] { CHECK(read(fd[0], &c, 1) == 1); },
		  [&] { CHECK(write(fd[1], "x", 1) == 1); });
	CHECK(c == 'x');
}

CASE(Block, Futex)
{
	static uint32_t word;

	BlockCase([] { syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr); },
		  [] {
			  word = 1;
			  CHECK(syscall(SYS_futex, &word, FUTEX_WAKE, 1) == 1);
		  });
}

CASE(Block, Socket)
{
	int fd[2];
	char c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	BlockCase([&] { CHECK(read(fd[0], &c, 1) == 1); },
		  [&] { CHECK(write(fd[1], "x", 1) == 1); });
}

CASE(Block, Wait4)
{
	int fd[2];
	pid_t child;

	CHECK(pipe(fd) == 0);
	child = fork();
	if (child == 0) {
		char c;

		close(fd[1]);
		_exit(read(fd[0], &c, 1) == 1 ? 0 : 1);
	}
	BlockCase([&] { CHECK(waitpid(child, nullptr, 0) == child); },
		  [&] { CHECK(write(fd[1], "x", 1) == 1); });
}

CASE(Block, Vfork)
{
	int fd[2];

	CHECK(pipe(fd) == 0);
	BlockCase(
		[&] {
			char c;
			pid_t pid = vfork();

			if (pid == 0) {
				syscall(SYS_read, fd[0], &c, 1);
				_exit(0);
			}
			CHECK(waitpid(pid, nullptr, 0) == pid);
		},
		[&] { CHECK(write(fd[1], "x", 1) == 1); });
}

CASE(Block, PageFault)
{
	const long page = 4096;
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	uffdio_api api = {};
	uffdio_register reg = {};
	static char from[page];
	char *at;

	if (uffd < 0)
		_exit(SKIPPED);
	api.api = UFFD_API;
	CHECK(ioctl(uffd, UFFDIO_API, &api) == 0);
	at = (char *)mmap(nullptr, page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uint64_t)at;
	reg.range.len = page;
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	CHECK(ioctl(uffd, UFFDIO_REGISTER, &reg) == 0);
	from[7] = 'p';
	BlockCase([&] { CHECK(*(volatile char *)(at + 7) == 'p'); },
		  [&] {
			  uffdio_copy copy = {};

			  copy.dst = (uint64_t)at;
			  copy.src = (uint64_t)from;
			  copy.len = page;
			  CHECK(ioctl(uffd, UFFDIO_COPY, &copy) == 0);
		  });
}

CASE(Block, AgainAndAgain)
{
	Domain d;
	Server s(d);
	Worker w(d, [](Worker &) {
		for (int i = 0; i < 200; i++)
			SleepMs(0 + (i % 3 == 0));
	});
	int blocks = 0;

	for (Slot *it = s.Next(); s.Run(it) != NONE; it = s.Next())
		blocks++;
	CHECK(blocks >= 60);
}

CASE(Block, LockedIsNotDetected)
{
	Domain d;
	Server s(d);
	std::atomic<int> seen{ 0 };
	Worker w(d, [&](Worker &me) {
		for (uint32_t state : { IDLE | LOCKED, RUNNING | LOCKED }) {
			Store(&me.me->t.state, state);
			SleepMs(20);
			CHECK(Load(&me.me->t.state) == state);
			CHECK(Load(&s.me->t.state) == IDLE);
			Store(&me.me->t.state, RUNNING);
			seen++;
		}
	});

	CHECK(s.Run(s.Next()) == NONE);
	CHECK(seen == 2);
}

CASE(Block, ServersAreNotWatched)
{
	Domain d;
	Server s(d);

	SleepMs(10);
	CHECK(Load(&s.me->t.state) == RUNNING);
}

CASE(Block, UserBitsStay)
{
	const uint32_t bits = 0xa5000000u;
	Domain d;
	Server s(d, bits);
	std::atomic<bool> ok{ false };
	Worker w(
		d,
		[&](Worker &me) {
			SleepMs(200);
			CHECK(Load(&me.me->t.state) == (RUNNING | bits));
			ok = true;
			CHECK(d.Ctl(UMCG_CTL_UNREGISTER, nullptr) == 0);
		},
		bits);
	auto run = [&](Slot *it) {
		Store(&s.me->t.state, RUNNING);
		s.Prepare(it);
		Store(&s.me->t.state, IDLE | bits);
		CHECK(d.Wait() == 0);
		CHECK(Load(&s.me->t.state) == (RUNNING | bits));
	};
	Slot *it = s.Next();

	CHECK(Load(&it->t.state) == (IDLE | bits));
	run(it);
	CHECK(Load(&it->t.state) == (BLOCKED | bits));
	CHECK(s.Next() == it);
	CHECK(Load(&it->t.state) == (IDLE | bits));
	run(it);
	CHECK(Load(&it->t.state) == bits);
	CHECK(ok);
	s.SetState(RUNNING);
}

CASE(Block, ManyComeBackAtOnce)
{
	enum { N = 50 };
	Domain d;
	Server s(d);
	int fd[2];
	CHECK(pipe(fd) == 0);
	std::vector<std::unique_ptr<Worker>> workers;
	std::vector<Slot *> seen;

	for (int i = 0; i < N; i++)
		workers.push_back(std::make_unique<Worker>(d, [&](Worker &) {
			char c;

			CHECK(read(fd[0], &c, 1) == 1);
		}));
	for (int i = 0; i < N; i++)
		CHECK(s.Run(s.Next()) == BLOCKED);
	std::string all(N, 'x');
	CHECK(write(fd[1], all.data(), N) == N);
	for (int i = 0; i < N; i++) {
		Slot *it = s.Next();

		CHECK(it);
		for (Slot *other : seen)
			CHECK(other != it);
		seen.push_back(it);
	}
	for (Slot *it : seen)
		s.RunToEnd(it);
}

/* Who is back takes the word, and leaves alone who is not IDLE, or not there. */
CASE(Block, IdleWordOfWhoIsNotIdle)
{
	for (bool nobody : { false, true }) {
		Domain d;
		Server s(d);
		Worker w(d, [](Worker &) { SleepMs(20); });
		Slot *it = s.Next();

		CHECK(s.Run(it) == BLOCKED);
		Store(d.idle_tid, nobody ? 0x7fffffff : s.me->tid);
		CHECK(Eventually([&] { return Load(d.idle_tid) == 0; }));
		CHECK(Eventually([&] { return Load(&it->t.state) == IDLE; }));
		CHECK(Load(&s.me->t.state) == RUNNING);
		CHECK(s.Next() == it);
		s.RunToEnd(it);
	}
}

CASE(Block, TwoServersOneWorkerEach)
{
	enum { WORKERS = 24, ROUNDS = 50 };
	Domain d;
	std::atomic<int> alive{ WORKERS }, inside{ 0 }, most{ 0 };
	std::vector<std::unique_ptr<Worker>> workers;
	std::atomic<bool> lock{ false };
	auto body = [&](Worker &) {
		for (int i = 0; i < ROUNDS; i++) {
			int n = ++inside;
			int m = most;

			while (n > m && !most.compare_exchange_weak(m, n))
				;
			for (int k = 0; k < 2000; k++)
				__asm__ volatile("");
			inside--;
			SleepMs(i % 2);
		}
	};
	/* One list and one idle slot for both: whoever looks takes the lock,
	 * takes one, and leaves the rest to the next look. */
	std::deque<Slot *> shared;
	auto serve = [&] {
		Server s(d);

		while (alive > 0) {
			Slot *it = nullptr;

			while (lock.exchange(true))
				;
			s.Drain();
			shared.insert(shared.end(), s.idle.begin(),
				      s.idle.end());
			s.idle.clear();
			if (!shared.empty()) {
				it = shared.front();
				shared.pop_front();
			}
			lock = false;
			if (!it)
				s.WaitIdle(InMs(5));
			else if (s.Run(it) == NONE)
				alive--;
		}
	};
	for (int i = 0; i < WORKERS; i++)
		workers.push_back(std::make_unique<Worker>(d, body));
	std::thread second(serve);
	serve();
	second.join();
	CHECK(most >= 1 && most <= 2);
}

/* --- preemption ------------------------------------------------------------------------------ */

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

/* --- signals ------------------------------------------------------------------------------------ */

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

/* --- a broken contract ------------------------------------------------------------------------------ */

/* A sleep that is over before it began is no block. */
[[noreturn]] void Block()
{
	for (;;)
		SleepMs(1);
}

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

/* --- exit, fork, exec ---------------------------------------------------------------------------------- */

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

/* --- servers of several processes --------------------------------------------------------------------- */

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
