/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall_test.cc - raw system calls: results and errors as the kernel
 * gives them, errno left alone; and the clock.
 */
#include "compiler-rt/syscall.h"

#include "compiler-rt/atomic.h"
#include "compiler-rt/clock.h"

#include <gtest/gtest.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace {

TEST(Futex, RefusesToSleepOnAnotherValue)
{
	uint32_t w = 1;

	errno = 4321;
	EXPECT_EQ(wend__futex_wait(&w, 2, -1), -EAGAIN);
	EXPECT_EQ(errno, 4321);
}

TEST(Futex, TimesOutAtAnAbsoluteTimeAndNotBefore)
{
	uint32_t w = 1;
	int64_t deadline;

	errno = 4321;
	EXPECT_EQ(wend__futex_wait(&w, 1, 0), -ETIMEDOUT);
	EXPECT_EQ(wend__futex_wait(&w, 1, wend__clock_ns() - 1), -ETIMEDOUT);
	deadline = wend__clock_ns() + 1500000;
	EXPECT_EQ(wend__futex_wait(&w, 1, deadline), -ETIMEDOUT);
	EXPECT_GE(wend__clock_ns(), deadline);
	EXPECT_EQ(errno, 4321);
}

TEST(Futex, WakesSleepers)
{
	uint32_t w = 0, awake = 0;
	auto sleeper = [&] {
		while (a32_load_acquire(&w) == 0)
			wend__futex_wait(&w, 0, -1);
		a32_fetch_add_full(&awake, 1);
	};
	std::thread a(sleeper), b(sleeper);

	/* Whether they sleep yet or not, they must end. */
	a32_store_release(&w, 1);
	EXPECT_GE(wend__futex_wake(&w, INT32_MAX), 0);
	a.join();
	b.join();
	EXPECT_EQ(awake, 2u);
	EXPECT_EQ(wend__futex_wake(&w, 1), 0);
}

/* How many it woke: wake one at a time until both have been. */
TEST(Futex, WakeCountsWhomItWoke)
{
	uint32_t w = 0;
	auto sleeper = [&] {
		while (wend__futex_wait(&w, 0, -1) != 0)
			continue;
	};
	std::thread a(sleeper), b(sleeper);
	int woken = 0;

	while (woken < 2) {
		int n = wend__futex_wake(&w, 1);

		ASSERT_TRUE(n == 0 || n == 1) << n;
		woken += n;
		sched_yield();
	}
	a.join();
	b.join();
}

extern "C" void do_nothing(int)
{
}

TEST(Futex, ASignalInterrupts)
{
	struct sigaction sa, old;
	uint32_t w = 0;
	std::atomic<int> tid(0), ret(1);

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = do_nothing;
	ASSERT_EQ(sigaction(SIGUSR1, &sa, &old), 0);
	std::thread t([&] {
		tid = wend__gettid();
		ret = wend__futex_wait(&w, 0, -1);
	});
	while (tid == 0)
		sched_yield();
	/* Until it hits: the first may come before the sleep. */
	while (ret == 1) {
		EXPECT_EQ(wend__tgkill(getpid(), tid, SIGUSR1), 0);
		sched_yield();
	}
	t.join();
	EXPECT_EQ(ret, -EINTR);
	sigaction(SIGUSR1, &old, nullptr);
}

TEST(Syscall, GettidIsTheThreads)
{
	int other = 0;

	EXPECT_EQ(wend__gettid(), getpid());
	std::thread([&] { other = wend__gettid(); }).join();
	EXPECT_GT(other, 0);
	EXPECT_NE(other, getpid());
}

TEST(Syscall, TgkillTellsWhetherTheThreadIs)
{
	errno = 4321;
	EXPECT_EQ(wend__tgkill(getpid(), wend__gettid(), 0), 0);
	EXPECT_EQ(wend__tgkill(getpid(), 1 << 30, 0), -ESRCH);
	EXPECT_EQ(wend__tgkill(getpid(), wend__gettid(), 1000), -EINVAL);
	EXPECT_EQ(errno, 4321);
}

TEST(Syscall, MembarrierAnswersAQuery)
{
	errno = 4321;
	int commands = wend__membarrier(0, 0);

	EXPECT_TRUE(commands >= 0 || commands == -ENOSYS ||
		    commands == -EPERM);
	EXPECT_LT(wend__membarrier(0, 12345), 0);
	EXPECT_EQ(errno, 4321);
}

TEST(Syscall, AffinityIsCounted)
{
	cpu_set_t all, one;
	int cpu = 0;

	ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	EXPECT_EQ(wend__sched_getaffinity_count(), CPU_COUNT(&all));
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	/* On a thread of its own, so that the others keep theirs. */
	std::thread([&] {
		ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		EXPECT_EQ(wend__sched_getaffinity_count(), 1);
	}).join();
}

TEST(Clock, IsMonotonicNanoseconds)
{
	struct timespec ts;
	int64_t before, now, after;

	before = wend__clock_ns();
	ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	after = wend__clock_ns();
	now = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	EXPECT_LE(before, now);
	EXPECT_LE(now, after);
}

} // namespace
