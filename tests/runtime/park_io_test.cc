/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park_io_test.cc - calls on descriptors that would block park their task, in
 * each of the ways (WEND_PARK), and mean what they meant before.
 */
#include "tests/runtime/park_io_util.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstring>
#include <numeric>
#include <thread>

using namespace blocking;

namespace
{

constexpr int kTasks = wt::kSanitized ? 200 : 1000;

class ParkIo : public Parking
{
      protected:
	bool Threads() const
	{
		return strcmp(GetParam(), "threads") == 0;
	}
	void OnServers(const std::function<void()> &body)
	{
		for (int procs : { 1, 2 })
			wt::RunOn(procs, body);
	}
};

INSTANTIATE_TEST_SUITE_P(Ways, ParkIo, testing::ValuesIn(kParks), WayName);

/* Ten descriptors for each task are enough; skip the test otherwise. */
bool AllowFiles(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= n)
		return true;
	limit.rlim_cur = n;
	if (limit.rlim_max < n)
		limit.rlim_max = n;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* User's and system's. */
int64_t CpuNs(const struct rusage &r)
{
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * WEND_SECOND +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * WEND_MICROSECOND;
}

std::string Pattern(size_t n, unsigned seed)
{
	std::string s(n, 0);

	for (size_t i = 0; i < n; i++)
		s[i] = (char)(i * 131 + seed * 7 + i / 251);
	return s;
}

std::string ReadAll(int fd, size_t piece)
{
	std::string all, buf(piece, 0);
	ssize_t n;

	while ((n = read(fd, &buf[0], buf.size())) > 0)
		all.append(buf, 0, (size_t)n);
	EXPECT_EQ(0, n) << strerror(errno);
	return all;
}

class Loopback
{
      public:
	explicit Loopback(int type)
	{
		struct sockaddr_in a = {};
		socklen_t size = sizeof(a);

		fd_ = socket(AF_INET, type | SOCK_CLOEXEC, 0);
		a.sin_family = AF_INET;
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(0, bind(fd_, (struct sockaddr *)&a, sizeof(a)));
		EXPECT_EQ(0,
			  getsockname(fd_, (struct sockaddr *)&addr_, &size));
		if (type == SOCK_STREAM) {
			EXPECT_EQ(0, listen(fd_, 64));
		}
	}
	~Loopback()
	{
		close(fd_);
	}
	int fd() const
	{
		return fd_;
	}
	int Connect(int flags = 0) const
	{
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
		int r = connect(fd, addr(), sizeof(addr_));

		EXPECT_TRUE(r == 0 || errno == EINPROGRESS) << strerror(errno);
		return fd;
	}
	const struct sockaddr *addr() const
	{
		return (const struct sockaddr *)&addr_;
	}

      private:
	int fd_;
	struct sockaddr_in addr_ = {};
};

} // namespace

TEST(ParkIoMode, BadValue)
{
	WT_NEEDS_THREADS();
	wt::Env env("WEND_PARK", "telepathy");
	wt::StderrCapture err;
	wend_config c = {};

	EXPECT_EQ(-EINVAL, wend_start(&c));
	EXPECT_TRUE(wt::HasLine(err.Text(), "WEND_PARK=telepathy"));
	EXPECT_EQ(nullptr, wend_park_name());
}

/* A count that two tasks share, with no more than descriptors to tell whose turn
 * it is: plain memory. */
static void TakeTurns(const Ends &to, const Ends &from, bool sockets)
{
	auto send_one = [&](int fd) {
		EXPECT_EQ(1, sockets ? send(fd, "x", 1, 0) : write(fd, "x", 1));
	};
	auto receive_one = [&](int fd) {
		char b;

		EXPECT_EQ(1, sockets ? recv(fd, &b, 1, 0) : read(fd, &b, 1));
	};
	int count = 0;
	wt::Group g;

	g.Go([&] {
		for (int i = 0; i < 200; i++) {
			receive_one(to[0]);
			EXPECT_EQ(2 * i + 1, count++);
			send_one(from[1]);
		}
	});
	for (int i = 0; i < 200; i++) {
		EXPECT_EQ(2 * i, count++);
		send_one(to[1]);
		receive_one(from[0]);
	}
	g.Wait();
}

