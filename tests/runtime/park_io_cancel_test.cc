/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park_io_cancel_test.cc - a parked call that is cancelled ends, and its
 * buffer is the task's again; nothing that came is lost.
 */
#include "tests/runtime/park_io_util.h"

#include <poll.h>

#include <atomic>
#include <cstring>
#include <thread>

using namespace blocking;

namespace
{

class ParkIoCancel : public Parking
{
};

INSTANTIATE_TEST_SUITE_P(Ways, ParkIoCancel, testing::Values("uring", "epoll"),
			 WayName);

} // namespace

TEST_P(ParkIoCancel, EveryCall)
{
	wt::Run([] {
		const std::function<int(int, int)> calls[] = {
			[](int in, int) {
				char c;

				return (int)read(in, &c, 1);
			},
			[](int in, int) {
				char c;

				return (int)recv(in, &c, 1, 0);
			},
			[](int in, int) {
				struct pollfd p[2] = { { in, POLLIN, 0 },
						       { in, POLLPRI, 0 } };

				return poll(p, 2, -1);
			},
			[](int, int out) {
				std::string big(4 << 20, 'x');

				/* The part that went out is told, then it
				 * waits with nothing gone out. */
				EXPECT_LT(write(out, big.data(), big.size()),
					  (ssize_t)big.size());
				return (int)write(out, big.data(), 1);
			},
		};

		for (const auto &call : calls) {
			std::atomic<bool> ended{ false };
			SocketPair s;
			wt::Group g;
			wend_task *t = g.Go(
				[&] {
					EXPECT_EQ(-1, call(s[0], s[0]));
					EXPECT_EQ(ECANCELED, errno);
					ended = true;
					/* Clean-up that has to wait. */
					bool was = wend_task_shield(true);
					char c;

					EXPECT_EQ(1, read(s[0], &c, 1));
					wend_task_shield(was);
				},
				"cancelled");

			wt::AwaitWaiting("cancelled");
			wend_task_cancel(t);
			while (!ended) /* or it would succeed after all */
				wend_yield();
			EXPECT_EQ(1, write(s[1], "x", 1));
			g.Wait();
		}
	});
}

/* What was not read is there for the next. */
TEST_P(ParkIoCancel, NothingIsLost)
{
	wt::Run([] {
		Pipe p;
		char c = 0;
		wt::Group g;
		wend_task *t = g.Go(
			[&] {
				char buf[16];

				memset(buf, 7, sizeof(buf));
				EXPECT_EQ(-1, read(p[0], buf, sizeof(buf)));
				EXPECT_EQ(ECANCELED, errno);
				for (char b : buf)
					EXPECT_EQ(7, b);
			},
			"cancelled");

		wt::AwaitWaiting("cancelled");
		wend_task_cancel(t);
		g.Wait();
		EXPECT_EQ(1, write(p[1], "k", 1));
		EXPECT_EQ(1, read(p[0], &c, 1));
		EXPECT_EQ('k', c);
	});
}

/* Cancelled at any moment: each byte is read once, or still there. */
TEST_P(ParkIoCancel, Races)
{
	constexpr int kRounds = wt::kSanitized ? 100 : 400;

	wt::Run([] {
		std::atomic<int> got{ 0 }, cancelled{ 0 };

		for (int i = 0; i < kRounds; i++) {
			SocketPair s;
			wt::Group g;
			wend_task *t[2];
			int before = got;

			for (auto &one : t)
				one = g.Go([&] {
					char c;
					ssize_t r = read(s[0], &c, 1);

					if (r == 1)
						got++;
					else if (r < 0 && errno == ECANCELED)
						cancelled++;
					else
						ADD_FAILURE() << r;
				});
			for (int k = 0; k < i % 5; k++)
				wend_yield();
			g.Go([&] { wend_task_cancel(t[0]); });
			g.Go([&] { EXPECT_EQ(1, write(s[1], "x", 1)); });
			if (i % 3 == 0)
				wend_task_cancel(t[1]);
			else
				g.Go([&] {
					wend_yield();
					wend_task_cancel(t[1]);
				});
			g.Wait();
			char c;
			ssize_t left = recv(s[0], &c, 1, MSG_DONTWAIT);
			EXPECT_EQ(1, got - before + (left == 1));
		}
		EXPECT_EQ(2 * kRounds, got + cancelled);
	});
}
