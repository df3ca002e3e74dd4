/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_test.cc - channels, case by case along Go's specification.
 */
#include "tests/support/wt.h"

#include <signal.h>
#include <string.h>

#include <atomic>
#include <random>

using wt::RecvInt;
using wt::SendInt;

/* "If the capacity is zero, communication succeeds only when both are ready":
 * a receive begins before the send of it ends, so what the receiver wrote
 * before is seen by the sender, and the other way round. Plain memory: TSan
 * sees a race if the order is not there. */
TEST(Chan, UnbufferedIsARendezvous)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		wt::Group g;
		int before_send = 0, before_recv = 0;

		g.Go([&] {
			before_send = 1;
			EXPECT_EQ(0, SendInt(c, 5));
			EXPECT_EQ(1, before_recv);
		});
		g.Go([&] {
			before_recv = 1;
			EXPECT_EQ(5, RecvInt(c));
			EXPECT_EQ(1, before_send);
		});
		g.Wait();
		EXPECT_EQ(0u, wend_chan_len(c));
		EXPECT_EQ(0u, wend_chan_cap(c));
	});
}

/* Alone, neither side succeeds on an unbuffered channel. */
TEST(Chan, UnbufferedNeedsBothSides)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		int v = 1;

		EXPECT_EQ(-EAGAIN, wend_chan_send_try(c, &v));
		EXPECT_EQ(-EAGAIN, wend_chan_recv_try(c, &v));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(c, &v, 0));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_recv_until(c, &v, 0));
		EXPECT_EQ(1, v);
	});
}

/* A try meets a waiting partner. */
TEST(Chan, TryMeetsAWaitingPartner)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		wt::Group g;
		int v = 3;

		g.Go([&] { EXPECT_EQ(3, RecvInt(c)); }, "receiver");
		wt::AwaitWaiting("receiver");
		EXPECT_EQ(0, wend_chan_send_try(c, &v));
		g.Go([&] { EXPECT_EQ(0, SendInt(c, 4)); }, "sender");
		wt::AwaitWaiting("sender");
		EXPECT_EQ(0, wend_chan_recv_try(c, &v));
		EXPECT_EQ(4, v);
	});
}

/* "Channels act as first-in-first-out queues", and len and cap tell. */
TEST(Chan, BufferedIsFirstInFirstOut)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 3);
		int v = 9;

		EXPECT_EQ(3u, wend_chan_cap(c));
		for (int round = 0; round < 4; round++) {
			for (int i = 0; i < 3; i++) {
				EXPECT_EQ((size_t)i, wend_chan_len(c));
				EXPECT_EQ(0, SendInt(c, i + round));
			}
			EXPECT_EQ(3u, wend_chan_len(c));
			EXPECT_EQ(-EAGAIN, wend_chan_send_try(c, &v));
			EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(c, &v, 0));
			for (int i = 0; i < 3; i++)
				EXPECT_EQ(i + round, RecvInt(c));
			EXPECT_EQ(-EAGAIN, wend_chan_recv_try(c, &v));
		}
	});
}

/* One sender, one receiver, each capacity: all values, in order. */
TEST(Chan, OrderOfOneSender)
{
	wt::Run([] {
		for (size_t cap : { 0, 1, 2, 7, 64 }) {
			wt::Chan c(sizeof(int), cap);
			wt::Group g;

			g.Go([&] {
				for (int i = 0; i < 100; i++)
					EXPECT_EQ(0, SendInt(c, i));
				wend_chan_close(c);
			});
			for (int i = 0; i < 100; i++)
				ASSERT_EQ(i, RecvInt(c));
			EXPECT_EQ(-EPIPE, RecvInt(c));
		}
	});
}

/* Many senders and receivers: each value once, and each receiver sees any
 * one sender's values in the order sent. */
