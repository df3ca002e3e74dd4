/* SPDX-License-Identifier: Apache-2.0 */
/*
 * https_test.cc - client and server over TLS: bytes, who is believed, and how it
 * ends.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wend/std/http_client.h>
#include <wend/std/net.h>
#include <wend/std/tls.h>
#include <wend/wend.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/stdlib/http/fetch.h"
#include "tests/stdlib/http/talk.h"
#include "tests/stdlib/net/tls/certs.h"
#include "tests/support/wt.h"

namespace
{

using net::Authority;
using net::Identity;

const Authority &Ca()
{
	static const Authority ca;

	return ca;
}

/* A server over TLS with this certificate. */
class Site
{
      public:
	explicit Site(const Identity &id, wend_http_server_opts opts = {})
		: tls_(Config(id)), server_(Wrapped(opts, tls_))
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
		wend_tls_config_free(tls_);
	}
	const char *Address()
	{
		return wend_net_listener_address(l_);
	}
	std::string Url(const std::string &path)
	{
		return "https://" + std::string(Address()) + path;
	}
	wend_http_stats Stats()
	{
		wend_http_stats st;

		wend_http_server_stats(server_, &st);
		return st;
	}
	wend_http_server *server()
	{
		return server_;
	}

      private:
	static wend_tls_config *Config(const Identity &id)
	{
		wend_tls_config *c;
		wend_tls_opts o = {};

		o.cert = id.cert.c_str();
		o.key = id.key.c_str();
		EXPECT_EQ(0, wend_tls_config_server(&c, &o));
		return c;
	}
	static wend_http_server_opts Wrapped(wend_http_server_opts o,
					     wend_tls_config *c)
	{
		o.wrap = wend_tls_wrap;
		o.wrap_arg = c;
		return o;
	}
	wend_tls_config *tls_;
	Server server_;
	wend_net_listener *l_ = nullptr;
	wt::Group group_;
};

Identity Good()
{
	return Ca().Make("IP:127.0.0.1");
}

/* A client that trusts the tests' authority, or nobody in particular. */
class Client : public Fetcher
{
      public:
	explicit Client(wend_http_client_opts o = {}, bool insecure = false)
	{
		wend_tls_opts t = {};

		t.ca = Ca().Cert().c_str();
		t.insecure = insecure;
		EXPECT_EQ(0, wend_tls_config_client(&dialer_.config, &t));
		dialer_.failed = [](const char *, int error, const char *words,
				    void *arg) {
			auto *c = static_cast<Client *>(arg);

			c->error = error;
			c->words = words;
		};
		dialer_.arg = this;
		if (o.dial == nullptr) {
			o.dial = wend_tls_http_dial;
			o.dial_arg = &dialer_;
		}
		c_ = wend_http_client_new(&o);
		EXPECT_NE(nullptr, c_);
	}
	~Client()
	{
		Close();
		wend_tls_config_free(dialer_.config);
	}

	/* Of the last handshake that failed. */
	int error = 0;
	std::string words;

      private:
	wend_tls_dialer dialer_ = {};
};

class Https : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

TEST_F(Https, AsksOurServer)
{
	wt::Run([] {
		Site site(Good());
		Client c;
		wend_http_call call = {};
		std::string url = site.Url("/stream"), data(300000, 'd');

		auto g = c.Get(site.Url("/hello"));
		EXPECT_EQ(0, g.err) << c.words;
		EXPECT_EQ("hello\n", g.body);
		EXPECT_EQ(site.Url("/hello"), g.url);
		EXPECT_EQ(100000u, c.Get(site.Url("/size/100000")).body.size());
		call.method = "POST";
		call.url = url.c_str();
		call.data = data.data();
		call.size = data.size();
		EXPECT_EQ(data, c.Do(call).body);
		/* All over one connection, with one handshake. */
		EXPECT_EQ(1u, site.Stats().accepted);
		EXPECT_EQ(3u, site.Stats().requests);
	});
}

