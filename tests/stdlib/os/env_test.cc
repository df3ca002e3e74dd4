/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env_test.cc - the environment, and lists made from it.
 */
#include "tests/stdlib/os/os_util.h"

namespace
{

const char name[] = "WEND_OS_TEST";

std::string Get(const char *variable)
{
	char *value = nullptr;
	int r = wend_os_env_get(variable, &value);
	std::string text = r ? std::to_string(r) : value;

	free(value);
	return text;
}

/* How often an entry stands in a list. */
int Count(char **list, const std::string &entry)
{
	int n = 0;

	for (; *list; list++)
		n += entry == *list;
	return n;
}

} // namespace

TEST(OsEnv, SetGetUnset)
{
	wt::RunOnce(1, [] {
		EXPECT_EQ(std::to_string(-ENOENT), Get(name));
		EXPECT_EQ(0, wend_os_env_set(name, "one"));
		EXPECT_EQ("one", Get(name));
		EXPECT_EQ(0, wend_os_env_set(name, ""));
		EXPECT_EQ("", Get(name));
		EXPECT_EQ(0, wend_os_env_set(name, nullptr));
		EXPECT_EQ(0, wend_os_env_set(name, nullptr));
		EXPECT_EQ(std::to_string(-ENOENT), Get(name));
	});
}

TEST(OsEnv, BadNames)
{
	wt::RunOnce(1, [] {
		const char *const bad[] = { "A=1", "=2", nullptr };
		char **list = nullptr;

		for (const char *n : { "", "A=B", (const char *)nullptr }) {
			EXPECT_EQ(-EINVAL, wend_os_env_set(n, "x"));
			EXPECT_EQ(std::to_string(-EINVAL), Get(n));
		}
		EXPECT_EQ(-EINVAL, wend_os_env_list(bad, &list));
		EXPECT_EQ(nullptr, list);
	});
}

TEST(OsEnv, Lists)
{
	wt::RunOnce(1, [] {
		const char *const changes[] = { "WEND_OS_TEST_2=first",
						"WEND_OS_TEST=changed",
						"WEND_OS_TEST_2=last", "PATH",
						nullptr };
		char **list;

		ASSERT_EQ(0, wend_os_env_set(name, "old"));
		ASSERT_EQ(0, wend_os_env_list(nullptr, &list));
		EXPECT_EQ(1, Count(list, "WEND_OS_TEST=old"));
		EXPECT_EQ(1, Count(list, "PATH=" + Get("PATH")));
		free(list);
		ASSERT_EQ(0, wend_os_env_list(changes, &list));
		EXPECT_EQ(0, Count(list, "WEND_OS_TEST=old"));
		EXPECT_EQ(1, Count(list, "WEND_OS_TEST=changed"));
		EXPECT_EQ(0, Count(list, "WEND_OS_TEST_2=first"));
		EXPECT_EQ(1, Count(list, "WEND_OS_TEST_2=last"));
		EXPECT_EQ(0, Count(list, "PATH=" + Get("PATH")));
		EXPECT_EQ(0, Count(list, "PATH"));
		free(list);
		ASSERT_EQ(0, wend_os_env_set(name, nullptr));
	});
}

/* Readers and writers at once: every value is one that was set. */
TEST(OsEnv, ManyAtOnce)
{
	wt::Run(
		[] {
			wt::Group g;

			EXPECT_EQ(0, wend_os_env_set(name, "0"));
			for (int task = 0; task < 4; task++)
				g.Go([task] {
					std::string mine(200 + (size_t)task,
							 (char)('a' + task));

					for (int i = 0; i < 20; i++) {
						std::string got;

						EXPECT_EQ(
							0,
							wend_os_env_set(
								name,
								mine.c_str()));
						wend_yield();
						got = Get(name);
						EXPECT_GE(got.size(), 200u);
						EXPECT_EQ(
							got.size(),
							200u + (size_t)(got[0] -
									'a'));
						EXPECT_EQ(
							std::string(got.size(),
								    got[0]),
							got);
					}
				});
			g.Wait();
			EXPECT_EQ(0, wend_os_env_set(name, nullptr));
		},
		50);
}