TEST(Chan, ManyToMany)
{
	wt::Run(
		[] {
			constexpr int kSenders = 5, kReceivers = 4, kEach = 60;

			for (size_t cap : { 0, 1, 16 }) {
				wt::Chan c(sizeof(int), cap);
				std::atomic<int> seen[kSenders * kEach] = {};
				wend_waitgroup sending = {};
				wt::Group g;

				wend_waitgroup_add(&sending, kSenders);
				for (int s = 0; s < kSenders; s++)
					g.Go([&, s] {
						for (int i = 0; i < kEach; i++)
							SendInt(c,
								s * kEach + i);
						wend_waitgroup_done(&sending);
					});
				for (int r = 0; r < kReceivers; r++)
					g.Go([&] {
						int last[kSenders], v;

						memset(last, -1, sizeof(last));
						while ((v = RecvInt(c)) >= 0) {
							seen[v]++;
							EXPECT_LT(
								last[v / kEach],
								v % kEach);
							last[v / kEach] = v %
									  kEach;
						}
						EXPECT_EQ(-EPIPE, v);
					});
				EXPECT_EQ(0, wend_waitgroup_wait(&sending));
				wend_chan_close(c);
				g.Wait();
				for (auto &n : seen)
					ASSERT_EQ(1, n);
			}
		},
		4);
}

/* Who waits longest is served first, both ways. */
TEST(Chan, WaitersAreServedInOrder)
{
	wt::Run([] {
		constexpr int kWaiters = 6;
		wt::Chan c(sizeof(int), 0);
		int got[kWaiters];
		wt::Group g;

		for (int i = 0; i < kWaiters; i++) {
			g.Go([&, i] { got[i] = RecvInt(c); }, "receiver");
			wt::AwaitWaiting("receiver", i + 1);
		}
		for (int i = 0; i < kWaiters; i++)
			EXPECT_EQ(0, SendInt(c, i));
		g.Wait();
		for (int i = 0; i < kWaiters; i++)
			EXPECT_EQ(i, got[i]);

		for (int i = 0; i < kWaiters; i++) {
			g.Go([&, i] { EXPECT_EQ(0, SendInt(c, i)); }, "sender");
			wt::AwaitWaiting("sender", i + 1);
		}
		for (int i = 0; i < kWaiters; i++)
			EXPECT_EQ(i, RecvInt(c));
	});
}

/* A full buffer: a receive takes the oldest element, and the waiting sender's
 * goes to the end of the queue. */
TEST(Chan, WaitingSendersQueueBehindTheBuffer)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 2);
		wt::Group g;

		EXPECT_EQ(0, SendInt(c, 0));
		EXPECT_EQ(0, SendInt(c, 1));
		for (int i = 2; i < 5; i++) {
			g.Go([&, i] { EXPECT_EQ(0, SendInt(c, i)); }, "sender");
			wt::AwaitWaiting("sender", i - 1);
		}
		EXPECT_EQ(2u, wend_chan_len(c));
		EXPECT_EQ(0, RecvInt(c));
		EXPECT_EQ(2u, wend_chan_len(c));
		for (int i = 1; i < 5; i++)
			EXPECT_EQ(i, RecvInt(c));
		EXPECT_EQ(0u, wend_chan_len(c));
	});
}

/* A receiver that waits gets the element itself and runs next, before tasks
 * that were ready earlier. One server, so that "next" means something. */
TEST(Chan, TheReceiverRunsNext)
{
	if (wt::IsSim())
		GTEST_SKIP() << "the seed chooses the order there";
	wt::RunOn(1, [] {
		wt::Chan c(sizeof(int), 0), full(sizeof(int), 1);
		std::vector<std::string> order;
		wt::Group g;

		for (wend_chan *ch : { (wend_chan *)c, (wend_chan *)full }) {
			order.clear();
			g.Go([&] {
				EXPECT_EQ(7, RecvInt(ch));
				order.push_back("receiver");
			});
			wend_yield();
			g.Go([&] { order.push_back("other"); });
			EXPECT_EQ(0, SendInt(ch, 7));
			EXPECT_EQ(0u, wend_chan_len(ch));
			g.Wait();
			ASSERT_EQ(2u, order.size());
			EXPECT_EQ("receiver", order[0]);
		}
	});
}

