/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select_test.cc - waiting for the first of several operations, along Go's
 * specification.
 */
#include "tests/support/wt.h"

#include <atomic>
#include <random>

using wt::RecvInt;
using wt::SendInt;

/* The one operation that can go on is taken, and the others are not. */
TEST(Select, OneReady)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 1), b(sizeof(int), 1),
			c(sizeof(int), 1);
		int x = -1, y = -1, z = 8, st = 5;

		EXPECT_EQ(0, SendInt(b, 7));
		EXPECT_EQ(0, SendInt(c, 1));
		EXPECT_EQ(1, wend_select(WEND_FOREVER, wend_on_recv(a, &x),
					 wend_on_recv_status(b, &y, &st),
					 wend_on_send(c, &z)));
		EXPECT_EQ(-1, x);
		EXPECT_EQ(7, y);
		EXPECT_EQ(0, st);
		EXPECT_EQ(1, RecvInt(c));

		EXPECT_EQ(2, wend_select(WEND_FOREVER, wend_on_recv(a, &x),
					 wend_on_recv(b, &y),
					 wend_on_send(c, &z)));
		EXPECT_EQ(8, RecvInt(c));
		EXPECT_EQ(0u, wend_chan_len(a));
		EXPECT_EQ(0u, wend_chan_len(b));
	});
}

/* None ready: the default (a deadline of 0) or the deadline; the elements are
 * untouched, and so is the status. */
TEST(Select, NoneReady)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 0), full(sizeof(int), 1);
		int x = -1, y = 2, st = 5;
		int64_t dl = wend_after(WEND_MILLISECOND);

		EXPECT_EQ(0, SendInt(full, 1));
		for (int64_t d : { (int64_t)0, wend_now(), INT64_MIN, dl })
			EXPECT_EQ(-ETIMEDOUT,
				  wend_select(d,
					      wend_on_recv_status(a, &x, &st),
					      wend_on_send(full, &y)));
		EXPECT_GE(wend_now(), dl);
		EXPECT_EQ(-1, x);
		EXPECT_EQ(5, st);
		EXPECT_EQ(1u, wend_chan_len(full));
		/* It left no trace in either queue. */
		EXPECT_EQ(-EAGAIN, wend_chan_send_try(a, &x));
		EXPECT_EQ(1, RecvInt(full));
		EXPECT_EQ(-EAGAIN, wend_chan_recv_try(full, &x));
	});
}

/* Several ready: each is as likely. Counts of n draws from k cases lie within
 * six standard deviations of n/k. */
TEST(Select, SeveralReadyIsFair)
{
	wt::Run(
		[] {
			constexpr int kDraws = 4000;

			for (int k : { 2, 3, 4, 7 }) {
				std::vector<std::unique_ptr<wt::Chan>> chans;
				std::vector<wend_case> cases;
				std::vector<int> count(k);

				for (int i = 0; i < k; i++) {
					chans.emplace_back(new wt::Chan(0, 1));
					wend_chan_close(*chans[i]);
					cases.push_back(wend_on_recv(*chans[i],
								     nullptr));
				}
				for (int i = 0; i < kDraws; i++) {
					int n = wend_select_cases(
						cases.data(), cases.size(),
						i % 2 ? WEND_FOREVER : 0);
					ASSERT_GE(n, 0);
					ASSERT_LT(n, k);
					count[n]++;
				}
				double mean = (double)kDraws / k;
				double sd6 = 6 * __builtin_sqrt(mean);
				for (int n : count) {
					EXPECT_GT(n, mean - sd6) << k;
					EXPECT_LT(n, mean + sd6) << k;
				}
			}
		},
		50);
}

/* Receives and sends that could both go on, on buffers: exactly one happens
 * each time. */
