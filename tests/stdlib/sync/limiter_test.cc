/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limiter_test.cc - the token bucket. How long something takes is looked at in
 * the simulation, where time is exact; elsewhere only that it is not too short.
 */
#include "tests/support/wt.h"

#include <wend/std/sync.h>

#include <cmath>

namespace
{

class Limiter
{
      public:
	Limiter(double rate, unsigned burst)
		: l(wend_sync_limiter_new(rate, burst))
	{
		EXPECT_NE(nullptr, l);
	}
	~Limiter()
	{
		wend_sync_limiter_free(l);
	}

	wend_sync_limiter *const l;
};

constexpr int64_t kMs = WEND_MILLISECOND;

} // namespace

/* A full bucket, then as many as the time brings. */
TEST(SyncLimiter, AllowsTheBurstThenTheRate)
{
	wt::Run([] {
		Limiter l(1000, 5);
		int64_t start = wend_now();
		int n = 0;

		for (int i = 0; i < 5; i++)
			EXPECT_TRUE(wend_sync_limiter_allow(l.l, 1));
		/* Spread over time, so that none is lost to a full bucket. */
		for (int i = 0; i < 20; i++) {
			wend_sleep(kMs);
			while (wend_sync_limiter_allow(l.l, 1))
				n++;
		}
		EXPECT_LE(n, (wend_now() - start) / kMs);
		EXPECT_FALSE(wend_sync_limiter_allow(l.l, 6));
		if (wt::IsSim()) {
			EXPECT_EQ(20, n);
		}
	});
}

TEST(SyncLimiter, WaitsForItsTurn)
{
	wt::Run([] {
		Limiter l(1000, 2);
		int64_t start = wend_now();

		for (int i = 0; i < 12; i++)
			EXPECT_EQ(0, wend_sync_limiter_wait(nullptr, l.l, 1));
		EXPECT_GE(wend_now() - start, 10 * kMs);
		EXPECT_EQ(0,
			  wend_sync_limiter_wait_until(l.l, 2, WEND_FOREVER));
		EXPECT_GE(wend_now() - start, 12 * kMs);
		if (wt::IsSim()) {
			EXPECT_LT(wend_now() - start, 13 * kMs);
		}
	});
}

/* First come, first served, and together no faster. */
TEST(SyncLimiter, ManyWait)
{
	wt::Run([] {
		Limiter l(1000, 1);
		int64_t start = wend_now();
		wt::Group g;

		for (int i = 0; i < 10; i++)
			g.Go([&] {
				EXPECT_EQ(0, wend_sync_limiter_wait(nullptr,
								    l.l, 1));
			});
		g.Wait();
		EXPECT_GE(wend_now() - start, 9 * kMs);
	});
}

/* A deadline that would pass is known at once, and nothing is taken. */
TEST(SyncLimiter, ADeadlineTooEarly)
{
	wt::Run([] {
		Limiter l(1.0 / 3600, 1);
		wend_ctx *ctx = wend_ctx_with_timeout(nullptr,
						      500 * WEND_MILLISECOND);
		int64_t start = wend_now();

		EXPECT_TRUE(wend_sync_limiter_allow(l.l, 1));
		EXPECT_EQ(-ETIMEDOUT, wend_sync_limiter_wait(ctx, l.l, 1));
		EXPECT_EQ(-ETIMEDOUT, wend_sync_limiter_wait_until(
					      l.l, 1, wend_after(500 * kMs)));
		EXPECT_EQ(-ETIMEDOUT, wend_sync_limiter_wait_until(l.l, 1, 0));
		if (wt::IsSim()) {
			EXPECT_LT(wend_now() - start, kMs);
			EXPECT_EQ(0, wend_sync_limiter_wait(nullptr, l.l, 1));
			EXPECT_LT(wend_now() - start,
				  3600 * WEND_SECOND + WEND_MILLISECOND);
		}
		wend_ctx_unref(ctx);
	});
}

/* A wait that is ended gives its tokens back. */
TEST(SyncLimiter, AnEndedWaitTakesNothing)
{
	wt::Run([] {
		Limiter l(1.0 / 3600, 1);
		wend_ctx *ctx = wend_ctx_with_cancel(nullptr);
		wend_sync_reservation r;
		wt::Group g;

		EXPECT_TRUE(wend_sync_limiter_allow(l.l, 1));
		g.Go(
			[&] {
				EXPECT_EQ(-ECANCELED,
					  wend_sync_limiter_wait(ctx, l.l, 1));
			},
			"by context");
		wt::AwaitWaiting("by context");
		wend_ctx_cancel(ctx);
		g.Wait();
		EXPECT_EQ(-ECANCELED, wend_sync_limiter_wait(ctx, l.l, 1));
		wend_task *t = g.Go(
			[&] {
				EXPECT_EQ(-ECANCELED, wend_sync_limiter_wait(
							      nullptr, l.l, 1));
			},
			"by task");
		wt::AwaitWaiting("by task");
		wend_task_cancel(t);
		g.Wait();
		/* One hour, not two or three. */
		EXPECT_EQ(0,
			  wend_sync_limiter_reserve(l.l, 1, WEND_FOREVER, &r));
		EXPECT_LE(r.at - wend_now(), 3601 * WEND_SECOND);
		wend_ctx_unref(ctx);
	});
}