/* After a close: what is buffered, then zeroed elements and -EPIPE, for ever;
 * sending is -EPIPE at once. */
TEST(Chan, Close)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 4);
		int v;

		EXPECT_EQ(0, SendInt(c, 1));
		EXPECT_EQ(0, SendInt(c, 2));
		wend_chan_close(c);
		EXPECT_EQ(-EPIPE, SendInt(c, 3));
		EXPECT_EQ(-EPIPE, wend_chan_send_try(c, &v));
		EXPECT_EQ(-EPIPE, wend_chan_send_until(c, &v, 0));
		EXPECT_EQ(2u, wend_chan_len(c));
		EXPECT_EQ(4u, wend_chan_cap(c));
		EXPECT_EQ(1, RecvInt(c));
		EXPECT_EQ(2, RecvInt(c));
		for (int i = 0; i < 3; i++) {
			v = 77;
			EXPECT_EQ(-EPIPE, wend_chan_recv(c, &v));
			EXPECT_EQ(0, v);
			v = 77;
			EXPECT_EQ(-EPIPE, wend_chan_recv_try(c, &v));
			EXPECT_EQ(0, v);
			v = 77;
			EXPECT_EQ(-EPIPE, wend_chan_recv_until(c, &v, 0));
			EXPECT_EQ(0, v);
		}
	});
}

/* A close wakes all who wait; senders' elements are not sent. */
TEST(Chan, CloseWakesAllWaiters)
{
	wt::Run([] {
		wt::Chan in(sizeof(int), 0), out(sizeof(int), 1);
		wt::Group g;

		EXPECT_EQ(0, SendInt(out, 1));
		for (int i = 0; i < 5; i++) {
			g.Go(
				[&] {
					int v = 3;

					EXPECT_EQ(-EPIPE,
						  wend_chan_recv(in, &v));
					EXPECT_EQ(0, v);
				},
				"waiter");
			g.Go([&] { EXPECT_EQ(-EPIPE, SendInt(out, 2)); },
			     "waiter");
			g.Go(
				[&] {
					int v = 2;

					EXPECT_EQ(-EPIPE,
						  wend_chan_send_until(
							  out, &v,
							  WEND_FOREVER));
				},
				"waiter");
		}
		wt::AwaitWaiting("waiter", 15);
		wend_chan_close(in);
		wend_chan_close(out);
		g.Wait();
		EXPECT_EQ(1, RecvInt(out));
		EXPECT_EQ(-EPIPE, RecvInt(out));
	});
}

/* A close races with senders and receivers: a value whose send returned 0 is
 * received, one whose send failed is not. */
TEST(Chan, CloseRaces)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), wt::Seed() % 3);
		std::atomic<int> sent{ 0 }, received{ 0 };
		wt::Group g;

		for (int i = 0; i < 4; i++) {
			g.Go([&] {
				for (int n = 1; SendInt(c, n) == 0; n++)
					sent += n;
			});
			g.Go([&] {
				int v;

				while ((v = RecvInt(c)) >= 0)
					received += v;
			});
		}
		for (uint64_t i = 0; i < wt::Seed() % 50; i++)
			wend_yield();
		wend_chan_close(c);
		g.Wait();
		EXPECT_EQ(sent, received);
	});
}

/* Elements of no size: only the meeting counts. */
TEST(Chan, ZeroSizeElements)
{
	wt::Run([] {
		wt::Chan c(0, 2), u(0, 0), large(0, SIZE_MAX);
		wt::Group g;

		EXPECT_EQ(0, wend_chan_send(c, nullptr));
		EXPECT_EQ(0, wend_chan_send(c, nullptr));
		EXPECT_EQ(2u, wend_chan_len(c));
		EXPECT_EQ(-EAGAIN, wend_chan_send_try(c, nullptr));
		EXPECT_EQ(0, wend_chan_recv(c, nullptr));
		wend_chan_close(c);
		EXPECT_EQ(0, wend_chan_recv(c, nullptr));
		EXPECT_EQ(-EPIPE, wend_chan_recv(c, nullptr));
		g.Go([&] { EXPECT_EQ(0, wend_chan_send(u, nullptr)); });
		EXPECT_EQ(0, wend_chan_recv(u, nullptr));

		EXPECT_EQ(SIZE_MAX, wend_chan_cap(large));
		for (int i = 0; i < 1000; i++)
			EXPECT_EQ(0, wend_chan_send_try(large, nullptr));
		EXPECT_EQ(1000u, wend_chan_len(large));
	});
}

