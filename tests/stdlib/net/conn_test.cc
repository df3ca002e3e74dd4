/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_test.cc - reading and writing, half close, deadlines, closing from
 * elsewhere, files.
 */
#include "tests/stdlib/net/net_util.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

using namespace net;

namespace
{

class NetConn : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

/* Start fn in a task, wait until it waits, do what is to be done. */
void WhileWaiting(const std::function<void()> &fn,
		  const std::function<void()> &then)
{
	std::atomic<bool> begun{ false };
	wt::Group g;

	g.Go([&] {
		begun = true;
		fn();
	});
	/* It cannot be seen from here in every way of waiting; a little later
	 * it waits as a rule, and if not the result is the same. */
	while (!begun)
		wend_yield();
	wend_sleep(WEND_MILLISECOND);
	then();
	g.Wait();
}

} // namespace

TEST_F(NetConn, BytesThereAndBack)
{
	Everywhere([] {
		const std::string sent = Pattern(3 << 20);
		TcpPair p;
		wt::Group g;
		std::string got;

		g.Go([&] {
			EXPECT_EQ((ssize_t)sent.size(),
				  wend_conn_write(p.b, sent.data(),
						  sent.size()));
			EXPECT_EQ(0, wend_conn_close_write(p.b));
			/* The other direction goes on. */
			EXPECT_EQ("and back", ReadAll(p.b));
		});
		ExpectSame(sent, ReadAll(p.a));
		EXPECT_EQ(8, wend_conn_write(p.a, "and back", 8));
		EXPECT_EQ(0, wend_conn_close_write(p.a));
		EXPECT_EQ(-EPIPE, wend_conn_write(p.a, "x", 1));
		g.Wait();
		EXPECT_EQ(0, wend_conn_read(p.b, nullptr, 0));
		EXPECT_EQ(0, wend_conn_write(p.b, nullptr, 0));
	});
}

TEST_F(NetConn, Names)
{
	Everywhere([] {
		TcpPair p;

		EXPECT_STREQ(wend_conn_local(p.a), wend_conn_remote(p.b));
		EXPECT_STREQ(wend_conn_remote(p.a), wend_conn_local(p.b));
		EXPECT_EQ(0, strncmp("127.0.0.1:", wend_conn_local(p.a), 10));
		EXPECT_EQ(wend_conn_local(p.a), wend_conn_local(p.a));
		EXPECT_LE(0, wend_conn_fd(p.a));

		wend_conn *c[2];

		ASSERT_EQ(0, wend_net_pair(c));
		EXPECT_STREQ("", wend_conn_local(c[0]));
		EXPECT_STREQ("", wend_conn_remote(c[0]));
		EXPECT_EQ(2, wend_conn_write(c[0], "hi", 2));
		wend_conn_free(c[0]);
		EXPECT_EQ("hi", ReadAll(c[1]));
		EXPECT_EQ(-EPIPE, wend_conn_write(c[1], "x", 1));
		wend_conn_free(c[1]);
		wend_conn_free(nullptr);
	});
}

TEST_F(NetConn, FromAnyDescriptor)
{
	wt::Run([] {
		wend_conn *c;
		int fd[2], pipes[2];

		EXPECT_EQ(-EBADF, wend_net_from_fd(&c, -1));
		ASSERT_EQ(0, pipe(pipes));
		EXPECT_EQ(-ENOTSOCK, wend_net_from_fd(&c, pipes[0]));
		close(pipes[0]);
		close(pipes[1]);
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
		EXPECT_EQ(-EINVAL, wend_net_from_fd(&c, fd[0]));
		EXPECT_EQ(nullptr, c);
		close(fd[0]);
		close(fd[1]);
		/* O_NONBLOCK is no EAGAIN. */
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
					fd));
		ASSERT_EQ(0, wend_net_from_fd(&c, fd[0]));
		wt::Go([&] {
			wend_sleep(WEND_MILLISECOND);
			EXPECT_EQ(1, write(fd[1], "x", 1));
		});
		char x;

		EXPECT_EQ(1, wend_conn_read(c, &x, 1));
		wend_conn_free(c);
		close(fd[1]);
	});
}

