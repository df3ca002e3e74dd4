/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - servers and workers for the tests of /dev/umcg, as the ABI's
 * document has them make their transitions.
 *
 * A case runs in a process of its own, so that one that hangs or is killed is
 * one that failed. In it CHECK() ends the process.
 *
 *	CASE(Block, Nanosleep)
 *	{
 *		Domain d;
 *		Server s(d);
 *		Worker w(d, [](Worker &) { SleepMs(1); });
 *		CHECK(s.Run(s.Next()) == UMCG_TASK_BLOCKED);
 *		...
 *	}
 */
#ifndef TESTS_KERNEL_WORLD_H
#define TESTS_KERNEL_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

#include "kernel/include/uapi/linux/umcg.h"

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			dprintf(2, "%s:%d: CHECK(%s) failed, errno %d\n",      \
				__FILE__, __LINE__, #what, errno);             \
			_exit(1);                                              \
		}                                                              \
	} while (0)

enum { SKIPPED = 77, CASE_SECONDS = 60 };

inline int InChild(const std::function<void()> &body)
{
	fflush(nullptr);
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		alarm(CASE_SECONDS);
		body();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

inline void RunCase(void (*body)())
{
	int status = InChild(body);

	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		GTEST_SKIP() << "the kernel lacks what this needs";
	if (WIFSIGNALED(status))
		FAIL() << "killed by signal " << WTERMSIG(status);
	EXPECT_EQ(status, 0);
}

#define CASE(suite, name)                                                      \
	static void suite##name##Body();                                       \
	TEST(suite, name)                                                      \
	{                                                                      \
		RunCase(suite##name##Body);                                    \
	}                                                                      \
	static void suite##name##Body()

/* --- small things ---------------------------------------------------------- */

inline uint32_t Tid()
{
	return (uint32_t)syscall(SYS_gettid);
}

inline uint64_t NowNs(clockid_t clock = CLOCK_REALTIME)
{
	timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

inline uint64_t InMs(uint64_t ms)
{
	return NowNs() + ms * 1000000;
}

inline void SleepMs(long ms)
{
	timespec t = { ms / 1000, ms % 1000 * 1000000 };

	syscall(SYS_nanosleep, &t, nullptr);
}

inline bool Eventually(const std::function<bool()> &is)
{
	for (int i = 0; i < 10000; i++) {
		if (is())
			return true;
		SleepMs(1);
	}
	return false;
}

inline uint32_t Load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

inline void Store(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

inline bool Cas(uint32_t *p, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(p, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* --- the device ------------------------------------------------------------- */

struct alignas(64) Slot {
	umcg_task t;
	uint32_t tid;
	uint32_t how; /* a worker's: 1: it yields; 2: until a time */
	Slot *server; /* a worker's */
};

struct Domain {
	enum { SIZE = 1 << 20 };
	int fd = -1;
	char *base = nullptr;
	uint64_t *head = nullptr;
	uint32_t *idle_tid = nullptr;
	std::atomic<size_t> used{ 64 };

	explicit Domain(int from = -1) : fd(from)
	{
		if (fd < 0)
			fd = open("/dev/umcg", O_RDWR | O_CLOEXEC);
		CHECK(fd >= 0);
		Map();
	}
	void Map()
	{
		void *p = mmap(nullptr, SIZE, PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);

		CHECK(p != MAP_FAILED);
		base = (char *)p;
		head = (uint64_t *)base;
		idle_tid = (uint32_t *)(base + 8);
	}
	Slot *New()
	{
		size_t at = used.fetch_add(sizeof(Slot));

		CHECK(at + sizeof(Slot) <= SIZE);
		return (Slot *)(base + at);
	}
	int Ctl(uint32_t flags, const void *self) const
	{
		umcg_ctl_args a = { flags, 0, (uint64_t)self };

		return ioctl(fd, UMCG_IOC_CTL, &a);
	}
	int Wait(uint32_t flags = 0, uint64_t timeout = 0) const
	{
		umcg_wait_args a = { flags, 0, timeout };

		return ioctl(fd, UMCG_IOC_WAIT, &a);
	}
	int Wake(uint32_t tid) const
	{
		return ioctl(fd, UMCG_IOC_WAKE, (unsigned long)tid);
	}
	int Preempt(uint32_t tid) const
	{
		return ioctl(fd, UMCG_IOC_PREEMPT, (unsigned long)tid);
	}
};

/* --- a server, of the thread that makes it ------------------------------------- */

struct Server {
	Domain &d;
	Slot *me;
	std::deque<Slot *> idle;
	bool registered = false;

	explicit Server(Domain &domain, uint32_t bits = 0)
		: d(domain), me(domain.New())
	{
		me->t.state = UMCG_TASK_RUNNING | bits;
		me->tid = Tid();
		CHECK(d.Ctl(UMCG_CTL_REGISTER, &me->t) == 0);
		registered = true;
	}
	~Server()
	{
		if (registered)
			Unregister();
	}
	void Unregister()
	{
		CHECK(d.Ctl(UMCG_CTL_UNREGISTER, nullptr) == 0);
		registered = false;
	}
	void SetState(uint32_t state)
	{
		Store(&me->t.state, state);
	}
	/* All that is on the kernel's list, in the order it came there. */
	void Drain()
	{
		uint64_t node = __atomic_exchange_n(d.head, 0,
						    __ATOMIC_SEQ_CST);
		std::deque<Slot *> got;

		for (; node; node = *(uint64_t *)node)
			got.push_front(
				(Slot *)(node - offsetof(umcg_task,
							 idle_workers_ptr)));
		idle.insert(idle.end(), got.begin(), got.end());
	}
	/* The next idle worker; NULL: none until then. */
	Slot *Next(uint64_t until = 0)
	{
		for (;;) {
			Drain();
			if (!idle.empty()) {
				Slot *w = idle.front();

				idle.pop_front();
				return w;
			}
			if (!WaitIdle(until))
				return nullptr;
		}
	}
	/*
	 * false: the time is over. There is one idle server; others look again
	 * after a while.
	 *
	 * A worker that is back takes the TID first, then makes this server
	 * RUNNING. A server that went on between the two would be made so
	 * while it runs another worker, which then loses it.
	 */
	bool WaitIdle(uint64_t until)
	{
		bool idle, late = false;

		me->t.next_tid = 0;
		SetState(UMCG_TASK_IDLE);
		idle = Cas(d.idle_tid, 0, me->tid);
		if (!idle && !until)
			until = InMs(2);
		if (__atomic_load_n(d.head, __ATOMIC_SEQ_CST) == 0)
			late = d.Wait(0, until) && errno == ETIMEDOUT;
		if (idle && !Cas(d.idle_tid, me->tid, 0))
			while (Load(&me->t.state) == UMCG_TASK_IDLE)
				d.Wait();
		SetState(UMCG_TASK_RUNNING);
		return !late;
	}
	/* All but the system call of a switch to w. */
	void Prepare(Slot *w)
	{
		uint32_t was;

		/* One that switched to another worker may still be on its way
		 * to its wait. */
		while ((was = Load(&w->t.state)) & UMCG_TF_LOCKED)
			;
		CHECK(Cas(&me->t.state, UMCG_TASK_RUNNING, UMCG_TASK_IDLE));
		w->server = me;
		w->t.idle_workers_ptr = (uint64_t)d.head;
		CHECK((was & UMCG_TASK_STATE_MASK) == UMCG_TASK_IDLE);
		CHECK(Cas(&w->t.state, was,
			  (was & UMCG_TASK_USER_MASK) | UMCG_TASK_RUNNING |
				  UMCG_TF_LOCKED));
		Store(&w->t.next_tid, me->tid);
		Store(&me->t.next_tid, w->tid);
		CHECK(Cas(&w->t.state,
			  (was & UMCG_TASK_USER_MASK) | UMCG_TASK_RUNNING |
				  UMCG_TF_LOCKED,
			  (was & UMCG_TASK_USER_MASK) | UMCG_TASK_RUNNING));
	}
	/* Returns the worker's state when the server runs again. */
	uint32_t Run(Slot *w)
	{
		CHECK(w);
		Prepare(w);
		CHECK(d.Wait() == 0);
		return StateOf(w);
	}
	static uint32_t StateOf(const Slot *w)
	{
		uint32_t state;

		/* It may still be on its way to its wait. */
		while ((state = Load(&w->t.state)) & UMCG_TF_LOCKED)
			;
		return state & ~UMCG_TASK_USER_MASK;
	}
	/* Until the worker has ended. */
	void RunToEnd(Slot *w)
	{
		while (w && Run(w) != UMCG_TASK_NONE)
			w = Next();
	}
};

/* --- a worker, a thread of its own ------------------------------------------------ */

struct Worker {
	Domain &d;
	Slot *me;
	std::function<void(Worker &)> body;
	std::thread thread;

	Worker(Domain &domain, std::function<void(Worker &)> what,
	       uint32_t bits = 0)
		: d(domain), me(domain.New()), body(std::move(what))
	{
		me->t.state = UMCG_TASK_IDLE | bits;
		me->t.idle_workers_ptr = (uint64_t)d.head;
		me->t.idle_server_tid_ptr = (uint64_t)d.idle_tid;
		thread = std::thread([this] { Main(); });
	}
	~Worker()
	{
		if (thread.joinable())
			thread.join();
	}
	void Main()
	{
		Store(&me->tid, Tid());
		CHECK(d.Ctl(UMCG_CTL_REGISTER | UMCG_CTL_WORKER, &me->t) == 0);
		body(*this);
		if (Load(&me->t.state) & UMCG_TASK_STATE_MASK)
			End();
	}
	/* RUNNING => IDLE|LOCKED */
	void Lock()
	{
		uint32_t was = Load(&me->t.state);

		CHECK((was & UMCG_TASK_STATE_MASK) == UMCG_TASK_RUNNING);
		while (!__atomic_compare_exchange_n(
			&me->t.state, &was,
			(was & UMCG_TASK_USER_MASK) | UMCG_TASK_IDLE |
				UMCG_TF_LOCKED,
			false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
	/* IDLE|LOCKED => RUNNING, with the server it has */
	void Unlock()
	{
		uint32_t user = Load(&me->t.state) & UMCG_TASK_USER_MASK;

		CHECK(Cas(&me->t.state, user | UMCG_TASK_IDLE | UMCG_TF_LOCKED,
			  user | UMCG_TASK_RUNNING));
	}
	static void MakeRunning(Slot *s)
	{
		CHECK(Cas(&s->t.state,
			  (Load(&s->t.state) & UMCG_TASK_USER_MASK) |
				  UMCG_TASK_IDLE,
			  (Load(&s->t.state) & UMCG_TASK_USER_MASK) |
				  UMCG_TASK_RUNNING));
	}
	int Yield(uint64_t timeout = 0)
	{
		Lock();
		MakeRunning(me->server);
		return d.Wait(0, timeout);
	}
	void End()
	{
		Lock();
		MakeRunning(me->server);
		CHECK(d.Ctl(UMCG_CTL_UNREGISTER, nullptr) == 0);
	}
	/* W1:RUNNING+W2:IDLE => W1:IDLE+W2:RUNNING */
	int SwitchTo(Slot *w2)
	{
		Slot *s = me->server;

		/* It may still be on its way to its wait. */
		while (Load(&w2->t.state) & UMCG_TF_LOCKED)
			;
		CHECK(Cas(&w2->t.state, UMCG_TASK_IDLE,
			  UMCG_TASK_RUNNING | UMCG_TF_LOCKED));
		Lock();
		w2->server = s;
		w2->t.idle_workers_ptr = (uint64_t)d.head;
		Store(&w2->t.next_tid, s->tid);
		Store(&s->t.next_tid, w2->tid);
		Store(&me->t.next_tid, w2->tid);
		CHECK(Cas(&w2->t.state, UMCG_TASK_RUNNING | UMCG_TF_LOCKED,
			  UMCG_TASK_RUNNING));
		return d.Wait();
	}
};

/* What the module says that it holds. */
inline int ModuleCount(const char *what)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/module/umcg/parameters/%s", what);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atoi(text);
}

#endif
