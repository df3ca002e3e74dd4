/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jitter.cc - the two tickers.
 */
#include "tests/libraries/jitter.h"

#include <time.h>

#include <algorithm>
#include <cstdio>

namespace libraries
{

namespace
{

constexpr int64_t kPeriod = WEND_MILLISECOND;
constexpr int64_t kBound = 5 * WEND_MILLISECOND;
constexpr int kLooser = 10;
constexpr int kEnough = 500;
/* Of one CPU; the test and its children not counted. */
constexpr double kOthersMost = 0.2;

int64_t Percentile(std::vector<int64_t> *sorted, int percent)
{
	std::sort(sorted->begin(), sorted->end());
	if (sorted->empty())
		return 0;
	return (*sorted)[(sorted->size() - 1) * (size_t)percent / 100];
}

double Ms(int64_t ns)
{
	return (double)ns / WEND_MILLISECOND;
}

void SleepUntil(int64_t when)
{
	struct timespec t = { (time_t)(when / WEND_SECOND),
			      (long)(when % WEND_SECOND) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr))
		;
}

} // namespace

Jitter::Jitter()
{
	thread_ = std::thread([this] { TickInThread(); });
	task_.Go([this] { TickInTask(); }, "ticker");
}

Jitter::~Jitter()
{
	Stop();
}

void Jitter::TickInTask()
{
	while (!stop_) {
		int64_t due = wend_now() + kPeriod;

		EXPECT_EQ(0, wend_sleep_until(due));
		of_task_.push_back(wend_now() - due);
		count_++;
	}
}

void Jitter::TickInThread()
{
	while (!stop_) {
		int64_t due = wend_now() + kPeriod;

		SleepUntil(due);
		of_thread_.push_back(wend_now() - due);
	}
}

bool Jitter::Enough() const
{
	return count_ >= kEnough;
}

void Jitter::Stop()
{
	stop_ = true;
	task_.Wait();
	if (thread_.joinable())
		thread_.join();
}

void Jitter::Expect()
{
	Stop();
	double others = load_.OthersCpus();
	int64_t machine = Percentile(&of_thread_, 99);
	int64_t ours = Percentile(&of_task_, 99);
	int64_t bound = std::max(kBound, 2 * machine);

	if (wt::kSanitized || others > kOthersMost)
		bound *= kLooser;
	printf("jitter of a task: p50 %.2f ms, p99 %.2f ms, most %.2f ms "
	       "(%zu ticks); of a thread: p99 %.2f ms; "
	       "other programs used %.2f CPUs\n",
	       Ms(Percentile(&of_task_, 50)), Ms(ours),
	       Ms(Percentile(&of_task_, 100)), of_task_.size(), Ms(machine),
	       others);
	EXPECT_GE(of_task_.size(), (size_t)kEnough);
	EXPECT_LE(ours, bound);
}

} // namespace libraries
