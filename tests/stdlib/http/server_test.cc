/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_test.cc - what the server says to what: over connections in memory,
 * so in every order and piece by piece.
 */
#include <wend/wend.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/stdlib/http/talk.h"
#include "tests/support/wt.h"

namespace
{

/* Everything on both ports, in a task. */
void InTask(const std::function<void()> &body)
{
	wt::Run(body, 200);
}

std::string Chunked(const std::vector<std::string> &pieces,
		    const std::string &extension = "",
		    const std::string &trailers = "")
{
	std::string s;
	char size[32];

	for (const auto &p : pieces) {
		snprintf(size, sizeof(size), "%zx", p.size());
		s += size + extension + "\r\n" + p + "\r\n";
	}
	return s + "0\r\n" + trailers + "\r\n";
}

std::string ChunkedHead(const std::string &path)
{
	return "POST " + path +
	       " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
}

/* One request, one reply with that status, and the connection is closed. */
void ExpectRefused(wend_http_server *s, const std::string &input, int status)
{
	auto r = Talk(s, input);

	ASSERT_EQ(1u, r.size()) << input;
	EXPECT_EQ(status, r[0].status) << input;
	EXPECT_EQ("close", r[0].Get("connection")) << input;
}

TEST(HttpServer, AnswersOneAfterTheOther)
{
	InTask([] {
		Server s;
		auto r = Talk(s, Get("/hello") + Get("/nothing") + Get("/"));

		ASSERT_EQ(3u, r.size());
		EXPECT_EQ(200, r[0].status);
		EXPECT_EQ("hello\n", r[0].body);
		EXPECT_EQ("text/plain", r[0].Get("content-type"));
		EXPECT_EQ("wend", r[0].Get("server"));
		EXPECT_EQ(29u, r[0].Get("date").size());
		EXPECT_FALSE(r[0].Has("connection"));
		EXPECT_EQ(404, r[1].status);
		EXPECT_EQ(200, r[2].status);
	});
}

TEST(HttpServer, OneReadAndOneWriteARequest)
{
	InTask([] {
		Server s;
		std::string one = Get("/hello");
		MemConn c(one + one + one);

		c.piece = [&](unsigned) { return one.size(); };
		wend_http_serve_conn(s, c.conn());
		EXPECT_EQ(3u, Replies(c).size());
		EXPECT_EQ(4u, c.reads); /* the last finds the end */
		EXPECT_EQ(3u, c.writes);

		MemConn all(one + one + one); /* gathered */
		wend_http_serve_conn(s, all.conn());
		EXPECT_EQ(3u, Replies(all).size());
		EXPECT_EQ(2u, all.reads);
		EXPECT_EQ(1u, all.writes);
	});
}

/* However the bytes arrive, the answers are the same. */
TEST(HttpServer, PiecesDoNotMatter)
{
	InTask([] {
		Server s;
		std::string body(5000, 'b');
		std::string input =
			Get("/hello", "X-Empty:\r\nX-Blank:  \t a b \t \r\n") +
			Post("/echo", body) + ChunkedHead("/stream") +
			Chunked({ "abc", body, "d" }, ";x=y", "T: u\r\n") +
			Get("/size/9999") + Get("/param/1%202/x/z?q=1");
		std::string whole;

		for (size_t n : { 100000, 1, 2, 3, 7, 100, 1023, 4096 }) {
			MemConn c(input);

			c.piece = [=](unsigned) { return n; };
			wend_http_serve_conn(s, c.conn());
			auto r = Replies(c);
			ASSERT_EQ(5u, r.size()) << n;
			EXPECT_EQ(body, r[1].body);
			EXPECT_EQ("abc" + body + "d", r[2].body);
			EXPECT_TRUE(r[2].chunked);
			EXPECT_EQ(std::string(9999, 'x'), r[3].body);
			EXPECT_EQ("1 2|z", r[4].body);
		}
	});
}

TEST(HttpServer, HeadIsGetWithoutTheBody)
{
	InTask([] {
		Server s;

		for (const char *path :
		     { "/hello", "/size/10", "/size/100000", "/nothing" }) {
			std::string get = Get(path);
			auto r = Talk(s, get + "HEAD" + get.substr(3) + get,
				      { false, true, false });

			ASSERT_EQ(3u, r.size()) << path;
			EXPECT_EQ(r[0].status, r[1].status);
			EXPECT_EQ("", r[1].body);
			for (auto &f : r[0].fields)
				EXPECT_EQ(f.second, r[1].Get(f.first))
					<< f.first;
			EXPECT_EQ(r[0].body, r[2].body);
		}
	});
}

TEST(HttpServer, KeepsTheConnectionAsTold)
{
	InTask([] {
		static const struct {
			const char *version, *more;
			size_t answers;
			const char *says;
		} kCases[] = {
			{ "1.1", "", 2, "" },
			{ "1.1", "Connection: close\r\n", 1, "close" },
			{ "1.1", "Connection: x, Close\r\n", 1, "close" },
			{ "1.0", "", 1, "close" },
			{ "1.0", "Connection: Keep-Alive\r\n", 2,
			  "keep-alive" },
		};
		Server s;

		for (auto &k : kCases) {
			std::string one = std::string("GET / HTTP/") +
					  k.version + "\r\nHost: x\r\n" +
					  k.more + "\r\n";
			auto r = Talk(s, one + one);

			ASSERT_EQ(k.answers, r.size()) << one;
			EXPECT_EQ(k.says, r[0].Get("connection")) << one;
		}
	});
}

/* HTTP/1.0 does not know of chunks: such a body ends with the connection. */
TEST(HttpServer, Version10GetsNoChunks)
{
	InTask([] {
		Server s;
		auto r = Talk(s, "GET /size/20000 HTTP/1.0\r\n"
				 "Connection: keep-alive\r\n\r\n");

		ASSERT_EQ(1u, r.size());
		EXPECT_EQ("close", r[0].Get("connection"));
		EXPECT_EQ(20000u, r[0].body.size());
		EXPECT_FALSE(r[0].chunked);
	});
}

TEST(HttpServer, TellsToContinueWhenTheBodyIsWanted)
{
	InTask([] {
		Server s;
		auto r = Talk(s, Post("/echo", "data",
				      "Expect: 100-Continue\r\n"));

		ASSERT_EQ(2u, r.size());
		EXPECT_EQ(100, r[0].status);
		EXPECT_EQ("data", r[1].body);

		/* Not wanted: no 100, and nobody knows what comes now. */
		r = Talk(s,
			 Post("/unread", "data", "Expect: 100-continue\r\n") +
				 Get("/"));
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ(403, r[0].status);
		EXPECT_EQ("close", r[0].Get("connection"));

		r = Talk(s, Get("/", "Expect: 100-continue\r\n"));
		ASSERT_EQ(1u, r.size()); /* no body, no 100 */
		EXPECT_EQ(200, r[0].status);

		ExpectRefused(s, Post("/echo", "data", "Expect: tea\r\n"), 417);
	});
}

/* A refusal is not taken for the answer to the HEAD before it. */
TEST(HttpServer, RefusalHasItsBody)
{
	InTask([] {
		Server s;
		auto r = Talk(s, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nbad\r\n",
			      { true, false });

		ASSERT_EQ(2u, r.size());
		EXPECT_EQ(400, r[1].status);
		EXPECT_EQ("Bad Request\n", r[1].body);
	});
}

TEST(HttpServer, ReadsWhatTheHandlerLeft)
{
	InTask([] {
		Server s;
		auto r = Talk(s, Post("/unread", std::string(50000, 'z')) +
					 Get("/hello") +
					 ChunkedHead("/unread") +
					 Chunked({ std::string(9000, 'y') }) +
					 Get("/hello"));

		ASSERT_EQ(4u, r.size());
		EXPECT_EQ(403, r[0].status);
		EXPECT_EQ("hello\n", r[1].body);
		EXPECT_EQ(403, r[2].status);
		EXPECT_EQ("hello\n", r[3].body);

		/* Too much of it. */
		r = Talk(s, Post("/unread", std::string(600000, 'z')) +
				    Get("/hello"));
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ("close", r[0].Get("connection"));
	});
}

TEST(HttpServer, Targets)
{
	InTask([] {
		Server s;
		static const std::pair<const char *, int> kTargets[] = {
			{ "/hello", 200 },
			{ "/hello?a=b", 200 },
			{ "/hello#part", 200 },
			{ "/%68ello", 200 },
			{ "http://x/hello", 200 },
			{ "http://x:80/hello?a", 200 },
			{ "HTTP://x", 200 },
			{ "http://x?a", 200 },
			{ "/hell", 404 },
			{ "/hello/", 404 },
			{ "/%", 400 },
			{ "/%zz", 400 },
			{ "/%00", 400 },
			{ "http:///hello", 400 },
			{ "ftp://x/hello", 400 },
			{ "http://a@b/hello", 400 },
			{ "*", 400 },
			{ "hello", 400 },
		};

		for (auto &t : kTargets) {
			auto r = Talk(s, Get(t.first));

			ASSERT_EQ(1u, r.size()) << t.first;
			EXPECT_EQ(t.second, r[0].status) << t.first;
		}
	});
}

/* A proxy is asked for the whole of it; others are not. */
TEST(HttpServer, SchemeOfTheTarget)
{
	InTask([] {
		wend_http_server_opts o = {};

		o.handler = [](wend_http_reply *w, wend_http_request *r,
			       void *) {
			wend_http_printf(w, "%s %s %s",
					 r->scheme ? r->scheme : "-", r->host,
					 r->raw_path);
		};
		Server s(o);
		auto r = Talk(s, Get("/a") + Get("http://h:1/a") +
					 Get("HttpS://h/a?b") +
					 Get("https://h"));

		ASSERT_EQ(4u, r.size());
		EXPECT_EQ("- x /a", r[0].body);
		EXPECT_EQ("http h:1 /a", r[1].body);
		EXPECT_EQ("https h /a", r[2].body);
		EXPECT_EQ("https h /", r[3].body);
		ExpectRefused(s, Get("http:x://h/"), 400);
		ExpectRefused(s, Get("https:/h/"), 400);
	});
}

TEST(HttpServer, Query)
{
	InTask([] {
		Server s;
		static const std::pair<const char *, const char *> kQueries[] = {
			{ "", "(none)" },
			{ "?", "(none)" },
			{ "?q", "" },
			{ "?q=", "" },
			{ "?q=a+b%2Bc", "a b+c" },
			{ "?a=1&q=2&q=3", "2" },
			{ "?a&&q=x=y", "x=y" },
			{ "?q=%", "(none)" },
			{ "?%71=1", "1" },
			{ "?qq=1&b=q", "(none)" },
		};

		for (auto &q : kQueries) {
			auto r = Talk(s, Get(std::string("/query") + q.first));

			ASSERT_EQ(1u, r.size()) << q.first;
			EXPECT_EQ(q.second, r[0].body) << q.first;
		}
	});
}

/* RFC 9112, 2.2, 3, 5, 6.3, 7.1: refused, and the connection closed. */
TEST(HttpServer, BadRequests)
{
	InTask([] {
		Server s;
		const std::string chunks = ChunkedHead("/echo");
		const std::pair<std::string, int> kBad[] = {
			{ std::string("\x16\x03\x01\x02\0\x01\0\x01", 8), 400 },
			{ "hello\r\n\r\n", 400 },
			{ "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501 },
			{ "GETS / HTTP/1.1\r\nHost: x\r\n\r\n", 501 },
			{ "GET / HTTP/x\r\nHost: x\r\n\r\n", 400 },
			{ "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505 },
			{ "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505 },
			{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
			{ "GET /\r\n\r\n", 400 },
			{ "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
			{ "GET / HTTP/1.1\r\n\r\n", 400 },
			{ Get("/", "Host: y\r\n"), 400 },
			{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
			{ "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400 },
			{ Get("/", "No colon\r\n"), 400 },
			{ Get("/", "X : y\r\n"), 400 },
			{ Get("/", ": y\r\n"), 400 },
			{ Get("/", std::string("X: a\0b\r\n", 8)), 400 },
			{ Get("/", "X: a\r\n folded\r\n"), 400 },
			{ Get("/", "X:\r\n\tfolded\r\n"), 400 },
			{ Get("/", "X: a\n\r\n"), 400 },
			{ Get("/", "X: a\rb\r\n"), 400 },
			{ "GET / HTTP/1.1\nHost: x\n\n", 400 },
			{ Get("/", "Content-Length: -1\r\n"), 400 },
			{ Get("/", "Content-Length: +1\r\n"), 400 },
			{ Get("/", "Content-Length: 1,1\r\n"), 400 },
			{ Get("/", "Content-Length: 0x1\r\n"), 400 },
			{ Get("/", "Content-Length: 1 1\r\n"), 400 },
			{ Get("/", "Content-Length: \r\n"), 400 },
			{ Post("/echo", "a", "Content-Length: 1\r\n"), 400 },
			{ Post("/echo", "a", "Content-Length: 2\r\n"), 400 },
			{ Get("/", "Content-Length: 99999999999999999999\r\n"),
			  400 },
			{ Post("/echo", "0\r\n\r\n",
			       "Transfer-Encoding: chunked\r\n"),
			  400 },
			{ Get("/", "Transfer-Encoding: gzip\r\n"), 400 },
			{ Get("/", "Transfer-Encoding: chunked, gzip\r\n"),
			  400 },
			{ Get("/", "Transfer-Encoding: xchunked\r\n"), 400 },
			{ Get("/", "Transfer-Encoding: gzip, chunked\r\n"),
			  501 },
			{ Get("/", "Transfer-Encoding: chunked\r\n"
				   "Transfer-Encoding: chunked\r\n"),
			  400 },
			{ "POST /echo HTTP/1.0\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			  400 },
			{ chunks + "xyz\r\n", 400 },
			{ chunks + "-1\r\n", 400 },
			{ chunks + "0x1\r\na\r\n0\r\n\r\n", 400 },
			{ chunks + "fffffffffffffffff\r\n", 400 },
			{ chunks + "1 \r\na\r\n0\r\n\r\n", 400 },
			{ chunks + "1\r\nabc\r\n0\r\n\r\n", 400 },
			{ chunks + "1\na\n0\n\n", 400 },
			{ chunks + "1;x\ny\r\na\r\n0\r\n\r\n", 400 },
		};

		for (auto &b : kBad)
			ExpectRefused(s, b.first, b.second);
		/* What comes before the bad one is answered. */
		auto r = Talk(s, Get("/") + "what\r\n\r\n");
		ASSERT_EQ(2u, r.size());
		EXPECT_EQ(200, r[0].status);
		EXPECT_EQ(400, r[1].status);
	});
}

TEST(HttpServer, Limits)
{
	InTask([] {
		wend_http_server_opts o = {};

		o.max_target = 100;
		o.max_head = 1000;
		o.max_fields = 5;
		o.max_body = 2000;
		o.require_length = true;
		Server s(o);
		std::string field = "X: " + std::string(800, 'a') + "\r\n";

		EXPECT_EQ(200,
			  Talk(s, Get("/?" + std::string(98, 'a')))[0].status);
		ExpectRefused(s, Get("/?" + std::string(99, 'a')), 414);
		ExpectRefused(s, "GET /" + std::string(5000, 'a'), 414);
		EXPECT_EQ(200, Talk(s, Get("/", field))[0].status);
		ExpectRefused(s, Get("/", field + field), 431);
		ExpectRefused(s, "GET / HTTP/1.1\r\n" + std::string(5000, 'a'),
			      431);
		EXPECT_EQ(200, Talk(s, Get("/", "A:\r\nB:\r\nC:\r\nD:\r\n"))[0]
				       .status);
		ExpectRefused(s, Get("/", "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n"),
			      431);
		std::string body(2000, 'b');
		EXPECT_EQ(body, Talk(s, Post("/echo", body))[0].body);
		ExpectRefused(s, Post("/echo", body + "c"), 413);
		ExpectRefused(s,
			      Post("/echo", body + "c",
				   "Expect: 100-continue\r\n"),
			      413);
		EXPECT_EQ(body,
			  Talk(s, ChunkedHead("/echo") + Chunked({ body }))[0]
				  .body);
		ExpectRefused(s, ChunkedHead("/echo") + Chunked({ body, "c" }),
			      413);
		ExpectRefused(s, ChunkedHead("/echo") + "7fffffffffffffff\r\n",
			      413);
		ExpectRefused(s,
			      ChunkedHead("/echo") +
				      Chunked({ "a" },
					      ";" + std::string(2000, 'e')),
			      431);
		ExpectRefused(s,
			      ChunkedHead("/echo") +
				      Chunked({ "a" }, "",
					      "T: " + std::string(2000, 't') +
						      "\r\n"),
			      431);
		ExpectRefused(s, "POST /echo HTTP/1.1\r\nHost: x\r\n\r\n", 411);
	});
}

/* Too slow in the header: 408; between requests: silence. */
TEST(HttpServer, TimeOuts)
{
	InTask([] {
		Server s;
		MemConn idle(Get("/"));
		MemConn never("");
		MemConn slow(Get("/") + "GET / HT");
		MemConn body(
			Get("/") +
			Post("/echo", "a" + std::string(99, 'b')).substr(0, 90));

		for (MemConn *c : { &idle, &never, &slow, &body })
			c->at_end = -ETIMEDOUT;
		EXPECT_EQ(0, wend_http_serve_conn(s, idle.conn()));
		EXPECT_EQ(1u, Replies(idle).size());
		EXPECT_EQ(0, wend_http_serve_conn(s, never.conn()));
		EXPECT_EQ("", never.output());
		EXPECT_EQ(-ETIMEDOUT, wend_http_serve_conn(s, slow.conn()));
		auto r = Replies(slow);
		ASSERT_EQ(2u, r.size());
		EXPECT_EQ(408, r[1].status);
		EXPECT_EQ("close", r[1].Get("connection"));
		wend_http_serve_conn(s, body.conn());
		r = Replies(body);
		ASSERT_EQ(2u, r.size());
		EXPECT_EQ(408, r[1].status);
	});
}

TEST(HttpServer, DeadlinesAreSet)
{
	InTask([] {
		wend_http_server_opts o = {};

		o.head_timeout = 1 * WEND_SECOND;
		o.idle_timeout = 1000 * WEND_SECOND;
		o.body_timeout = 100000 * WEND_SECOND;
		o.write_timeout = 10000000 * WEND_SECOND;
		Server s(o);
		std::string input = Get("/") + Post("/echo", "abcd");
		MemConn c(input);
		std::vector<int64_t> left;
		const size_t cuts[] = { 5, Get("/").size() - 5, 10,
					input.size() - Get("/").size() - 12 };

		c.piece = [&](unsigned n) { return n < 4 ? cuts[n] : 10; };
		c.before_read = [&](unsigned) {
			left.push_back((c.read_deadline - wend_now()) /
				       WEND_SECOND);
		};
		wend_http_serve_conn(s, c.conn());
		ASSERT_EQ(2u, Replies(c).size());
		ASSERT_EQ(6u, left.size());
		EXPECT_LE(left[0], 1); /* the first header */
		EXPECT_LE(left[1], 1);
		EXPECT_LE(left[2], 1000); /* idle */
		EXPECT_GT(left[2], 500);
		EXPECT_LE(left[3], 1);     /* a header again */
		EXPECT_GT(left[4], 50000); /* a body */
		EXPECT_GT(c.write_deadline - wend_now(), 1000000 * WEND_SECOND);
	});
}

TEST(HttpServer, ClientsThatLeave)
{
	InTask([] {
		Server s;
		MemConn half(Get("/").substr(0, 10));
		MemConn body(
			Post("/echo", "a" + std::string(99, 'b')).substr(0, 90));
		MemConn reset(Get("/") + "GET");
		MemConn deaf(Get("/"));

		EXPECT_EQ(-EPROTO, wend_http_serve_conn(s, half.conn()));
		EXPECT_EQ(400, Replies(half)[0].status);
		wend_http_serve_conn(s, body.conn());
		EXPECT_EQ("", body.output());
		reset.at_end = -ECONNRESET;
		EXPECT_EQ(-ECONNRESET, wend_http_serve_conn(s, reset.conn()));
		EXPECT_EQ(1u, Replies(reset).size());
		deaf.fail_after = 0;
		deaf.fail_with = -EPIPE;
		EXPECT_EQ(-EPIPE, wend_http_serve_conn(s, deaf.conn()));
		EXPECT_TRUE(deaf.closed());
	});
}

/* A reply that says more than it writes cannot be told from one that was cut,
 * but by the end of the connection. */
TEST(HttpServer, ShortReplyEndsTheConnection)
{
	InTask([] {
		Server s;
		MemConn c(Get("/half") + Get("/"));

		wend_http_serve_conn(s, c.conn());
		EXPECT_NE(std::string::npos,
			  c.output().find("Content-Length: 10\r\n"));
		EXPECT_EQ("half.", c.output().substr(c.output().size() - 5));
	});
}

TEST(HttpServer, RoutesAndMethods)
{
	InTask([] {
		Server s;
		auto r = Talk(s, "DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n" +
					 Get("/echo") +
					 "OPTIONS /echo HTTP/1.1\r\n"
					 "Host: x\r\n\r\n" +
					 Get("/rest/") + Get("/rest/a/b%2Fc") +
					 Get("/rest") + Get("/param//x/b"));

		ASSERT_EQ(7u, r.size());
		EXPECT_EQ(405, r[0].status);
		EXPECT_EQ("GET, HEAD, OPTIONS", r[0].Get("allow"));
		EXPECT_EQ(405, r[1].status);
		EXPECT_EQ("POST, OPTIONS", r[1].Get("allow"));
		EXPECT_EQ(204, r[2].status);
		EXPECT_EQ("", r[3].body);
		EXPECT_EQ(200, r[3].status);
		EXPECT_EQ("a/b/c", r[4].body);
		EXPECT_EQ(404, r[5].status);
		EXPECT_EQ(404, r[6].status);
	});
}

/* What handlers may do wrong. */
TEST(HttpServer, ReplyChecksItsFields)
{
	InTask([] {
		wend_http_server_opts o = {};
		std::vector<int> got;

		o.arg = &got;
		o.handler = [](wend_http_reply *w, wend_http_request *r,
			       void *arg) {
			auto *got = static_cast<std::vector<int> *>(arg);
			std::string large(9000, 'l');

			*got = {
				wend_http_set(w, "X", "a\r\nSet-Cookie: b"),
				wend_http_set(w, "X\r\n", "a"),
				wend_http_set(w, "", "a"),
				wend_http_set(w, "X y", "a"),
				wend_http_set(w, "Connection", "close"),
				wend_http_add(w, "transfer-encoding", "gzip"),
				wend_http_set(w, "Content-Length", "x"),
				wend_http_add(w, "L", large.c_str()),
				wend_http_status(w, 100),
				wend_http_status(w, 600),
				wend_http_set(w, "Gone", "1"),
				wend_http_set(w, "Keep", "2"),
				wend_http_set(w, "gone", "3"),
				wend_http_set(w, "Long",
					      large.substr(0, 3000).c_str()),
				wend_http_set_length(w, 3),
				(int)wend_http_write(w, "abcd", 4),
				(int)wend_http_write(w, "abc", 3),
				wend_http_flush(w),
				wend_http_status(w, 201),
				wend_http_set(w, "Late", "1"),
				(int)wend_http_write(w, "d", 1),
			};
		};
		Server s(o);
		auto r = Talk(s, Get("/"));

		ASSERT_EQ(1u, r.size());
		EXPECT_EQ("abc", r[0].body);
		EXPECT_EQ("3", r[0].Get("gone"));
		EXPECT_EQ("2", r[0].Get("keep"));
		EXPECT_EQ(3000u, r[0].Get("long").size());
		EXPECT_FALSE(r[0].Has("x"));
		EXPECT_FALSE(r[0].Has("late"));
		EXPECT_EQ((std::vector<int>{ -EINVAL,   -EINVAL,   -EINVAL,
					     -EINVAL,   -EINVAL,   -EINVAL,
					     -EINVAL,   -ENOMEM,   -EINVAL,
					     -EINVAL,   0,         0,
					     0,         0,         0,
					     -EMSGSIZE, 3,         0,
					     -EALREADY, -EALREADY, -EMSGSIZE }),
			  got);
	});
}

TEST(HttpServer, Records)
{
	InTask([] {
		struct Entry {
			int status;
			std::string method, path;
			int64_t sent;
		};
		std::vector<Entry> log;
		wend_http_server_opts o = {};

		o.done_arg = &log;
		o.done = [](const wend_http_record *r, void *arg) {
			EXPECT_GE(r->duration, 0);
			EXPECT_STREQ("there", wend_conn_remote(r->conn));
			static_cast<std::vector<Entry> *>(arg)->push_back(
				{ r->status, r->method, r->path, r->sent });
		};
		Server s(o);

		Talk(s, Get("/size/5000") + Get("/no%20thing?q") + "bad\r\n");
		ASSERT_EQ(3u, log.size());
		EXPECT_EQ(200, log[0].status);
		EXPECT_EQ(5000, log[0].sent);
		EXPECT_EQ(404, log[1].status);
		EXPECT_EQ("/no thing", log[1].path);
		EXPECT_EQ(400, log[2].status);
	});
}

/* Around: in order, and none is left out. */
TEST(HttpServer, Middleware)
{
	InTask([] {
		wend_http_router *inner = NewRouter();
		wend_http_router *outer = wend_http_router_new();
		wend_http_server_opts o = {};
		std::string log;
		wend_http_handler *letter = [](wend_http_reply *w,
					       wend_http_request *r,
					       void *arg) {
			auto *log = static_cast<std::string *>(arg);

			*log += '<';
			wend_http_set(w, "X-Around", "1");
			wend_http_next(w, r);
			*log += '>';
		};
		wend_http_handler *guard = [](wend_http_reply *w,
					      wend_http_request *r, void *arg) {
			*static_cast<std::string *>(arg) += 'g';
			if (wend_http_header(r, "Authorization") == nullptr)
				wend_http_error(w, 401, nullptr);
			else
				wend_http_next(w, r);
		};

		ASSERT_EQ(0, wend_http_use(outer, letter, &log));
		ASSERT_EQ(0, wend_http_use(outer, letter, &log));
		ASSERT_EQ(0, wend_http_use(inner, guard, &log));
		ASSERT_EQ(0, wend_http_route(outer, "/{rest...}",
					     wend_http_router_serve, inner));
		o.handler = wend_http_router_serve;
		o.arg = outer;
		{
			Server s(o);
			auto r = Talk(s, Get("/hello") +
						 Get("/hello",
						     "Authorization: x\r\n"));

			ASSERT_EQ(2u, r.size());
			EXPECT_EQ(401, r[0].status);
			EXPECT_EQ("1", r[0].Get("x-around"));
			EXPECT_EQ("hello\n", r[1].body);
			EXPECT_EQ("<<g>><<g>>", log);
		}
		wend_http_router_free(outer);
		wend_http_router_free(inner);
	});
}

/* After CONNECT the connection is the handler's. */
TEST(HttpServer, TakeOver)
{
	InTask([] {
		wend_http_server_opts o = {};

		o.handler = [](wend_http_reply *w, wend_http_request *r,
			       void *) {
			const char *rest;
			wend_conn *c;
			size_t n;

			EXPECT_STREQ("CONNECT", r->method);
			EXPECT_STREQ("host:1", r->host);
			EXPECT_EQ(0, wend_http_switch(w, 200));
			ASSERT_EQ(0, wend_http_take_over(w, &rest, &n, &c));
			wend_conn_write(c, rest, n);
		};
		Server s(o);
		MemConn c("CONNECT host:1 HTTP/1.1\r\nHost: host:1\r\n\r\n"
			  "raw bytes");

		EXPECT_EQ(0, wend_http_serve_conn(s, c.conn()));
		EXPECT_EQ("HTTP/1.1 200 OK\r\n\r\nraw bytes", c.output());
		EXPECT_TRUE(c.closed());
	});
}

TEST(HttpServer, StoppedRefuses)
{
	InTask([] {
		Server s;

		EXPECT_EQ(0, wend_http_server_stop(s, wend_after_ms(1000)));
		auto r = Talk(s, Get("/"));
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ(503, r[0].status);
	});
}

/* The request that is served when it stops is answered, and is the last. */
TEST(HttpServer, StopsAfterTheRequestUnderWay)
{
	InTask([] {
		wend_http_server_opts o = {};
		wt::Chan go(sizeof(int), 0);
		wt::Group g;

		o.arg = static_cast<wend_chan *>(go);
		o.handler = [](wend_http_reply *w, wend_http_request *,
			       void *arg) {
			int v;

			EXPECT_EQ(0,
				  wend_chan_recv(static_cast<wend_chan *>(arg),
						 &v));
			wend_http_error(w, 200, "last");
		};
		Server s(o);
		MemConn c(Get("/") + Get("/"));
		int v = 0;

		g.Go([&] { wend_http_serve_conn(s, c.conn()); }, "serve");
		wt::AwaitWaiting("serve");
		g.Go(
			[&] {
				EXPECT_EQ(0, wend_http_server_stop(
						     s, WEND_FOREVER));
			},
			"stop");
		wt::AwaitWaiting("stop");
		EXPECT_FALSE(c.closed());
		EXPECT_EQ(0, wend_chan_send(go, &v));
		g.Wait();
		auto r = Replies(c);
		ASSERT_EQ(1u, r.size());
		EXPECT_EQ("last\n", r[0].body);
		EXPECT_EQ("close", r[0].Get("connection"));
	});
}

/* Past the deadline it is closed. */
TEST(HttpServer, StopsWhoDoesNot)
{
	InTask([] {
		wend_http_server_opts o = {};
		wt::Chan go(sizeof(int), 0);
		wt::Group g;
		int v = 0;

		o.arg = static_cast<wend_chan *>(go);
		o.handler = [](wend_http_reply *w, wend_http_request *,
			       void *arg) {
			int v;

			EXPECT_EQ(0,
				  wend_chan_recv(static_cast<wend_chan *>(arg),
						 &v));
			wend_http_error(w, 200, "late");
		};
		Server s(o);
		MemConn c(Get("/"));

		g.Go([&] { wend_http_serve_conn(s, c.conn()); }, "serve");
		wt::AwaitWaiting("serve");
		g.Go([&] { EXPECT_EQ(-ETIMEDOUT, wend_http_server_stop(s, 0)); },
		     "stop");
		wt::AwaitWaiting("stop");
		EXPECT_TRUE(c.closed());
		EXPECT_EQ(0, wend_chan_send(go, &v));
		g.Wait();
		EXPECT_EQ("", c.output());
	});
}

TEST(HttpRouter, Patterns)
{
	wend_http_router *r = wend_http_router_new();
	wend_http_handler *fn = [](wend_http_reply *, wend_http_request *,
				   void *) {};

	for (const char *bad :
	     { "", "GET", "GET a", "FOO /", "get /", "/{", "/a{b}", "/{a}b",
	       "/{}", "/{...}", "/{a...}/b", "/a}",
	       "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}" })
		EXPECT_EQ(-EINVAL, wend_http_route(r, bad, fn, nullptr)) << bad;
	EXPECT_EQ(0, wend_http_route(r, "GET /a/{b}", fn, nullptr));
	EXPECT_EQ(-EEXIST, wend_http_route(r, "GET /a/{c}", fn, nullptr));
	EXPECT_EQ(0, wend_http_route(r, "POST /a/{c}", fn, nullptr));
	EXPECT_EQ(0, wend_http_route(r, "/a/{c}", fn, nullptr));
	EXPECT_EQ(-EEXIST, wend_http_route(r, "/a/{d}", fn, nullptr));
	EXPECT_EQ(0, wend_http_route(r, "/a/{d...}", fn, nullptr));
	wend_http_router_free(r);
	wend_http_router_free(nullptr);
}

} // namespace
