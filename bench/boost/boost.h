// SPDX-License-Identifier: Apache-2.0
//
// boost.h - what the Boost.Fiber benches share: how a fiber is made.
//
// Stacks are 8 KiB from malloc: with Boost's default of 128 KiB each stack
// is a mapping of its own, and skynet and live run out of mappings.

#ifndef BENCH_BOOST_BOOST_H
#define BENCH_BOOST_BOOST_H

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <boost/fiber/all.hpp>

#include "bench/common/bench.h"

bench_fn yield2, yield1k, spawn, mutex8, fib, timers, live;
bench_fn chan_pp, chan_buf, chan_mpmc, skynet, sieve;
bench_fn no_select, no_io;

constexpr std::size_t kStackSize = 16384;

// launch::post: the new fiber is queued, as `go` does it; launch::dispatch
// would run it at once and make skynet and fib depth-first.
template <typename F> boost::fibers::fiber start(F &&f)
{
	return boost::fibers::fiber(boost::fibers::launch::post,
				    std::allocator_arg,
				    boost::fibers::fixedsize_stack(kStackSize),
				    std::forward<F>(f));
}

// Runs body(0) to body(n - 1) in a fiber each; returns the nanoseconds.
template <typename F> std::uint64_t together(std::size_t n, F body)
{
	std::vector<boost::fibers::fiber> list;
	std::uint64_t begin = bench_now_ns();

	list.reserve(n);
	for (std::size_t i = 0; i < n; i++)
		list.push_back(start([&body, i] { body(i); }));
	for (auto &f : list)
		f.join();
	return bench_now_ns() - begin;
}

#endif
