/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jitter.h - does a library's blocking disturb other tasks? A task that wants
 * to wake up every millisecond measures how late it is.
 *
 *	wt::RunOn(2, [] {
 *		libraries::Jitter jitter;
 *		do
 *			... the library, in many tasks ...
 *		while (!jitter.Enough());
 *		jitter.Expect();
 *	});
 *
 * A thread that is no task does the same beside it: what makes both late is
 * the machine's, not ours. So is what comes of other programs that use the
 * CPUs meanwhile; how much they used is measured, too.
 */
#ifndef TESTS_LIBRARIES_JITTER_H
#define TESTS_LIBRARIES_JITTER_H

#include "tests/libraries/load.h"
#include "tests/support/wt.h"

#include <atomic>
#include <thread>
#include <vector>

namespace libraries
{

class Jitter
{
      public:
	/* In a task: start both tickers. */
	Jitter();
	~Jitter();
	Jitter(const Jitter &) = delete;
	Jitter &operator=(const Jitter &) = delete;

	/* Whether there were enough ticks for a percentile to mean something. */
	bool Enough() const;

	/*
	 * Stop, print what was measured and check it: 99 of 100 ticks of the
	 * task came within 5 ms, or within twice what the thread got. While
	 * other programs used the CPUs, or with a sanitizer, which makes all
	 * code several times slower, the bound is ten times as large: it still
	 * tells a library that stops others from one that does not.
	 */
	void Expect();

      private:
	void Stop();

	/* How late each tick came, in nanoseconds. */
	using Ticks = std::vector<int64_t>;

	void TickInTask();
	void TickInThread();

	Load load_;
	std::atomic<bool> stop_{ false };
	std::atomic<int> count_{ 0 };
	Ticks of_task_, of_thread_;
	std::thread thread_;
	wt::Group task_;
};

} // namespace libraries

#endif