/* "A nil channel is never ready for communication." */
TEST(Chan, NilWaitsForEver)
{
	wt::Run([] {
		wt::Group g;
		int v = 6;

		EXPECT_EQ(-EAGAIN, wend_chan_send_try(nullptr, &v));
		EXPECT_EQ(-EAGAIN, wend_chan_recv_try(nullptr, &v));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(nullptr, &v, 0));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_recv_until(nullptr, &v, 0));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_chan_recv_until(nullptr, &v,
					       wend_after(WEND_MILLISECOND)));
		EXPECT_EQ(6, v);
		EXPECT_EQ(0u, wend_chan_len(nullptr));
		EXPECT_EQ(0u, wend_chan_cap(nullptr));
		wend_chan_free(nullptr);

		wend_task *t = g.Go(
			[] {
				EXPECT_EQ(-ECANCELED,
					  wend_chan_recv(nullptr, nullptr));
			},
			"nil");
		wt::AwaitWaiting("nil");
		wend_task_cancel(t);
	});
}

/* Elements larger than a page, and of odd sizes, keep every byte. */
TEST(Chan, ElementsOfAllSizes)
{
	wt::Run(
		[] {
			for (size_t size : { 1, 3, 7, 8, 24, 255, 4097, 40000 })
				for (size_t cap : { 0, 1, 3 }) {
					wt::Chan c(size, cap);
					std::vector<unsigned char> a(size),
						b(size + 8, 0xee);
					wt::Group g;

					for (size_t i = 0; i < size; i++)
						a[i] = (unsigned char)(i * 11);
					g.Go([&] {
						EXPECT_EQ(0,
							  wend_chan_send(
								  c, a.data()));
					});
					EXPECT_EQ(0,
						  wend_chan_recv(c, b.data()));
					EXPECT_EQ(0, memcmp(a.data(), b.data(),
							    size));
					for (size_t i = size; i < b.size(); i++)
						EXPECT_EQ(0xee, b[i]);
				}
		},
		20);
}

/* Without room for it the element is dropped, but received. */
TEST(Chan, ReceiveWithoutRoom)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 1), u(sizeof(int), 0);
		wt::Group g;

		EXPECT_EQ(0, SendInt(c, 1));
		EXPECT_EQ(0, wend_chan_recv(c, nullptr));
		EXPECT_EQ(0u, wend_chan_len(c));
		g.Go([&] { EXPECT_EQ(0, SendInt(u, 2)); });
		EXPECT_EQ(0, wend_chan_recv(u, nullptr));
		g.Go([&] { EXPECT_EQ(0, wend_chan_recv(u, nullptr)); }, "r");
		wt::AwaitWaiting("r");
		EXPECT_EQ(0, SendInt(u, 3));
		wend_chan_close(c);
		EXPECT_EQ(-EPIPE, wend_chan_recv(c, nullptr));
	});
}

