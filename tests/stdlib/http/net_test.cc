/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_test.cc - the server and clients that are slow, half there, or gone: over
 * sockets.
 */
#include <wend/std/net.h>
#include <wend/wend.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/stdlib/http/peer.h"

namespace
{

wend_http_server_opts Impatient()
{
	wend_http_server_opts o = {};

	o.head_timeout = 30 * WEND_MILLISECOND;
	o.idle_timeout = 30 * WEND_MILLISECOND;
	o.body_timeout = 30 * WEND_MILLISECOND;
	o.write_timeout = 30 * WEND_MILLISECOND;
	o.min_rate = 1000000000;
	return o;
}

/* A header that grows by a byte now and then is not waited for: each byte does
 * not begin a new time. */
TEST(HttpNet, SlowHeader)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s(Impatient());
		Peer p(s);
		int sent = 0;

		/* It is the server that ends this. */
		p.Send("GET / HTTP/1.1\r\nX-");
		while (sent < 100000 && !p.HasAnswer() && p.Send("a")) {
			sent++;
			wend_sleep(WEND_MILLISECOND);
		}
		EXPECT_LT(sent, 100000);
		auto r = Parse(p.Rest());
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ(408, r[0].status);
		wend_conn_close(p.conn());
		EXPECT_EQ(-ETIMEDOUT, p.Result());
	});
}

TEST(HttpNet, SlowBody)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s(Impatient());
		Peer p(s);

		p.Send("POST /echo HTTP/1.1\r\nHost: x\r\n"
		       "Content-Length: 10\r\n\r\nabc");
		auto r = Parse(p.Rest());
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ(408, r[0].status);
	});
}

TEST(HttpNet, IdleIsHungUpOn)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s(Impatient());
		Peer never(s), once(s);

		once.Send(Get("/hello"));
		EXPECT_EQ(1u, Parse(once.Rest()).size());
		EXPECT_EQ(0, once.Result());
		EXPECT_EQ("", never.Rest());
		EXPECT_EQ(0, never.Result());
	});
}

/* Who does not take his answer is closed. */
TEST(HttpNet, DeafClient)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s(Impatient());
		Peer p(s);

		for (int i = 0; i < 5; i++)
			p.Send(Get("/size/1000000"));
		EXPECT_EQ(-ETIMEDOUT, p.Result());
	});
}

TEST(HttpNet, HalfClosed)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s;
		Peer p(s);

		p.Send(Get("/hello") + Get("/size/70000"));
		EXPECT_EQ(0, wend_conn_close_write(p.conn()));
		auto r = Parse(p.Rest());
		ASSERT_EQ(2u, r.size());
		EXPECT_EQ(70000u, r[1].body.size());
		EXPECT_EQ(0, p.Result());
	});
}

/* Over TCP, where a reset is one. */
TEST(HttpNet, Resets)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s;
		wend_net_listener *l;
		wt::Group g;
		const std::string whole = Post("/echo",
					       std::string(200000, 'r'));

		ASSERT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		g.Go([&] { EXPECT_EQ(0, wend_http_serve(s, l)); });
		for (size_t cut : { (size_t)0, (size_t)5, (size_t)100,
				    (size_t)100000, whole.size() }) {
			wend_conn *c;

			ASSERT_EQ(0, wend_net_dial(&c,
						   wend_net_listener_address(l),
						   Soon(), nullptr));
			wend_conn_write(c, whole.data(), cut);
			EXPECT_EQ(0, wend_net_set_linger(c, 0));
			wend_conn_free(c);
		}
		/* And it serves on. */
		wend_conn *c;
		std::string get = Get("/hello", "Connection: close\r\n"), all;
		char buf[1000];
		ssize_t n;
		ASSERT_EQ(0, wend_net_dial(&c, wend_net_listener_address(l),
					   Soon(), nullptr));
		wend_conn_write(c, get.data(), get.size());
		while ((n = wend_conn_read(c, buf, sizeof(buf))) > 0)
			all.append(buf, (size_t)n);
		EXPECT_EQ("hello\n", Parse(all)[0].body);
		wend_conn_free(c);
		EXPECT_EQ(0, wend_http_server_stop(s, Soon()));
		g.Wait();
		wend_net_listener_free(l);
	});
}

/* Who sends more than is taken still learns why. */
TEST(HttpNet, RefusedInTheMiddle)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s;
		Peer p(s);
		wt::Group g;
		std::string chunk = "10000\r\n" + std::string(65536, 'c') +
				    "\r\n";

		g.Go([&] {
			p.Send("POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n");
			for (int i = 0; i < 30; i++)
				p.Send(chunk);
			wend_conn_close_write(p.conn());
		});
		auto r = Parse(p.Rest());
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ(413, r[0].status);
		g.Wait();
	});
}

/* Stopping: the idle are hung up on at once, who is served gets his answer. */
TEST(HttpNet, Stop)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s;
		Peer fresh(s), idle(s), busy(s);
		wt::Group g;

		idle.Send(Get("/hello"));
		idle.Until("hello\n");
		busy.Send("POST /echo HTTP/1.1\r\nHost: x\r\n"
			  "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
		busy.Until("\r\n\r\n");
		/* For a request, and for the body. */
		wt::AwaitWaiting("serves", 3);
		g.Go([&] { EXPECT_EQ(0, wend_http_server_stop(s, Soon())); });
		EXPECT_EQ("", fresh.Rest());
		EXPECT_EQ("", idle.Rest());
		EXPECT_EQ(0, idle.Result());
		busy.Send("data");
		auto r = Parse(busy.Rest());
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ("data", r[0].body);
		EXPECT_EQ("close", r[0].Get("connection"));
		g.Wait();
	});
}

TEST(HttpNet, StopWithoutPatience)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Server s;
		Peer busy(s);

		busy.Send("POST /echo HTTP/1.1\r\nHost: x\r\n"
			  "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
		busy.Until("\r\n\r\n");
		EXPECT_EQ(-ETIMEDOUT,
			  wend_http_server_stop(s, wend_after_ms(10)));
		EXPECT_EQ("", busy.Rest());
	});
}

/* Stopped at any moment of a client that asks without pause: each request that
 * was sent and not answered finds the connection closed, and no answer is cut. */
TEST(HttpNet, StopAtAnyMoment)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		for (int round = 0; round < 20; round++) {
			Server s;
			Peer p(s);
			wt::Group g;
			std::string all;

			g.Go([&] {
				for (int i = 0; i < 20; i++) {
					if (!p.Send(Get("/hello")))
						break;
					std::string one = p.Until("hello\n");

					all += one;
					if (one.empty())
						break;
				}
			});
			for (int i = 0; i < round; i++)
				wend_yield();
			EXPECT_EQ(0, wend_http_server_stop(s, Soon()));
			g.Wait();
			for (auto &r : Parse(all)) /* 503: not yet begun */
				EXPECT_EQ(r.status == 503 ?
						  "Service Unavailable\n" :
						  "hello\n",
					  r.body);
		}
	});
}

} // namespace
