/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_util.h - what the tests of blocking calls share.
 */
#ifndef TESTS_RUNTIME_BLOCK_UTIL_H
#define TESTS_RUNTIME_BLOCK_UTIL_H

#include "tests/support/wt.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>

namespace blocking
{

/* Two ends, closed at the end of the scope. */
class Ends
{
      public:
	~Ends()
	{
		Close(0);
		Close(1);
	}
	void Close(int i)
	{
		if (fd_[i] >= 0)
			close(fd_[i]);
		fd_[i] = -1;
	}
	int operator[](int i) const
	{
		return fd_[i];
	}

      protected:
	int fd_[2] = { -1, -1 };
};

class Pipe : public Ends
{
      public:
	explicit Pipe(int flags = 0)
	{
		EXPECT_EQ(0, pipe2(fd_, flags));
	}
};

class SocketPair : public Ends
{
      public:
	explicit SocketPair(int type = SOCK_STREAM)
	{
		EXPECT_EQ(0, socketpair(AF_UNIX, type, 0, fd_));
	}
};

/* Two tasks pass a token a hundred times: they make progress. */
inline void PassToken()
{
	wt::Chan there(0, 0), back(0, 0);
	wt::Group g;

	g.Go([&] {
		for (int i = 0; i < 100; i++) {
			wend_chan_recv(there, nullptr);
			wend_chan_send(back, nullptr);
		}
	});
	for (int i = 0; i < 100; i++) {
		wend_chan_send(there, nullptr);
		wend_chan_recv(back, nullptr);
	}
}

/* Whether n tasks of this name wait in a call, whichever way they do. */
inline bool IsInCall(const std::string &name, int n = 1)
{
	std::string dump = wt::Dump();
	int found = 0;

	for (const char *state : { "waiting", "in a call" }) {
		std::string part = "\"" + name + "\": " + state;

		for (size_t at = 0;
		     (at = dump.find(part, at)) != std::string::npos; at++)
			found++;
	}
	return found >= n;
}

/* Yield until they do. */
inline void AwaitInCall(const std::string &name, int n = 1)
{
	while (!IsInCall(name, n))
		wend_yield();
}

/* The ways in which a task can wait in a call (WEND_PARK). Where the kernel
 * does not allow one, the next best is tested twice. */
constexpr const char *kParks[] = { "uring", "epoll", "threads" };

/* Run on few servers, each way; each body blocks more tasks than there are. */
inline void OnFewServers(const std::function<void()> &body)
{
	for (const char *park : kParks) {
		wt::Env env("WEND_PARK", park);
		SCOPED_TRACE(park);

		for (int procs : { 1, 2 })
			wt::RunOn(procs, body);
	}
}

/* Twenty tasks read pipes in this way; others go on and then feed them. */
inline void FeedReaders(const std::function<long(int, void *, size_t)> &reads)
{
	constexpr int kReaders = 20;
	Pipe p[kReaders];
	std::atomic<int> begun{ 0 };
	wt::Group g;

	for (int i = 0; i < kReaders; i++)
		g.Go([&, i] {
			char b = 0;

			begun++;
			EXPECT_EQ(1, reads(p[i][0], &b, 1));
			EXPECT_EQ('a' + i, b);
			EXPECT_EQ(0, reads(p[i][0], &b, 1));
		});
	while (begun < kReaders)
		wend_yield();
	PassToken();
	for (int i = kReaders - 1; i >= 0; i--) {
		char b = (char)('a' + i);

		EXPECT_EQ(1, write(p[i][1], &b, 1));
		p[i].Close(1);
	}
}

class Block : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

} // namespace blocking

#endif
