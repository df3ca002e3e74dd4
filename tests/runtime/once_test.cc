/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once_test.cc - a function called once, whoever comes first.
 */
#include "tests/support/wt.h"

#include <atomic>
#include <thread>

namespace
{

/* What the function does: wait at a gate, count, and write plain memory. */
struct Init {
	wend_chan *gate;
	int calls;
	int value;
};

void Initialise(void *arg)
{
	Init *i = static_cast<Init *>(arg);

	if (i->gate)
		wend_chan_recv(i->gate, nullptr);
	i->calls++;
	i->value = 42;
}

void MustNotRun(void *)
{
	ADD_FAILURE() << "a second function is called";
}

} // namespace

/* All come at once: one call, and everyone sees what it wrote. */
TEST(Once, OneCallForAll)
{
	wt::Run([] {
		wend_once o = {};
		wt::Chan gate(0, 0);
		Init init = { gate, 0, 0 };
		wt::Group g;

		for (int i = 0; i < 8; i++)
			g.Go(
				[&] {
					wend_once_do(&o, Initialise, &init);
					EXPECT_EQ(42, init.value);
				},
				"comer");
		wt::AwaitWaiting("comer", 8);
		EXPECT_EQ(0, init.calls);
		wend_chan_close(gate);
		g.Wait();
		EXPECT_EQ(1, init.calls);
		wend_once_do(&o, MustNotRun, nullptr);
		EXPECT_EQ(0, wend_once_do_until(&o, MustNotRun, nullptr, 0));
	});
}

/* A deadline counts for who waits, not for who runs the function. */
TEST(Once, Deadline)
{
	wt::Run([] {
		wend_once o = {}, p = {};
		wt::Chan gate(0, 0);
		Init init = { gate, 0, 0 }, other = { nullptr, 0, 0 };
		wt::Group g;

		EXPECT_EQ(0, wend_once_do_until(&p, Initialise, &other, 0));
		EXPECT_EQ(1, other.calls);

		g.Go([&] { wend_once_do(&o, Initialise, &init); }, "runs");
		wt::AwaitWaiting("runs");
		EXPECT_EQ(-ETIMEDOUT,
			  wend_once_do_until(&o, MustNotRun, nullptr, 0));
		int64_t dl = wend_after(WEND_MILLISECOND);
		EXPECT_EQ(-ETIMEDOUT,
			  wend_once_do_until(&o, MustNotRun, nullptr, dl));
		EXPECT_GE(wend_now(), dl);
		wend_chan_close(gate);
		EXPECT_EQ(0, wend_once_do_until(&o, MustNotRun, nullptr,
						WEND_FOREVER));
		EXPECT_EQ(42, init.value);
	});
}

TEST(Once, ThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	wt::Start(2);
	for (int round = 0; round < 50; round++) {
		wend_once o = {};
		Init init = { nullptr, 0, 0 };
		wend_task *t[3];

		auto Come = [&] {
			wend_once_do(&o, Initialise, &init);
			EXPECT_EQ(42, init.value);
		};
		for (auto &h : t)
			ASSERT_EQ(0, wt::Go(Come, nullptr, &h));
		std::thread thread(Come);
		Come();
		thread.join();
		for (auto &h : t)
			EXPECT_EQ(0, wend_join(h, nullptr));
		EXPECT_EQ(1, init.calls);
	}
	wt::Stop();
}
