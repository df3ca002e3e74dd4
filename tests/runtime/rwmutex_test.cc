/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rwmutex_test.cc - many readers or one writer.
 */
#include "tests/support/wt.h"

#include <signal.h>

#include <atomic>
#include <random>
#include <thread>

TEST(Rwmutex, ReadersShareWritersDoNot)
{
	wt::Run([] {
		wend_rwmutex m = {};

		wend_rwmutex_rlock(&m);
		EXPECT_TRUE(wend_rwmutex_rtry(&m));
		EXPECT_FALSE(wend_rwmutex_try(&m));
		EXPECT_EQ(-ETIMEDOUT, wend_rwmutex_lock_until(&m, 0));
		wend_rwmutex_runlock(&m);
		EXPECT_FALSE(wend_rwmutex_try(&m));
		wend_rwmutex_runlock(&m);
		EXPECT_TRUE(wend_rwmutex_try(&m));
		EXPECT_FALSE(wend_rwmutex_try(&m));
		EXPECT_FALSE(wend_rwmutex_rtry(&m));
		EXPECT_EQ(-ETIMEDOUT, wend_rwmutex_rlock_until(&m, 0));
		wend_rwmutex_unlock(&m);
		EXPECT_EQ(0, wend_rwmutex_rlock_until(&m, 0));
		wend_rwmutex_runlock(&m);
		EXPECT_EQ(0, wend_rwmutex_lock_until(&m, 0));
		wend_rwmutex_unlock(&m);
	});
}

/* Two plain variables that a writer sets one after the other with a switch in
 * between: a reader beside it would see them differ. */
TEST(Rwmutex, ReadersSeeWholeWrites)
{
	wt::Run([] {
		wend_rwmutex m = {};
		int a = 0, b = 0;
		std::atomic<int> readers{ 0 };
		wt::Group g;

		for (int i = 0; i < 3; i++) {
			g.Go([&] {
				for (int k = 0; k < 15; k++) {
					wend_rwmutex_lock(&m);
					EXPECT_EQ(0, readers);
					a++;
					wend_yield();
					b++;
					wend_rwmutex_unlock(&m);
				}
			});
			g.Go([&] {
				for (int k = 0; k < 15; k++) {
					wend_rwmutex_rlock(&m);
					readers++;
					int seen = a;
					wend_yield();
					EXPECT_EQ(seen, b);
					EXPECT_EQ(seen, a);
					readers--;
					wend_rwmutex_runlock(&m);
				}
			});
		}
		g.Wait();
		EXPECT_EQ(45, a);
		EXPECT_EQ(45, b);
	});
}

/* A writer that waits holds new readers off, and goes before them; the readers
 * that wait when it unlocks go before the next writer. */
TEST(Rwmutex, WritersAndReadersTakeTurns)
{
	wt::Run([] {
		wend_rwmutex m = {};
		wt::Log<std::string> order;
		wt::Group g;

		wend_rwmutex_rlock(&m);
		g.Go(
			[&] {
				wend_rwmutex_lock(&m);
				order.Add("writer 1");
				wend_rwmutex_unlock(&m);
			},
			"writer 1");
		wt::AwaitWaiting("writer 1");
		EXPECT_FALSE(wend_rwmutex_rtry(&m));
		for (int i = 0; i < 2; i++)
			g.Go(
				[&] {
					wend_rwmutex_rlock(&m);
					order.Add("reader");
					wend_rwmutex_runlock(&m);
				},
				"reader");
		wt::AwaitWaiting("reader", 2);
		g.Go(
			[&] {
				wend_rwmutex_lock(&m);
				order.Add("writer 2");
				wend_rwmutex_unlock(&m);
			},
			"writer 2");
		wt::AwaitWaiting("writer 2");
		wend_rwmutex_runlock(&m);
		g.Wait();
		EXPECT_EQ((std::vector<std::string>{ "writer 1", "reader",
						     "reader", "writer 2" }),
			  order.Get());
	});
}

