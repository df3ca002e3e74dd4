/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_test.cc - the client, with our server and with servers that misbehave,
 * over sockets.
 */
#include <sys/socket.h>
#include <unistd.h>
#include <wend/std/http_client.h>
#include <wend/std/net.h>
#include <wend/wend.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/stdlib/http/fetch.h"
#include "tests/stdlib/http/talk.h"
#include "tests/support/wt.h"

namespace
{

/* A server on a port of its own, in a task. */
class Site
{
      public:
	explicit Site(wend_http_server_opts opts = {}) : server_(opts)
	{
		EXPECT_EQ(0, wend_net_listen(&l_, "127.0.0.1:0", nullptr));
		group_.Go(
			[this] { EXPECT_EQ(0, wend_http_serve(server_, l_)); });
	}
	~Site()
	{
		EXPECT_EQ(0, wend_http_server_stop(server_, Soon()));
		group_.Wait();
		wend_net_listener_free(l_);
	}
	std::string Url(const std::string &path)
	{
		return "http://" + std::string(wend_net_listener_address(l_)) +
		       path;
	}
	wend_http_stats Stats()
	{
		wend_http_stats st;

		wend_http_server_stats(server_, &st);
		return st;
	}

      private:
	Server server_;
	wend_net_listener *l_ = nullptr;
	wt::Group group_;
};

/* Answers with these texts, one connection after the other, whatever is asked;
 * each text to one request. "" hangs up before answering. */
class Script
{
      public:
	explicit Script(std::vector<std::vector<std::string>> conns)
	{
		EXPECT_EQ(0, wend_net_listen(&l_, "127.0.0.1:0", nullptr));
		group_.Go([this, conns] {
			for (const auto &answers : conns)
				Serve(answers);
		});
	}
	~Script()
	{
		group_.Wait();
		wend_net_listener_free(l_);
	}
	std::string Url(const std::string &path)
	{
		return "http://" + std::string(wend_net_listener_address(l_)) +
		       path;
	}
	std::vector<std::string> asked()
	{
		group_.Wait();
		return asked_;
	}

