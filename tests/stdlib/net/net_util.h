/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_util.h - what the tests of sockets share. Loopback only.
 */
#ifndef TESTS_STDLIB_NET_NET_UTIL_H
#define TESTS_STDLIB_NET_NET_UTIL_H

#include "tests/support/wt.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wend/std/net.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace net
{

constexpr int64_t kLong = 1000 * WEND_SECOND;

/* In each way in which a task can wait, on few servers, and in a thread that is
 * no task. */
inline void Everywhere(const std::function<void()> &body)
{
	for (const char *park : { "uring", "epoll", "threads" }) {
		wt::Env env("WEND_PARK", park);
		SCOPED_TRACE(park);

		for (int procs : { 1, 2 })
			wt::RunOn(procs, body);
		if (testing::Test::HasFailure())
			return;
	}
	SCOPED_TRACE("a thread");
	wt::RunFromThread(body);
}

/* A connection that frees itself. */
class Conn
{
      public:
	Conn() = default;
	explicit Conn(wend_conn *c) : c_(c)
	{
	}
	~Conn()
	{
		wend_conn_free(c_);
	}
	Conn(const Conn &) = delete;
	Conn &operator=(const Conn &) = delete;
	operator wend_conn *() const
	{
		return c_;
	}
	wend_conn **Out()
	{
		return &c_;
	}
	void Free()
	{
		wend_conn_free(c_);
		c_ = nullptr;
	}

      private:
	wend_conn *c_ = nullptr;
};

class Listener
{
      public:
	explicit Listener(const char *address = "127.0.0.1:0",
			  const wend_net_opts *opts = nullptr)
	{
		EXPECT_EQ(0, wend_net_listen(&l_, address, opts)) << address;
	}
	~Listener()
	{
		wend_net_listener_free(l_);
	}
	Listener(const Listener &) = delete;
	Listener &operator=(const Listener &) = delete;
	operator wend_net_listener *() const
	{
		return l_;
	}
	const char *Address() const
	{
		return wend_net_listener_address(l_);
	}

      private:
	wend_net_listener *l_ = nullptr;
};

/* Two ends of one TCP connection. */
class TcpPair
{
      public:
	TcpPair()
	{
		Listener l;

		EXPECT_EQ(0, wend_net_dial(a.Out(), l.Address(),
					   wend_after(kLong), nullptr));
		EXPECT_EQ(0, wend_net_accept(l, b.Out()));
	}
	Conn a, b;
};

/* A directory of its own, removed at the end. */
class Dir
{
      public:
	Dir()
	{
		const char *tmp = getenv("TEST_TMPDIR");

		path_ = std::string(tmp ? tmp : "/tmp") + "/netXXXXXX";
		/* A Unix socket's path is short. */
		if (path_.size() > 60)
			path_ = "/tmp/netXXXXXX";
		EXPECT_NE(nullptr, mkdtemp(path_.data()));
	}
	~Dir()
	{
		EXPECT_EQ(0, rmdir(path_.c_str())) << path_;
	}
	std::string File(const char *name) const
	{
		return path_ + "/" + name;
	}

      private:
	std::string path_;
};

inline std::string ReadAll(wend_conn *c)
{
	std::string all;
	char buf[4096];
	ssize_t n;

	while ((n = wend_conn_read(c, buf, sizeof(buf))) > 0)
		all.append(buf, (size_t)n);
	EXPECT_EQ(0, n);
	return all;
}

/* Of long texts only where they differ. */
inline void ExpectSame(const std::string &want, const std::string &got)
{
	size_t n = 0;

	while (n < want.size() && n < got.size() && want[n] == got[n])
		n++;
	EXPECT_TRUE(want == got) << "differ at " << n << " of " << want.size()
				 << "; got " << got.size();
}

/* n bytes that differ from place to place. */
inline std::string Pattern(size_t n)
{
	std::string s(n, 0);

	for (size_t i = 0; i < n; i++)
		s[i] = (char)(i * 7 + i / 251);
	return s;
}

/* No more descriptors than there are, for a scope. */
class FewDescriptors
{
      public:
	explicit FewDescriptors(int more)
	{
		struct rlimit few;
		int top = dup(0);

		EXPECT_LE(0, top);
		close(top);
		EXPECT_EQ(0, getrlimit(RLIMIT_NOFILE, &was_));
		few = was_;
		few.rlim_cur = (rlim_t)(top + more);
		EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	}
	~FewDescriptors()
	{
		EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &was_));
	}

      private:
	struct rlimit was_;
};

} // namespace net

#endif
