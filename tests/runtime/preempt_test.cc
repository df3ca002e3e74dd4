/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preempt_test.cc - a task does not notice that it was preempted: no call
 * fails with EINTR, no register or errno changes; and no more tasks run than
 * there are servers.
 *
 * Everything runs with short slices, beside loops that want the servers all the
 * time: with one that is longer than a tick of the clock, as a rule, so that a
 * worker is stopped before its server is passed on, and with one that is not.
 */
#include "tests/runtime/watch_util.h"

#include <cfenv>
#include <dirent.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include <algorithm>
#include <random>
#include <thread>

#include "tests/runtime/spin_regs.h"

using namespace blocking;
using namespace watch;

namespace
{

class Preempt : public Watch, public testing::WithParamInterface<const char *>
{
      private:
	wt::Env slice_{ "WEND_SLICE", GetParam() };
};

/* Tasks that compute until the end of the scope. */
class Loops
{
      public:
	explicit Loops(int n)
	{
		for (int i = 0; i < n; i++)
			g_.Go([&] { LoopUntil(stop_); });
	}
	~Loops()
	{
		stop_ = true;
	}

      private:
	std::atomic<bool> stop_{ false };
	wt::Group g_; /* waits, when stop_ is set */
};

/* How far a loop must count to take some milliseconds. */
uint64_t SpinsFor(int64_t ns)
{
	uint64_t in[SPIN_GENERAL] = {}, out[SPIN_GENERAL];
	uint64_t spins = 10000;

	for (;;) {
		int64_t begin = wend_now();

		spin_general(in, out, spins);
		int64_t took = wend_now() - begin;
		if (took > WEND_MILLISECOND / 2)
			return spins * (uint64_t)ns / (uint64_t)took;
		spins *= 2;
	}
}

/* --- calls with a time-out ----------------------------------------------- */

constexpr long kWaitNs = 1500000;
constexpr int kWaitMs = 1;

/* Descriptors on which nothing ever happens. */
struct Quiet {
	Pipe pipe;
	SocketPair socket;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	sem_t sem;

	Quiet()
	{
		struct timeval t = { 0, kWaitNs / 1000 };
		struct epoll_event ev = {};

		ev.events = EPOLLIN;
		EXPECT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, pipe[0], &ev));
		EXPECT_EQ(0, sem_init(&sem, 0, 0));
		EXPECT_EQ(0, setsockopt(socket[0], SOL_SOCKET, SO_RCVTIMEO, &t,
					sizeof(t)));
	}
	~Quiet()
	{
		sem_destroy(&sem);
		close(epoll);
	}
};

struct timespec Wait()
{
	return { 0, kWaitNs };
}

/* A call's result, as the kernel would give it. */
long Result(long r)
{
	return r < 0 ? -(long)errno : r;
}

/* Each waits until its time is over; what it returns then, and the shortest
 * time that it may take (0: its clock is another or a coarse one). */
struct TimedCall {
	const char *name;
	long (*call)(Quiet &q);
	long want;
	int64_t least_ns;
};