      private:
	void Serve(const std::vector<std::string> &answers)
	{
		wend_conn *c;
		char buf[4096];
		ssize_t n;

		ASSERT_EQ(0, wend_net_accept_until(l_, &c, Soon()));
		wend_conn_set_deadline(c, Soon());
		for (const auto &a : answers) {
			std::string head;

			while (head.find("\r\n\r\n") == std::string::npos &&
			       (n = wend_conn_read(c, buf, sizeof(buf))) > 0)
				head.append(buf, (size_t)n);
			asked_.push_back(head);
			if (!a.empty())
				wend_conn_write(c, a.data(), a.size());
		}
		wend_conn_free(c);
	}
	wend_net_listener *l_ = nullptr;
	std::vector<std::string> asked_;
	wt::Group group_;
};

class Client : public Fetcher
{
      public:
	explicit Client(wend_http_client_opts o = {})
	{
		c_ = wend_http_client_new(&o);
		EXPECT_NE(nullptr, c_);
	}
	operator wend_http_client *() const
	{
		return c_;
	}
};

std::string Ok(const std::string &body)
{
	return "HTTP/1.1 200 OK\r\nContent-Length: " +
	       std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string Lead(int status, const std::string &where)
{
	return "HTTP/1.1 " + std::to_string(status) +
	       " Go\r\nContent-Length: 0\r\nLocation: " + where + "\r\n\r\n";
}

#define IN_TASK(...)                                                           \
	WT_NEEDS_THREADS();                                                    \
	wt::Run(__VA_ARGS__)

TEST(HttpClient, AsksOurServer)
{
	IN_TASK([] {
		Site site;
		Client c;
		wend_http_call call = {};
		std::string url = site.Url("/stream"), data(300000, 'd');

		auto g = c.Get(site.Url("/hello"));
		EXPECT_EQ(0, g.err);
		EXPECT_EQ(200, g.status);
		EXPECT_EQ("hello\n", g.body);
		EXPECT_EQ(site.Url("/hello"), g.url);
		EXPECT_EQ(100000u, c.Get(site.Url("/size/100000")).body.size());
		EXPECT_EQ("1 2|c", c.Get(site.Url("/param/1%202/x/c#f")).body);
		EXPECT_EQ(404, c.Get(site.Url("/no")).status);
		call.method = "POST";
		call.url = url.c_str();
		call.data = data.data();
		call.size = data.size();
		EXPECT_EQ(data, c.Do(call).body);
		call.size = 0;
		EXPECT_EQ("", c.Do(call).body);
		call.method = "HEAD";
		url = site.Url("/size/100");
		call.url = url.c_str();
		g = c.Do(call);
		EXPECT_EQ(200, g.status);
		EXPECT_EQ("", g.body);
		/* All over one connection. */
		EXPECT_EQ(1u, site.Stats().accepted);
	});
}

struct Source {
	wend_reader reader;
	size_t left;
	ssize_t end;
};

ssize_t ReadSource(wend_reader *r, void *buf, size_t n)
{
	Source *s = reinterpret_cast<Source *>(r);

	n = std::min({ n, s->left, (size_t)777 });
	if (n == 0)
		return s->end;
	memset(buf, 's', n);
	s->left -= n;
	return (ssize_t)n;
}

TEST(HttpClient, BodyFromAReader)
{
	IN_TASK([] {
		Site site;
		Client c;
		wend_http_call call = {};
		std::string url = site.Url("/stream");

		call.method = "PUT";
		call.url = url.c_str();
		for (int64_t length : { -1, 50000 }) {
			Source s = { { ReadSource }, 50000, 0 };

			call.body = &s.reader;
			call.length = length;
			EXPECT_EQ(std::string(50000, 's'), c.Do(call).body);
		}
		Source less = { { ReadSource }, 10, 0 };
		call.body = &less.reader;
		EXPECT_EQ(-EINVAL, c.Do(call).err);
		Source bad = { { ReadSource }, 10, -EIO };
		call.body = &bad.reader;
		call.length = -1;
		EXPECT_EQ(-EIO, c.Do(call).err);
	});
}

TEST(HttpClient, ManyAtOnceKeepFew)
{
	IN_TASK([] {
		Site site;
		wend_http_client_opts o = {};

		o.max_idle = 3;
		Client c(o);
		wt::Group g;

		for (int i = 0; i < 30; i++)
			g.Go([&] {
				for (int k = 0; k < 5; k++)
					EXPECT_EQ("hello\n",
						  c.Get(site.Url("/")).body);
			});
		g.Wait();
		EXPECT_EQ(150u, site.Stats().requests);
		while (site.Stats().open > 3) /* the others are closed */
			wend_yield();
		uint64_t before = site.Stats().accepted;
		c.Get(site.Url("/"));
		EXPECT_EQ(before, site.Stats().accepted);
	});
}

TEST(HttpClient, Redirects)
{
	IN_TASK([] {
		Client c;
		wend_http_call call = {};

		for (int status : { 301, 302, 303, 307, 308 }) {
			Script s(
				{ { Lead(status, "/b/../c?d"), Ok("there") } });
			std::string url = s.Url("/a");
			bool keeps = status > 303;

			call.method = "POST";
			call.url = url.c_str();
			call.data = "data";
			call.size = 4;
			auto g = c.Do(call);
			EXPECT_EQ("there", g.body);
			EXPECT_EQ(s.Url("/c?d"), g.url);
			auto asked = s.asked();
			ASSERT_EQ(2u, asked.size());
			EXPECT_EQ(keeps ? "POST /c?d HTTP/1.1\r\n" :
					  "GET /c?d HTTP/1.1\r\n",
				  asked[1].substr(0, asked[1].find('\n') + 1));
			EXPECT_EQ(keeps, asked[1].find("Content-Length: 4") !=
						 std::string::npos);
		}
	});
}

TEST(HttpClient, RedirectsElsewhereTakeNoSecrets)
{
	IN_TASK([] {
		Script there({ { Ok("there") } });
		Script here({ { Lead(302, there.Url("/x")) } });
		Client c;
		const wend_http_field fields[] = {
			{ "Authorization", "secret" },
			{ "cookie", "secret" },
			{ "X-Open", "yes" },
		};
		std::string url = here.Url("/");
		wend_http_call call = {};

		call.url = url.c_str();
		call.fields = fields;
		call.field_count = 3;
		EXPECT_EQ("there", c.Do(call).body);
		EXPECT_NE(std::string::npos, here.asked()[0].find("secret"));
		EXPECT_EQ(std::string::npos, there.asked()[0].find("secret"));
		EXPECT_NE(std::string::npos,
			  there.asked()[0].find("X-Open: yes"));
	});
}

TEST(HttpClient, RedirectLimits)
{
	IN_TASK([] {
		wend_http_client_opts o = {};

		o.max_redirects = 2;
		{
			Client c(o);
			Script s({ { Lead(302, "a"), Lead(302, "b"),
				     Lead(302, "c") } });
			EXPECT_EQ(-ELOOP, c.Get(s.Url("/")).err);
		}
		o.max_redirects = -1;
		{
			Client c(o);
			Script s({ { Lead(302, "a") } });
			EXPECT_EQ(302, c.Get(s.Url("/")).status);
		}
		Client c;
		Script s({ { Lead(302, "ftp://x/") } });
		EXPECT_EQ(-EINVAL, c.Get(s.Url("/")).err);
		Script tls({ { Lead(302, "https://127.0.0.1/") } });
		EXPECT_EQ(-EPROTONOSUPPORT, c.Get(tls.Url("/")).err);
	});
}

/* A kept connection that the server has closed: asked again over another, if it
 * may be. */
TEST(HttpClient, SendsAgain)
{
	IN_TASK([] {
		Script s({ { Ok("1"), "" }, { Ok("2"), "" } });
		Client c;
		wend_http_call call = {};
		std::string url = s.Url("/");

		EXPECT_EQ("1", c.Get(url).body);
		EXPECT_EQ("2", c.Get(url).body);
		call.method = "POST";
		call.url = url.c_str();
		call.data = "x";
		call.size = 1;
		int err = c.Do(call).err;
		EXPECT_TRUE(err == -ECONNRESET || err == -EPIPE) << err;
	});
}

TEST(HttpClient, BadAnswers)
{
	IN_TASK([] {
		static const struct {
			const char *text;
			int err;
			ssize_t body;
		} kBad[] = {
			{ "", -ECONNRESET, 0 },
			{ "HTTP/1.1 200", -EPROTO, 0 },
			{ "garbage\r\n\r\n", -EPROTO, 0 },
			{ "HTTP/2.0 200 OK\r\n\r\n", -EPROTO, 0 },
			{ "HTTP/1.1 101 Up\r\n\r\n", -EPROTO, 0 },
			{ "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", -EPROTO, 0 },
			{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
			  -EPROTO, 0 },
			{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n",
			  -EPROTO, 0 },
			{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
			  "Content-Length: 2\r\n\r\nab",
			  -EPROTO, 0 },
			{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
			  0, -ECONNRESET },
			{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			  "\r\n5\r\nhel",
			  0, -ECONNRESET },
			{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			  "\r\nx\r\n",
			  0, -EBADMSG },
			{ "HTTP/1.1 200 OK\r\n\r\nto the end", 0, 10 },
			{ "HTTP/1.1 100 Continue\r\n\r\n"
			  "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
			  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
			  0, 2 },
		};

		for (const auto &b : kBad) {
			Script s({ { b.text } });
			Client c;
			auto g = c.Get(s.Url("/"));

			EXPECT_EQ(b.err, g.err) << b.text;
			EXPECT_EQ(b.body, g.size) << b.text;
		}
		wend_http_client_opts o = {};
		o.max_body = 4;
		o.max_head = 100;
		Client c(o);
		Script large({ { Ok("12345") } });
		EXPECT_EQ(-EMSGSIZE, c.Get(large.Url("/")).err);
		Script end({ { "HTTP/1.1 200 OK\r\n\r\n12345" } });
		EXPECT_EQ(-EMSGSIZE, c.Get(end.Url("/")).size);
		Script head({ { "HTTP/1.1 200 OK\r\nX: " +
				std::string(200, 'x') + "\r\n\r\n" } });
		EXPECT_EQ(-EMSGSIZE, c.Get(head.Url("/")).err);
	});
}

TEST(HttpClient, Deadline)
{
	IN_TASK([] {
		wend_net_listener *l;
		Client c;
		wend_http_call call = {};
		std::string url;

		ASSERT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		url = "http://" + std::string(wend_net_listener_address(l));
		call.url = url.c_str();
		EXPECT_EQ(-ETIMEDOUT, c.Do(call, wend_after_ms(20)).err);
		wend_net_listener_free(l);
		/* Nobody there. */
		EXPECT_EQ(-ECONNREFUSED, c.Do(call).err);
	});
}

/* Accepts one connection in a task, writes these pieces with a pause between
 * them, and holds it until the end. */
class Slow
{
      public:
	Slow(std::vector<std::string> pieces, int64_t pause)
	{
		EXPECT_EQ(0, wend_net_listen(&l_, "127.0.0.1:0", nullptr));
		group_.Go([=] {
			EXPECT_EQ(0, wend_net_accept_until(l_, &conn_, Soon()));
			for (const auto &p : pieces) {
				wend_conn_write(conn_, p.data(), p.size());
				wend_sleep(pause);
			}
		});
	}
	~Slow()
	{
		group_.Wait();
		wend_conn_free(conn_);
		wend_net_listener_free(l_);
	}
	std::string Url()
	{
		return "http://" + std::string(wend_net_listener_address(l_));
	}

      private:
	wend_net_listener *l_ = nullptr;
	wend_conn *conn_ = nullptr;
	wt::Group group_;
};

/* In front of an answer, in its header, in its body. */
TEST(HttpClient, SilenceEndsACall)
{
	IN_TASK([] {
		const std::string head = "HTTP/1.1 200 OK\r\n"
					 "Content-Length: 25\r\n\r\n";
		wend_http_client_opts o = {};
		wend_http_call call = {};

		o.io_timeout = WEND_SECOND / 2;
		Client c(o);
		for (const std::string &said :
		     { std::string(), head.substr(0, 20), head + "part" }) {
			Slow s({ said }, 0);
			std::string url = s.Url();

			call.url = url.c_str();
			auto g = c.Do(call, WEND_FOREVER);
			EXPECT_EQ(-ETIMEDOUT, said.size() < head.size() ?
						      g.err :
						      (int)g.size)
				<< said;
		}
	});
}

/* What goes on slowly is no silence, however long it takes. */
TEST(HttpClient, SlowIsNotSilent)
{
	IN_TASK([] {
		std::vector<std::string> pieces(25, "x");
		wend_http_client_opts o = {};
		wend_http_call call = {};
		int64_t from = wend_now();

		o.io_timeout = 2 * WEND_SECOND;
		pieces.insert(pieces.begin(), "HTTP/1.1 200 OK\r\n"
					      "Content-Length: 25\r\n\r\n");
		Client c(o);
		Slow s(pieces, WEND_SECOND / 10);
		std::string url = s.Url();

		call.url = url.c_str();
		EXPECT_EQ(25, c.Do(call, WEND_FOREVER).size);
		EXPECT_LT(o.io_timeout, wend_now() - from);
	});
}

/* A server that takes nothing of what it is sent. */
TEST(HttpClient, SilenceEndsSending)
{
	IN_TASK([] {
		wend_http_client_opts o = {};

		o.io_timeout = 50 * WEND_MILLISECOND;
		Client c(o);
		wend_net_listener *l;
		const std::string data(32 << 20, 'd');
		wend_http_call call = {};

		ASSERT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		std::string url = "http://" +
				  std::string(wend_net_listener_address(l));
		call.url = url.c_str();
		call.method = "PUT";
		call.data = data.data();
		call.size = data.size();
		EXPECT_EQ(-ETIMEDOUT, c.Do(call, WEND_FOREVER).err);
		wend_net_listener_free(l);
	});
}

TEST(HttpClient, DialTimeout)
{
	IN_TASK([] {
		wend_http_client_opts o = {};

		o.dial_timeout = 20 * WEND_MILLISECOND;
		o.dial = [](void *, const char *, const char *, bool,
			    int64_t deadline, wend_conn **) {
			EXPECT_GE(wend_after(20 * WEND_MILLISECOND), deadline);
			wend_sleep_until(deadline);
			return -ETIMEDOUT;
		};
		Client c(o);

		EXPECT_EQ(-ETIMEDOUT, c.Get("http://127.0.0.1:1/").err);
		wend_http_call call = {};
		call.url = "http://127.0.0.1:1/";
		EXPECT_EQ(-ETIMEDOUT, c.Do(call, WEND_FOREVER).err);
	});
}

TEST(HttpClient, BadCalls)
{
	IN_TASK([] {
		Client c;
		wend_http_call call = {};

		for (const char *url :
		     { "", "x", "/x", "http://", "http:///x", "http://a b/",
		       "http://a@b/", "http://a:0/", "http://a:99999/",
		       "http://a:b/", "http://[::1/", "http://a/\r\nX: y",
		       "ftp://a/" })
			EXPECT_EQ(-EINVAL, c.Get(url).err) << url;
		call.url = "http://127.0.0.1:1/";
		for (const char *method : { "", "GET ", "A\r\nB", "CONNECT" }) {
			call.method = method;
			EXPECT_EQ(-EINVAL, c.Do(call).err) << method;
		}
		call.method = nullptr;
		for (wend_http_field f :
		     std::vector<wend_http_field>{ { "Host", "x" },
						   { "content-length", "1" },
						   { "a b", "x" },
						   { "", "x" },
						   { "a", "x\r\ny" } }) {
			call.fields = &f;
			call.field_count = 1;
			EXPECT_EQ(-EINVAL, c.Do(call).err) << f.name;
		}
		EXPECT_EQ(-EPROTONOSUPPORT, c.Get("https://127.0.0.1/").err);
	});
}

} // namespace