TEST_F(NetConn, DeadlinesThatPass)
{
	Everywhere([] {
		TcpPair p;
		std::string big = Pattern(16 << 20);
		char c;

		wend_conn_set_read_deadline(p.a, wend_after_ms(2));
		EXPECT_EQ(-ETIMEDOUT, wend_conn_read(p.a, &c, 1));
		/* Passed is passed, with data or without. */
		EXPECT_EQ(1, wend_conn_write(p.b, "x", 1));
		EXPECT_EQ(-ETIMEDOUT, wend_conn_read(p.a, &c, 1));
		wend_conn_set_read_deadline(p.a, WEND_FOREVER);
		EXPECT_EQ(1, wend_conn_read(p.a, &c, 1));
		/* One direction only. */
		wend_conn_set_read_deadline(p.a, 0);
		EXPECT_EQ(1, wend_conn_write(p.a, "y", 1));
		wend_conn_set_write_deadline(p.a, wend_after_ms(5));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_conn_write(p.a, big.data(), big.size()));
		wend_conn_set_deadline(p.a, WEND_FOREVER);
		EXPECT_EQ(1, wend_conn_write(p.b, "z", 1));
		EXPECT_EQ(1, wend_conn_read(p.a, &c, 1));
		EXPECT_EQ('z', c);
	});
}

TEST_F(NetConn, DeadlineUnderARead)
{
	Everywhere([] {
		TcpPair p;

		for (int64_t before : { WEND_FOREVER, wend_after(kLong) }) {
			wend_conn_set_read_deadline(p.a, before);
			WhileWaiting(
				[&] {
					char c;

					EXPECT_EQ(-ETIMEDOUT,
						  wend_conn_read(p.a, &c, 1));
				},
				[&] { wend_conn_set_read_deadline(p.a, 0); });
		}
	});
}

TEST_F(NetConn, CloseUnderAReadAndAWrite)
{
	Everywhere([] {
		TcpPair p;
		std::string big = Pattern(16 << 20);
		wt::Group g;

		g.Go([&] {
			EXPECT_EQ(-ECANCELED,
				  wend_conn_write(p.a, big.data(), big.size()));
		});
		WhileWaiting(
			[&] {
				char c;

				EXPECT_EQ(-ECANCELED,
					  wend_conn_read(p.a, &c, 1));
			},
			[&] { EXPECT_EQ(0, wend_conn_close(p.a)); });
		g.Wait();
		EXPECT_EQ(0, wend_conn_close(p.a));
		char c;

		EXPECT_EQ(-ECANCELED, wend_conn_read(p.a, &c, 1));
		EXPECT_EQ(-ECANCELED, wend_conn_write(p.a, &c, 1));
		EXPECT_EQ(-ECANCELED, wend_conn_close_write(p.a));
		/* What was sent arrives, then the end. */
		std::string got = ReadAll(p.b);

		EXPECT_EQ(0, big.compare(0, got.size(), got));
	});
}

/* Closed at any moment: a read ends, and never with something else. */
TEST_F(NetConn, CloseRaces)
{
	constexpr int kRounds = wt::kSanitized ? 30 : 200;

	wt::Run([] {
		for (int i = 0; i < kRounds; i++) {
			wend_conn *c[2];

			ASSERT_EQ(0, wend_net_pair(c));
			{
				wt::Group g;

				g.Go([&] {
					char b;
					ssize_t r = wend_conn_read(c[0], &b, 1);

					EXPECT_TRUE(r == 1 || r == -ECANCELED)
						<< r;
				});
				for (int k = 0; k < i % 4; k++)
					wend_yield();
				g.Go([&] {
					ssize_t r = wend_conn_write(c[1], "x",
								    1);

					EXPECT_TRUE(r == 1 || r == -EPIPE) << r;
				});
				g.Go([&] { wend_conn_close(c[0]); });
			}
			wend_conn_free(c[0]);
			wend_conn_free(c[1]);
		}
	});
}