const TimedCall kLibrary[] = {
	{ "nanosleep",
	  [](Quiet &) {
		  struct timespec t = Wait();

		  return Result(nanosleep(&t, nullptr));
	  },
	  0, kWaitNs },
	{ "usleep", [](Quiet &) { return Result(usleep(kWaitNs / 1000)); }, 0,
	  kWaitNs },
	{ "poll",
	  [](Quiet &q) {
		  struct pollfd p = { q.pipe[0], POLLIN, 0 };

		  return Result(poll(&p, 1, kWaitMs));
	  },
	  0, kWaitMs *WEND_MILLISECOND },
	{ "ppoll",
	  [](Quiet &q) {
		  struct pollfd p = { q.pipe[0], POLLIN, 0 };
		  struct timespec t = Wait();

		  return Result(ppoll(&p, 1, &t, nullptr));
	  },
	  0, kWaitNs },
	{ "epoll_wait",
	  [](Quiet &q) {
		  struct epoll_event ev;

		  return Result(epoll_wait(q.epoll, &ev, 1, kWaitMs));
	  },
	  0, kWaitMs *WEND_MILLISECOND },
	{ "select",
	  [](Quiet &q) {
		  struct timeval t = { 0, kWaitNs / 1000 };
		  fd_set set;

		  FD_ZERO(&set);
		  FD_SET(q.pipe[0], &set);
		  return Result(
			  select(q.pipe[0] + 1, &set, nullptr, nullptr, &t));
	  },
	  0, kWaitNs },
	{ "sem_timedwait",
	  [](Quiet &q) {
		  struct timespec t;

		  clock_gettime(CLOCK_REALTIME, &t);
		  t.tv_nsec += kWaitNs;
		  t.tv_sec += t.tv_nsec / 1000000000;
		  t.tv_nsec %= 1000000000;
		  return Result(sem_timedwait(&q.sem, &t));
	  },
	  -ETIMEDOUT, 0 },
	{ "recv",
	  [](Quiet &q) {
		  char b;

		  return Result(recv(q.socket[0], &b, 1, 0));
	  },
	  -EAGAIN, 0 },
	{ "sigtimedwait",
	  [](Quiet &) {
		  struct timespec t = Wait();
		  sigset_t set;

		  sigemptyset(&set);
		  sigaddset(&set, SIGUSR2);
		  return Result(sigtimedwait(&set, nullptr, &t));
	  },
	  -EAGAIN, kWaitNs },
};

const TimedCall kRaw[] = {
	{ "clock_nanosleep",
	  [](Quiet &) {
		  struct timespec t = Wait();

		  return wend__syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0,
					(long)&t, 0, 0, 0);
	  },
	  0, kWaitNs },
	{ "ppoll",
	  [](Quiet &q) {
		  struct pollfd p = { q.pipe[0], POLLIN, 0 };
		  struct timespec t = Wait();

		  return wend__syscall6(SYS_ppoll, (long)&p, 1, (long)&t, 0, 8,
					0);
	  },
	  0, kWaitNs },
	{ "epoll_pwait",
	  [](Quiet &q) {
		  struct epoll_event ev;

		  return wend__syscall6(SYS_epoll_pwait, q.epoll, (long)&ev, 1,
					kWaitMs, 0, 8);
	  },
	  0, kWaitMs *WEND_MILLISECOND },
	{ "pselect6",
	  [](Quiet &q) {
		  struct timespec t = Wait();
		  fd_set set;

		  FD_ZERO(&set);
		  FD_SET(q.pipe[0], &set);
		  return wend__syscall6(SYS_pselect6, q.pipe[0] + 1, (long)&set,
					0, 0, (long)&t, 0);
	  },
	  0, kWaitNs },
	{ "futex",
	  [](Quiet &) {
		  uint32_t word = 0;

		  return (long)wend__futex_wait(&word, 0, wend_after(kWaitNs));
	  },
	  -ETIMEDOUT, kWaitNs },
	{ "recvfrom",
	  [](Quiet &q) {
		  char b;

		  return wend__syscall6(SYS_recvfrom, q.socket[0], (long)&b, 1,
					0, 0, 0);
	  },
	  -EAGAIN, 0 },
	{ "rt_sigtimedwait",
	  [](Quiet &) {
		  struct timespec t = Wait();
		  uint64_t set = 1ull << (SIGUSR2 - 1);

		  return wend__syscall6(SYS_rt_sigtimedwait, (long)&set, 0,
					(long)&t, 8, 0, 0);
	  },
	  -EAGAIN, kWaitNs },
};