/* What is done before a write is seen after the read that gets its bytes;
 * ThreadSanitizer is told so. */
TEST_P(ParkIo, IsAnOrder)
{
	OnServers([] {
		TakeTurns(Pipe(), Pipe(), false);
		TakeTurns(SocketPair(), SocketPair(), false);
		TakeTurns(SocketPair(), SocketPair(), true);
	});
}

/* However many wait, the threads are few. */
TEST_P(ParkIo, ManyReadersFewThreads)
{
	if (Threads())
		GTEST_SKIP() << "each keeps a thread this way";
	if (!AllowFiles(10 * kTasks))
		GTEST_SKIP() << "not allowed to open that many files";
	OnServers([] {
		std::vector<std::unique_ptr<Pipe>> pipes;
		std::atomic<int> right{ 0 };
		wt::Group g;

		for (int i = 0; i < kTasks; i++)
			pipes.emplace_back(new Pipe);
		for (int i = 0; i < kTasks; i++) {
			g.Go(
				[&, i] {
					char c = 0;

					if (read((*pipes[i])[0], &c, 1) == 1 &&
					    c == (char)i)
						right++;
				},
				"reader");
		}
		AwaitInCall("reader", kTasks);
		EXPECT_LT(wt::Threads(), 20);
		for (int i = 0; i < kTasks; i++) {
			char c = (char)i;

			EXPECT_EQ(1, write((*pipes[i])[1], &c, 1));
		}
		g.Wait();
		EXPECT_EQ(kTasks, right);
		EXPECT_LT(wt::Threads(), 20);
	});
}

/* Many at once, each message answered: what is woken together goes to the ring
 * together. */
TEST_P(ParkIo, EchoOfMany)
{
	constexpr int kPairs = 60, kRounds = 60;

	OnServers([] {
		wt::Group g;

		for (int i = 0; i < kPairs; i++) {
			auto s = std::make_shared<SocketPair>();

			g.Go([s] {
				char buf[64];
				ssize_t n;

				while ((n = read((*s)[0], buf, sizeof(buf))) >
				       0)
					EXPECT_EQ(n, write((*s)[0], buf,
							   (size_t)n));
				EXPECT_EQ(0, n);
			});
			g.Go([s, i] {
				char buf[64];

				for (int k = 0; k < kRounds; k++) {
					std::string m = Pattern(
						48, (unsigned)(i * 100 + k));
					bool plain = k % 2;

					ASSERT_EQ(48,
						  plain ? write((*s)[1],
								m.data(), 48) :
							  send((*s)[1],
							       m.data(), 48,
							       0));
					ASSERT_EQ(48,
						  plain ? recv((*s)[1], buf, 48,
							       MSG_WAITALL) :
							  recv((*s)[1], buf, 64,
							       0));
					EXPECT_EQ(m, std::string(buf, 48));
				}
				shutdown((*s)[1], SHUT_WR);
			});
		}
	});
}

/* A blocking write writes everything, however often it has to wait. */
TEST_P(ParkIo, LargeWrites)
{
	OnServers([] {
		const std::string all = Pattern(3 << 20, 1);

		for (int kind = 0; kind < 5; kind++) {
			SocketPair s;
			Pipe p;
			wt::Group g;
			int in = kind == 0 ? p[0] : s[0];

			g.Go([&] {
				const char *d = all.data();
				size_t n = all.size(), half = n / 2;
				struct iovec iov[2] = {
					{ (void *)d, half },
					{ (void *)(d + half), n - half },
				};
				struct msghdr msg = {};
				ssize_t r = -1;

				msg.msg_iov = iov;
				msg.msg_iovlen = 2;
				switch (kind) {
				case 0:
					r = write(p[1], d, n);
					break;
				case 1:
					r = write(s[1], d, n);
					break;
				case 2:
					r = writev(s[1], iov, 2);
					break;
				case 3:
					r = send(s[1], d, n, MSG_NOSIGNAL);
					break;
				case 4:
					r = sendmsg(s[1], &msg, 0);
					break;
				}
				EXPECT_EQ((ssize_t)n, r) << strerror(errno);
				p.Close(1);
				s.Close(1);
			});
			EXPECT_EQ(all, ReadAll(in, 10000));
		}
	});
}

