/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_limit_test.cc - calls of the C library end at a deadline, and when others
 * say so, in each way in which a task can wait.
 */
#include "tests/runtime/park_io_util.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include <atomic>
#include <cstring>
#include <thread>

using namespace blocking;

namespace
{

class CallLimit : public Parking
{
      protected:
	bool Parks() const
	{
		return strcmp(GetParam(), "threads") != 0;
	}
};

INSTANTIATE_TEST_SUITE_P(Ways, CallLimit, testing::ValuesIn(kParks), WayName);

/* The calling task's calls are under a limit for a scope. */
class Under
{
      public:
	explicit Under(wend_call_limit *l)
	{
		EXPECT_EQ(0, wend_call_limit_enter(l, &old_));
	}
	~Under()
	{
		wend_call_limit_leave(old_);
	}
	wend_call_limit *Old() const
	{
		return old_;
	}

      private:
	wend_call_limit *old_;
};

class Listener
{
      public:
	Listener() : fd(socket(AF_INET, SOCK_STREAM, 0))
	{
		struct sockaddr_in a = {};

		a.sin_family = AF_INET;
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
		EXPECT_EQ(0, listen(fd, 1));
	}
	~Listener()
	{
		close(fd);
	}
	const int fd;
};

struct Call {
	const char *name;
	bool needs_parking;
	std::function<ssize_t(int stream, int listener)> call;
};

const Call kCalls[] = {
	{ "read", false,
	  [](int fd, int) {
		  char c;

		  return read(fd, &c, 1);
	  } },
	{ "readv", false,
	  [](int fd, int) {
		  char c[2];
		  struct iovec v[2] = { { c, 1 }, { c + 1, 1 } };

		  return readv(fd, v, 2);
	  } },
	{ "recv", false,
	  [](int fd, int) {
		  char c;

		  return recv(fd, &c, 1, 0);
	  } },
	{ "recvmsg", false,
	  [](int fd, int) {
		  char c;
		  struct iovec v = { &c, 1 };
		  struct msghdr m = {};

		  m.msg_iov = &v;
		  m.msg_iovlen = 1;
		  return recvmsg(fd, &m, 0);
	  } },
	{ "accept", false,
	  [](int, int fd) { return (ssize_t)accept(fd, nullptr, nullptr); } },
	{ "poll", true,
	  [](int fd, int) {
		  struct pollfd p = { fd, POLLIN, 0 };

		  return (ssize_t)poll(&p, 1, -1);
	  } },
	{ "poll with a longer limit", true,
	  [](int fd, int) {
		  struct pollfd p = { fd, POLLIN, 0 };

		  return (ssize_t)poll(&p, 1, 1000000);
	  } },
	{ "epoll_wait", true,
	  [](int fd, int) {
		  int set = epoll_create1(EPOLL_CLOEXEC);
		  struct epoll_event e = {};
		  ssize_t r;

		  e.events = EPOLLIN;
		  EXPECT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
		  r = epoll_wait(set, &e, 1, -1);
		  int err = errno;
		  close(set);
		  errno = err;
		  return r;
	  } },
};

/* What writes when the buffers are full. */
const Call kWrites[] = {
	{ "write", false, [](int fd, int) { return write(fd, "x", 1); } },
	{ "send", false,
	  [](int fd, int) { return send(fd, "x", 1, MSG_NOSIGNAL); } },
	{ "sendmsg", false,
	  [](int fd, int) {
		  struct iovec v = { const_cast<char *>("x"), 1 };
		  struct msghdr m = {};

		  m.msg_iov = &v;
		  m.msg_iovlen = 1;
		  return sendmsg(fd, &m, MSG_NOSIGNAL);
	  } },
};

/* Fill what fd can hold. */
void Fill(int fd)
{
	std::string some(4096, 'x');

	while (send(fd, some.data(), some.size(), MSG_DONTWAIT) > 0)
		;
	while (send(fd, "x", 1, MSG_DONTWAIT) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
}

/* Run each call in a task, and end it in a way. */
void EachCall(bool parks, const std::function<void(wend_call_limit *)> &before,
	      const std::function<void(wend_call_limit *)> &during, int want)
{
	wt::Run([&] {
		auto each = [&](const Call &c, int stream, int listener) {
			wend_call_limit l = {};
			wt::Group g;

			if (c.needs_parking && !parks)
				return;
			before(&l);
			g.Go(
				[&] {
					Under under(&l);

					EXPECT_EQ(-1, c.call(stream, listener))
						<< c.name;
					EXPECT_EQ(want, errno) << c.name;
				},
				"limited");
			if (during) {
				AwaitInCall("limited");
				during(&l);
			}
			g.Wait();
		};
		SocketPair s;
		Listener l;

		for (const Call &c : kCalls)
			each(c, s[0], l.fd);
		Fill(s[0]);
		for (const Call &c : kWrites)
			each(c, s[0], l.fd);
	});
}

} // namespace

TEST_P(CallLimit, ADeadlineThatHasPassed)
{
	EachCall(
		Parks(), [](wend_call_limit *l) { wend_call_limit_set(l, 0); },
		nullptr, ETIMEDOUT);
}

TEST_P(CallLimit, ADeadlineThatPassesMeanwhile)
{
	EachCall(
		Parks(),
		[](wend_call_limit *l) {
			wend_call_limit_set(l, wend_after_ms(3));
		},
		nullptr, ETIMEDOUT);
}

TEST_P(CallLimit, AnotherTaskSetsTheDeadline)
{
	EachCall(
		Parks(), [](wend_call_limit *) {},
		[](wend_call_limit *l) { wend_call_limit_set(l, 0); },
		ETIMEDOUT);
	EachCall(
		Parks(),
		[](wend_call_limit *l) {
			wend_call_limit_set(l, wend_after(WEND_SECOND * 1000));
		},
		[](wend_call_limit *l) {
			wend_call_limit_set(l, wend_after_ms(2));
		},
		ETIMEDOUT);
}

TEST_P(CallLimit, AnotherThreadEndsThem)
{
	EachCall(
		Parks(), [](wend_call_limit *) {},
		[](wend_call_limit *l) {
			std::thread([&] { wend_call_limit_end(l); }).join();
		},
		ECANCELED);
}

TEST_P(CallLimit, EndedBefore)
{
	EachCall(
		Parks(),
		[](wend_call_limit *l) {
			wend_call_limit_end(l);
			wend_call_limit_end(l);
			wend_call_limit_set(l, 0); /* changes nothing */
		},
		nullptr, ECANCELED);
}

/* A deadline that is moved on while a call waits is not an end. */
TEST_P(CallLimit, MovedOnInTime)
{
	wt::Run([] {
		bool in_time = false;

		/* On a machine that is so slow that the first deadline passes
		 * meanwhile, there is nothing to see in that round. */
		for (int64_t ms = 20; !in_time; ms *= 2) {
			wend_call_limit l = {};
			std::atomic<bool> back{ false };
			ssize_t result = 0;
			SocketPair s;
			wt::Group g;
			int64_t first = wend_after_ms(ms);

			wend_call_limit_set(&l, first);
			g.Go(
				[&] {
					Under under(&l);
					char c;

					result = read(s[0], &c, 1);
					back = true;
				},
				"limited");
			while (!back && !IsInCall("limited"))
				wend_yield();
			wend_call_limit_set(&l, WEND_FOREVER);
			in_time = wend_now() < first;
			wend_sleep_until(first + 10 * WEND_MILLISECOND);
			EXPECT_FALSE(in_time && back);
			EXPECT_EQ(1, write(s[1], "x", 1));
			g.Wait();
			EXPECT_EQ(1, in_time ? result : 1);
		}
	});
}

/* What need not wait succeeds, and the task is free of it afterwards. */
TEST_P(CallLimit, OnlyWhatWaits)
{
	wt::Run([] {
		wend_call_limit outer = {}, inner = {};
		SocketPair s;
		wt::Group g;
		char c;

		wend_call_limit_set(&outer, 0);
		wend_call_limit_end(&inner);
		EXPECT_EQ(-ETIMEDOUT, wend_call_limit_check(&outer));
		EXPECT_EQ(-ECANCELED, wend_call_limit_check(&inner));
		{
			Under a(&outer);

			EXPECT_EQ(nullptr, a.Old());
			EXPECT_EQ(1, write(s[1], "y", 1));
			EXPECT_EQ(1, read(s[0], &c, 1));
			{
				Under b(&inner);

				EXPECT_EQ(&outer, b.Old());
				EXPECT_EQ(-1, read(s[0], &c, 1));
				EXPECT_EQ(ECANCELED, errno);
				Under none(nullptr);
			}
			EXPECT_EQ(-1, read(s[0], &c, 1));
			EXPECT_EQ(ETIMEDOUT, errno);
		}
		g.Go([&] { EXPECT_EQ(1, write(s[1], "z", 1)); });
		EXPECT_EQ(1, read(s[0], &c, 1));
		EXPECT_EQ('z', c);
	});
}

/* SO_RCVTIMEO is an EAGAIN still, when it is the one that passes. */
TEST_P(CallLimit, BesideASocketsOwn)
{
	wt::Run([] {
		wend_call_limit l = {};
		struct timeval soon = { 0, 2000 }, late = { 1000, 0 };
		SocketPair s;
		char c;

		EXPECT_EQ(0, setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &soon,
					sizeof(soon)));
		wend_call_limit_set(&l, wend_after(WEND_SECOND * 1000));
		Under under(&l);

		EXPECT_EQ(-1, recv(s[0], &c, 1, 0));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(0, setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &late,
					sizeof(late)));
		wend_call_limit_set(&l, wend_after_ms(2));
		EXPECT_EQ(-1, recv(s[0], &c, 1, 0));
		EXPECT_EQ(ETIMEDOUT, errno);
	});
}

