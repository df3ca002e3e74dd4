// SPDX-License-Identifier: Apache-2.0
//
// main.cc - the Boost.Fiber side of bench/run: start-up and the table.
//
// One processor runs Boost's default scheduler.  More run its work_stealing
// algorithm, one thread each; the threads but the first only wait until the
// bench is over, which lets their schedulers steal.

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <boost/fiber/all.hpp>

#include <malloc.h>

#include "bench/boost/boost.h"

namespace {

const bench_entry kTable[] = {
	{ "yield", yield2 },
	{ "yield1k", yield1k },
	{ "spawn", spawn },
	{ "chan_pp", chan_pp },
	{ "chan_buf", chan_buf },
	{ "chan_mpmc", chan_mpmc },
	{ "mutex8", mutex8 },
	{ "fib", fib },
	{ "skynet", skynet },
	{ "sieve", sieve },
	{ "timers", timers },
	{ "live", live },
	{ "select4", no_select },
	{ "echo", no_io },
	{ "http", no_io },
};

void dispatch(const bench_args *a)
{
	bench_dispatch(kTable, sizeof(kTable) / sizeof(kTable[0]), a);
}

// A helper thread's life: steal until the bench is over.
class Helpers {
public:
	explicit Helpers(unsigned threads) : threads_(threads)
	{
		for (unsigned i = 1; i < threads; i++)
			list_.emplace_back([this] { work(); });
		boost::fibers::use_scheduling_algorithm<
			boost::fibers::algo::work_stealing>(threads_);
	}

	~Helpers()
	{
		{
			std::lock_guard<boost::fibers::mutex> hold(mutex_);
			over_ = true;
		}
		cond_.notify_all();
		for (auto &t : list_)
			t.join();
	}

private:
	void work()
	{
		boost::fibers::use_scheduling_algorithm<
			boost::fibers::algo::work_stealing>(threads_);
		std::unique_lock<boost::fibers::mutex> hold(mutex_);
		cond_.wait(hold, [this] { return over_; });
	}

	unsigned threads_;
	bool over_ = false;
	boost::fibers::mutex mutex_;
	boost::fibers::condition_variable_any cond_;
	std::vector<std::thread> list_;
};

} // namespace

int main(int argc, char **argv)
{
	bench_args a;

	bench_parse(&a, argc, argv);
	// Stacks come from malloc, and by default it gives the top of its
	// heap back to the kernel after each batch of them: that made spawn
	// ten times slower.  This is Boost at its best.
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 16 << 20);
	if (a.procs == 1) {
		dispatch(&a);
	} else {
		Helpers helpers(static_cast<unsigned>(a.procs));
		dispatch(&a);
	}
	return 0;
}