/* O_NONBLOCK holds from the moment it is set, in whatever way, also for copies
 * of a descriptor that has been waited on. */
TEST_P(ParkIo, NonBlocking)
{
	OnServers([] {
		char c;

		for (int how = 0; how < 3; how++) {
			SocketPair s;
			wt::Group g;
			int on = 1, copy;

			g.Go([&] { EXPECT_EQ(1, read(s[0], &c, 1)); }, "first");
			AwaitInCall("first");
			EXPECT_EQ(1, write(s[1], "x", 1));
			g.Wait();
			copy = dup(s[0]);
			if (how == 0)
				fcntl(s[0], F_SETFL, O_NONBLOCK);
			else if (how == 1)
				fcntl(copy, F_SETFL, O_NONBLOCK);
			else
				ioctl(copy, FIONBIO, &on);
			/* Alone, and with others that go to the ring. */
			for (int tasks : { 1, 40 }) {
				for (int i = 0; i < tasks; i++)
					g.Go([&] {
						char b[4];

						wend_yield();
						EXPECT_EQ(-1, read(s[0], b, 1));
						EXPECT_EQ(EAGAIN, errno);
						EXPECT_EQ(-1,
							  recv(copy, b, 1, 0));
						EXPECT_EQ(EAGAIN, errno);
						EXPECT_EQ(-1,
							  recv(s[0], b, 1,
							       MSG_WAITALL));
						EXPECT_EQ(EAGAIN, errno);
					});
				g.Wait();
			}
			close(copy);
		}
		Loopback l(SOCK_STREAM);
		fcntl(l.fd(), F_SETFL, O_NONBLOCK);
		EXPECT_EQ(-1, accept(l.fd(), nullptr, nullptr));
		EXPECT_EQ(EAGAIN, errno);
	});
}

TEST_P(ParkIo, TimeLimits)
{
	OnServers([] {
		const struct timeval limit = { 0, 20000 };
		Loopback l(SOCK_STREAM);
		SocketPair s;
		char c;
		std::string big(1 << 20, 'x');
		auto expect_late = [&](const std::function<ssize_t()> &call) {
			int64_t before = wend_now();

			EXPECT_EQ(-1, call());
			EXPECT_EQ(EAGAIN, errno);
			EXPECT_GE(wend_now(), before + 15 * WEND_MILLISECOND);
		};

		for (int fd : { s[0], l.fd() }) {
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
				   sizeof(limit));
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
				   sizeof(limit));
		}
		expect_late([&] { return read(s[0], &c, 1); });
		expect_late([&] { return recv(s[0], &c, 1, 0); });
		expect_late([&] {
			return (ssize_t)accept(l.fd(), nullptr, nullptr);
		});
		/* What fits goes out; then nothing does. */
		EXPECT_LT(write(s[0], big.data(), big.size()),
			  (ssize_t)big.size());
		expect_late([&] { return send(s[0], "x", 1, 0); });
		/* Without a limit again, and the other end without any. */
		EXPECT_LT(0, recv(s[1], &big[0], big.size(), 0));
	});
}