TEST(SyncLimiter, Reservations)
{
	wt::Run([] {
		Limiter l(1.0 / 3600, 2);
		wend_sync_reservation now, first, second, third;
		int64_t hour = 3600 * WEND_SECOND, start = wend_now();

		EXPECT_EQ(0, wend_sync_limiter_reserve(l.l, 2, 0, &now));
		EXPECT_LE(now.at, wend_now());
		EXPECT_EQ(-ETIMEDOUT,
			  wend_sync_limiter_reserve(
				  l.l, 1, wend_after(hour / 2), &first));
		EXPECT_EQ(0, wend_sync_limiter_reserve(l.l, 1, WEND_FOREVER,
						       &first));
		EXPECT_NEAR((double)(start + hour), (double)first.at,
			    (double)(60 * WEND_SECOND));
		EXPECT_EQ(0, wend_sync_limiter_reserve(l.l, 1, WEND_FOREVER,
						       &second));
		EXPECT_NEAR((double)(first.at + hour), (double)second.at, 1e3);
		/* The second was told a time that counts with the first. */
		wend_sync_limiter_give_back(l.l, &first);
		EXPECT_EQ(0, wend_sync_limiter_reserve(l.l, 1, WEND_FOREVER,
						       &third));
		EXPECT_NEAR((double)(second.at + hour), (double)third.at, 1e3);
		/* The last one, and what is used already. */
		wend_sync_limiter_give_back(l.l, &third);
		wend_sync_limiter_give_back(l.l, &now);
		EXPECT_EQ(0, wend_sync_limiter_reserve(l.l, 1, WEND_FOREVER,
						       &first));
		EXPECT_NEAR((double)third.at, (double)first.at, 1e3);
	});
}

TEST(SyncLimiter, OddRates)
{
	wt::Run([] {
		Limiter none(0, 2), all(INFINITY, 0);
		wend_sync_reservation r;

		EXPECT_EQ(nullptr, wend_sync_limiter_new(-1, 1));
		EXPECT_EQ(nullptr, wend_sync_limiter_new(NAN, 1));
		EXPECT_EQ(-EINVAL, wend_sync_limiter_set(none.l, -1, 1));
		EXPECT_TRUE(wend_sync_limiter_allow(none.l, 2));
		EXPECT_FALSE(wend_sync_limiter_allow(none.l, 1));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_sync_limiter_wait(nullptr, none.l, 1));
		EXPECT_EQ(-EINVAL, wend_sync_limiter_wait(nullptr, none.l, 3));
		EXPECT_TRUE(wend_sync_limiter_allow(none.l, 0));
		EXPECT_TRUE(wend_sync_limiter_allow(all.l, 1000000));
		EXPECT_EQ(0, wend_sync_limiter_reserve(all.l, 7, 0, &r));
		wend_sync_limiter_give_back(all.l, &r);
		EXPECT_EQ(0, wend_sync_limiter_wait(nullptr, all.l, 1));
	});
}

/* Another rate from now on; what is there is kept, as far as it fits. */
TEST(SyncLimiter, AnotherRate)
{
	wt::Run([] {
		Limiter l(0, 10);
		int64_t start = wend_now();

		EXPECT_EQ(0, wend_sync_limiter_set(l.l, 1000, 3));
		EXPECT_FALSE(wend_sync_limiter_allow(l.l, 4));
		EXPECT_TRUE(wend_sync_limiter_allow(l.l, 3));
		EXPECT_EQ(0, wend_sync_limiter_wait(nullptr, l.l, 3));
		EXPECT_GE(wend_now() - start, 3 * kMs);
		EXPECT_EQ(0, wend_sync_limiter_set(l.l, 0, 3));
		while (wend_sync_limiter_allow(l.l, 1)) {
		}
		EXPECT_EQ(-ETIMEDOUT, wend_sync_limiter_wait(nullptr, l.l, 3));
	});
}

/* A high rate is exact, too: what is rounded does not add up. */
TEST(SyncLimiter, AHighRate)
{
	wt::Run(
		[] {
			Limiter l(3e8, 1000000);
			int64_t start = wend_now();

			for (int i = 0; i < 300; i++)
				EXPECT_EQ(0, wend_sync_limiter_wait(
						     nullptr, l.l, 1000000));
			EXPECT_GE(wend_now() - start, 996 * kMs);
			if (wt::IsSim()) {
				EXPECT_LT(wend_now() - start, 999 * kMs);
			}
		},
		20);
}