TEST(Select, ExactlyOneHappens)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 2), b(sizeof(int), 2);
		int x = 0, y = 1;

		for (int i = 0; i < 20; i++) {
			EXPECT_EQ(0, SendInt(a, i));
			int n = wend_select(WEND_FOREVER, wend_on_recv(a, &x),
					    wend_on_send(b, &y));
			size_t la = wend_chan_len(a), lb = wend_chan_len(b);

			EXPECT_EQ(n == 0 ? 0u : 1u, la);
			EXPECT_EQ(n == 1 ? 1u : 0u, lb);
			while (wend_chan_recv_try(a, nullptr) == 0 ||
			       wend_chan_recv_try(b, nullptr) == 0)
				;
		}
	});
}

/* A select that waits is served by a send, a receive, and is then out of all
 * queues. */
TEST(Select, WaitsForEitherDirection)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 0), b(sizeof(int), 0);
		int x = 0, y = 6;

		for (int which = 0; which < 2; which++) {
			wt::Group g;

			g.Go(
				[&] {
					EXPECT_EQ(which,
						  wend_select(
							  WEND_FOREVER,
							  wend_on_recv(a, &x),
							  wend_on_send(b, &y)));
				},
				"selector");
			wt::AwaitWaiting("selector");
			if (which == 0)
				EXPECT_EQ(0, SendInt(a, 5));
			else
				EXPECT_EQ(6, RecvInt(b));
			EXPECT_EQ(-EAGAIN, wend_chan_send_try(a, &y));
			EXPECT_EQ(-EAGAIN, wend_chan_recv_try(b, &y));
			g.Wait();
		}
		EXPECT_EQ(5, x);
	});
}

/* One channel in several cases, both directions: it never meets itself, and
 * a partner is served once. */
TEST(Select, TheSameChannelTwice)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		int x = -1, y = -1, v = 3;

		EXPECT_EQ(-ETIMEDOUT, wend_select(0, wend_on_send(c, &v),
						  wend_on_recv(c, &x)));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_select(wend_after(WEND_MICROSECOND),
				      wend_on_send(c, &v), wend_on_recv(c, &x),
				      wend_on_recv(c, &y)));
		for (int i = 0; i < 4; i++) {
			wt::Group g;
			int n = -1;

			x = y = -1;
			g.Go(
				[&] {
					n = wend_select(WEND_FOREVER,
							wend_on_recv(c, &x),
							wend_on_recv(c, &y),
							wend_on_send(c, &v));
				},
				"twice");
			wt::AwaitWaiting("twice");
			if (i % 2)
				EXPECT_EQ(3, RecvInt(c));
			else
				EXPECT_EQ(0, SendInt(c, 9));
			g.Wait();
			EXPECT_EQ(n == 0 ? 9 : -1, x);
			EXPECT_EQ(n == 1 ? 9 : -1, y);
			EXPECT_EQ(i % 2, n == 2);
			EXPECT_EQ(-EAGAIN, wend_chan_send_try(c, &v));
			EXPECT_EQ(-EAGAIN, wend_chan_recv_try(c, &x));
		}
	});
}

/* "A nil channel is never ready": such a case is as if it were not there. */
TEST(Select, NilCases)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 1);
		int x = 0, v = 4;

		EXPECT_EQ(-ETIMEDOUT, wend_select(0, wend_on_recv(nullptr, &x),
						  wend_on_send(nullptr, &v)));
		EXPECT_EQ(-ETIMEDOUT, wend_select(wend_after(WEND_MICROSECOND),
						  wend_on_recv(nullptr, &x)));
		EXPECT_EQ(1,
			  wend_select(WEND_FOREVER, wend_on_recv(nullptr, &x),
				      wend_on_send(a, &v),
				      wend_on_send(nullptr, &v)));
		EXPECT_EQ(1,
			  wend_select(WEND_FOREVER, wend_on_send(nullptr, &v),
				      wend_on_recv(a, &x)));
		EXPECT_EQ(4, x);
	});
}

