/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.cc - the main of every test of the runtime.
 *
 * Death tests run the program again from its start ("threadsafe"): a fork of
 * a process that has threads would be neither safe nor what users do.
 */
#include "tests/support/wt.h"

#include <cstdio>
#include <thread>

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	GTEST_FLAG_SET(death_test_style, "threadsafe");
	/* TSan starts a thread of its own with the first: before any test
	 * counts them. */
	std::thread([] {}).join();
	printf("port %s\n", wt::Port());
	return RUN_ALL_TESTS();
}