/* One task: compute up to more than a slice, make the call, look. */
void CallAgainAndAgain(const TimedCall &c, uint64_t seed)
{
	std::mt19937_64 random(seed);
	Quiet q;

	for (int i = 0; i < 40; i++) {
		LoopFor((int64_t)(random() % 1500000));
		int64_t begin = wend_now();
		long r = c.call(q);
		int64_t took = wend_now() - begin;
		ASSERT_EQ(c.want, r) << c.name << " the " << i << ". time";
		ASSERT_GE(took, c.least_ns) << c.name << " came too early";
	}
}

template <size_t N> void CallAll(const TimedCall (&calls)[N])
{
	OnFewServers([&] {
		wt::Group g;
		uint64_t seed = wt::Seed();

		for (const TimedCall &c : calls)
			g.Go([&c, seed] { CallAgainAndAgain(c, seed); });
		if (wt::kTsan) {
			g.Wait();
			return;
		}
		Loops loops(2);
		g.Wait();
	});
}

} // namespace

TEST_P(Preempt, NoEintrInTheLibrarysCalls)
{
	CallAll(kLibrary);
}

TEST_P(Preempt, NoEintrInRawCalls)
{
	CallAll(kRaw);
}

/* --- what belongs to the task -------------------------------------------- */

TEST_P(Preempt, ErrnoStays)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		wt::Group g;

		for (int i = 1; i <= 4; i++)
			g.Go([i] {
				int64_t end = wend_after_ms(50);
				long wrong = 0;

				errno = i;
				while (wend_now() < end)
					wrong += errno != i;
				EXPECT_EQ(0, wrong);
			});
	});
}

/* Each task has a rounding mode of its own. */
TEST_P(Preempt, RoundingStays)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		wt::Group g;

		for (int mode :
		     { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO })
			g.Go([mode] {
				volatile double one = 1, three = 3;
				int64_t end = wend_after_ms(50);
				long wrong = 0;

				EXPECT_EQ(0, fesetround(mode));
				double want = one / three;
				while (wend_now() < end) {
					wrong += one / three != want;
					wrong += fegetround() != mode;
				}
				EXPECT_EQ(0, wrong);
				EXPECT_EQ(0, fesetround(FE_TONEAREST));
			});
	});
}

/* Tasks fill all registers with bytes of their own, spin for some slices, and
 * find them as they were. */
TEST_P(Preempt, GeneralRegistersStay)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		uint64_t spins = SpinsFor(4 * WEND_MILLISECOND);
		wt::Group g;

		for (uint64_t i = 1; i <= 4; i++)
			g.Go([=] {
				uint64_t in[SPIN_GENERAL], out[SPIN_GENERAL];

				for (uint64_t k = 0; k < SPIN_GENERAL; k++)
					in[k] = i * 0x9e3779b97f4a7c15 + k;
				for (int round = 0; round < 10; round++) {
					memset(out, 0, sizeof(out));
					EXPECT_EQ(1,
						  spin_general(in, out, spins));
					EXPECT_EQ(0,
						  memcmp(in, out, sizeof(in)));
				}
			});
	});
}

namespace
{

using VectorSpin = long (*)(const void *in, void *out, uint64_t spins);

std::vector<VectorSpin> VectorSpins()
{
	std::vector<VectorSpin> all{ spin_vectors_16 };

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx"))
		all.push_back(spin_vectors_32);
	if (__builtin_cpu_supports("avx512f"))
		all.push_back(spin_vectors_64);
#endif
	return all;
}

} // namespace

TEST_P(Preempt, VectorRegistersStay)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		uint64_t spins = SpinsFor(4 * WEND_MILLISECOND);
		wt::Group g;

		for (VectorSpin spin : VectorSpins()) {
			for (int i = 1; i <= 3; i++)
				g.Go([=] {
					unsigned char in[SPIN_VECTORS],
						out[SPIN_VECTORS];

					for (int k = 0; k < SPIN_VECTORS; k++)
						in[k] = (unsigned char)(k * i +
									k / 7);
					for (int r = 0; r < 5; r++) {
						memset(out, 0, sizeof(out));
						long n = spin(in, out, spins);
						EXPECT_LE(n, SPIN_VECTORS);
						EXPECT_EQ(0, memcmp(in, out,
								    (size_t)n));
					}
				});
		}
	});
}