/* Closed channels can always go on; what is buffered comes first. */
TEST(Select, ClosedCases)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 2), b(sizeof(int), 0);
		int x = 9, v = 1, st = 1;

		EXPECT_EQ(0, SendInt(a, 3));
		wend_chan_close(a);
		EXPECT_EQ(0, wend_select(WEND_FOREVER,
					 wend_on_recv_status(a, &x, &st)));
		EXPECT_EQ(3, x);
		EXPECT_EQ(0, st);
		EXPECT_EQ(1, wend_select(WEND_FOREVER, wend_on_recv(b, &x),
					 wend_on_recv_status(a, &x, &st)));
		EXPECT_EQ(0, x);
		EXPECT_EQ(-EPIPE, st);
		st = 1;
		EXPECT_EQ(1, wend_select(0, wend_on_recv(b, &x),
					 wend_on_send_status(a, &v, &st)));
		EXPECT_EQ(-EPIPE, st);
		EXPECT_EQ(0, wend_select(0, wend_on_send(a, &v)));
	});
}

/* A close wakes a select that waits, for a receive and for a send. */
TEST(Select, CloseWakes)
{
	wt::Run([] {
		for (bool receiving : { true, false }) {
			wt::Chan a(sizeof(int), 0), b(sizeof(int), 0);
			wt::Group g;

			g.Go(
				[&] {
					int x = 9, v = 1, sa = 1, sb = 1;
					int n = wend_select(
						WEND_FOREVER,
						wend_on_recv_status(a, &x, &sa),
						wend_on_send_status(b, &v,
								    &sb));

					EXPECT_EQ(receiving ? 0 : 1, n);
					EXPECT_EQ(receiving ? 0 : 9, x);
					EXPECT_EQ(receiving ? -EPIPE : 1, sa);
					EXPECT_EQ(receiving ? 1 : -EPIPE, sb);
				},
				"selector");
			wt::AwaitWaiting("selector");
			wend_chan_close(receiving ? a : b);
		}
	});
}

TEST(Select, NoCasesWaitForTheDeadline)
{
	wt::Run([] {
		int64_t dl = wend_after(WEND_MILLISECOND);

		EXPECT_EQ(-ETIMEDOUT, wend_select_cases(nullptr, 0, 0));
		EXPECT_EQ(-ETIMEDOUT, wend_select_cases(nullptr, 0, dl));
		EXPECT_GE(wend_now(), dl);
	});
}

/* More cases than fit the fixed room, up to the limit; one more is refused. */
TEST(Select, ManyCases)
{
	wt::Run(
		[] {
			for (size_t n : { 16, 17, 100, 65536 }) {
				wt::Chan none(0, 0), one(0, 0);
				wt::Group g;
				std::vector<wend_case> cases(
					n, wend_on_recv(none, nullptr));

				cases[n - 1].chan = one;
				EXPECT_EQ(-ETIMEDOUT,
					  wend_select_cases(cases.data(), n,
							    0));
				g.Go([&] {
					EXPECT_EQ(0,
						  wend_chan_send(one, nullptr));
				});
				EXPECT_EQ((int)n - 1,
					  wend_select_cases(cases.data(), n,
							    WEND_FOREVER));
			}
			std::vector<wend_case> cases(65537);
			EXPECT_EQ(-EINVAL,
				  wend_select_cases(cases.data(), 65537, 0));
			EXPECT_EQ(-EINVAL,
				  wend_select_cases(cases.data(), SIZE_MAX, 0));
		},
		500);
}

/* Two selects meet each other: one's send is the other's receive, on the same
 * channel, and nothing else happens. */
TEST(Select, TwoSelectsMeet)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 0), b(sizeof(int), 0);

		for (int i = 0; i < 5; i++) {
			wt::Group g;
			int n[2] = { -1, -1 }, got[2] = { -1, -1 };
			int give[2] = { 10, 20 };

			for (int k = 0; k < 2; k++)
				g.Go([&, k] {
					n[k] = wend_select(
						WEND_FOREVER,
						wend_on_recv(k ? b : a,
							     &got[k]),
						wend_on_send(k ? a : b,
							     &give[k]));
				});
			g.Wait();
			EXPECT_EQ(1, n[0] + n[1]);
			int receiver = n[0] == 0 ? 0 : 1;
			EXPECT_EQ(give[1 - receiver], got[receiver]);
			EXPECT_EQ(-1, got[1 - receiver]);
		}
	});
}

