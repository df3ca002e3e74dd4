/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_test.cc - what a context interrupts, and what follows its end.
 */
#include "tests/support/wt.h"

#include <wend/std/context.h>

#include <unistd.h>

#include <atomic>
#include <functional>

namespace
{

class Ctx
{
      public:
	explicit Ctx(wend_ctx *c) : c_(c)
	{
		EXPECT_NE(nullptr, c);
	}
	~Ctx()
	{
		wend_ctx_unref(c_);
	}
	Ctx(const Ctx &) = delete;
	Ctx &operator=(const Ctx &) = delete;
	operator wend_ctx *() const
	{
		return c_;
	}

      private:
	wend_ctx *c_;
};

int CallFunction(void *arg)
{
	return (*static_cast<std::function<int()> *>(arg))();
}

int RunIn(wend_ctx *ctx, std::function<int()> fn)
{
	return wend_ctx_run(ctx, CallFunction, &fn);
}

void Count(void *arg)
{
	++*static_cast<std::atomic<int> *>(arg);
}

} // namespace

TEST(ContextRun, ReturnsWhatTheFunctionReturns)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_cancel(nullptr));
		uint64_t inside = 0;

		EXPECT_EQ(42, RunIn(c, [&] {
				  inside = wend_task_id();
				  return 42;
			  }));
		EXPECT_NE(wend_task_id(), inside);
		EXPECT_EQ(-EIO, RunIn(nullptr, [] { return -EIO; }));
		/* Its own -ECANCELED while the context goes on. */
		EXPECT_EQ(-ECANCELED, RunIn(c, [] { return -ECANCELED; }));
	});
}

TEST(ContextRun, NotCalledOnceItHasEnded)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_deadline(nullptr, 0));
		bool called = false;

		EXPECT_EQ(-ETIMEDOUT, RunIn(c, [&] {
			called = true;
			return 0;
		}));
		EXPECT_FALSE(called);
	});
}

TEST(ContextRun, TheDeadlineEndsAWait)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_timeout(nullptr, 2 * WEND_MILLISECOND));

		EXPECT_EQ(-ETIMEDOUT, RunIn(c, [] {
			return wend_chan_recv(nullptr, nullptr);
		}));
		/* The caller itself is not cancelled. */
		EXPECT_FALSE(wend_task_cancelled());
		EXPECT_EQ(0, wend_sleep(WEND_MILLISECOND));
	});
}

TEST(ContextRun, CancelEndsAWait)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_cancel(nullptr));
		wt::Group g;

		g.Go([&] {
			EXPECT_EQ(-ECANCELED, RunIn(c, [] {
				wend_task_set_name("inner");
				return wend_chan_recv(nullptr, nullptr);
			}));
		});
		wt::AwaitWaiting("inner");
		wend_ctx_cancel(c);
	});
}

/* What had succeeded stays so, whatever the context does. */
TEST(ContextRun, ASuccessIsKept)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_cancel(nullptr));

		EXPECT_EQ(7, RunIn(c, [&] {
				  wend_ctx_cancel(c);
				  return 7;
			  }));
	});
}

/* The calling task's cancellation is passed on, and the function waited for:
 * it uses the caller's stack. */
TEST(ContextRun, ACancelledCallerWaits)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_cancel(nullptr));
		wt::Group g;
		wend_task *t = g.Go([&] {
			bool ended = false;

			EXPECT_EQ(-ECANCELED, RunIn(c, [&] {
				int r;

				wend_task_set_name("inner");
				r = wend_chan_recv(nullptr, nullptr);
				wend_yield();
				ended = true;
				return r;
			}));
			EXPECT_TRUE(ended);
			EXPECT_TRUE(wend_task_cancelled());
		});

		wt::AwaitWaiting("inner");
		wend_task_cancel(t);
		g.Wait();
		EXPECT_EQ(0, wend_ctx_err(c));
	});
}

TEST(ContextRun, FromAThread)
{
	wt::RunFromThread([] {
		Ctx c(wend_ctx_with_timeout(nullptr, WEND_MILLISECOND));

		EXPECT_EQ(-ETIMEDOUT,
			  RunIn(c, [] { return wend_sleep(INT64_MAX); }));
	});
}