TEST_F(NetConn, ResetIsAnError)
{
	Everywhere([] {
		TcpPair p;
		char c;

		EXPECT_EQ(0, wend_net_set_linger(p.b, 0));
		p.b.Free();
		EXPECT_EQ(-ECONNRESET, wend_conn_read(p.a, &c, 1));
		/* And no signal. */
		EXPECT_EQ(-EPIPE, wend_conn_write(p.a, "x", 1));
	});
}

/* What was sent comes, and then not the end. */
TEST_F(NetConn, ResetInPlaceOfAnEnd)
{
	Everywhere([] {
		TcpPair p;
		char b[8];

		EXPECT_EQ(2, wend_conn_write(p.b, "ab", 2));
		EXPECT_EQ(2, wend_conn_read(p.a, b, sizeof(b)));
		EXPECT_EQ(0, wend_conn_reset(p.b));
		EXPECT_EQ(-ECONNRESET, wend_conn_read(p.a, b, sizeof(b)));
		EXPECT_EQ(-ECANCELED, wend_conn_read(p.b, b, 1));
		EXPECT_EQ(-ECANCELED, wend_conn_write(p.b, "c", 1));
		EXPECT_EQ(0, wend_conn_reset(p.b));
		EXPECT_EQ(0, wend_conn_close(p.b));

		/* Where there is no such thing it is a close. */
		wend_conn *c[2];

		ASSERT_EQ(0, wend_net_pair(c));
		EXPECT_EQ(0, wend_conn_reset(c[0]));
		EXPECT_EQ(0, wend_conn_read(c[1], b, 1));
		wend_conn_free(c[0]);
		wend_conn_free(c[1]);
	});
}

/* It ends what is under way, too. */
TEST_F(NetConn, ResetUnderARead)
{
	Everywhere([] {
		TcpPair p;
		char c;

		WhileWaiting(
			[&] {
				EXPECT_EQ(-ECANCELED,
					  wend_conn_read(p.b, &c, 1));
			},
			[&] { wend_conn_reset(p.b); });
		/* A kernel may not take it while somebody waits. */
		ssize_t n = wend_conn_read(p.a, &c, 1);

		EXPECT_TRUE(n == -ECONNRESET || n == 0) << n;
	});
}

TEST_F(NetConn, Options)
{
	wt::Run([] {
		TcpPair p;
		wend_conn *pair[2];
		socklen_t n = sizeof(int);
		int v = 0;

		for (wend_conn *c : { (wend_conn *)p.a, (wend_conn *)p.b }) {
			int fd = wend_conn_fd(c);

			getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &n);
			EXPECT_EQ(1, v);
			getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, &n);
			EXPECT_EQ(1, v);
		}
		int fd = wend_conn_fd(p.a);

		EXPECT_EQ(0, wend_net_set_delay(p.a, true));
		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &n);
		EXPECT_EQ(0, v);
		EXPECT_EQ(0, wend_net_set_keepalive(p.a, -1));
		getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, &n);
		EXPECT_EQ(0, v);
		EXPECT_EQ(0, wend_net_set_keepalive(p.a, 7 * WEND_SECOND));
		getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &v, &n);
		EXPECT_EQ(7, v);
		EXPECT_EQ(0, wend_net_set_keepalive(p.a, INT64_MAX));
		EXPECT_EQ(0, wend_net_set_buffers(p.a, 20000, 30000));
		getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &v, &n);
		EXPECT_EQ(40000, v); /* the kernel counts its own share */
		getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &v, &n);
		EXPECT_EQ(60000, v);
		ASSERT_EQ(0, wend_net_pair(pair));
		EXPECT_GT(0, wend_net_set_delay(pair[0], true));
		wend_conn_free(pair[0]);
		wend_conn_free(pair[1]);
	});
}

