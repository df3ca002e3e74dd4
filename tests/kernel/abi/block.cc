// SPDX-License-Identifier: Apache-2.0
//
// block.cc - block and wake detection: system calls, page faults, LOCKED.

#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sys/socket.h>

#include <vector>

#include "tests/kernel/abi/abi.h"

namespace
{

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

} // namespace
