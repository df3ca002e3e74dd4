/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen_test.cc - listening on what there is, accepting, and ending it.
 */
#include "tests/stdlib/net/net_util.h"

#include <netinet/in.h>

using namespace net;

namespace
{

class NetListen : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

/* Dial, accept, and see that it is the same connection. */
void Meet(wend_net_listener *l, const std::string &address)
{
	Conn a, b;
	char c = 0;

	ASSERT_EQ(0, wend_net_dial(a.Out(), address.c_str(), wend_after(kLong),
				   nullptr))
		<< address;
	ASSERT_EQ(0, wend_net_accept_until(l, b.Out(), wend_after(kLong)));
	EXPECT_EQ(1, wend_conn_write(a, "m", 1));
	EXPECT_EQ(1, wend_conn_read(b, &c, 1));
	EXPECT_EQ('m', c);
}

bool HasIpv6()
{
	wend_net_listener *l;
	int r = wend_net_listen(&l, "[::1]:0", nullptr);

	wend_net_listener_free(l);
	return r == 0;
}

} // namespace

TEST_F(NetListen, Addresses)
{
	Everywhere([] {
		Listener four("127.0.0.1:0"), name("localhost:0");

		EXPECT_NE(0, wend_net_listener_port(four));
		EXPECT_EQ("127.0.0.1:" +
				  std::to_string(wend_net_listener_port(four)),
			  four.Address());
		Meet(four, four.Address());
		Meet(name, name.Address());
		/* What is dialled without a host is this machine. */
		Listener any(":0");
		std::string port = ":" +
				   std::to_string(wend_net_listener_port(any));

		Meet(any, port);
		Meet(any, "127.0.0.1" + port);
		EXPECT_LE(0, wend_net_listener_fd(any));
		if (!HasIpv6())
			return;
		Meet(any, "[::1]" + port);
		Listener six("[::1]:0");

		Meet(six, six.Address());
	});
}

TEST_F(NetListen, OnlyIpv6)
{
	wt::Run([] {
		wend_net_opts opts = {};
		wend_conn *c;

		if (!HasIpv6()) {
			GTEST_SKIP() << "no IPv6 here";
		}
		opts.v6only = true;
		Listener l("[::]:0", &opts);
		std::string port = ":" +
				   std::to_string(wend_net_listener_port(l));

		EXPECT_EQ(-ECONNREFUSED,
			  wend_net_dial(&c, ("127.0.0.1" + port).c_str(),
					wend_after(kLong), nullptr));
		Meet(l, "[::1]" + port);
	});
}

TEST_F(NetListen, InUse)
{
	wt::Run([] {
		wend_net_listener *other;
		wend_net_opts opts = {};
		Listener l;

		EXPECT_EQ(-EADDRINUSE,
			  wend_net_listen(&other, l.Address(), nullptr));
		EXPECT_EQ(nullptr, other);
		EXPECT_EQ(-EINVAL,
			  wend_net_listen(&other, "nonsense", nullptr));
		EXPECT_EQ(-EINVAL, wend_net_listen(&other, "unix:", nullptr));
		EXPECT_EQ(-ENOENT, wend_net_listen(&other, "127.0.0.1:no-such",
						   nullptr));
		EXPECT_EQ(-EADDRNOTAVAIL,
			  wend_net_listen(&other, "192.0.2.1:0", nullptr));
		opts.reuseport = true;
		opts.backlog = 3;
		Listener a("127.0.0.1:0", &opts), b(a.Address(), &opts);

		EXPECT_EQ(wend_net_listener_port(a), wend_net_listener_port(b));
	});
}

TEST_F(NetListen, UnixPaths)
{
	Everywhere([] {
		Dir dir;
		std::string path = dir.File("s"), file = dir.File("f");
		wend_net_listener *other;
		wend_net_opts opts = {};
		struct stat st;

		opts.mode = 0600;
		{
			Listener l(("unix:" + path).c_str(), &opts);

			EXPECT_EQ(path, l.Address());
			EXPECT_EQ(0, wend_net_listener_port(l));
			ASSERT_EQ(0, stat(path.c_str(), &st));
			EXPECT_EQ(0600u, st.st_mode & 0777);
			Meet(l, path);
			/* Somebody listens. */
			EXPECT_EQ(-EADDRINUSE,
				  wend_net_listen(&other, path.c_str(),
						  nullptr));
			Meet(l, "unix:" + path);
		}
		EXPECT_NE(0, stat(path.c_str(), &st));
		/* One that nobody listens on any more is replaced. */
		wend_net_addr a;
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		ASSERT_EQ(0, wend_net_addr_parse(&a, path.c_str()));
		ASSERT_EQ(0, bind(fd, (struct sockaddr *)&a.sa, a.size));
		close(fd);
		{
			Listener l(path.c_str());

			Meet(l, path);
		}
		/* A file is not. */
		fd = open(file.c_str(), O_CREAT | O_WRONLY, 0600);
		close(fd);
		EXPECT_EQ(-EADDRINUSE,
			  wend_net_listen(&other, file.c_str(), nullptr));
		EXPECT_EQ(0, unlink(file.c_str()));
		/* Who has taken the path over keeps it. */
		{
			Listener l(path.c_str());

			EXPECT_EQ(0, unlink(path.c_str()));
			Listener next(path.c_str());

			wend_net_listener_close(l);
			Meet(next, path);
		}
		EXPECT_NE(0, stat(path.c_str(), &st));
		wend_conn *c;

		EXPECT_EQ(-ENOENT, wend_net_dial(&c, path.c_str(),
						 wend_after(kLong), nullptr));
		Listener name(
			("@wend-test-" + std::to_string(getpid())).c_str());

		Meet(name, name.Address());
	});
}

