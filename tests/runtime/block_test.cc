/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_test.cc - tasks in calls that block in the kernel: their server goes
 * on with other tasks.
 *
 * Most tests run on one server. There a task that blocked without giving its
 * server up would keep the task from running that is to wake it: the test
 * would hang. So what is shown does not depend on time.
 */
#include "tests/runtime/block_util.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace blocking;

TEST_F(Block, ReadOnPipes)
{
	OnFewServers([] { FeedReaders(read); });
}

/* A writer to a full pipe waits until another task has read. */
TEST_F(Block, WriteToAFullPipe)
{
	OnFewServers([] {
		constexpr size_t kSize = 300000;
		Pipe p;
		wt::Group g;

		g.Go([&] {
			std::vector<unsigned char> out(kSize);

			for (size_t i = 0; i < kSize; i++)
				out[i] = (unsigned char)(i * 7);
			EXPECT_EQ((ssize_t)kSize,
				  write(p[1], out.data(), kSize));
			p.Close(1);
		});
		PassToken();
		unsigned char in[7000];
		size_t at = 0;
		ssize_t n;
		while ((n = read(p[0], in, sizeof(in))) > 0)
			for (ssize_t i = 0; i < n; i++, at++)
				ASSERT_EQ((unsigned char)(at * 7), in[i]);
		EXPECT_EQ(0, n);
		EXPECT_EQ(kSize, at);
	});
}

TEST_F(Block, SocketCalls)
{
	OnFewServers([] {
		SocketPair s, d(SOCK_DGRAM);
		wt::Group g;

		g.Go([&] {
			char b[16] = {}, c[16] = {};
			struct iovec v[2] = { { b, 2 }, { c, 16 } };
			struct msghdr m = {};

			EXPECT_EQ(1, recv(s[0], b, 1, 0));
			EXPECT_EQ('1', b[0]);
			EXPECT_EQ(3, recv(s[0], b, 3, MSG_WAITALL));
			EXPECT_STREQ("234", b);
			EXPECT_EQ(4, readv(s[0], v, 2));
			EXPECT_EQ(0, memcmp(b, "56", 2));
			EXPECT_STREQ("78", c);
			m.msg_iov = v;
			m.msg_iovlen = 2;
			EXPECT_EQ(5, recvmsg(d[0], &m, 0));
			EXPECT_EQ(6, recvfrom(d[0], b, sizeof(b), 0, nullptr,
					      nullptr));
		});
		PassToken();
		EXPECT_EQ(1, send(s[1], "1", 1, 0));
		EXPECT_EQ(2, write(s[1], "23", 2));
		PassToken();
		EXPECT_EQ(1, write(s[1], "4", 1));
		PassToken();
		struct iovec v[2] = { { (void *)"56", 2 },
				      { (void *)"78", 2 } };
		EXPECT_EQ(4, writev(s[1], v, 2));
		PassToken();
		struct msghdr m = {};
		struct iovec w = { (void *)"12345", 5 };
		m.msg_iov = &w;
		m.msg_iovlen = 1;
		EXPECT_EQ(5, sendmsg(d[1], &m, 0));
		PassToken();
		EXPECT_EQ(6, sendto(d[1], "123456", 6, 0, nullptr, 0));
	});
}

TEST_F(Block, Eventfd)
{
	OnFewServers([] {
		int e = eventfd(0, EFD_CLOEXEC);
		wt::Group g;

		g.Go([&] {
			uint64_t v = 0;

			EXPECT_EQ(8, read(e, &v, 8));
			EXPECT_EQ(5u, v);
		});
		PassToken();
		uint64_t five = 5;
		EXPECT_EQ(8, write(e, &five, 8));
		g.Wait();
		close(e);
	});
}

/* accept() and connect() over loopback, fifty connections, each an echo. */
TEST_F(Block, AcceptAndConnect)
{
	OnFewServers([] {
		constexpr int kClients = 50;
		int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct sockaddr_in a = {};
		socklen_t len = sizeof(a);
		wt::Group g;

		a.sin_family = AF_INET;
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ASSERT_EQ(0, bind(l, (struct sockaddr *)&a, sizeof(a)));
		ASSERT_EQ(0, listen(l, 128));
		ASSERT_EQ(0, getsockname(l, (struct sockaddr *)&a, &len));
		g.Go([&] {
			wt::Group serving;

			for (int i = 0; i < kClients; i++) {
				int fd = i % 2 ? accept(l, nullptr, nullptr) :
						 accept4(l, nullptr, nullptr,
							 SOCK_CLOEXEC);
				ASSERT_GE(fd, 0) << errno;
				serving.Go([fd] {
					char b[8];
					ssize_t n;

					while ((n = read(fd, b, 8)) > 0)
						EXPECT_EQ(n, write(fd, b, n));
					close(fd);
				});
			}
		});
		PassToken();
		for (int i = 0; i < kClients; i++)
			g.Go([&, i] {
				int fd = socket(AF_INET,
						SOCK_STREAM | SOCK_CLOEXEC, 0);
				int got = -1;

				ASSERT_EQ(0, connect(fd, (struct sockaddr *)&a,
						     sizeof(a)));
				EXPECT_EQ(4, write(fd, &i, 4));
				EXPECT_EQ(4, recv(fd, &got, 4, MSG_WAITALL));
				EXPECT_EQ(i, got);
				close(fd);
			});
		g.Wait();
		close(l);
	});
}

