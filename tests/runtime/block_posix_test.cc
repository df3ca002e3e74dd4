/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_posix_test.cc - calls that announce themselves do what POSIX says of
 * them all the same: flags, errors, time limits, signals.
 */
#include "tests/runtime/block_util.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <atomic>
#include <thread>

using namespace blocking;

/* A blocking call still does what POSIX says of it. */
TEST_F(Block, PosixSemantics)
{
	OnFewServers([] {
		Pipe p, nb(O_NONBLOCK);
		char b[16];

		EXPECT_EQ(-1, read(nb[0], b, 1));
		EXPECT_EQ(EAGAIN, errno);
		std::vector<char> large(1 << 20);
		ssize_t n = write(nb[1], large.data(), large.size());
		EXPECT_GT(n, 0);
		EXPECT_LT(n, (ssize_t)large.size());
		EXPECT_EQ(-1, write(nb[1], large.data(), large.size()));
		EXPECT_EQ(EAGAIN, errno);

		EXPECT_EQ(-1, read(-1, b, 1));
		EXPECT_EQ(EBADF, errno);
		EXPECT_EQ(-1, write(p[0], b, 1));
		EXPECT_EQ(EBADF, errno);
		EXPECT_EQ(0, write(p[1], b, 0));
		EXPECT_EQ(-1, recv(p[0], b, 1, 0));
		EXPECT_EQ(ENOTSOCK, errno);

		/* A short read gives what is there, and the end is 0. */
		EXPECT_EQ(5, write(p[1], "12345", 5));
		EXPECT_EQ(3, read(p[0], b, 3));
		EXPECT_EQ(2, read(p[0], b, sizeof(b)));
		p.Close(1);
		EXPECT_EQ(0, read(p[0], b, 1));

		/* A large write to a socket is whole. */
		SocketPair s;
		wt::Group g;
		g.Go([&] {
			EXPECT_EQ((ssize_t)large.size(),
				  write(s[1], large.data(), large.size()));
			s.Close(1);
		});
		size_t sum = 0;
		while ((n = read(s[0], b, sizeof(b) - 1)) > 0)
			sum += (size_t)n;
		EXPECT_EQ(large.size(), sum);
	});
}

/* Whatever the kernel makes of it: the ring would wait, and RWF_NOWAIT is not
 * for each kind of file. */
TEST_F(Block, NonblockingOnesNeverWait)
{
	OnFewServers([] {
		Pipe p(O_NONBLOCK);
		SocketPair s;
		std::vector<char> large(1 << 20);
		iovec iov = { large.data(), large.size() };
		int tty = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);

		ASSERT_EQ(0, fcntl(s[1], F_SETFL, O_NONBLOCK));
		for (int fd : { p[1], s[1] }) {
			while (writev(fd, &iov, 1) > 0)
				;
			EXPECT_EQ(EAGAIN, errno);
			EXPECT_EQ(-1, write(fd, large.data(), large.size()));
			EXPECT_EQ(EAGAIN, errno);
		}
		for (int fd : { p[0], s[1], tty }) {
			if (fd < 0)
				continue; /* no terminals here */
			while (read(fd, large.data(), large.size()) > 0)
				;
			EXPECT_EQ(EAGAIN, errno);
			EXPECT_EQ(-1, readv(fd, &iov, 1));
			EXPECT_EQ(EAGAIN, errno);
		}
		if (tty >= 0)
			close(tty);
	});
}

/* Both ends of a pipe in one descriptor: a reader takes nothing but what was
 * written. */
TEST_F(Block, PipeOpenForBoth)
{
	OnFewServers([] {
		std::string path = "/tmp/wend-fifo-" + std::to_string(getpid());
		std::atomic<ssize_t> got{ 0 };
		char c[8] = {};
		wt::Group g;
		int fd;

		ASSERT_EQ(0, mkfifo(path.c_str(), 0600));
		fd = open(path.c_str(), O_RDWR);
		unlink(path.c_str());
		ASSERT_GE(fd, 0);
		g.Go([&] { got = read(fd, c, sizeof(c)); });
		for (int i = 0; i < 10; i++)
			wend_yield();
		EXPECT_EQ(0, got);
		EXPECT_EQ(2, write(fd, "ab", 2));
		g.Wait();
		EXPECT_EQ(2, got);
		EXPECT_STREQ("ab", c);
		close(fd);
	});
}

/* A socket's own time limits hold. Linux counts them in ticks, and a virtual
 * machine's come late, and then many at once. */
TEST_F(Block, SocketTimeouts)
{
	OnFewServers([] {
		SocketPair s;
		struct timeval limit = { 0, 50000 };
		char b;

		ASSERT_EQ(0, setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit,
					sizeof(limit)));
		int64_t before = wend_now();
		EXPECT_EQ(-1, recv(s[0], &b, 1, 0));
		EXPECT_TRUE(errno == EAGAIN || errno == EWOULDBLOCK);
		EXPECT_GE(wend_now(), before + 20 * WEND_MILLISECOND);
		EXPECT_EQ(-1, read(s[0], &b, 1));
		EXPECT_EQ(EAGAIN, errno);
	});
}

/* A write to a pipe without reader: EPIPE, and SIGPIPE as ever. */
TEST_F(Block, BrokenPipe)
{
	signal(SIGPIPE, SIG_IGN);
	OnFewServers([] {
		Pipe p;
		SocketPair s;

		p.Close(0);
		EXPECT_EQ(-1, write(p[1], "x", 1));
		EXPECT_EQ(EPIPE, errno);
		s.Close(0);
		EXPECT_EQ(-1, send(s[1], "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(EPIPE, errno);
	});
	signal(SIGPIPE, SIG_DFL);
}

namespace
{

std::atomic<int> signals;

void OnSignal(int)
{
	signals++;
}

/* Signals rain on the process while tasks read; each read gives its bytes, or
 * EINTR when the handler does not restart calls. */
void ReadUnderSignals(int flags)
{
	struct sigaction a = {}, old;
	std::atomic<bool> stop{ false };

	a.sa_handler = OnSignal;
	a.sa_flags = flags;
	ASSERT_EQ(0, sigaction(SIGUSR1, &a, &old));
	signals = 0;
	std::thread rain([&] {
		while (!stop) {
			kill(getpid(), SIGUSR1);
			usleep(50);
		}
	});
	while (signals == 0)
		sched_yield();
	wt::RunOn(2, [&] {
		Pipe p[3];
		wt::Group g;

		for (auto &q : p) {
			g.Go([&] {
				for (int i = 0; i < 200;) {
					unsigned char b = 0;
					ssize_t n = read(q[0], &b, 1);

					if (n < 0) {
						ASSERT_EQ(EINTR, errno);
						ASSERT_FALSE(flags &
							     SA_RESTART);
						continue;
					}
					ASSERT_EQ(1, n);
					ASSERT_EQ(i & 255, b);
					i++;
				}
			});
			g.Go([&] {
				for (int i = 0; i < 200;) {
					unsigned char b = (unsigned char)i;

					if (write(q[1], &b, 1) == 1)
						i++;
					else
						ASSERT_EQ(EINTR, errno);
					wend_yield();
				}
			});
		}
	});
	stop = true;
	rain.join();
	sigaction(SIGUSR1, &old, nullptr);
}

} // namespace

TEST_F(Block, SignalsThatRestart)
{
	ReadUnderSignals(SA_RESTART);
}

TEST_F(Block, SignalsThatInterrupt)
{
	ReadUnderSignals(0);
}