/* Not by sendfile(): what the peer reads is not what the file has. */
TEST_F(Https, Files)
{
	wt::Run([] {
		const char *tmp = getenv("TEST_TMPDIR");
		std::string dir = std::string(tmp ? tmp : "/tmp") +
				  "/httpsXXXXXX";
		std::string data;
		wend_http_server_opts o = {};
		wend_http_files_opts fo = {};
		wend_http_files *files;

		ASSERT_NE(nullptr, mkdtemp(dir.data()));
		for (int i = 0; i < 300000; i++)
			data += (char)(i * 7 + i / 251);
		std::string name = dir + "/data.bin";
		int fd = open(name.c_str(), O_CREAT | O_WRONLY, 0600);
		ASSERT_LE(0, fd);
		ASSERT_EQ((ssize_t)data.size(),
			  write(fd, data.data(), data.size()));
		close(fd);
		fo.root = dir.c_str();
		ASSERT_EQ(0, wend_http_files_new(&fo, &files));
		o.handler = wend_http_files_serve;
		o.arg = files;
		{
			Site site(Good(), o);
			Client c;
			wend_http_call call = {};
			const wend_http_field range = { "Range",
							"bytes=1000-200999" };
			std::string url = site.Url("/data.bin");

			EXPECT_TRUE(c.Get(url).body == data);
			call.url = url.c_str();
			call.fields = &range;
			call.field_count = 1;
			auto g = c.Do(call);
			EXPECT_EQ(206, g.status);
			EXPECT_TRUE(g.body == data.substr(1000, 200000));
		}
		wend_http_files_free(files);
		EXPECT_EQ(0, unlink(name.c_str()));
		EXPECT_EQ(0, rmdir(dir.c_str()));
	});
}

/* Who is not believed gets no request, and the error says why. */
TEST_F(Https, WhoIsNotBelieved)
{
	const Authority stranger;
	const struct {
		Identity id;
		int err;
		const char *words;
	} cases[] = {
		{ Ca().Make("IP:127.0.0.1", -60), -EKEYEXPIRED,
		  "certificate has expired" },
		{ Ca().Make("IP:127.0.0.2"), -EKEYREJECTED,
		  "IP address mismatch" },
		{ Ca().Make("DNS:localhost"), -EKEYREJECTED,
		  "IP address mismatch" },
		{ Authority::SelfSigned("IP:127.0.0.1"), -EKEYREJECTED,
		  "signed certificate" },
		{ stranger.Make("IP:127.0.0.1"), -EKEYREJECTED,
		  "signature failure" },
	};

	wt::RunOn(1, [&] {
		for (const auto &one : cases) {
			Site site(one.id);
			Client c, insecure({}, true);

			EXPECT_EQ(one.err, c.Get(site.Url("/hello")).err)
				<< one.words;
			EXPECT_EQ(one.err, c.error) << one.words;
			EXPECT_NE(std::string::npos, c.words.find(one.words))
				<< c.words;
			EXPECT_EQ(0u, site.Stats().requests);
			/* Unless nobody asks. */
			EXPECT_EQ("hello\n",
				  insecure.Get(site.Url("/hello")).body);
		}
	});
}

/* The name in the URL is the one that the certificate must have, wherever the
 * connection leads. */
TEST_F(Https, TheNameInTheUrl)
{
	struct To {
		std::string address;
		wend_tls_config *config;
	};

	wt::RunOn(1, [] {
		Site site(Ca().Make("DNS:good.example"));
		wend_tls_opts t = {};
		wend_http_client_opts o = {};
		To to = { site.Address(), nullptr };

		t.ca = Ca().Cert().c_str();
		ASSERT_EQ(0, wend_tls_config_client(&to.config, &t));
		o.dial_arg = &to;
		o.dial = [](void *arg, const char *host, const char *, bool tls,
			    int64_t deadline, wend_conn **conn) {
			To *to = static_cast<To *>(arg);
			wend_conn *under;
			int r;

			EXPECT_TRUE(tls);
			r = wend_net_dial(&under, to->address.c_str(), deadline,
					  nullptr);
			if (r < 0)
				return r;
			r = wend_tls_client(conn, to->config, under, host);
			if (r < 0) {
				wend_conn_free(under);
				return r;
			}
			r = wend_tls_handshake(*conn, deadline);
			if (r < 0)
				wend_conn_free(*conn);
			return r;
		};
		{
			Client c(o);

			EXPECT_EQ("hello\n",
				  c.Get("https://good.example/hello").body);
			EXPECT_EQ(-EKEYREJECTED,
				  c.Get("https://bad.example/hello").err);
		}
		wend_tls_config_free(to.config);
	});
}