TEST_P(ParkIo, MessageFlags)
{
	OnServers([] {
		SocketPair s;
		Loopback a(SOCK_DGRAM), b(SOCK_DGRAM);
		std::atomic<int> step{ 0 };
		wt::Group g;

		g.Go(
			[&] {
				char part[8] = {};
				struct iovec iov = { part, 8 };
				struct msghdr msg = {};

				EXPECT_EQ(8, recv(s[0], part, 8, MSG_WAITALL));
				EXPECT_EQ("abcdefgh", std::string(part, 8));
				step = 1;
				EXPECT_EQ(2, recv(s[0], part, 8, MSG_PEEK));
				msg.msg_iov = &iov;
				msg.msg_iovlen = 1;
				EXPECT_EQ(2, recvmsg(s[0], &msg, 0));
				EXPECT_EQ(-1,
					  recv(s[0], part, 8, MSG_DONTWAIT));
				EXPECT_EQ(EAGAIN, errno);
				step = 2;
				/* The end ends MSG_WAITALL early. */
				EXPECT_EQ(3, recv(s[0], part, 8, MSG_WAITALL));
				EXPECT_EQ(0, recv(s[0], part, 8, 0));
			},
			"receiver");
		auto send_at = [&](int when, const std::string &part) {
			while (step < when)
				wend_yield();
			AwaitInCall("receiver");
			EXPECT_EQ((ssize_t)part.size(),
				  send(s[1], part.data(), part.size(), 0));
		};

		send_at(0, "abc");
		send_at(0, "defgh");
		send_at(1, "ij");
		send_at(2, "klm");
		s.Close(1);
		g.Wait();

		g.Go(
			[&] {
				struct sockaddr_in from = {};
				socklen_t size = sizeof(from);
				char big[64];

				EXPECT_EQ(5,
					  recvfrom(a.fd(), big, sizeof(big), 0,
						   (struct sockaddr *)&from,
						   &size));
				EXPECT_EQ(sizeof(from), size);
				EXPECT_EQ(0, memcmp(&from, b.addr(), 8));
				EXPECT_EQ(0, recv(a.fd(), big, sizeof(big), 0));
				EXPECT_EQ(4, recv(a.fd(), big, 2, MSG_TRUNC));
			},
			"datagrams");
		AwaitInCall("datagrams");
		EXPECT_EQ(5, sendto(b.fd(), "12345", 5, 0, a.addr(),
				    sizeof(struct sockaddr_in)));
		EXPECT_EQ(0, sendto(b.fd(), "", 0, 0, a.addr(),
				    sizeof(struct sockaddr_in)));
		EXPECT_EQ(4, sendto(b.fd(), "1234", 4, 0, a.addr(),
				    sizeof(struct sockaddr_in)));
		g.Wait();
	});
}

TEST_P(ParkIo, Connections)
{
	OnServers([] {
		Loopback l(SOCK_STREAM);
		wt::Group g;

		g.Go(
			[&] {
				struct sockaddr_in peer = {}, me = {};
				socklen_t size = sizeof(peer);
				int fd = accept4(l.fd(),
						 (struct sockaddr *)&peer,
						 &size,
						 SOCK_NONBLOCK | SOCK_CLOEXEC);
				char c;

				ASSERT_GE(fd, 0);
				EXPECT_EQ(sizeof(peer), size);
				EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
				EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
				EXPECT_EQ(-1, read(fd, &c, 1));
				EXPECT_EQ(EAGAIN, errno);
				getsockname(fd, (struct sockaddr *)&me, &size);
				EXPECT_EQ(0, memcmp(&me, l.addr(), 8));
				close(fd);
				fd = accept(l.fd(), nullptr, nullptr);
				ASSERT_GE(fd, 0);
				EXPECT_FALSE(fcntl(fd, F_GETFL) & O_NONBLOCK);
				EXPECT_EQ(1, read(fd, &c, 1));
				close(fd);
			},
			"acceptor");
		AwaitInCall("acceptor");
		int fd = l.Connect();
		char c;
		EXPECT_EQ(0, read(fd, &c, 1));
		close(fd);
		AwaitInCall("acceptor");
		fd = l.Connect(SOCK_NONBLOCK);
		fcntl(fd, F_SETFL, 0);
		EXPECT_EQ(1, write(fd, "x", 1));
		g.Wait();
		close(fd);

		/* Nobody listens there. */
		Loopback *gone = new Loopback(SOCK_STREAM);
		struct sockaddr_in where;
		memcpy(&where, gone->addr(), sizeof(where));
		delete gone;
		fd = socket(AF_INET, SOCK_STREAM, 0);
		EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&where,
				      sizeof(where)));
		EXPECT_EQ(ECONNREFUSED, errno);
		close(fd);
		EXPECT_EQ(-1, connect(-1, (struct sockaddr *)&where,
				      sizeof(where)));
		EXPECT_EQ(EBADF, errno);
		EXPECT_EQ(-1, accept(-1, nullptr, nullptr));
		EXPECT_EQ(EBADF, errno);
		EXPECT_EQ(-1, accept(0, nullptr, nullptr));
		EXPECT_TRUE(errno == ENOTSOCK || errno == EBADF);
	});
}

