/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_test.cc - clock, sleep, timers and tickers.
 *
 * A machine may be late by any time, so the tests only say what must hold
 * then too: nothing is early, nothing fires twice, nothing is lost, and on one
 * server what is due first fires first. Under "sim" late is virtual as well.
 */
#include "tests/support/wt.h"

#include <algorithm>
#include <atomic>
#include <random>

namespace
{

/* The time a timer's channel has, or a negative error. */
int64_t Fired(wend_timer *t)
{
	int64_t at = -1;
	int r = wend_chan_recv(wend_timer_chan(t), &at);

	return r < 0 ? r : at;
}

} // namespace

TEST(Time, NowNeverGoesBack)
{
	wt::Run([] {
		int64_t last = wend_now();

		for (int i = 0; i < 200; i++) {
			int64_t now = wend_now();

			EXPECT_GE(now, last);
			last = now;
			if (i % 10 == 0)
				wend_yield();
		}
	});
}

/* At the ends of the range: for ever, and now. */
TEST(Time, AfterSaturates)
{
	wt::Run([] {
		EXPECT_EQ(WEND_FOREVER, wend_after(INT64_MAX));
		EXPECT_EQ(WEND_FOREVER, wend_after(INT64_MAX - 1));
		EXPECT_EQ(WEND_FOREVER, wend_after_ms(INT64_MAX));
		EXPECT_EQ(WEND_FOREVER,
			  wend_after_ms(INT64_MAX / WEND_MILLISECOND + 1));
		for (int64_t d : { (int64_t)0, (int64_t)-1, INT64_MIN }) {
			int64_t before = wend_now(), t = wend_after(d);

			EXPECT_GE(t, before);
			EXPECT_LE(t, wend_now());
			before = wend_now();
			t = wend_after_ms(d);
			EXPECT_GE(t, before);
			EXPECT_LE(t, wend_now());
		}
		int64_t before = wend_now(), t = wend_after(WEND_SECOND);
		EXPECT_GE(t, before + WEND_SECOND);
		EXPECT_LE(t, wend_now() + WEND_SECOND);
	});
}

TEST(Time, SleepIsNeverEarly)
{
	wt::Run([] {
		std::mt19937_64 rng(wt::Seed());
		wt::Group g;

		for (int i = 0; i < 20; i++) {
			int64_t d = (int64_t)(rng() % 3000000);

			g.Go([d] {
				int64_t start = wend_now();

				EXPECT_EQ(0, wend_sleep(d));
				EXPECT_GE(wend_now(), start + d);
				start = wend_now();
				EXPECT_EQ(0, wend_sleep_until(start + d));
				EXPECT_GE(wend_now(), start + d);
			});
		}
	});
}

/* A time that has passed: at once, but others get a turn. */
TEST(Time, SleepOfNothingYields)
{
	wt::Run([] {
		for (int64_t d : { (int64_t)0, (int64_t)-5, INT64_MIN }) {
			std::atomic<bool> ran{ false };
			wt::Group g;

			g.Go([&] { ran = true; });
			while (!ran)
				EXPECT_EQ(0, wend_sleep(d));
			EXPECT_EQ(0, wend_sleep_until(d));
		}
		EXPECT_EQ(0, wend_sleep_until(wend_now()));
	});
}

/* On one server, sleeps end in the order of their deadlines, in whatever
 * order they were begun. What is told is the time a timer says it fired at:
 * it can't decrease along the deadlines. */
TEST(Time, DueFirstFiresFirst)
{
	wt::RunOn(
		1,
		[] {
			constexpr int kTimers = 100;
			std::mt19937_64 rng(wt::Seed());
			std::vector<std::pair<int64_t, wend_timer *>> timers;
			int64_t base = wend_now(), last = 0;

			for (int i = 0; i < kTimers; i++) {
				int64_t at = base + (int64_t)(rng() % 5000000);

				timers.emplace_back(at, wend_timer_new(at));
				ASSERT_NE(nullptr, timers[i].second);
			}
			std::sort(timers.begin(), timers.end());
			for (auto &t : timers) {
				int64_t at = Fired(t.second);

				EXPECT_GE(at, t.first);
				EXPECT_GE(at, last);
				last = at;
				wend_timer_free(t.second);
			}
		},
		4);
}

/* The same seen by sleeping tasks: many at once, each is woken once and none
 * is early, whatever the order they began in. */
