/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop_test.cc - what becomes of each kind of connection when the server stops.
 */
#include <wend/std/net.h>
#include <wend/wend.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "tests/stdlib/http/peer.h"

namespace
{

/* Waits until the server stops, or for its client. */
void Handle(wend_http_reply *w, wend_http_request *r, void *arg)
{
	auto *server = static_cast<std::atomic<wend_http_server *> *>(arg);
	const std::string path = r->path;
	const char *rest;
	wend_conn *c;
	size_t n;
	char byte;

	if (path == "/stream") {
		/* Without an end, but for the server's. */
		while (!wend_http_server_stopping(*server) &&
		       wend_http_write(w, "tick\n", 5) == 5 &&
		       wend_http_flush(w) == 0)
			wend_sleep(WEND_MILLISECOND);
		wend_http_write(w, "end\n", 4);
	} else if (path == "/take") {
		wend_http_switch(w, 200);
		if (wend_http_take_over(w, &rest, &n, &c) == 0 &&
		    wend_conn_read(c, &byte, 1) == 1)
			wend_conn_write(c, "bye", 3);
	} else if (path == "/hang") {
		wend_http_write(w, "waiting", 7);
		wend_http_flush(w);
		/* The connection is closed under it. */
		EXPECT_EQ(-ECANCELED, wend_conn_read(r->conn, &byte, 1));
		EXPECT_EQ(-ECANCELED, wend_conn_write(r->conn, "x", 1));
	} else {
		wend_http_error(w, 200, "done");
	}
}

class Stopping
{
      public:
	Stopping() : server_(Opts())
	{
		self_ = server_;
	}
	operator wend_http_server *() const
	{
		return server_;
	}
	/* In a task. */
	void Stop(int64_t deadline, int result)
	{
		EXPECT_FALSE(wend_http_server_stopping(server_));
		group_.Go([=] {
			EXPECT_EQ(result,
				  wend_http_server_stop(server_, deadline));
			stopped_ = true;
		});
		while (!wend_http_server_stopping(server_))
			wend_yield();
	}
	bool Stopped()
	{
		return stopped_;
	}
	void Wait()
	{
		group_.Wait();
	}

      private:
	wend_http_server_opts Opts()
	{
		wend_http_server_opts o = {};

		o.handler = Handle;
		o.arg = &self_;
		return o;
	}
	std::atomic<wend_http_server *> self_{ nullptr };
	std::atomic<bool> stopped_{ false };
	Server server_;
	wt::Group group_;
};

/* Of a request that has begun the rest is waited for. */
TEST(HttpStop, InTheMiddleOfAHeader)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Stopping s;
		Peer p(s), idle(s);

		/* That its first part has been read is known from the answer to
		 * the one before it, which came with it. */
		p.Send(Get("/") + "GET / HTTP/1.1\r\nHo");
		p.Until("done\n");
		idle.Send(Get("/"));
		idle.Until("done\n");
		s.Stop(Soon(), 0);
		EXPECT_EQ("", idle.Rest());
		p.Send("st: x\r\n\r\n");
		auto r = Parse(p.Rest());
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ("done\n", r[0].body);
		EXPECT_EQ("close", r[0].Get("connection"));
		s.Wait();
	});
}

/* Those behind the last answer are not looked at. */
TEST(HttpStop, PipelinedBehindTheLast)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Stopping s;
		Peer p(s);

		p.Send(Get("/stream") + Get("/") + Get("/"));
		p.Until("tick\n");
		s.Stop(Soon(), 0);
		std::string rest = p.Rest();
		EXPECT_NE(std::string::npos, rest.find("end\n\r\n0\r\n\r\n"));
		EXPECT_EQ(std::string::npos, rest.find("done"));
		wend_conn_close(p.conn());
		s.Wait();
		EXPECT_EQ(0, p.Result());
	});
}

TEST(HttpStop, WaitsForWhatWasTakenOver)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Stopping s;
		Peer p(s);

		p.Send(Get("/take"));
		p.Until("\r\n\r\n");
		s.Stop(Soon(), 0);
		/* It is not hung up on. */
		EXPECT_FALSE(s.Stopped());
		p.Send("!");
		EXPECT_EQ("bye", p.Rest());
		s.Wait();
	});
}

TEST(HttpStop, ClosesUnderHandlers)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Stopping s;
		Peer hang(s), take(s);

		take.Send(Get("/take"));
		take.Until("\r\n\r\n");
		hang.Send(Get("/hang"));
		hang.Until("waiting\r\n");
		s.Stop(wend_after_ms(20), -ETIMEDOUT);
		EXPECT_EQ("", take.Rest());
		EXPECT_EQ("", hang.Rest());
		s.Wait();
		/* And once more: there is nothing left to do. */
		EXPECT_EQ(0, wend_http_server_stop(s, 0));
	});
}

/* Who has connected and was not accepted learns it from the kernel. */
TEST(HttpStop, NobodyIsAccepted)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Stopping s;
		wend_net_listener *l;
		wend_conn *c = nullptr;
		wt::Group g;

		ASSERT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		g.Go([&] { EXPECT_EQ(0, wend_http_serve(s, l)); });
		s.Stop(Soon(), 0);
		s.Wait();
		g.Wait();
		EXPECT_EQ(-ECONNREFUSED,
			  wend_net_dial(&c, wend_net_listener_address(l),
					Soon(), nullptr));
		wend_net_listener_free(l);
	});
}

} // namespace