TEST_F(Https, RedirectedFromHttp)
{
	wt::Run([] {
		Site site(Good());
		std::string there = site.Url("/hello");
		wend_http_server_opts o = {};
		wend_net_listener *l;
		wt::Group g;

		o.arg = there.data();
		o.handler = [](wend_http_reply *w, wend_http_request *,
			       void *arg) {
			wend_http_redirect(w, 301, static_cast<char *>(arg));
		};
		Server plain(o);
		ASSERT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		g.Go([&] { EXPECT_EQ(0, wend_http_serve(plain, l)); });
		{
			Client c;
			std::string here =
				"http://" +
				std::string(wend_net_listener_address(l));
			auto got = c.Get(here);

			EXPECT_EQ("hello\n", got.body);
			EXPECT_EQ(there, got.url);
			/* The two sides do not speak the same. */
			EXPECT_EQ(-EPROTO, c.Get("https" + here.substr(4)).err);
			EXPECT_EQ(-EPROTO, c.error);
			EXPECT_NE("", c.words);
			EXPECT_GT(0, c.Get("http" + there.substr(5)).err);
		}
		EXPECT_EQ(0, wend_http_server_stop(plain, Soon()));
		g.Wait();
		wend_net_listener_free(l);
	});
}

/* A server that never says anything; a client that does not. */
TEST_F(Https, Silence)
{
	wt::Run([] {
		wend_http_client_opts co = {};
		wend_http_server_opts so = {};
		wend_net_listener *l;
		wend_conn *conn;
		char byte;

		ASSERT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		std::string url = "https://" +
				  std::string(wend_net_listener_address(l));
		co.dial_timeout = 30 * WEND_MILLISECOND;
		Client impatient(co), c;

		EXPECT_EQ(-ETIMEDOUT, impatient.Get(url, WEND_FOREVER).err);
		EXPECT_EQ(-ETIMEDOUT, impatient.error);
		EXPECT_EQ(-ETIMEDOUT, c.Get(url, wend_after_ms(30)).err);
		wend_net_listener_free(l);

		so.head_timeout = 30 * WEND_MILLISECOND;
		Site site(Good(), so);
		ASSERT_EQ(0, wend_net_dial(&conn, site.Address(), Soon(),
					   nullptr));
		EXPECT_EQ(0, wend_conn_read(conn, &byte, 1));
		wend_conn_free(conn);
	});
}

/* An answer that is cut short does not end as TLS does. */
TEST_F(Https, Aborted)
{
	wt::Run([] {
		wend_http_server_opts o = {};

		o.handler = [](wend_http_reply *w, wend_http_request *r,
			       void *) {
			if (strcmp(r->path, "/begun") == 0) {
				/* It would end with the connection. */
				wend_http_write(w, "begun", 5);
				wend_http_flush(w);
			}
			wend_http_abort(w);
		};
		Site site(Good(), o);
		Client c;

		EXPECT_EQ(-ECONNRESET, c.Get(site.Url("/")).err);
		auto g = c.Get(site.Url("/begun"));
		EXPECT_EQ(0, g.err);
		EXPECT_EQ(-ECONNRESET, g.size);
		EXPECT_EQ(2u, site.Stats().aborted);
	});
}

/* Clients that keep their connections hold nothing up. */
TEST_F(Https, StopHangsUpOnTheIdle)
{
	wt::Run([] {
		Site site(Good());
		Client c, other;

		EXPECT_EQ("hello\n", c.Get(site.Url("/")).body);
		EXPECT_EQ("hello\n", other.Get(site.Url("/")).body);
		EXPECT_EQ(2u, site.Stats().open);
		EXPECT_EQ(0, wend_http_server_stop(site.server(), Soon()));
		EXPECT_EQ(0u, site.Stats().open);
		EXPECT_EQ(-ECONNREFUSED, c.Get(site.Url("/")).err);
	});
}

} // namespace