TEST_F(Block, Poll)
{
	OnFewServers([] {
		Pipe a, b;
		wt::Group g;

		for (bool with_signals : { false, true })
			g.Go([&, with_signals] {
				struct pollfd p[2] = { { a[0], POLLIN, 0 },
						       { b[0], POLLIN, 0 } };
				int n = with_signals ?
						ppoll(p, 2, nullptr, nullptr) :
						poll(p, 2, -1);

				EXPECT_EQ(1, n);
				EXPECT_EQ(0, p[0].revents);
				EXPECT_EQ(POLLIN, p[1].revents);
			});
		g.Go([&] {
			fd_set set;

			FD_ZERO(&set);
			FD_SET(b[0], &set);
			EXPECT_EQ(1, select(b[0] + 1, &set, nullptr, nullptr,
					    nullptr));
			EXPECT_TRUE(FD_ISSET(b[0], &set));
		});
		PassToken();
		EXPECT_EQ(1, write(b[1], "x", 1));
		g.Wait();
		struct pollfd p = { a[0], POLLIN, 0 };
		int64_t before = wend_now();
		EXPECT_EQ(0, poll(&p, 1, 0));
		EXPECT_EQ(0, poll(&p, 1, 5));
		EXPECT_GE(wend_now(), before + 5 * WEND_MILLISECOND);
	});
}

/* A task that sleeps in the C library's calls until another has run. */
TEST_F(Block, SleepingCalls)
{
	OnFewServers([] {
		std::atomic<int> done{ 0 };
		wt::Group g;

		g.Go([&] {
			while (!done)
				usleep(100);
		});
		g.Go([&] {
			struct timespec t = { 0, 100000 };

			while (!done)
				EXPECT_EQ(0, nanosleep(&t, nullptr));
		});
		g.Go([&] {
			struct timespec t = { 0, 100000 };

			while (!done)
				EXPECT_EQ(0, clock_nanosleep(CLOCK_MONOTONIC, 0,
							     &t, nullptr));
		});
		PassToken();
		int64_t before = wend_now();
		struct timespec t = { 0, 3000000 };
		EXPECT_EQ(0, nanosleep(&t, nullptr));
		EXPECT_GE(wend_now(), before + 3000000);
		done = 1;
		EXPECT_EQ(0u, sleep(0));
		t.tv_nsec = 1000000000;
		EXPECT_EQ(-1, nanosleep(&t, nullptr));
		EXPECT_EQ(EINVAL, errno);
	});
}

/* sleep() has no finer unit than a second. */
TEST_F(Block, SleepOfASecond)
{
	wt::RunOn(1, [] {
		bool passed = false;
		wt::Group g;

		g.Go([&] {
			while (!passed)
				EXPECT_EQ(0u, sleep(1));
		});
		g.Go([&] {
			PassToken();
			passed = true;
		});
	});
}

TEST_F(Block, Getaddrinfo)
{
	OnFewServers([] {
		wt::Group g;

		for (const char *name : { "127.0.0.1", "localhost", "::1" })
			g.Go([name] {
				struct addrinfo hints = {}, *list = nullptr;

				hints.ai_socktype = SOCK_STREAM;
				EXPECT_EQ(0, getaddrinfo(name, "80", &hints,
							 &list))
					<< name;
				EXPECT_NE(nullptr, list);
				if (list)
					freeaddrinfo(list);
			});
		PassToken();
	});
}