TEST(Time, ManySleepers)
{
	wt::Run(
		[] {
			constexpr int kTasks = 200;
			std::mt19937_64 rng(wt::Seed());
			int64_t base = wend_after(WEND_MILLISECOND);
			std::vector<int> woken(kTasks);
			wt::Group g;

			for (int i = 0; i < kTasks; i++) {
				int64_t at = base + (int64_t)(rng() % 5000000);

				g.Go([&, i, at] {
					EXPECT_EQ(0, wend_sleep_until(at));
					EXPECT_GE(wend_now(), at);
					woken[i]++;
				});
			}
			g.Wait();
			for (int n : woken)
				EXPECT_EQ(1, n);
		},
		10);
}

/* A timer fires once, not early, and says when. */
TEST(Time, TimerFiresOnce)
{
	wt::Run([] {
		int64_t dl = wend_after(WEND_MILLISECOND);
		wend_timer *t = wend_timer_new(dl);
		int64_t v = 3;

		ASSERT_NE(nullptr, t);
		EXPECT_EQ(1u, wend_chan_cap(wend_timer_chan(t)));
		int64_t at = Fired(t);
		EXPECT_GE(at, dl);
		EXPECT_LE(at, wend_now());
		EXPECT_EQ(
			-ETIMEDOUT,
			wend_chan_recv_until(wend_timer_chan(t), &v,
					     wend_after(2 * WEND_MILLISECOND)));
		EXPECT_FALSE(wend_timer_stop(t));
		wend_timer_free(t);
		wend_timer_free(nullptr);
	});
}

/* A deadline in the past fires at once; one that never comes does not. */
TEST(Time, TimersAtTheEnds)
{
	wt::Run([] {
		wend_timer *past = wend_timer_new(0);
		wend_timer *first = wend_timer_new(INT64_MIN);
		wend_timer *never = wend_timer_new(WEND_FOREVER);
		int64_t v;

		EXPECT_GE(Fired(past), 0);
		EXPECT_GE(Fired(first), 0);
		EXPECT_EQ(-ETIMEDOUT,
			  wend_chan_recv_until(wend_timer_chan(never), &v,
					       wend_after(WEND_MILLISECOND)));
		EXPECT_TRUE(wend_timer_stop(never));
		wend_timer_free(past);
		wend_timer_free(first);
		wend_timer_free(never);
	});
}

/* A timer that was stopped in time never fires; stopping again is false. */
TEST(Time, StopDisarms)
{
	wt::Run([] {
		wend_timer *t = wend_timer_new(wend_after(3600 * WEND_SECOND));
		wend_timer *u = wend_timer_new(wend_after(WEND_MILLISECOND));
		int64_t v;

		EXPECT_TRUE(wend_timer_stop(t));
		EXPECT_FALSE(wend_timer_stop(t));
		bool stopped = wend_timer_stop(u);
		int r = wend_chan_recv_until(wend_timer_chan(u), &v,
					     wend_after(3 * WEND_MILLISECOND));
		EXPECT_EQ(stopped ? -ETIMEDOUT : 0, r);
		wend_timer_free(t);
		wend_timer_free(u);
	});
}

/* Stop races with the timer: it fired, or it never will. */
TEST(Time, StopRaces)
{
	wt::Run([] {
		std::mt19937_64 rng(wt::Seed());

		for (int i = 0; i < 6; i++) {
			int64_t d = (int64_t)(rng() % 20000);
			wend_timer *t = wend_timer_new(wend_after(d));
			bool stopped = false;
			wt::Group g;

			g.Go([&] {
				wend_sleep((int64_t)(rng() % 20000));
				stopped = wend_timer_stop(t);
			});
			g.Wait();
			if (!stopped) {
				EXPECT_GT(Fired(t), 0);
			}
			wend_sleep(40000);
			EXPECT_EQ(0u, wend_chan_len(wend_timer_chan(t)));
			wend_timer_free(t);
		}
	});
}