/* What a call announces it does a moment later. */
void AwaitAsleep(const std::atomic<pid_t> &tid)
{
	char path[64], text[256];
	const char *state;

	while (tid == 0)
		wend_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	do {
		FILE *f = fopen(path, "re");

		ASSERT_NE(nullptr, f);
		size_t n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		text[n] = 0;
		state = strrchr(text, ')');
		ASSERT_NE(nullptr, state);
		wend_yield();
	} while (strncmp(state, ") S", 3) != 0);
}

/* A call holds its file: closing the descriptor does not end it, nor does it
 * read from what gets the number next. */
TEST_P(ParkIo, CloseWhileWaiting)
{
	if (wt::kTsan)
		GTEST_SKIP() << "it reports such a close, rightly";
	if (strcmp(GetParam(), "epoll") == 0)
		GTEST_SKIP() << "this way looks at the descriptor again";
	OnServers([] {
		Pipe p, other;
		int copy = dup(p[0]), number = p[0];
		std::atomic<pid_t> tid{ 0 };
		wt::Group g;
		char c = 0;

		g.Go(
			[&] {
				tid = gettid();
				EXPECT_EQ(1, read(number, &c, 1));
			},
			"reader");
		AwaitInCall("reader");
		if (strcmp(GetParam(), "threads") == 0)
			AwaitAsleep(tid);
		p.Close(0);
		EXPECT_EQ(number, dup(other[0]));
		EXPECT_EQ(1, write(other[1], "o", 1));
		EXPECT_EQ(1, write(p[1], "p", 1));
		g.Wait();
		EXPECT_EQ('p', c);
		close(number);
		close(copy);
	});
}

/* A number that was a socket's may be a file's next: nothing of what was
 * learned of it counts. */
TEST_P(ParkIo, NumbersAreUsedAgain)
{
	OnServers([] {
		for (int i = 0; i < 20; i++) {
			SocketPair s;
			char c = 0;
			wt::Group g;

			g.Go([&] { EXPECT_EQ(1, read(s[0], &c, 1)); }, "r");
			AwaitInCall("r");
			EXPECT_EQ(1, write(s[1], "x", 1));
			g.Wait();
			int number = s[0];
			if (i % 2) {
				Pipe p;

				EXPECT_EQ(number, dup2(p[0], number));
				g.Go(
					[&] {
						EXPECT_EQ(1,
							  read(number, &c, 1));
						EXPECT_EQ(-1, recv(number, &c,
								   1, 0));
						EXPECT_EQ(ENOTSOCK, errno);
					},
					"r");
				AwaitInCall("r");
				EXPECT_EQ(1, write(p[1], "p", 1));
				g.Wait();
				EXPECT_EQ('p', c);
			}
		}
	});
}

TEST_P(ParkIo, Files)
{
	OnServers([] {
		constexpr int kBlocks = 64, kSize = 512;
		std::vector<std::atomic<int>> seen(kBlocks);
		FILE *f = tmpfile();
		wt::Group g;

		ASSERT_NE(nullptr, f);
		int fd = fileno(f);
		for (int i = 0; i < kBlocks; i++) {
			std::string block(kSize, (char)i);

			EXPECT_EQ(kSize, write(fd, block.data(), kSize));
		}
		EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
		/* The position moves once for each read, whoever reads. */
		for (int t = 0; t < 8; t++)
			g.Go([&] {
				char b[kSize];

				while (read(fd, b, kSize) == kSize)
					seen[(size_t)b[kSize - 1]]++;
			});
		g.Wait();
		for (auto &n : seen)
			EXPECT_EQ(1, n);
		EXPECT_EQ(3, pwrite(fd, "abc", 3, 100));
		char b[8] = {};
		EXPECT_EQ(3, pread(fd, b, 3, 100));
		EXPECT_STREQ("abc", b);
		EXPECT_EQ(0, pread(fd, b, 3, 1 << 20));
		fclose(f);
	});
}

TEST_P(ParkIo, Errors)
{
	OnServers([] {
		const struct iovec nowhere = { (void *)8, 1 };
		char c;
		Pipe p;
		SocketPair s;

		signal(SIGPIPE, SIG_IGN);
		p.Close(0);
		EXPECT_EQ(-1, write(p[1], "x", 1));
		EXPECT_EQ(EPIPE, errno);
		s.Close(0);
		EXPECT_EQ(-1, send(s[1], "x", 1, 0));
		EXPECT_EQ(EPIPE, errno);
		EXPECT_EQ(-1, read(1 << 20, &c, 1));
		EXPECT_EQ(EBADF, errno);
		Pipe q;
		EXPECT_EQ(-1, send(q[1], "x", 1, 0));
		EXPECT_EQ(ENOTSOCK, errno);
		EXPECT_EQ(1, write(q[1], "x", 1));
		EXPECT_EQ(-1, readv(q[0], &nowhere, 1));
		EXPECT_EQ(EFAULT, errno);
		signal(SIGPIPE, SIG_DFL);
	});
}

