/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_test.cc - tasks of which the first that fails ends all.
 */
#include "tests/support/wt.h"

#include <wend/std/sync.h>

#include <atomic>
#include <functional>

namespace
{

using Fn = std::function<int(wend_ctx *)>;

int Call(wend_ctx *ctx, void *arg)
{
	return (*static_cast<Fn *>(arg))(ctx);
}

class ErrGroup
{
      public:
	explicit ErrGroup(unsigned limit = 0, wend_ctx *parent = nullptr)
		: g(wend_sync_group_new(parent, limit))
	{
		EXPECT_NE(nullptr, g);
	}
	~ErrGroup()
	{
		wend_sync_group_free(g);
	}
	ErrGroup(const ErrGroup &) = delete;
	ErrGroup &operator=(const ErrGroup &) = delete;
	/* fn must live until the group has ended. */
	int Go(Fn &fn)
	{
		return wend_sync_group_go(g, Call, &fn);
	}

	wend_sync_group *const g;
};

} // namespace

TEST(SyncGroup, WaitsForAll)
{
	wt::Run([] {
		std::atomic<int> ended{ 0 };
		Fn fn = [&](wend_ctx *ctx) {
			EXPECT_EQ(0, wend_ctx_err(ctx));
			wend_yield();
			++ended;
			return 1; /* no failure */
		};
		ErrGroup g;

		EXPECT_EQ(0, wend_sync_group_wait(g.g));
		for (int i = 0; i < 10; i++)
			EXPECT_EQ(0, g.Go(fn));
		EXPECT_EQ(0, wend_sync_group_wait(g.g));
		EXPECT_EQ(10, ended);
		/* And once more. */
		EXPECT_EQ(0, g.Go(fn));
		EXPECT_EQ(0, wend_sync_group_wait(g.g));
		EXPECT_EQ(11, ended);
	});
}

/* The others' waits end, by the context and by cancellation. */
TEST(SyncGroup, TheFirstErrorEndsAll)
{
	wt::Run([] {
		std::atomic<int> ended{ 0 };
		Fn waits = [&](wend_ctx *) {
			int r = wend_chan_recv(nullptr, nullptr);

			++ended;
			return r;
		};
		Fn listens = [&](wend_ctx *ctx) {
			bool shield = wend_task_shield(true);

			EXPECT_EQ(-EPIPE,
				  wend_chan_recv(wend_ctx_done(ctx), nullptr));
			wend_task_shield(shield);
			++ended;
			return -EPERM;
		};
		Fn fails = [](wend_ctx *) {
			wend_yield();
			return -EIO;
		};
		ErrGroup g;

		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(0, g.Go(waits));
			EXPECT_EQ(0, g.Go(listens));
		}
		EXPECT_EQ(0, g.Go(fails));
		EXPECT_EQ(-EIO, wend_sync_group_wait(g.g));
		EXPECT_EQ(6, ended);
		EXPECT_EQ(-EIO, wend_ctx_cause(wend_sync_group_ctx(g.g)));
		/* Nothing more is started. */
		EXPECT_EQ(-ECANCELED, g.Go(waits));
		EXPECT_EQ(-ECANCELED,
			  wend_sync_group_go_try(g.g, Call, &waits));
		EXPECT_EQ(-EIO, wend_sync_group_wait(g.g));
	});
}

TEST(SyncGroup, EndsWithItsParent)
{
	wt::Run([] {
		wend_ctx *parent = wend_ctx_with_timeout(nullptr,
							 WEND_MILLISECOND);
		Fn waits = [&](wend_ctx *) { return wend_sleep(INT64_MAX); };
		ErrGroup g(0, parent);

		EXPECT_EQ(0, g.Go(waits));
		EXPECT_EQ(-ECANCELED, wend_sync_group_wait(g.g));
		EXPECT_EQ(-ETIMEDOUT, wend_ctx_err(wend_sync_group_ctx(g.g)));
		EXPECT_EQ(-ETIMEDOUT, g.Go(waits));
		wend_ctx_unref(parent);
	});
}

TEST(SyncGroup, NoMoreThanTheLimit)
{
	wt::Run([] {
		std::atomic<int> now{ 0 }, most{ 0 }, ended{ 0 };
		Fn fn = [&](wend_ctx *) {
			int n = ++now, seen = most;

			while (n > seen && !most.compare_exchange_weak(seen, n))
				;
			wend_yield();
			--now;
			++ended;
			return 0;
		};
		ErrGroup g(3);

		for (int i = 0; i < 20; i++)
			EXPECT_EQ(0, g.Go(fn));
		EXPECT_EQ(0, wend_sync_group_wait(g.g));
		EXPECT_LE(most, 3);
		EXPECT_EQ(20, ended);
	});
}