/* The holder of a file lock unlocks it while another task waits in flock(). */
TEST_F(Block, Flock)
{
	OnFewServers([] {
		const char *dir = getenv("TEST_TMPDIR");
		std::string path = std::string(dir ? dir : "/tmp") + "/lock";
		int a, b;
		std::atomic<bool> unlocked = false;
		wt::Group g;

		a = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		b = open(path.c_str(), O_RDWR | O_CLOEXEC);
		ASSERT_GE(a, 0);
		ASSERT_GE(b, 0);
		EXPECT_EQ(0, flock(a, LOCK_EX));
		g.Go([&] {
			EXPECT_EQ(0, flock(b, LOCK_EX));
			EXPECT_TRUE(unlocked);
		});
		for (int i = 0; i < 3; i++)
			PassToken();
		EXPECT_EQ(-1, flock(b, LOCK_EX | LOCK_NB));
		EXPECT_EQ(EWOULDBLOCK, errno);
		unlocked = true;
		EXPECT_EQ(0, flock(a, LOCK_UN));
		g.Wait();
		close(a);
		close(b);
		unlink(path.c_str());
	});
}

/* A task waits for a child that ends when another task says so. */
TEST_F(Block, Waitpid)
{
	for (int procs : { 1, 2 }) {
		Pipe p;
		pid_t child = fork();

		ASSERT_GE(child, 0);
		if (child == 0) {
			char b;

			close(p[1]);
			_exit(read(p[0], &b, 1) == 1 ? b : 99);
		}
		wt::RunOn(procs, [&] {
			wt::Group g;

			g.Go([&] {
				int status = 0;

				EXPECT_EQ(child, waitpid(child, &status, 0))
					<< strerror(errno);
				EXPECT_TRUE(WIFEXITED(status));
				EXPECT_EQ(7, WEXITSTATUS(status));
			});
			PassToken();
			EXPECT_EQ(1, write(p[1], "\a", 1));
		});
	}
}

/* What the program announces itself, nested and repeated. */
TEST_F(Block, Announced)
{
	OnFewServers([] {
		std::atomic<int> go{ 0 };
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go([&] {
				errno = ERANGE;
				wend_block_begin();
				wend_block_begin();
				while (!go)
					sched_yield();
				wend_block_end();
				wend_block_end();
				EXPECT_EQ(ERANGE, errno);
			});
		PassToken();
		go = 1;
		g.Wait();
		for (int i = 0; i < 1000; i++) {
			wend_block_begin();
			wend_block_end();
		}
	});
	wend_block_begin(); /* no task, no runtime: nothing */
	wend_block_end();
}

namespace
{

/* Everything still works, though a task in read() then keeps its server: four
 * servers are enough for one reader and the two that feed it. */
[[noreturn]] void RunWithoutInterposing()
{
	setenv("WEND_INTERPOSE", "0", 1);
	wt::RunOnce(4, [] {
		Pipe p;
		wt::Group g;
		std::atomic<int> sum{ 0 };

		g.Go([&] {
			unsigned char b;

			while (read(p[0], &b, 1) == 1)
				sum += b;
		});
		PassToken();
		for (unsigned char i = 1; i <= 10; i++)
			EXPECT_EQ(1, write(p[1], &i, 1));
		p.Close(1);
		g.Wait();
		EXPECT_EQ(55, sum);
		usleep(100);
	});
	_exit(testing::Test::HasFailure() ? 1 : 33);
}

void EndWithoutBegin()
{
	wt::RunOnce(1, [] { wend_block_end(); });
}

} // namespace

TEST_F(Block, WithoutInterposing)
{
	EXPECT_EXIT(RunWithoutInterposing(), testing::ExitedWithCode(33), "");
}

TEST_F(Block, EndWithoutBegin)
{
	WT_EXPECT_MISUSE(EndWithoutBegin(), "block");
}

/* Threads that are no tasks are not changed by the interposed calls. */
TEST_F(Block, ThreadsOfTheProgram)
{
	Pipe p;

	wt::Start(1);
	std::thread t([&] {
		char b = 0;

		EXPECT_EQ(1, read(p[0], &b, 1));
		EXPECT_EQ('t', b);
	});
	ASSERT_EQ(0, wt::Go([&] {
			  PassToken();
			  EXPECT_EQ(1, write(p[1], "t", 1));
		  }));
	t.join();
	wt::Stop();
}

/* Many more tasks blocked than servers, in several rounds: the threads made
 * for them are used again, not made anew. */
TEST_F(Block, ThreadsAreReused)
{
	wt::RunOn(2, [] {
		struct wend_stats s;
		uint64_t most = 0;

		for (int round = 0; round < 20; round++) {
			Pipe p;
			wt::Group g;

			for (int i = 0; i < 10; i++)
				g.Go([&] {
					char b;

					EXPECT_EQ(1, read(p[0], &b, 1));
				});
			PassToken();
			EXPECT_EQ(10, write(p[1], "0123456789", 10));
			g.Wait();
			wend_stats_get(&s);
			if (s.workers > most)
				most = s.workers;
		}
		EXPECT_LE(most, 40u);
	});
}