/* poll()'s own time-out is a 0 still. */
TEST_P(CallLimit, BesidePollsOwn)
{
	if (!Parks())
		GTEST_SKIP() << "poll() that keeps its thread has no limit";
	wt::Run([] {
		wend_call_limit l = {};
		SocketPair s;
		struct pollfd p = { s[0], POLLIN, 0 };

		wend_call_limit_set(&l, wend_after(WEND_SECOND * 1000));
		Under under(&l);

		EXPECT_EQ(0, poll(&p, 1, 2));
	});
}

/* The part that went out before the deadline is told. */
TEST_P(CallLimit, APartOfAWrite)
{
	wt::Run([] {
		wend_call_limit l = {};
		std::string big(8 << 20, 'x');
		SocketPair s;

		wend_call_limit_set(&l, wend_after_ms(3));
		Under under(&l);
		ssize_t n = send(s[0], big.data(), big.size(), MSG_NOSIGNAL);

		EXPECT_GT(n, 0);
		EXPECT_LT(n, (ssize_t)big.size());
		EXPECT_EQ(-1, send(s[0], "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(ETIMEDOUT, errno);
	});
}

/* A cancelled task's call says so under a limit, too. */
TEST_P(CallLimit, Cancelled)
{
	if (!Parks())
		GTEST_SKIP() << "a call that keeps its thread is not "
				"interrupted";
	wt::Run([] {
		wend_call_limit l = {};
		SocketPair s;
		wt::Group g;

		wend_call_limit_set(&l, wend_after(WEND_SECOND * 1000));
		wend_task *t = g.Go(
			[&] {
				Under under(&l);
				char c;

				EXPECT_EQ(-1, read(s[0], &c, 1));
				EXPECT_EQ(ECANCELED, errno);
			},
			"limited");
		wt::AwaitWaiting("limited");
		wend_task_cancel(t);
		g.Wait();
	});
}

/* Many tasks under one limit; all end, at each moment. */
TEST_P(CallLimit, Races)
{
	constexpr int kRounds = wt::kSanitized ? 40 : 150;

	wt::Run([] {
		for (int i = 0; i < kRounds; i++) {
			wend_call_limit l = {};
			std::atomic<int> got{ 0 }, ended{ 0 };
			SocketPair s;

			{
				wt::Group g;

				for (int k = 0; k < 4; k++)
					g.Go([&] {
						Under under(&l);
						char c;
						ssize_t r = read(s[0], &c, 1);

						if (r == 1)
							got++;
						else if (r < 0 &&
							 (errno == ECANCELED ||
							  errno == ETIMEDOUT))
							ended++;
						else
							ADD_FAILURE() << r;
					});
				g.Go([&] {
					EXPECT_EQ(2, write(s[1], "xy", 2));
				});
				for (int k = 0; k < i % 7; k++)
					wend_yield();
				if (i % 2)
					wend_call_limit_set(
						&l, wend_after(i * 1000));
				else
					wend_call_limit_end(&l);
			}
			char rest[3];
			ssize_t left = recv(s[0], rest, sizeof(rest),
					    MSG_DONTWAIT);
			EXPECT_EQ(4, got + ended);
			EXPECT_EQ(2, got + (left > 0 ? left : 0));
		}
	});
}

/* --- threads, and waiting without a call --------------------------------------- */

TEST_P(CallLimit, Wait)
{
	auto body = [] {
		wend_call_limit l = {}, late = {};
		SocketPair s;

		EXPECT_EQ(0, wend_call_limit_wait(&l, s[0], POLLOUT));
		wend_call_limit_set(&l, wend_after_ms(2));
		EXPECT_EQ(-ETIMEDOUT, wend_call_limit_wait(&l, s[0], POLLIN));
		std::thread other([&] { wend_call_limit_end(&late); });
		EXPECT_EQ(-ECANCELED,
			  wend_call_limit_wait(&late, s[0], POLLIN));
		other.join();
		EXPECT_EQ(1, write(s[1], "x", 1));
		EXPECT_EQ(-ETIMEDOUT, wend_call_limit_wait(&l, s[0], POLLIN));
		wend_call_limit_set(&l, WEND_FOREVER);
		EXPECT_EQ(0, wend_call_limit_wait(&l, s[0], POLLIN));
		s.Close(1);
		EXPECT_EQ(0, wend_call_limit_wait(&l, s[0], POLLIN));
	};

	wt::Run(body);
	wt::RunFromThread(body);
}

TEST_P(CallLimit, AThreadIsNoTask)
{
	wt::RunFromThread([] {
		wend_call_limit l = {}, *old;

		EXPECT_EQ(-ENOTSUP, wend_call_limit_enter(&l, &old));
		wend_call_limit_leave(old);
	});
}

TEST_P(CallLimit, NothingIsAnnounced)
{
	wt::Env env("WEND_INTERPOSE", "0");

	wt::Run([] {
		wend_call_limit l = {}, *old;
		SocketPair s;

		EXPECT_EQ(-ENOTSUP, wend_call_limit_enter(&l, &old));
		wend_call_limit_set(&l, wend_after_ms(1));
		EXPECT_EQ(-ETIMEDOUT, wend_call_limit_wait(&l, s[0], POLLIN));
	});
}

/* Out of descriptors, a thread that waits still hears of the end. */
TEST_P(CallLimit, WithoutADescriptor)
{
	wt::RunFromThread([] {
		wend_call_limit l = {};
		struct rlimit was, few;
		SocketPair s;

		ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
		/* It starts before and returns after: UBSan looks at its object
		 * by way of a descriptor. */
		std::atomic<bool> up{ false }, end{ false }, leave{ false };
		std::thread other([&] {
			up = true;
			while (!end)
				sched_yield();
			wend_call_limit_end(&l);
			while (!leave)
				sched_yield();
		});
		while (!up)
			sched_yield();
		few = was;
		few.rlim_cur = (rlim_t)s[1] + 1;
		EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
		end = true;
		EXPECT_EQ(-ECANCELED, wend_call_limit_wait(&l, s[0], POLLIN));
		EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
		leave = true;
		other.join();
	});
}
