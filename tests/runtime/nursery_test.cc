/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nursery_test.cc - tasks that end before their block does.
 */
#include "tests/support/wt.h"

#include <atomic>

namespace
{

WEND_TASK(Count, (std::atomic<int> *, n))
{
	wend_yield();
	++*n;
}

WEND_TASK(Fail, (int, result))
{
	wend_yield();
	wend_task_fail(result);
}

/* Waits for ever, notes how it was ended, and fails with its own error. */
WEND_TASK(WaitAndNote, (std::atomic<int> *, cancelled), (int, result))
{
	if (wend_chan_recv(nullptr, nullptr) == -ECANCELED)
		++*cancelled;
	if (result)
		wend_task_fail(result);
}

WEND_TASK(Spread, (wend_nursery *, n), (std::atomic<int> *, count), (int, depth))
{
	if (depth > 0) {
		wend_nursery_go(n, Spread, n, count, depth - 1);
		wend_nursery_go(n, Spread, n, count, depth - 1);
	}
	wend_yield();
	++*count;
}

} // namespace

TEST(Nursery, WaitsForAll)
{
	wt::Run([] {
		std::atomic<int> count{ 0 };
		int result = 1;

		wend_nursery(n) {
			for (int i = 0; i < 20; i++)
				EXPECT_EQ(0,
					  wend_nursery_go(&n, Count, &count));
			result = n.result;
		}
		EXPECT_EQ(20, count);
		EXPECT_EQ(0, result);
	});
}

TEST(Nursery, EmptyAndNested)
{
	wt::Run([] {
		std::atomic<int> count{ 0 };

		wend_nursery(empty) {
		}
		wend_nursery(outer) {
			wend_nursery_go(&outer, Count, &count);
			wend_nursery(inner) {
				wend_nursery_go(&inner, Count, &count);
			}
			EXPECT_GE(count, 1);
		}
		EXPECT_EQ(2, count);
	});
}

/* continue ends the block as its end does: what was started is waited for. */
TEST(Nursery, ContinueEndsTheBlock)
{
	wt::Run([] {
		std::atomic<int> count{ 0 };
		bool after = false;

		wend_nursery(n) {
			wend_nursery_go(&n, Count, &count);
			if (count < 100)
				continue;
			after = true;
		}
		EXPECT_EQ(1, count);
		EXPECT_FALSE(after);
	});
}

/* Tasks of the nursery start more of them. */
TEST(Nursery, TasksStartTasks)
{
	wt::Run([] {
		std::atomic<int> count{ 0 };

		wend_nursery(n)
			wend_nursery_go(&n, Spread, &n, &count, 5);
		EXPECT_EQ(63, count);
	});
}

/* The first that fails cancels the others, which would wait for ever; its
 * error is the result, not those that follow from the cancellation. */
TEST(Nursery, TheFirstErrorCancelsTheRest)
{
	wt::Run([] {
		std::atomic<int> cancelled{ 0 };
		wend_nursery
			*seen = nullptr;
		int result = 0;

		wend_nursery(n) {
			seen = &n;
			for (int i = 0; i < 5; i++)
				EXPECT_EQ(0,
					  wend_nursery_go(&n, WaitAndNote,
							  &cancelled, -1000));
			EXPECT_EQ(0, wend_nursery_go(&n, Fail, -EIO));
			result = wend_nursery_wait(&n);
		}
		EXPECT_NE(nullptr, seen);
		EXPECT_EQ(-EIO, result);
		EXPECT_EQ(5, cancelled);
	});
}

/* A nursery that is cancelled starts nothing more. */
TEST(Nursery, CancelRefusesNewTasks)
{
	wt::Run([] {
		std::atomic<int> cancelled{ 0 }, count{ 0 };
		int result = 1;

		wend_nursery(n) {
			EXPECT_EQ(0, wend_nursery_go(&n, WaitAndNote,
						     &cancelled, 0));
			EXPECT_EQ(0, wend_nursery_go(&n, WaitAndNote,
						     &cancelled, 0));
			wend_nursery_cancel(&n);
			wend_nursery_cancel(&n);
			EXPECT_EQ(0, n.result);
			EXPECT_EQ(-ECANCELED,
				  wend_nursery_go(&n, Count, &count));
			result = wend_nursery_wait(&n);
		}
		EXPECT_EQ(2, cancelled);
		EXPECT_EQ(0, count);
		EXPECT_TRUE(result == 0 || result == -ECANCELED);
	});
}

/* The waiting task is cancelled: so are the tasks, and still waited for. */
TEST(Nursery, CancelOfTheWaiter)
{
	wt::Run([] {
		std::atomic<int> cancelled{ 0 };
		int result = 1;
		wt::Group g;

		wend_task *t = g.Go(
			[&] {
				wend_nursery(n) {
					for (int i = 0; i < 3; i++)
						wend_nursery_go(&n, WaitAndNote,
								&cancelled, 0);
					result = wend_nursery_wait(&n);
				}
				EXPECT_EQ(3, cancelled);
			},
			"owner");
		wt::AwaitWaiting("owner");
		wend_task_cancel(t);
		g.Wait();
		EXPECT_EQ(-ECANCELED, result);
	});
}

/* Tasks that end and tasks that are started at the same time, many times over:
 * what the nursery keeps of them does not grow without end. */
TEST(Nursery, ManyShortTasks)
{
	wt::Run(
		[] {
			std::atomic<int> count{ 0 };

			wend_nursery(n) {
				for (int i = 0; i < 500; i++) {
					wend_nursery_go(&n, Count, &count);
					if (i % 10 == 0)
						wend_yield();
				}
			}
			EXPECT_EQ(500, count);
		},
		10);
}