TEST_P(ParkIo, Poll)
{
	OnServers([] {
		/* Few go to the poller, many to a thread. */
		for (int n : { 1, 3, 8, 20 }) {
			std::vector<std::unique_ptr<Pipe>> pipes;
			std::vector<struct pollfd> fds;
			wt::Group g;
			char c;

			for (int i = 0; i < n; i++) {
				pipes.emplace_back(new Pipe);
				fds.push_back(
					{ (*pipes[(size_t)i])[0], POLLIN, 0 });
			}
			EXPECT_EQ(0, poll(fds.data(), (nfds_t)n, 20));
			fds.push_back({ -1, POLLIN, 0 });
			for (int at : { 0, n - 1 }) {
				g.Go([&] {
					auto mine = fds;

					EXPECT_EQ(1, poll(mine.data(),
							  mine.size(), -1));
					EXPECT_EQ(POLLIN,
						  mine[(size_t)at].revents);
				});
				wend_sleep(WEND_MILLISECOND);
				auto &p = *pipes[(size_t)at];
				EXPECT_EQ(1, write(p[1], "x", 1));
				g.Wait();
				EXPECT_EQ(1, read(p[0], &c, 1));
			}
			pipes[0]->Close(1);
			EXPECT_EQ(1, poll(fds.data(), fds.size(), -1));
			EXPECT_EQ(POLLHUP, fds[0].revents);
		}
		struct pollfd bad = { 1 << 20, POLLIN, 0 };
		EXPECT_EQ(1, poll(&bad, 1, -1));
		EXPECT_EQ(POLLNVAL, bad.revents);
	});
}

TEST_P(ParkIo, Epoll)
{
	OnServers([] {
		int ep = epoll_create1(EPOLL_CLOEXEC);
		struct epoll_event ev = {}, got[4];
		wt::Group g;
		Pipe p;

		ev.events = EPOLLIN;
		ev.data.u32 = 7;
		EXPECT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
		EXPECT_EQ(0, epoll_wait(ep, got, 4, 20));
		g.Go(
			[&] {
				EXPECT_EQ(1, epoll_wait(ep, got, 4, -1));
				EXPECT_EQ(7u, got[0].data.u32);
			},
			"loop");
		AwaitInCall("loop");
		EXPECT_EQ(1, write(p[1], "x", 1));
		g.Wait();
		EXPECT_EQ(1, epoll_pwait(ep, got, 4, -1, nullptr));
		close(ep);
	});
}

/* Two that wait for one descriptor, each for its own side. */
TEST_P(ParkIo, BothSidesOfASocket)
{
	OnServers([] {
		const std::string all = Pattern(1 << 20, 3);
		SocketPair s;
		wt::Group g;
		char c = 0;

		g.Go([&] { EXPECT_EQ(1, read(s[0], &c, 1)); }, "reader");
		AwaitInCall("reader");
		g.Go([&] {
			EXPECT_EQ((ssize_t)all.size(),
				  write(s[0], all.data(), all.size()));
			shutdown(s[0], SHUT_WR);
		});
		EXPECT_EQ(all, ReadAll(s[1], 4096));
		EXPECT_EQ(1, write(s[1], "r", 1));
		g.Wait();
		EXPECT_EQ('r', c);
	});
}

/* Everything sleeps; what a thread of the program writes wakes it. */
TEST_P(ParkIo, IdleServersWake)
{
	for (int procs : { 1, 2, 4 })
		wt::RunOn(procs, [] {
			Pipe there, back;
			std::thread t([&] {
				char c;

				while (read(there[0], &c, 1) == 1)
					if (write(back[1], &c, 1) != 1)
						break;
			});

			for (int i = 0; i < 200; i++) {
				char c = (char)i, d = 0;

				EXPECT_EQ(1, write(there[1], &c, 1));
				EXPECT_EQ(1, read(back[0], &d, 1));
				EXPECT_EQ(c, d);
				if (i % 50 == 0)
					wend_sleep(3 * WEND_MILLISECOND);
			}
			there.Close(1);
			t.join();
		});
}

