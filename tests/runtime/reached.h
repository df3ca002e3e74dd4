/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reached.h - which of the runtime's rare paths a stress test reached.
 *
 * Each case of a Reached fixture ends by printing what it reached, and the
 * program ends with two lists, of what it reached and of what it did not. The
 * table in reached.cc says on which port each path has to be reached; a whole
 * run fails if one of those was not.
 */
#ifndef TESTS_RUNTIME_REACHED_H
#define TESTS_RUNTIME_REACHED_H

#include "tests/support/wt.h"

#include <functional>
#include <initializer_list>

#include "runtime/base/rare.h"

class Reached : public testing::Test
{
      protected:
	void SetUp() override;
	void TearDown() override;

	/*
	 * Run the body as a task again and again, with a new seed each time,
	 * until it has reached all of these paths. procs: the number of
	 * servers; 0: one, two or four in turn. When it takes too long, the
	 * case fails for the paths that the table wants on this port, except
	 * where a build or a machine makes races too seldom.
	 */
	void Until(std::initializer_list<wend__rare> paths, int procs,
		   const std::function<void()> &body);

	/* The same, but the body runs in the calling thread. */
	void UntilFromThread(std::initializer_list<wend__rare> paths, int procs,
			     const std::function<void()> &body);

      private:
	void Repeat(std::initializer_list<wend__rare> paths, int procs,
		    const std::function<void(int procs, uint64_t seed)> &run);
};

#endif