TEST_F(NetListen, AcceptsUntilADeadline)
{
	Everywhere([] {
		wend_conn *c;
		Listener l;

		EXPECT_EQ(-ETIMEDOUT, wend_net_accept_until(l, &c, 0));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_net_accept_until(l, &c, wend_after_ms(2)));
		EXPECT_EQ(nullptr, c);
		Meet(l, l.Address());
	});
}

TEST_F(NetListen, CloseEndsAll)
{
	Everywhere([] {
		std::atomic<int> begun{ 0 };
		wend_conn *c;
		Listener l;
		{
			wt::Group g;

			for (int i = 0; i < 3; i++)
				g.Go([&] {
					wend_conn *none;

					begun++;
					EXPECT_EQ(-ECANCELED,
						  wend_net_accept(l, &none));
				});
			while (begun < 3)
				wend_yield();
			wend_sleep(WEND_MILLISECOND);
			wend_net_listener_close(l);
			wend_net_listener_close(l);
		}
		EXPECT_EQ(-ECANCELED, wend_net_accept(l, &c));
		EXPECT_EQ(-ECONNREFUSED,
			  wend_net_dial(&c, l.Address(), wend_after(kLong),
					nullptr));
	});
	wend_net_listener_free(nullptr);
}

TEST_F(NetListen, ManyAccept)
{
	Everywhere([] {
		constexpr int kConns = 40;
		std::atomic<int> got{ 0 };
		Listener l;
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go([&] {
				wend_conn *c;

				while (wend_net_accept(l, &c) == 0) {
					got++;
					wend_conn_free(c);
				}
			});
		for (int i = 0; i < kConns; i++) {
			Conn c;

			ASSERT_EQ(0, wend_net_dial(c.Out(), l.Address(),
						   wend_after(kLong), nullptr));
			EXPECT_EQ("", ReadAll(c));
		}
		wend_net_listener_close(l);
		g.Wait();
		EXPECT_EQ(kConns, got);
	});
}

TEST_F(NetListen, ACancelledTask)
{
	wt::Run([] {
		Listener l;
		wt::Group g;
		wend_task *t = g.Go(
			[&] {
				wend_conn *c;

				EXPECT_EQ(-ECANCELED, wend_net_accept(l, &c));
			},
			"accepts");

		wt::AwaitWaiting("accepts");
		wend_task_cancel(t);
		g.Wait();
	});
}

TEST_F(NetListen, FromADescriptor)
{
	Everywhere([] {
		wend_net_listener *l;
		wend_net_addr a;
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		EXPECT_EQ(-EBADF, wend_net_listener_from_fd(&l, -1));
		EXPECT_EQ(-EINVAL, wend_net_listener_from_fd(&l, fd));
		EXPECT_EQ(nullptr, l);
		ASSERT_EQ(0, wend_net_addr_parse(&a, "127.0.0.1:0"));
		ASSERT_EQ(0, bind(fd, (struct sockaddr *)&a.sa, a.size));
		ASSERT_EQ(0, listen(fd, 5));
		ASSERT_EQ(0, wend_net_listener_from_fd(&l, fd));
		Meet(l, wend_net_listener_address(l));
		wend_net_listener_free(l);
	});
}

/* Out of descriptors is an error that passes. */
TEST_F(NetListen, OutOfDescriptors)
{
	Everywhere([] {
		Conn a, b;
		Listener l;

		ASSERT_EQ(0, wend_net_dial(a.Out(), l.Address(),
					   wend_after(kLong), nullptr));
		{
			FewDescriptors few(0);
			wend_net_listener *other;
			wend_conn *none;

			EXPECT_EQ(-EMFILE, wend_net_accept(l, b.Out()));
			EXPECT_EQ(-EMFILE,
				  wend_net_listen(&other, "127.0.0.1:0",
						  nullptr));
			EXPECT_EQ(-EMFILE,
				  wend_net_dial(&none, "127.0.0.1:1",
						wend_after(kLong), nullptr));
			wend_conn *pair[2];

			EXPECT_EQ(-EMFILE, wend_net_pair(pair));
		}
		EXPECT_EQ(0, wend_net_accept(l, b.Out()));
	});
}
