/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abort_test.cc - handlers that end their connection without an answer, or in the
 * middle of one.
 */
#include <wend/wend.h>

#include <cerrno>
#include <string>
#include <vector>

#include "tests/stdlib/http/peer.h"

namespace
{

struct Seen {
	std::vector<int> results, statuses;
};

/* What comes before the abort, by the path; and what the calls say after it. */
void Handle(wend_http_reply *w, wend_http_request *r, void *arg)
{
	Seen *seen = static_cast<Seen *>(arg);
	const std::string path = r->path, piece(1000, 'p');
	const char *rest, *body;
	wend_conn *c;
	size_t n;

	if (path == "/whole") {
		wend_http_error(w, 200, "whole");
		return;
	}
	if (path == "/some" || path == "/long")
		for (int i = 0; i < (path == "/some" ? 1 : 20); i++)
			wend_http_write(w, piece.data(), piece.size());
	if (path == "/length") {
		wend_http_set_length(w, 2000);
		wend_http_write(w, piece.data(), piece.size());
		wend_http_flush(w);
	}
	if (path == "/sent")
		wend_http_send(w, 201, "text/plain", "sent", 4);
	if (path == "/body")
		wend_http_body(r, &body);
	if (path == "/taken") {
		wend_http_switch(w, 200);
		wend_http_take_over(w, &rest, &n, &c);
		wend_conn_write(c, "raw", 3);
	}
	wend_http_abort(w);
	wend_http_abort(w);
	seen->results = { (int)wend_http_write(w, "x", 1), wend_http_flush(w),
			  wend_http_error(w, 500, nullptr) };
}

wend_http_server_opts Opts(Seen *seen)
{
	wend_http_server_opts o = {};

	o.handler = Handle;
	o.arg = seen;
	o.done = [](const wend_http_record *r, void *arg) {
		static_cast<Seen *>(arg)->statuses.push_back(r->status);
	};
	o.done_arg = seen;
	return o;
}

TEST(HttpAbort, NoAnswer)
{
	wt::Run([] {
		for (const char *path : { "/nothing", "/some", "/sent" }) {
			Seen seen;
			Server s(Opts(&seen));
			MemConn c(Get(path) + Get("/whole"));
			wend_http_stats st;

			EXPECT_EQ(-ECONNABORTED,
				  wend_http_serve_conn(s, c.conn()));
			EXPECT_EQ("", c.output()) << path;
			EXPECT_TRUE(c.was_reset());
			EXPECT_EQ(-ECONNABORTED, seen.results[0]) << path;
			EXPECT_EQ(-ECONNABORTED, seen.results[1]) << path;
			EXPECT_GT(0, seen.results[2]) << path;
			EXPECT_EQ(std::vector<int>{ 0 }, seen.statuses);
			wend_http_server_stats(s, &st);
			EXPECT_EQ(1u, st.aborted);
			EXPECT_EQ(0u, st.requests + st.refused + st.open);
		}
	});
}

/* Those before it in one batch are answered, whole. */
TEST(HttpAbort, EarlierAnswersAreSent)
{
	wt::Run([] {
		Seen seen;
		Server s(Opts(&seen));
		MemConn c(Get("/whole") + Get("/whole") + Get("/some") +
			  Get("/whole"));

		EXPECT_EQ(-ECONNABORTED, wend_http_serve_conn(s, c.conn()));
		auto r = Replies(c);
		ASSERT_EQ(2u, r.size());
		EXPECT_EQ("whole\n", r[1].body);
		EXPECT_TRUE(c.was_reset());
		EXPECT_EQ((std::vector<int>{ 200, 200, 0 }), seen.statuses);
	});
}

/* What has been sent does not look whole, and nothing follows it. */
TEST(HttpAbort, InTheMiddle)
{
	wt::Run([] {
		for (const char *path : { "/long", "/length" }) {
			Seen seen;
			Server s(Opts(&seen));
			MemConn c(Get(path) + Get("/whole"));
			std::vector<Reply> replies;
			std::string error;

			EXPECT_EQ(-ECONNABORTED,
				  wend_http_serve_conn(s, c.conn()));
			EXPECT_EQ(0u, c.output().find("HTTP/1.1 200 "));
			EXPECT_FALSE(
				ParseReplies(c.output(), {}, &replies, &error));
			EXPECT_TRUE(c.was_reset());
			EXPECT_EQ(std::vector<int>{ 200 }, seen.statuses);
		}
	});
}

TEST(HttpAbort, AfterContinueAndAfterTakingOver)
{
	wt::Run([] {
		Seen seen;
		Server s(Opts(&seen));
		MemConn c(Post("/body", "data", "Expect: 100-continue\r\n"));

		EXPECT_EQ(-ECONNABORTED, wend_http_serve_conn(s, c.conn()));
		EXPECT_EQ("HTTP/1.1 100 Continue\r\n\r\n", c.output());
		EXPECT_EQ(std::vector<int>{ 0 }, seen.statuses);

		MemConn taken("GET /taken HTTP/1.1\r\nHost: x\r\n\r\n");
		EXPECT_EQ(-ECONNABORTED, wend_http_serve_conn(s, taken.conn()));
		EXPECT_EQ("HTTP/1.1 200 OK\r\n\r\nraw", taken.output());
		EXPECT_TRUE(taken.was_reset());
		EXPECT_EQ(200, seen.statuses[1]);
	});
}

/* A client that is gone already. */
TEST(HttpAbort, ABrokenConnection)
{
	wt::Run([] {
		Seen seen;
		Server s(Opts(&seen));
		MemConn c(Get("/whole") + Get("/nothing"));

		c.fail_after = 0;
		c.fail_with = -EPIPE;
		EXPECT_EQ(-EPIPE, wend_http_serve_conn(s, c.conn()));
		EXPECT_EQ(-EPIPE, seen.results[0]);
		EXPECT_TRUE(c.was_reset());
	});
}

/* The client sees an error where a body that ends with the connection would
 * look whole. */
TEST(HttpAbort, IsAReset)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Seen seen;
		Server s(Opts(&seen));
		Peer p(s, Peer::kTcp);
		Peer none(s, Peer::kTcp);

		p.Send("GET /long HTTP/1.0\r\n\r\n");
		std::string all = p.Rest(-ECONNRESET);
		EXPECT_EQ(0u, all.find("HTTP/1.1 200 ")) << all;
		EXPECT_EQ(-ECONNABORTED, p.Result());
		none.Send(Get("/nothing"));
		EXPECT_EQ("", none.Rest(-ECONNRESET));
	});
}

} // namespace