/* Selects that name the same channels in opposite orders must not lock each
 * other out, and each value sent is received once. */
TEST(Select, CrossingOrders)
{
	wt::Run(
		[] {
			constexpr int kTasks = 6, kRounds = 40;
			wt::Chan a(sizeof(int), 0), b(sizeof(int), 0);
			std::atomic<int64_t> sent{ 0 }, received{ 0 };
			wt::Group g;

			for (int t = 0; t < kTasks; t++)
				g.Go([&, t] {
					wend_chan *p = t % 2 ? a : b;
					wend_chan *q = t % 2 ? b : a;

					for (int i = 1; i <= kRounds; i++) {
						int v = t * 1000 + i, w = 0;
						int n = wend_select(
							wend_after(
								WEND_MILLISECOND),
							wend_on_recv(p, &w),
							wend_on_send(q, &v),
							wend_on_send(p, &v),
							wend_on_recv(q, &w));

						if (n == 0 || n == 3)
							received += w;
						if (n == 1 || n == 2)
							sent += v;
					}
				});
			g.Wait();
			EXPECT_EQ(sent, received);
		},
		4);
}

/* A deadline against a partner: what is sent is received, at most once. */
TEST(Select, DeadlineRaces)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 0), b(sizeof(int), 0);
		std::mt19937_64 rng(wt::Seed());

		for (int i = 0; i < 10; i++) {
			int64_t at = wend_after((int64_t)(rng() % 30000));
			int n = -1, x = 0, v = 2, sent = 1;
			wt::Group g;

			g.Go([&] {
				n = wend_select(at, wend_on_recv(a, &x),
						wend_on_recv(b, &x));
			});
			g.Go([&] {
				sent = wend_chan_send_until(i % 2 ? a : b, &v,
							    at);
			});
			g.Wait();
			EXPECT_EQ(sent == 0, n >= 0);
			EXPECT_EQ(sent == 0 ? 2 : 0, x);
			if (sent == 0) {
				EXPECT_EQ(i % 2 ? 0 : 1, n);
			}
		}
	});
}

/* Many producers into one select over all their channels: nothing is lost,
 * and it ends when all are closed (closed cases are set to nil, as one does
 * in Go). */
TEST(Select, FanIn)
{
	wt::Run(
		[] {
			constexpr int kChans = 20, kEach = 20;
			std::vector<std::unique_ptr<wt::Chan>> chans;
			std::vector<wend_case> cases;
			int v = 0, st = 0, open = kChans, sum = 0, last[kChans];
			wt::Group g;

			for (int i = 0; i < kChans; i++) {
				chans.emplace_back(
					new wt::Chan(sizeof(int), i % 3));
				cases.push_back(wend_on_recv_status(*chans[i],
								    &v, &st));
				last[i] = 0;
			}
			for (int i = 0; i < kChans; i++)
				g.Go([&, i] {
					for (int k = 1; k <= kEach; k++)
						EXPECT_EQ(0, SendInt(*chans[i],
								     k));
					wend_chan_close(*chans[i]);
				});
			while (open > 0) {
				int n = wend_select_cases(cases.data(),
							  cases.size(),
							  WEND_FOREVER);
				ASSERT_GE(n, 0);
				if (st == -EPIPE) {
					EXPECT_EQ(kEach, last[n]);
					cases[n].chan = nullptr;
					open--;
					continue;
				}
				EXPECT_EQ(last[n] + 1, v);
				last[n] = v;
				sum += v;
			}
			EXPECT_EQ(kChans * kEach * (kEach + 1) / 2, sum);
		},
		10);
}