/* Later, earlier, and again after it has fired. */
TEST(Time, Reset)
{
	wt::Run([] {
		wend_timer *t = wend_timer_new(wend_after(3600 * WEND_SECOND));
		int64_t dl = wend_after(WEND_MILLISECOND);

		EXPECT_TRUE(wend_timer_reset(t, dl));
		EXPECT_GE(Fired(t), dl);
		dl = wend_after(WEND_MILLISECOND);
		EXPECT_FALSE(wend_timer_reset(t, dl));
		EXPECT_GE(Fired(t), dl);
		EXPECT_FALSE(wend_timer_reset(t, WEND_FOREVER));
		EXPECT_TRUE(wend_timer_reset(t, 0));
		EXPECT_GE(Fired(t), dl);
		EXPECT_FALSE(wend_timer_stop(t));
		EXPECT_FALSE(wend_timer_reset(t, wend_after(WEND_SECOND)));
		EXPECT_TRUE(wend_timer_stop(t));
		wend_timer_free(t);
	});
}

/* Free disarms. */
TEST(Time, FreeWhileArmed)
{
	wt::Run([] {
		for (int i = 0; i < 10; i++) {
			wend_timer *t = wend_timer_new(
				wend_after(i * WEND_MICROSECOND));

			if (i % 2)
				wend_yield();
			wend_timer_free(t);
			t = wend_ticker_new(WEND_MICROSECOND);
			if (i % 3)
				wend_sleep(2 * WEND_MICROSECOND);
			wend_timer_free(t);
		}
		wend_sleep(WEND_MILLISECOND);
	});
}

/* A function runs in a task of its own, once; and it may wait. */
TEST(Time, TimerFunction)
{
	wt::Run([] {
		struct Call {
			wt::Chan done{ sizeof(int64_t), 0 };
			uint64_t task = 0;
			int calls = 0;
		} call;
		int64_t dl = wend_after(WEND_MILLISECOND), at = 0;
		wend_timer *t = wend_timer_func(
			dl,
			[](void *arg) {
				Call *c = static_cast<Call *>(arg);
				int64_t now = wend_now();

				c->calls++;
				c->task = wend_task_id();
				EXPECT_EQ(0, wend_chan_send(c->done, &now));
			},
			&call);

		ASSERT_NE(nullptr, t);
		EXPECT_EQ(nullptr, wend_timer_chan(t));
		EXPECT_EQ(0, wend_chan_recv(call.done, &at));
		EXPECT_GE(at, dl);
		EXPECT_NE(0u, call.task);
		EXPECT_NE(wend_task_id(), call.task);
		EXPECT_FALSE(wend_timer_stop(t));
		EXPECT_FALSE(wend_timer_reset(t, 0));
		EXPECT_EQ(0, wend_chan_recv(call.done, &at));
		EXPECT_EQ(2, call.calls);
		wend_timer_free(t);

		t = wend_timer_func(
			wend_after(3600 * WEND_SECOND),
			[](void *) { ADD_FAILURE() << "was stopped"; },
			nullptr);
		EXPECT_TRUE(wend_timer_stop(t));
		wend_timer_free(t);
	});
}

/* Tick k is not before k periods; the phase is kept when ticks are dropped,
 * of which the channel holds one. */
TEST(Time, TickerKeepsItsPhase)
{
	wt::Run([] {
		const int64_t period = 500 * WEND_MICROSECOND;
		int64_t start = wend_now();
		wend_timer *t = wend_ticker_new(period);
		int64_t last = start;

		ASSERT_NE(nullptr, t);
		for (int k = 1; k <= 5; k++) {
			int64_t at = Fired(t);

			EXPECT_GE(at, start + k * period);
			EXPECT_GT(at, last);
			last = at;
		}
		EXPECT_EQ(0, wend_sleep(10 * period));
		EXPECT_EQ(1u, wend_chan_len(wend_timer_chan(t)));
		int64_t kept = Fired(t);
		EXPECT_LT(last, kept);
		/* Ten periods passed and one tick was kept of them: the next is
		 * a later one. */
		EXPECT_GE(Fired(t), start + 15 * period);
		EXPECT_TRUE(wend_timer_stop(t));
		EXPECT_FALSE(wend_timer_stop(t));
		wend_timer_free(t);
	});
}