/* --- no more than the servers -------------------------------------------- */

namespace
{

/* CPU time of this process's workers so far, in clock ticks. */
long WorkersTime()
{
	DIR *d = opendir("/proc/self/task");
	long sum = 0;

	if (!d)
		return -1;
	while (struct dirent *e = readdir(d)) {
		char path[64], name[32];
		long user, system;

		snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat",
			 e->d_name);
		FILE *f = e->d_name[0] == '.' ? nullptr : fopen(path, "re");
		if (!f)
			continue; /* it has ended meanwhile */
		if (fscanf(f,
			   "%*d (%31[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
			   "%*u %*u %ld %ld",
			   name, &user, &system) == 3 &&
		    !strcmp(name, "wend-worker"))
			sum += user + system;
		fclose(f);
	}
	closedir(d);
	return sum;
}

/*
 * How many CPUs the workers used in a second, seen by a plain thread. Not how
 * many are seen running in a moment: while a server changes hands that may be
 * two for it, and on a busy machine the one that is to stop waits for a CPU to
 * do so on.
 */
double CpusUsed()
{
	double used = 0;

	std::thread([&] {
		struct timespec t = { 0, 200000000 };
		int64_t begin;
		long before;

		/* It has a worker's name, as that is who starts it. */
		pthread_setname_np(pthread_self(), "sampler");
		/* Let all of them have been stopped once. */
		wend__syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0,
			       (long)&t, 0, 0, 0);
		before = WorkersTime();
		begin = wend_now();
		t = { 1, 0 };
		wend__syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0,
			       (long)&t, 0, 0, 0);
		used = (double)(WorkersTime() - before) / sysconf(_SC_CLK_TCK) /
		       ((wend_now() - begin) * 1e-9);
	}).join();
	return used;
}

} // namespace

TEST_P(Preempt, NoMoreLoopsRunThanServers)
{
	WATCH_NEEDS_SIGNALS();
	for (int procs : { 1, 2 }) {
		double used = 0;

		wt::RunOn(procs, [&] {
			Loops loops(8);

			used = CpusUsed();
		});
		/* Without a stop it would be all CPUs that the machine has. */
		EXPECT_LE(used, procs * 1.3);
		EXPECT_GT(used, 0);
	}
}

/* Tasks come back from calls that nobody announced and compute on: they find
 * their servers taken, and wait for their turn. */
TEST_P(Preempt, NoMoreRunAfterRawCalls)
{
	WATCH_NEEDS_SIGNALS();
	for (int procs : { 1, 2 }) {
		double used = 0;

		wt::RunOn(procs, [&] {
			constexpr int kTasks = 8;
			std::atomic<bool> stop{ false };
			std::atomic<int> begun{ 0 }, back{ 0 };
			Pipe p;
			wt::Group g;

			for (int i = 0; i < kTasks; i++)
				g.Go([&] {
					char b;

					begun++;
					EXPECT_EQ(1, raw::Read(p[0], &b, 1));
					back++;
					LoopUntil(stop);
				});
			YieldUntil(begun, kTasks);
			EXPECT_EQ(kTasks, write(p[1], "01234567", kTasks));
			YieldUntil(back, kTasks);
			used = CpusUsed();
			stop = true;
		});
		/* Without a stop it would be all CPUs that the machine has. */
		EXPECT_LE(used, procs * 1.3);
		EXPECT_GT(used, 0);
	}
}

INSTANTIATE_TEST_SUITE_P(Slices, Preempt, testing::Values("1ms", "5ms"),
			 [](const auto &info) {
				 return std::string(info.param);
			 });