/* A capacity that no memory holds is refused, not rounded. */
TEST(Chan, CapacityThatOverflows)
{
	EXPECT_EQ(nullptr, wend_chan_new(8, SIZE_MAX / 8));
	EXPECT_EQ(nullptr, wend_chan_new(8, SIZE_MAX / 8 + 1));
	EXPECT_EQ(nullptr, wend_chan_new(16, SIZE_MAX / 16 + 2));
	EXPECT_EQ(nullptr, wend_chan_new(SIZE_MAX, 1));
	EXPECT_EQ(nullptr, wend_chan_new(SIZE_MAX, SIZE_MAX));
	EXPECT_EQ(nullptr, wend_chan_new(2, SIZE_MAX / 2 + 1));
	EXPECT_EQ(nullptr, wend_chan_new(1, SIZE_MAX / 2 + 1));
	/* An unbuffered channel holds no element, so only its size counts. */
	wend_chan *c = wend_chan_new(1 << 20, 0);
	EXPECT_NE(nullptr, c);
	wend_chan_free(c);
}

/* A deadline: nothing is sent, nothing is lost, and it is not early. */
TEST(Chan, Deadlines)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0), full(sizeof(int), 1);
		int64_t dl = wend_after(WEND_MILLISECOND);
		int v = 4;

		EXPECT_EQ(-ETIMEDOUT, wend_chan_recv_until(c, &v, dl));
		EXPECT_GE(wend_now(), dl);
		dl = wend_after(WEND_MILLISECOND);
		EXPECT_EQ(0, SendInt(full, 1));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(full, &v, dl));
		EXPECT_GE(wend_now(), dl);
		EXPECT_EQ(4, v);
		EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(c, &v, wend_now()));
		EXPECT_EQ(-ETIMEDOUT, wend_chan_send_until(c, &v, -5));
		EXPECT_EQ(1, RecvInt(full));
		EXPECT_EQ(0u, wend_chan_len(full));
		/* Possible at once: a deadline that has passed does not hinder. */
		EXPECT_EQ(0, wend_chan_send_until(full, &v, 0));
		EXPECT_EQ(0, wend_chan_recv_until(full, &v, INT64_MIN));
	});
}

/* The deadline races with the partner: received exactly if it was sent. */
TEST(Chan, DeadlineRacesWithASend)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		wt::Group g;
		std::mt19937_64 rng(wt::Seed());

		for (int i = 0; i < 10; i++) {
			int64_t at = wend_after((int64_t)(rng() % 50000));
			int sent = 1, received = 1, got = 0, v = 9;

			g.Go([&] { sent = wend_chan_send_until(c, &v, at); });
			g.Go([&] {
				received = wend_chan_recv_until(c, &got, at);
			});
			g.Wait();
			EXPECT_TRUE(sent == 0 || sent == -ETIMEDOUT);
			EXPECT_EQ(sent, received);
			EXPECT_EQ(sent == 0 ? 9 : 0, got);
		}
	});
}

/* Elements left in a channel that is freed are dropped. */
TEST(Chan, FreeWithElements)
{
	wt::Run([] {
		wend_chan *c = wend_chan_new(sizeof(int), 10);

		for (int i = 0; i < 7; i++)
			EXPECT_EQ(0, SendInt(c, i));
		wend_chan_free(c);
		c = wend_chan_new(sizeof(int), 1);
		EXPECT_EQ(0, SendInt(c, 1));
		wend_chan_close(c);
		wend_chan_free(c);
	});
}

namespace
{

void CloseTwice()
{
	wt::RunOnce(1, [] {
		wend_chan *c = wend_chan_new(1, 0);

		wend_chan_close(c);
		wend_chan_close(c);
	});
}

void CloseNil()
{
	wt::RunOnce(1, [] { wend_chan_close(nullptr); });
}

void FreeWhileAnotherWaits()
{
	wt::RunOnce(1, [] {
		wend_chan *c = wend_chan_new(1, 0);

		wt::Go([&] { wend_chan_recv(c, nullptr); }, "waiter");
		wt::AwaitWaiting("waiter");
		wend_chan_free(c);
	});
}

} // namespace

TEST(ChanDeathTest, Misuse)
{
	WT_EXPECT_MISUSE(CloseTwice(), "close.*closed");
	WT_EXPECT_MISUSE(CloseNil(), "close.*(NULL|nil)");
	WT_EXPECT_MISUSE(FreeWhileAnotherWaits(), "free.*wait");
}