/* A ticker that is reset: the next tick then, and from there each period. */
TEST(Time, TickerReset)
{
	wt::Run([] {
		const int64_t period = 300 * WEND_MICROSECOND;
		wend_timer *t = wend_ticker_new(3600 * WEND_SECOND);
		wend_timer *u = wend_ticker_new(period);
		int64_t at = wend_after(WEND_MILLISECOND);

		EXPECT_TRUE(wend_timer_reset(t, at));
		EXPECT_GE(Fired(t), at);
		EXPECT_EQ(0u, wend_chan_len(wend_timer_chan(t)));
		EXPECT_TRUE(wend_timer_stop(t));

		EXPECT_TRUE(wend_timer_stop(u));
		while (wend_chan_recv_try(wend_timer_chan(u), nullptr) == 0)
			;
		at = wend_after(WEND_MILLISECOND);
		EXPECT_FALSE(wend_timer_reset(u, at));
		EXPECT_GE(Fired(u), at);
		EXPECT_GE(Fired(u), at + period);
		wend_timer_free(t);
		wend_timer_free(u);
	});
}

TEST(Time, BadPeriods)
{
	wt::Run([] {
		EXPECT_EQ(nullptr, wend_ticker_new(0));
		EXPECT_EQ(nullptr, wend_ticker_new(-1));
		EXPECT_EQ(nullptr, wend_ticker_new(INT64_MIN));
		wend_timer *t = wend_ticker_new(INT64_MAX);
		EXPECT_NE(nullptr, t);
		wend_timer_free(t);
	});
}

/* Many timers, armed, moved and stopped at random: each fires exactly if it
 * was not stopped, none is early, none twice. */
TEST(Time, ManyTimersAtRandom)
{
	wt::Run(
		[] {
			constexpr int kTimers = 300;
			std::mt19937_64 rng(wt::Seed());
			std::vector<wend_timer *> timer(kTimers);
			std::vector<int64_t> at(kTimers);
			std::vector<bool> stopped(kTimers);

			for (int i = 0; i < kTimers; i++) {
				at[i] = wend_after((int64_t)(rng() % 4000000));
				timer[i] = wend_timer_new(at[i]);
			}
			for (int i = 0; i < kTimers; i++) {
				int k = (int)(rng() % kTimers);
				int64_t to = wend_after(
					(int64_t)(rng() % 4000000));

				if (stopped[k])
					continue;
				if (rng() % 2)
					stopped[k] = wend_timer_stop(timer[k]);
				else if (wend_timer_reset(timer[k], to))
					at[k] = to;
				else /* it had fired: its channel is full */
					wend_timer_stop(timer[k]);
				if (i % 50 == 0)
					wend_sleep(WEND_MICROSECOND);
			}
			for (int i = 0; i < kTimers; i++) {
				if (!stopped[i]) {
					EXPECT_GE(Fired(timer[i]), at[i]);
				}
			}
			wend_sleep(5 * WEND_MILLISECOND);
			for (wend_timer *t : timer) {
				EXPECT_EQ(0u,
					  wend_chan_len(wend_timer_chan(t)));
				wend_timer_free(t);
			}
		},
		10);
}

/* A select on two timers takes the one that has fired. */
TEST(Time, SelectOnTimers)
{
	wt::Run([] {
		wend_timer *soon = wend_timer_new(wend_after(WEND_MICROSECOND));
		wend_timer *late = wend_timer_new(
			wend_after(3600 * WEND_SECOND));

		EXPECT_EQ(1, wend_select(WEND_FOREVER,
					 wend_on_recv(wend_timer_chan(late),
						      nullptr),
					 wend_on_recv(wend_timer_chan(soon),
						      nullptr)));
		wend_timer_free(soon);
		wend_timer_free(late);
	});
}

/*
 * Whoever looks for work comes to its own timers meanwhile. Virtual time goes on
 * only while all sleep, so what is late there was slept through: a busy
 * server's timers have a slack of 0.2 ms, and nothing here is busy.
 */
TEST(Time, NotLateWhileServersComeAndGo)
{
	if (!wt::IsSim())
		GTEST_SKIP() << "virtual time: the sim port's";
	wt::Run([] {
		std::atomic<int64_t> latest{ 0 };
		wt::Group g;

		for (int i = 0; i < 3; i++)
			g.Go([&, i] {
				for (int r = 0; r < 30; r++) {
					int64_t due = wend_after(
						WEND_MILLISECOND +
						i * 3 * WEND_MICROSECOND);

					wend_sleep_until(due);
					latest = std::max(latest.load(),
							  wend_now() - due);
				}
			});
		g.Wait();
		EXPECT_LE(latest, WEND_MILLISECOND / 2);
	});
}
