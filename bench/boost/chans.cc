// SPDX-License-Identifier: Apache-2.0
//
// chans.cc - Boost.Fiber: the channel benches.
//
// A pushing fiber still touches the channel after its value was taken, so
// every channel here outlives the fibers that use it: they are joined.

#include <atomic>

#include "bench/boost/boost.h"

namespace fibers = boost::fibers;

namespace {

using Unbuffered = fibers::unbuffered_channel<std::int64_t>;
using Buffered = fibers::buffered_channel<std::int64_t>;

std::uint64_t pp_body(std::uint64_t rounds)
{
	Unbuffered ping, pong;
	const std::int64_t n = static_cast<std::int64_t>(rounds);

	return together(2, [&](std::size_t i) {
		for (std::int64_t r = 0; r < n; r++) {
			if (i == 0) {
				ping.push(r);
				if (pong.value_pop() != r)
					bench_fail("chan_pp: wrong value");
			} else {
				pong.push(ping.value_pop());
			}
		}
	});
}

// As many senders as receivers on one channel.  Boost's ring of 128 slots
// holds 127 values; 256, the next size it takes, would hold 255.
template <std::size_t Pairs>
std::uint64_t pass(std::uint64_t rounds)
{
	Buffered c(BENCH_CHAN_CAP);
	const std::int64_t n = static_cast<std::int64_t>(rounds);
	std::atomic<std::int64_t> sum{ 0 };
	std::uint64_t elapsed = together(2 * Pairs, [&](std::size_t i) {
		if (i < Pairs) {
			for (std::int64_t r = 1; r <= n; r++)
				c.push(r);
			return;
		}
		std::int64_t own = 0;
		for (std::int64_t r = 0; r < n; r++)
			own += c.value_pop();
		sum.fetch_add(own);
	});

	if (sum != static_cast<std::int64_t>(Pairs) * (n * (n + 1) / 2))
		bench_fail("channel: the sum is %lld", (long long)sum.load());
	return elapsed;
}

void node(Unbuffered &out, std::int64_t first, std::int64_t size)
{
	if (size == 1) {
		out.push(first);
		return;
	}
	Unbuffered in;
	fibers::fiber child[10];
	std::int64_t part = size / 10, sum = 0;

	for (int i = 0; i < 10; i++) {
		std::int64_t from = first + i * part;
		child[i] = start([&in, from, part] { node(in, from, part); });
	}
	for (int i = 0; i < 10; i++)
		sum += in.value_pop();
	for (auto &c : child)
		c.join();
	out.push(sum);
}

std::uint64_t skynet_run(std::int64_t leaves)
{
	Unbuffered out;
	std::uint64_t begin = bench_now_ns();
	auto top = start([&out, leaves] { node(out, 0, leaves); });
	std::int64_t sum = out.value_pop();
	std::uint64_t elapsed = bench_now_ns() - begin;

	top.join();
	if (sum != leaves * (leaves - 1) / 2)
		bench_fail("skynet: the sum is %lld", (long long)sum);
	return elapsed;
}

void filter(Unbuffered &in, Unbuffered &out, std::int64_t prime)
{
	std::int64_t v;

	while (in.pop(v) == fibers::channel_op_status::success) {
		if (v % prime != 0)
			out.push(v);
	}
	out.close();
}

void generate(Unbuffered &out, const std::atomic<bool> &stop)
{
	for (std::int64_t v = 2; !stop.load(); v++)
		out.push(v);
	out.close();
}

// Times the first n primes; then drains the chain, so that all fibers end.
std::uint64_t sieve_run(std::size_t n, std::int64_t *last)
{
	std::vector<std::unique_ptr<Unbuffered>> chan;
	std::vector<fibers::fiber> list;
	std::atomic<bool> stop{ false };
	std::uint64_t begin = bench_now_ns();

	chan.emplace_back(new Unbuffered);
	Unbuffered *tail = chan.back().get();
	list.push_back(start([tail, &stop] { generate(*tail, stop); }));
	for (std::size_t i = 0; i < n; i++) {
		Unbuffered *in = tail;
		std::int64_t prime = *last = in->value_pop();

		chan.emplace_back(new Unbuffered);
		tail = chan.back().get();
		list.push_back(start([in, tail, prime] {
			filter(*in, *tail, prime);
		}));
	}
	std::uint64_t elapsed = bench_now_ns() - begin;
	stop = true;
	std::int64_t rest;
	while (tail->pop(rest) == fibers::channel_op_status::success)
		;
	for (auto &f : list)
		f.join();
	return elapsed;
}

} // namespace

void chan_pp(const bench_args *a)
{
	bench_per_op(a, pp_body, 1);
}

void chan_buf(const bench_args *a)
{
	bench_per_op(a, pass<1>, 1);
}

void chan_mpmc(const bench_args *a)
{
	bench_per_op(a, pass<BENCH_MPMC>, BENCH_MPMC);
}

void skynet(const bench_args *a)
{
	skynet_run(1000);
	double ns = static_cast<double>(
		skynet_run(a->quick ? BENCH_SKYNET_QUICK : BENCH_SKYNET));
	bench_result("time", ns / 1e6, "ms");
}

void sieve(const bench_args *a)
{
	std::int64_t last;

	sieve_run(100, &last);
	double ns = static_cast<double>(sieve_run(
		a->quick ? BENCH_SIEVE_QUICK : BENCH_SIEVE, &last));
	if (last != (a->quick ? 5279 : 17389))
		bench_fail("sieve: the last prime is %lld", (long long)last);
	bench_result("time", ns / 1e6, "ms");
}
