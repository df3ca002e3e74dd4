/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_test.cc - every call of runtime/block/calls.tab, one after the other.
 *
 * Each is made three times: by a thread, by a task on one server while another
 * task is to unblock it, and with WEND_INTERPOSE=0. All must come to the same
 * result. On the one server nothing but giving it up lets the other task run;
 * so if the call was not announced, the test hangs. That it really waited is
 * seen by its not having returned when the other task has run for a while, and
 * before that does anything about it.
 */
#include "tests/runtime/calls_util.h"

#include <dlfcn.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace blocking;

#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"

namespace
{

#define WEND__TSAN WT_TSAN
#include "runtime/block/calls.inc"

/* Who calls, and who unblocks, meet here. */
struct Run {
	std::unique_ptr<Case> c;
	std::atomic<bool> entered{ false };
	std::atomic<bool> done{ false };
	Outcome outcome{ 0, 0 };

	explicit Run(const Entry &e)
	    : c(e.make())
	{
		c->Before();
	}
	void Call()
	{
		c->Enter();
		entered = true;
		outcome = Observe([&] { return c->Call(); });
		done = true;
		c->After();
	}
	void Unblock(const Entry &e)
	{
		if (e.never)
			return;
		do {
			c->Unblock();
			if (e.again)
				usleep(100);
		} while (e.again && !done);
	}
};

Outcome InThread(const Entry &e)
{
	Run run(e);
	std::thread t([&] { run.Call(); });

	while (!run.entered)
		usleep(100);
	usleep(1000); /* most calls wait by then; none need */
	run.Unblock(e);
	t.join();
	return run.outcome;
}

/* To be called in a task. */
Outcome InTask(const Entry &e, bool announced)
{
	Run run(e);

	{
		wt::Group g;

		g.Go([&] { run.Call(); });
		while (!run.entered)
			wend_yield();
		if (announced) {
			PassToken();
			EXPECT_TRUE(e.never || !run.done) << "did not wait";
		}
		run.Unblock(e);
	}
	return run.outcome;
}

class Calls : public testing::TestWithParam<const Entry *>
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
		if (GetParam()->make()->Missing())
			GTEST_SKIP() << "this machine cannot do it";
	}
};

TEST_P(Calls, LetOthersRun)
{
	const Entry &e = *GetParam();
	Outcome plain = InThread(e), task{};

	if (e.never)
		printf("cannot be made to wait: %s\n", e.never);
	OnFewServers([&] {
		task = InTask(e, true);
		EXPECT_EQ(plain, task);
	});
}

/* Errors, and whatever else returns at once. */
TEST_P(Calls, FailAlike)
{
	const Entry &e = *GetParam();
	Outcomes plain = e.make()->Fails();

	wt::RunOn(1, [&] { EXPECT_EQ(plain, e.make()->Fails()); });
}

/* Turned off, each waits where it is called: another server unblocks it. */
TEST_P(Calls, NotInterposed)
{
	const Entry &e = *GetParam();
	wt::Env off("WEND_INTERPOSE", "0");
	Outcome plain = InThread(e);

	wt::RunOn(4, [&] {
		struct wend_stats before, after;

		wend_stats_get(&before);
		EXPECT_EQ(plain, InTask(e, false));
		wend_stats_get(&after);
		EXPECT_EQ(before.blocks, after.blocks);
	});
}

std::string NameOf(const testing::TestParamInfo<const Entry *> &info)
{
	return info.param->name;
}

INSTANTIATE_TEST_SUITE_P(All, Calls, testing::ValuesIn(kEntries), NameOf);

/* --- the symbols ------------------------------------------------------------------------ */

const void *ImageOf(const void *f)
{
	Dl_info info = {};

	return f && dladdr(f, &info) ? info.dli_fbase : nullptr;
}

/* Any library's call by that name, and by each of the other names, comes to
 * this program, where the runtime is; and ours goes on to today's version in
 * the C library. */
TEST(CallTable, SymbolsAreInterposed)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	const void *here = ImageOf((const void *)&kEntries);

	ASSERT_NE(nullptr, libc);
	for (const Entry *e : kEntries) {
		void *next = wend__block_nexts[e->index];
		void *plain = dlsym(libc, e->name);

		for (const char *name : e->names)
			EXPECT_EQ(here, ImageOf(dlsym(RTLD_DEFAULT, name)))
				<< name;
		ASSERT_NE(nullptr, next) << e->name;
		EXPECT_NE(here, ImageOf(next)) << e->name;
		/* A sanitizer's interceptor may be in between. */
		if (ImageOf(next) == ImageOf(plain))
			EXPECT_EQ(plain, next) << e->name << ": old version";
		else
			EXPECT_TRUE(wt::kSanitized) << e->name;
	}
}

TEST(CallTable, WhatIsLeftOut)
{
	for (const char *name : kAbsent)
		printf("not in this build: %s\n", name);
}

/* docs/BLOCKING.md has the tables as calls.py makes them. */
TEST(CallTable, IsInTheDocumentation)
{
	const std::string begin = "<!-- calls.tab -->\n", end = "<!-- end -->";
	auto read_all = [](const char *path) {
		std::stringstream s;

		s << std::ifstream(path).rdbuf();
		return s.str();
	};
	std::string doc = read_all("docs/BLOCKING.md");
	std::string made = read_all("runtime/block/calls.md");
	size_t from = doc.find(begin), to = doc.find(end);

	ASSERT_FALSE(made.empty());
	ASSERT_NE(std::string::npos, from);
	ASSERT_NE(std::string::npos, to);
	from += begin.size();
	EXPECT_EQ("\n" + made + "\n", doc.substr(from, to - from))
		<< "python3 runtime/block/calls.py runtime/block/calls.tab docs";
}

} // namespace