/* A server without work sleeps. One that did not would use ten times the CPU time
 * that is allowed here. */
TEST_P(ParkIo, IdleServersSleep)
{
	OnServers([] {
		std::vector<std::array<int, 2>> pipes(10);
		struct rusage before, after;
		wt::Group g;

		for (auto &fds : pipes) {
			ASSERT_EQ(0, pipe(fds.data()));
			g.Go([&] {
				char c;

				EXPECT_EQ(0, read(fds[0], &c, 1));
			});
		}
		wend_sleep(50 * WEND_MILLISECOND);
		getrusage(RUSAGE_SELF, &before);
		int64_t start = wend_now();
		wend_sleep(300 * WEND_MILLISECOND);
		int64_t slept = wend_now() - start;
		getrusage(RUSAGE_SELF, &after);
		EXPECT_LT(CpuNs(after) - CpuNs(before), slept / 10);
		for (auto &fds : pipes)
			close(fds[1]);
		g.Wait();
		for (auto &fds : pipes)
			close(fds[0]);
	});
}

/* A task that computes does not keep others from what has come for them. */
TEST_P(ParkIo, StuckServer)
{
	wt::RunOn(2, [] {
		for (int round = 0; round < 5; round++) {
			constexpr int kReaders = 16;
			std::vector<std::unique_ptr<Pipe>> pipes;
			std::atomic<int> done{ 0 };
			wt::Group g;

			for (int i = 0; i < kReaders; i++)
				pipes.emplace_back(new Pipe);
			for (int i = 0; i < kReaders; i++) {
				g.Go(
					[&, i] {
						char c;

						EXPECT_EQ(1,
							  read((*pipes[i])[0],
							       &c, 1));
						done++;
					},
					"reader");
			}
			AwaitInCall("reader", kReaders);
			if (round % 2) /* the other server goes idle */
				wend_sleep(20 * WEND_MILLISECOND);
			std::thread writer([&] {
				for (auto &p : pipes)
					EXPECT_EQ(1, write((*p)[1], "x", 1));
			});
			while (done < kReaders)
				; /* holds its server */
			writer.join();
		}
	});
}

/* main() of a program that only waits for another process. */
[[noreturn]] static void WaitForAProcess()
{
	static int fds[2];

	if (pipe(fds))
		_exit(9);
	if (fork() == 0) {
		struct timespec nap = { 0, 50000000 };

		nanosleep(&nap, nullptr);
		(void)!write(fds[1], "x", 1);
		_exit(0);
	}
	_exit(wend_main(
		[](int, char **) {
			char c;

			return read(fds[0], &c, 1) == 1 ? 3 : 4;
		},
		0, nullptr));
}

/* All tasks wait for what a process sends: that is no deadlock. */
TEST_P(ParkIo, NoDeadlock)
{
	EXPECT_EXIT(WaitForAProcess(), testing::ExitedWithCode(3), "");
}

/* A child of a task does not disturb its parent. */
TEST_P(ParkIo, Fork)
{
	if (wt::kTsan)
		GTEST_SKIP() << "ThreadSanitizer: no fork beside threads";
	OnServers([] {
		Pipe idle, p;
		wt::Group g;
		char c = 0;

		g.Go([&] { EXPECT_EQ(1, read(idle[0], &c, 1)); }, "reader");
		AwaitInCall("reader");
		pid_t child = fork();
		if (child == 0) {
			for (int i = 0; i < 20; i++)
				(void)!write(p[1], "y", 1);
			_exit(0);
		}
		char buf[32];
		size_t sum = 0;
		while (sum < 20)
			sum += (size_t)read(p[0], buf, sizeof(buf));
		EXPECT_EQ(20u, sum);
		EXPECT_EQ(child, waitpid(child, nullptr, 0));
		EXPECT_EQ(1, write(idle[1], "x", 1));
		g.Wait();
		EXPECT_EQ('x', c);
	});
}