TEST_F(NetConn, Sendfile)
{
	Everywhere([] {
		const std::string data = Pattern(2 << 20);
		FILE *f = tmpfile();

		ASSERT_NE(nullptr, f);
		int file = fileno(f);

		ASSERT_EQ((ssize_t)data.size(),
			  pwrite(file, data.data(), data.size(), 0));
		{
			TcpPair p;
			wt::Group g;
			char c;

			/* Another task's read goes on waiting meanwhile. */
			g.Go([&] { EXPECT_EQ(1, wend_conn_read(p.a, &c, 1)); });
			g.Go([&] {
				ExpectSame(data.substr(5, 1000000) +
						   data.substr(data.size() - 3),
					   ReadAll(p.b));
				EXPECT_EQ(1, wend_conn_write(p.b, "x", 1));
			});
			EXPECT_EQ(1000000,
				  wend_net_sendfile(p.a, file, 5, 1000000));
			/* The file ends before. */
			EXPECT_EQ(3, wend_net_sendfile(p.a, file,
						       (off_t)data.size() - 3,
						       10));
			EXPECT_EQ(0, lseek(file, 0, SEEK_CUR));
			EXPECT_EQ(0, wend_conn_close_write(p.a));
			g.Wait();
		}
		{
			TcpPair p;

			/* A peer that does not read. */
			EXPECT_EQ(0, wend_net_set_buffers(p.a, 0, 4096));
			wend_conn_set_write_deadline(p.a, wend_after_ms(5));
			ssize_t r = 0;

			for (int i = 0; i < 100 && r >= 0; i++)
				r = wend_net_sendfile(p.a, file, 0,
						      data.size());
			EXPECT_EQ(-ETIMEDOUT, r);
			EXPECT_EQ(0, wend_conn_close(p.a));
			EXPECT_EQ(-ECANCELED,
				  wend_net_sendfile(p.a, file, 0, 1));
		}
		{
			TcpPair p;
			ssize_t r = 0;

			/* One that is gone: an error, no signal. */
			EXPECT_EQ(0, wend_net_set_linger(p.b, 0));
			p.b.Free();
			for (int i = 0; i < 3 && r >= 0; i++)
				r = wend_net_sendfile(p.a, file, 0, 1);
			EXPECT_TRUE(r == -EPIPE || r == -ECONNRESET) << r;
			EXPECT_EQ(-EPIPE, wend_net_sendfile(p.a, file, 0, 1));
			EXPECT_EQ(-EBADF, wend_net_sendfile(p.a, -1, 0, 1));
		}
		fclose(f);
	});
}

/* Many at once, each with a deadline. */
TEST_F(NetConn, AThousand)
{
	static constexpr int kConns = wt::kSanitized ? 200 : 1000;
	struct rlimit nofile;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &nofile));
	if (nofile.rlim_cur < 2 * kConns + 100)
		GTEST_SKIP() << "needs more than " << nofile.rlim_cur
			     << " descriptors";
	wt::RunOn(2, [] {
		std::atomic<int> done{ 0 };
		Listener l;
		wt::Group g;

		g.Go([&] {
			wt::Group conns;

			for (int i = 0; i < kConns; i++) {
				wend_conn *c;

				ASSERT_EQ(0, wend_net_accept(l, &c));
				conns.Go([c, &done] {
					char b[64];
					ssize_t n;

					wend_conn_set_deadline(
						c, wend_after(kLong));
					while ((n = wend_conn_read(
							c, b, sizeof(b))) > 0)
						wend_conn_write(c, b,
								(size_t)n);
					EXPECT_EQ(0, n);
					wend_conn_free(c);
					done++;
				});
			}
		});
		for (int i = 0; i < kConns; i++)
			g.Go([&, i] {
				std::string text = std::to_string(i);
				Conn c;

				ASSERT_EQ(0, wend_net_dial(c.Out(), l.Address(),
							   wend_after(kLong),
							   nullptr));
				wend_conn_set_deadline(c, wend_after(kLong));
				for (int k = 0; k < 10; k++) {
					char b[64] = "";

					ASSERT_EQ((ssize_t)text.size(),
						  wend_conn_write(c,
								  text.data(),
								  text.size()));
					ASSERT_EQ((ssize_t)text.size(),
						  wend_conn_read(c, b,
								 sizeof(b)));
					ASSERT_EQ(text, b);
				}
			});
		g.Wait();
		EXPECT_EQ(kConns, done);
	});
}
