/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park_io_util.h - what the tests of calls that park share: each runs once for
 * each way in which a task can wait (WEND_PARK), where the kernel allows it.
 */
#ifndef TESTS_RUNTIME_PARK_IO_UTIL_H
#define TESTS_RUNTIME_PARK_IO_UTIL_H

#include "tests/runtime/block_util.h"

namespace blocking
{

class Parking : public testing::TestWithParam<const char *>
{
      protected:
	Parking() : env_("WEND_PARK", GetParam())
	{
	}
	void SetUp() override
	{
		WT_NEEDS_THREADS();
		wt::Start(1);
		std::string name = wend_park_name();
		wt::Stop();
		if (name != GetParam())
			GTEST_SKIP() << "the kernel allows " << name << ", not "
				     << GetParam();
	}

      private:
	wt::Env env_;
};

/* The way, as a part of a test's name. */
inline std::string WayName(const testing::TestParamInfo<const char *> &info)
{
	return info.param;
}

} // namespace blocking

#endif