TEST(ContextRun, WithoutARuntime)
{
	EXPECT_EQ(-ESRCH, RunIn(nullptr, [] { return 0; }));
}

/* The end of the context, the caller's cancellation and the function's own
 * return, all at the same time. */
TEST(ContextRun, AllEndsAtOnce)
{
	wt::Run(
		[] {
			for (int i = 0; i < 10; i++) {
				Ctx c(wend_ctx_with_cancel(nullptr));
				wt::Chan go(0, 1);
				wt::Group g;
				wend_task *t = g.Go([&] {
					int r = RunIn(c, [&] {
						return wend_chan_recv(go,
								      nullptr);
					});

					EXPECT_TRUE(r == 0 || r == -ECANCELED)
						<< r;
				});

				g.Go([&] { wend_ctx_cancel(c); });
				g.Go([&] { wend_task_cancel(t); });
				g.Go([&] {
					(void)!wend_chan_send_try(go, nullptr);
				});
				g.Wait();
			}
		},
		10);
}

/* A read() that nobody will ever answer. */
TEST(ContextRun, TheDeadlineEndsARead)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Ctx c(wend_ctx_with_timeout(nullptr, 5 * WEND_MILLISECOND));
		int ends[2];

		ASSERT_EQ(0, pipe(ends));
		if (std::string("threads") == wend_park_name())
			GTEST_SKIP() << "a call in a thread is not interrupted";
		EXPECT_EQ(-ETIMEDOUT, RunIn(c, [&] {
			char byte;
			ssize_t n = read(ends[0], &byte, 1);

			return n < 0 ? -errno : (int)n;
		}));
		close(ends[0]);
		close(ends[1]);
	});
}

/* --- after_func ------------------------------------------------------------------------ */

TEST(ContextAfter, CalledWhenItEnds)
{
	wt::Run([] {
		std::atomic<int> calls{ 0 };
		Ctx c(wend_ctx_with_cancel(nullptr));
		wend_ctx_after *a = wend_ctx_after_func(c, Count, &calls);

		ASSERT_NE(nullptr, a);
		wend_yield();
		EXPECT_EQ(0, calls);
		wend_ctx_cancel(c);
		while (calls == 0)
			wend_yield();
		EXPECT_FALSE(wend_ctx_after_stop(a));
		EXPECT_EQ(1, calls);
	});
}

TEST(ContextAfter, CalledSoonIfItHasEnded)
{
	wt::Run([] {
		std::atomic<int> calls{ 0 };
		Ctx c(wend_ctx_with_deadline(nullptr, 0));
		wend_ctx_after *a = wend_ctx_after_func(c, Count, &calls);

		ASSERT_NE(nullptr, a);
		while (calls == 0)
			wend_yield();
		EXPECT_FALSE(wend_ctx_after_stop(a));
	});
}

/* Stopped in time: never called. The handle keeps the context. */
TEST(ContextAfter, Stopped)
{
	wt::Run([] {
		std::atomic<int> calls{ 0 };
		wend_ctx *c = wend_ctx_with_cancel(nullptr);
		wend_ctx_after *a = wend_ctx_after_func(c, Count, &calls);
		wend_ctx_after *never = wend_ctx_after_func(nullptr, Count,
							    &calls);

		wend_ctx_unref(c);
		EXPECT_TRUE(wend_ctx_after_stop(a));
		EXPECT_TRUE(wend_ctx_after_stop(never));
		EXPECT_FALSE(wend_ctx_after_stop(nullptr));
		EXPECT_EQ(0, calls);
	});
}

/* Stopped while it ends: called if and only if stop says so. */
TEST(ContextAfter, StoppedWhileItEnds)
{
	wt::Run(
		[] {
			std::atomic<int> calls{ 0 }, started{ 0 };

			for (int i = 0; i < 10; i++) {
				Ctx c(wend_ctx_with_cancel(nullptr));
				wend_ctx_after *a = wend_ctx_after_func(
					c, Count, &calls);
				wt::Group g;

				g.Go([&] { wend_ctx_cancel(c); });
				g.Go([&] {
					wend_yield();
					if (!wend_ctx_after_stop(a))
						++started;
				});
			}
			while (calls < started)
				wend_yield();
			wend_sleep(WEND_MILLISECOND);
			EXPECT_EQ(started, calls);
		},
		10);
}
