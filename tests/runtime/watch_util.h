/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_util.h - what the tests of the watch share: stalls that the runtime
 * is not told about.
 */
#ifndef TESTS_RUNTIME_WATCH_UTIL_H
#define TESTS_RUNTIME_WATCH_UTIL_H

#include "tests/runtime/block_util.h"

#include <atomic>

#include "tests/runtime/raw.h"

namespace watch
{

/* Compute until the flag is set, with nothing in the loop that could let
 * another task run. */
inline void LoopUntil(const std::atomic<bool> &flag)
{
	while (!flag.load(std::memory_order_relaxed))
		;
}

/* Compute for a while: elapsed time, looked up in the vDSO. */
inline void LoopFor(int64_t ns)
{
	int64_t end = wend_now() + ns;

	while (wend_now() < end)
		;
}

/* Let others run until the flag is set. */
inline void YieldUntil(const std::atomic<bool> &flag)
{
	while (!flag)
		wend_yield();
}

inline void YieldUntil(const std::atomic<int> &count, int n)
{
	while (count < n)
		wend_yield();
}

/* What needs the watch: real threads and real time. */
class Watch : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

} // namespace watch

/*
 * ThreadSanitizer holds a signal back until the thread makes a call that it
 * intercepts; a loop without one is never interrupted.
 */
#define WATCH_NEEDS_SIGNALS()                                                  \
	if (wt::kTsan)                                                         \
	GTEST_SKIP() << "ThreadSanitizer defers signals in a loop without calls"

#endif