/* A writer that gives up lets the readers go on that it held off. */
TEST(Rwmutex, AWriterThatGivesUpFreesReaders)
{
	wt::Run([] {
		wend_rwmutex m = {};
		wt::Group g;

		wend_rwmutex_rlock(&m);
		wend_task *w = g.Go(
			[&] {
				EXPECT_EQ(-ECANCELED,
					  wend_rwmutex_lock_until(
						  &m, WEND_FOREVER));
			},
			"writer");
		wt::AwaitWaiting("writer");
		wend_task *r = g.Go(
			[&] {
				wend_rwmutex_rlock(&m);
				wend_rwmutex_runlock(&m);
			},
			"reader");
		wt::AwaitWaiting("reader");
		(void)r;
		wend_task_cancel(w);
		g.Wait();
		EXPECT_TRUE(wend_rwmutex_rtry(&m));
		wend_rwmutex_runlock(&m);
		wend_rwmutex_runlock(&m);

		/* The same by a deadline. */
		wend_rwmutex_rlock(&m);
		EXPECT_EQ(-ETIMEDOUT,
			  wend_rwmutex_lock_until(
				  &m, wend_after(WEND_MICROSECOND)));
		EXPECT_TRUE(wend_rwmutex_rtry(&m));
		wend_rwmutex_runlock(&m);
		wend_rwmutex_runlock(&m);
	});
}

/* All operations at random with deadlines; the invariants are counted. */
TEST(Rwmutex, Random)
{
	wt::Run([] {
		wend_rwmutex m = {};
		std::atomic<int> readers{ 0 }, writers{ 0 };
		wt::Group g;

		for (int i = 0; i < 6; i++)
			g.Go([&, i] {
				std::mt19937_64 rng(wt::Seed() * 7 + i);

				for (int k = 0; k < 30; k++) {
					int64_t dl = wend_after(rng() % 4000);

					if (rng() % 3) {
						if (wend_rwmutex_rlock_until(
							    &m, dl) != 0)
							continue;
						readers++;
						EXPECT_EQ(0, writers);
						wend_sleep(rng() % 2000);
						EXPECT_EQ(0, writers);
						readers--;
						wend_rwmutex_runlock(&m);
					} else {
						if (wend_rwmutex_lock_until(
							    &m, dl) != 0)
							continue;
						EXPECT_EQ(0, writers++);
						EXPECT_EQ(0, readers);
						wend_sleep(rng() % 2000);
						EXPECT_EQ(0, readers);
						writers--;
						wend_rwmutex_unlock(&m);
					}
				}
			});
		g.Wait();
		EXPECT_TRUE(wend_rwmutex_try(&m));
		wend_rwmutex_unlock(&m);
	});
}

TEST(Rwmutex, ThreadsAndTasks)
{
	WT_NEEDS_THREADS();
	for (int procs : { 1, 2 }) {
		wend_rwmutex m = {};
		int a = 0, b = 0;
		std::vector<std::thread> threads;

		auto Work = [&] {
			for (int k = 0; k < 100; k++) {
				if (k % 4 == 0) {
					wend_rwmutex_lock(&m);
					a++;
					wend_yield();
					b++;
					wend_rwmutex_unlock(&m);
				} else {
					wend_rwmutex_rlock(&m);
					EXPECT_EQ(a, b);
					wend_rwmutex_runlock(&m);
				}
			}
		};
		wt::Start(procs);
		for (int i = 0; i < 3; i++) {
			ASSERT_EQ(0, wt::Go(Work));
			threads.emplace_back(Work);
		}
		for (auto &t : threads)
			t.join();
		wt::Stop();
		EXPECT_EQ(150, a);
	}
}

namespace
{

void ReadUnlockFree()
{
	wt::RunOnce(1, [] {
		wend_rwmutex m = {};

		wend_rwmutex_runlock(&m);
	});
}

void WriteUnlockFree()
{
	wt::RunOnce(1, [] {
		wend_rwmutex m = {};

		wend_rwmutex_unlock(&m);
	});
}

void WriteUnlockOfReader()
{
	wt::RunOnce(1, [] {
		wend_rwmutex m = {};

		wend_rwmutex_rlock(&m);
		wend_rwmutex_unlock(&m);
	});
}

} // namespace

TEST(RwmutexDeathTest, Misuse)
{
	WT_EXPECT_MISUSE(ReadUnlockFree(), "rwmutex");
	WT_EXPECT_MISUSE(WriteUnlockFree(), "rwmutex");
	WT_EXPECT_MISUSE(WriteUnlockOfReader(), "rwmutex");
}
