/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp_test.cc - datagrams, with addresses and without.
 */
#include "tests/stdlib/net/net_util.h"

using namespace net;

namespace
{

class NetUdp : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

std::string Address(wend_net_udp *u)
{
	char text[WEND_NET_TEXT];
	wend_net_addr a;

	EXPECT_EQ(0, wend_net_udp_local(u, &a));
	wend_net_addr_text(&a, text, sizeof(text));
	return text;
}

} // namespace

TEST_F(NetUdp, ThereAndBack)
{
	Everywhere([] {
		const std::string big = Pattern(9000), huge(70000, 'h');
		wend_net_udp *server, *client;
		wend_net_addr from;
		char buf[16384];

		ASSERT_EQ(0,
			  wend_net_udp_listen(&server, "127.0.0.1:0", nullptr));
		ASSERT_EQ(0, wend_net_udp_dial(&client, Address(server).c_str(),
					       wend_after(kLong), nullptr));
		EXPECT_LE(0, wend_net_udp_fd(server));
		EXPECT_EQ((ssize_t)big.size(),
			  wend_net_udp_send(client, big.data(), big.size(),
					    nullptr));
		ASSERT_EQ((ssize_t)big.size(),
			  wend_net_udp_recv(server, buf, sizeof(buf), &from));
		EXPECT_EQ(big, std::string(buf, big.size()));
		/* An answer, while the other side waits for it. */
		wt::Group g;

		g.Go([&] {
			wend_sleep(WEND_MILLISECOND);
			EXPECT_EQ(2, wend_net_udp_send(server, "ok", 2, &from));
			EXPECT_EQ(0, wend_net_udp_send(server, "", 0, &from));
		});
		/* Cut, and its size told. */
		EXPECT_EQ(2, wend_net_udp_recv(client, buf, 1, nullptr));
		EXPECT_EQ('o', buf[0]);
		EXPECT_EQ(0, wend_net_udp_recv(client, buf, 1, nullptr));
		g.Wait();
		/* Errors of the network. */
		EXPECT_EQ(-EMSGSIZE, wend_net_udp_send(client, huge.data(),
						       huge.size(), nullptr));
		EXPECT_EQ(-EDESTADDRREQ,
			  wend_net_udp_send(server, "x", 1, nullptr));
		wend_net_udp_free(server);
		EXPECT_EQ(1, wend_net_udp_send(client, "x", 1, nullptr));
		EXPECT_EQ(-ECONNREFUSED,
			  wend_net_udp_recv(client, buf, 1, nullptr));
		wend_net_udp_free(client);
		wend_net_udp_free(nullptr);
	});
}

TEST_F(NetUdp, DeadlinesAndTheEnd)
{
	Everywhere([] {
		wend_net_udp *u;
		char c;

		ASSERT_EQ(0, wend_net_udp_listen(&u, "127.0.0.1:0", nullptr));
		wend_net_udp_set_recv_deadline(u, wend_after_ms(2));
		EXPECT_EQ(-ETIMEDOUT, wend_net_udp_recv(u, &c, 1, nullptr));
		wend_net_udp_set_recv_deadline(u, WEND_FOREVER);
		{
			wt::Group g;

			for (int i = 0; i < 2; i++)
				g.Go([&] {
					char b;

					EXPECT_EQ(-ECANCELED,
						  wend_net_udp_recv(u, &b, 1,
								    nullptr));
				});
			wend_sleep(WEND_MILLISECOND);
			wend_net_udp_close(u);
			wend_net_udp_close(u);
		}
		EXPECT_EQ(-ECANCELED, wend_net_udp_recv(u, &c, 1, nullptr));
		EXPECT_EQ(-ECANCELED, wend_net_udp_send(u, &c, 1, nullptr));
		wend_net_udp_free(u);
	});
}

TEST_F(NetUdp, UnixPaths)
{
	Everywhere([] {
		Dir dir;
		std::string there = dir.File("a"), here = dir.File("b");
		wend_net_udp *a, *b, *none;
		wend_net_opts opts = {};
		wend_net_addr from;
		char text[WEND_NET_TEXT], c;

		ASSERT_EQ(0, wend_net_udp_listen(&a, there.c_str(), nullptr));
		EXPECT_EQ(-EADDRINUSE,
			  wend_net_udp_listen(&none, there.c_str(), nullptr));
		opts.local = here.c_str();
		ASSERT_EQ(0, wend_net_udp_dial(&b, there.c_str(),
					       wend_after(kLong), &opts));
		EXPECT_EQ(1, wend_net_udp_send(b, "x", 1, nullptr));
		EXPECT_EQ(1, wend_net_udp_recv(a, &c, 1, &from));
		wend_net_addr_text(&from, text, sizeof(text));
		EXPECT_EQ(here, text);
		EXPECT_EQ(1, wend_net_udp_send(a, "y", 1, &from));
		EXPECT_EQ(1, wend_net_udp_recv(b, &c, 1, nullptr));
		/* A full queue, and a deadline. */
		ssize_t r = 1;

		wend_net_udp_set_send_deadline(b, wend_after_ms(10));
		for (int i = 0; i < 100000 && r == 1; i++)
			r = wend_net_udp_send(b, "x", 1, nullptr);
		EXPECT_EQ(-ETIMEDOUT, r);
		wend_net_udp_free(a);
		wend_net_udp_free(b);
	});
}

TEST_F(NetUdp, Refused)
{
	wt::Run([] {
		wend_net_udp *u;

		EXPECT_EQ(-EINVAL,
			  wend_net_udp_listen(&u, "nonsense", nullptr));
		EXPECT_EQ(nullptr, u);
		EXPECT_EQ(-EADDRNOTAVAIL,
			  wend_net_udp_listen(&u, "192.0.2.1:0", nullptr));
		EXPECT_EQ(-ENOENT,
			  wend_net_udp_dial(&u, "/no/such/path",
					    wend_after(kLong), nullptr));
		FewDescriptors few(0);

		EXPECT_EQ(-EMFILE,
			  wend_net_udp_listen(&u, "127.0.0.1:0", nullptr));
	});
}
