// SPDX-License-Identifier: Apache-2.0
//
// tasks.cc - Boost.Fiber: yield, spawn, mutex, timers, parked fibers.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

#include "bench/boost/boost.h"

namespace fibers = boost::fibers;

namespace {

template <std::size_t Tasks>
std::uint64_t yield_body(std::uint64_t rounds)
{
	return together(Tasks, [rounds](std::size_t) {
		for (std::uint64_t r = 0; r < rounds; r++)
			boost::this_fiber::yield();
	});
}

std::uint64_t spawn_body(std::uint64_t rounds)
{
	std::atomic<std::uint64_t> ran{ 0 };
	std::uint64_t begin = bench_now_ns();

	for (std::uint64_t r = 0; r < rounds; r++) {
		together(BENCH_SPAWN_BATCH, [&ran](std::size_t) {
			ran.fetch_add(1);
		});
	}
	std::uint64_t elapsed = bench_now_ns() - begin;
	if (ran != rounds * BENCH_SPAWN_BATCH)
		bench_fail("spawn: %llu ran", (unsigned long long)ran.load());
	return elapsed;
}

std::uint64_t mutex_body(std::uint64_t rounds)
{
	fibers::mutex mutex;
	std::uint64_t count = 0;
	std::uint64_t elapsed = together(BENCH_MUTEX, [&](std::size_t) {
		for (std::uint64_t r = 0; r < rounds; r++) {
			std::lock_guard<fibers::mutex> hold(mutex);
			count++;
		}
	});

	if (count != rounds * BENCH_MUTEX)
		bench_fail("mutex8: counted %llu", (unsigned long long)count);
	return elapsed;
}

// Both halves are fibers of their own.
std::uint64_t fib_of(unsigned n)
{
	std::uint64_t a, b;

	if (n < 2)
		return n;
	auto left = start([&a, n] { a = fib_of(n - 1); });
	auto right = start([&b, n] { b = fib_of(n - 2); });
	left.join();
	right.join();
	return a + b;
}

void sleepers(std::vector<std::int64_t> &late)
{
	together(late.size(), [&late](std::size_t i) {
		std::uint64_t wanted = bench_sleep_ns(i);
		std::uint64_t begin = bench_now_ns();

		boost::this_fiber::sleep_for(std::chrono::nanoseconds(wanted));
		late[i] = static_cast<std::int64_t>(bench_now_ns() - begin -
						    wanted);
	});
}

// Fibers that wait for a gate, and the gate.
class Parked {
public:
	explicit Parked(std::size_t n)
	{
		list_.reserve(n);
		for (std::size_t i = 0; i < n; i++)
			list_.push_back(start([this] { wait(); }));
		while (count_.load() < n)
			boost::this_fiber::yield();
	}

	void release()
	{
		gate_.close();
		for (auto &f : list_)
			f.join();
	}

private:
	void wait()
	{
		int none;

		count_.fetch_add(1);
		gate_.pop(none);
	}

	fibers::unbuffered_channel<int> gate_;
	std::atomic<std::size_t> count_{ 0 };
	std::vector<fibers::fiber> list_;
};

} // namespace

void yield2(const bench_args *a)
{
	bench_per_op(a, yield_body<2>, 2);
}

void yield1k(const bench_args *a)
{
	bench_per_op(a, yield_body<BENCH_YIELD_MANY>, BENCH_YIELD_MANY);
}

void spawn(const bench_args *a)
{
	bench_per_op(a, spawn_body, BENCH_SPAWN_BATCH);
}

void mutex8(const bench_args *a)
{
	bench_per_op(a, mutex_body, BENCH_MUTEX);
}

void fib(const bench_args *a)
{
	unsigned n = a->quick ? BENCH_FIB_QUICK : BENCH_FIB;
	std::uint64_t want = a->quick ? 28657 : 196418;

	fib_of(15);
	std::uint64_t begin = bench_now_ns();
	std::uint64_t got = fib_of(n);
	std::uint64_t elapsed = bench_now_ns() - begin;
	if (got != want)
		bench_fail("fib: got %llu", (unsigned long long)got);
	bench_result("time", static_cast<double>(elapsed) / 1e6, "ms");
}

void timers(const bench_args *a)
{
	std::vector<std::int64_t> late(100);

	sleepers(late);
	late.resize(a->quick ? BENCH_TIMERS_QUICK : BENCH_TIMERS);
	std::uint64_t cpu = bench_cpu_ns();
	std::uint64_t begin = bench_now_ns();
	sleepers(late);
	std::uint64_t elapsed = bench_now_ns() - begin;
	cpu = bench_cpu_ns() - cpu;
	bench_result("total", static_cast<double>(elapsed) / 1e6, "ms");
	bench_lateness(late.data(), late.size());
	bench_result("cpu", static_cast<double>(cpu) / 1e6, "ms");
}

void live(const bench_args *a)
{
	std::size_t n = a->quick ? BENCH_LIVE_QUICK : BENCH_LIVE;

	Parked(100).release();
	std::uint64_t before = bench_resident_bytes();
	std::uint64_t begin = bench_now_ns();
	Parked parked(n);
	std::uint64_t elapsed = bench_now_ns() - begin;
	std::uint64_t after = bench_resident_bytes();
	parked.release();
	double count = static_cast<double>(n);
	bench_result("bytes", static_cast<double>(after - before) / count, "B");
	bench_result("time", static_cast<double>(elapsed) / count, "ns");
}

void no_select(const bench_args *)
{
	bench_impossible("Boost.Fiber has no select");
}

void no_io(const bench_args *)
{
	bench_impossible("Boost.Fiber has no input and output");
}