TEST(SyncGroup, WhenTheLimitIsReached)
{
	wt::Run([] {
		wt::Chan go_on(0, 0);
		Fn waits = [&](wend_ctx *) {
			return wend_chan_recv(go_on, nullptr);
		};
		ErrGroup g(1);
		wt::Group tasks;

		EXPECT_EQ(0, wend_sync_group_go_try(g.g, Call, &waits));
		EXPECT_EQ(-EAGAIN, wend_sync_group_go_try(g.g, Call, &waits));
		EXPECT_EQ(-ETIMEDOUT, wend_sync_group_go_until(
					      g.g, Call, &waits,
					      wend_after(WEND_MILLISECOND)));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_sync_group_wait_until(
				  g.g, wend_after(WEND_MILLISECOND)));
		/* Somebody waits for room, and is cancelled. */
		wend_task *t = tasks.Go(
			[&] { EXPECT_EQ(-ECANCELED, g.Go(waits)); });
		wend_task_cancel(t);
		tasks.Wait();
		EXPECT_EQ(0, wend_chan_send(go_on, nullptr));
		EXPECT_EQ(0, wend_sync_group_wait(g.g));
		/* Somebody waits for room, and the group ends. */
		EXPECT_EQ(0, g.Go(waits));
		tasks.Go([&] { EXPECT_EQ(-ECANCELED, g.Go(waits)); }, "waits");
		wt::AwaitWaiting("waits");
		wend_ctx_cancel(wend_sync_group_ctx(g.g));
		tasks.Wait();
	});
}

/* Members start others; the starter's end may come before theirs. */
TEST(SyncGroup, TasksStartTasks)
{
	wt::Run([] {
		std::atomic<int> ended{ 0 };
		ErrGroup g;
		Fn leaf = [&](wend_ctx *) {
			++ended;
			return 0;
		};
		Fn branch = [&](wend_ctx *) {
			EXPECT_EQ(0, g.Go(leaf));
			EXPECT_EQ(0, g.Go(leaf));
			++ended;
			return 0;
		};

		for (int i = 0; i < 5; i++)
			EXPECT_EQ(0, g.Go(branch));
		EXPECT_EQ(0, wend_sync_group_wait(g.g));
		EXPECT_EQ(15, ended);
	});
}

/* A waiting task that is cancelled ends the group, and still waits. */
TEST(SyncGroup, TheWaitingTaskIsCancelled)
{
	wt::Run([] {
		wt::Group tasks;
		wend_task *t = tasks.Go([&] {
			bool ended = false;
			Fn waits = [&](wend_ctx *) {
				wend_task_set_name("member");
				(void)wend_chan_recv(nullptr, nullptr);
				ended = true;
				return 0;
			};
			ErrGroup g;

			EXPECT_EQ(0, g.Go(waits));
			EXPECT_EQ(-ECANCELED, wend_sync_group_wait(g.g));
			EXPECT_TRUE(ended);
		});

		wt::AwaitWaiting("member");
		wend_task_cancel(t);
	});
}

/* Freed without a wait: it is ended and waited for. */
TEST(SyncGroup, FreeEndsIt)
{
	wt::Run([] {
		bool ended = false;
		Fn waits = [&](wend_ctx *) {
			(void)wend_chan_recv(nullptr, nullptr);
			ended = true;
			return 0;
		};
		{
			ErrGroup g(2);

			EXPECT_EQ(0, g.Go(waits));
		}
		EXPECT_TRUE(ended);
		wend_sync_group_free(nullptr);
	});
}

TEST(SyncGroup, FromAThread)
{
	wt::RunFromThread([] {
		Fn fails = [](wend_ctx *) { return -EIO; };
		ErrGroup g(1);

		EXPECT_EQ(0, g.Go(fails));
		EXPECT_EQ(-EIO, wend_sync_group_wait(g.g));
	});
}

TEST(SyncGroup, WithoutARuntime)
{
	Fn fn = [](wend_ctx *) { return 0; };
	ErrGroup g(1);

	EXPECT_EQ(-ESRCH, g.Go(fn));
	EXPECT_EQ(-ESRCH, g.Go(fn)); /* the place was given back */
}

/* Starts, ends and failures at the same time, again and again. */
TEST(SyncGroup, AllAtOnce)
{
	wt::Run(
		[] {
			for (int i = 0; i < 10; i++) {
				Fn fails = [](wend_ctx *) { return -EIO; };
				Fn waits = [](wend_ctx *) {
					return wend_chan_recv(nullptr, nullptr);
				};
				ErrGroup g(i % 3 ? 0 : 2);
				wt::Group tasks;

				for (int k = 0; k < 3; k++)
					tasks.Go([&] {
						int r = g.Go(waits);

						EXPECT_TRUE(r == 0 ||
							    r == -ECANCELED);
					});
				tasks.Go([&] {
					if (g.Go(fails))
						wend_ctx_cancel(
							wend_sync_group_ctx(
								g.g));
				});
				if (i % 3 == 0)
					wend_ctx_cancel(
						wend_sync_group_ctx(g.g));
				tasks.Wait();
				EXPECT_LE(wend_sync_group_wait(g.g), 0);
			}
		},
		10);
}
