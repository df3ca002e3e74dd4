/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_test.cc - TLS with itself at the other end: bytes, names, ends, errors.
 */
#include "tests/stdlib/net/net_util.h"
#include "tests/stdlib/net/tls/certs.h"

#include <wend/std/tls.h>

using namespace net;

namespace
{

const Authority &Ca()
{
	static const Authority ca;

	return ca;
}

class Config
{
      public:
	Config(bool server, const wend_tls_opts &opts)
	{
		EXPECT_EQ(0, server ? wend_tls_config_server(&c_, &opts) :
				      wend_tls_config_client(&c_, &opts));
	}
	~Config()
	{
		wend_tls_config_free(c_);
	}
	operator wend_tls_config *() const
	{
		return c_;
	}

      private:
	wend_tls_config *c_ = nullptr;
};

struct ServerOpts : wend_tls_opts {
	explicit ServerOpts(const char *names = "DNS:test.example,IP:127.0.0.1",
			    long seconds = 3600)
		: wend_tls_opts(), id(Ca().Make(names, seconds))
	{
		cert = id.cert.c_str();
		key = id.key.c_str();
	}
	Identity id;
};

struct ClientOpts : wend_tls_opts {
	ClientOpts() : wend_tls_opts()
	{
		ca = Ca().Cert().c_str();
	}
};

/* Both ends, over a socket pair; no handshake yet. */
class Ends
{
      public:
	Ends(const wend_tls_opts &server, const wend_tls_opts &client,
	     const char *host = "test.example")
		: sc_(true, server), cc_(false, client)
	{
		wend_conn *under[2];

		EXPECT_EQ(0, wend_net_pair(under));
		EXPECT_EQ(0, wend_tls_server(s.Out(), sc_, under[0]));
		EXPECT_EQ(0, wend_tls_client(c.Out(), cc_, under[1], host));
	}
	Ends() : Ends(ServerOpts(), ClientOpts())
	{
	}
	/* Returns what the two got. */
	std::pair<int, int> Greet()
	{
		std::pair<int, int> r;
		wt::Group g;

		g.Go([&] { r.first = wend_tls_handshake(s, WEND_FOREVER); });
		r.second = wend_tls_handshake(c, WEND_FOREVER);
		/* TLS 1.3: a client learns only then that it was refused. */
		if (r.second < 0)
			wend_conn_close(c);
		g.Wait();
		return r;
	}

      private:
	Config sc_, cc_;

      public:
	Conn s, c;
};

class NetTls : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

using Result = std::pair<int, int>;

} // namespace

TEST_F(NetTls, BytesThereAndBack)
{
	Everywhere([] {
		Ends e;
		const std::string there = Pattern(700000),
				  back = Pattern(600001);
		wt::Group g;

		/* The first read or write makes the handshake. Both ways at
		 * once, more than buffers hold. */
		g.Go([&] {
			EXPECT_EQ((ssize_t)there.size(),
				  wend_conn_write(e.c, there.data(),
						  there.size()));
			EXPECT_EQ(0, wend_conn_close_write(e.c));
			EXPECT_EQ(-EPIPE, wend_conn_write(e.c, "x", 1));
		});
		g.Go([&] {
			EXPECT_EQ((ssize_t)back.size(),
				  wend_conn_write(e.s, back.data(),
						  back.size()));
			EXPECT_EQ(0, wend_conn_close_write(e.s));
			EXPECT_EQ(0, wend_conn_close_write(e.s));
		});
		g.Go([&] { ExpectSame(there, ReadAll(e.s)); });
		ExpectSame(back, ReadAll(e.c));
		g.Wait();
		EXPECT_STREQ("TLSv1.3", wend_tls_version_name(e.c));
		EXPECT_STREQ("", wend_tls_alpn(e.c));
		EXPECT_STREQ("", wend_tls_error(e.c));
		EXPECT_NE(nullptr, wend_tls_ssl(e.c));
		EXPECT_EQ(-ENOTSUP, wend_conn_fd(e.c));
		EXPECT_EQ(-ENOTSUP, wend_net_set_delay(e.c, true));
		EXPECT_EQ(-ENOTSUP, wend_net_sendfile(e.c, 0, 0, 1));
		EXPECT_STREQ("", wend_conn_remote(e.c));
		EXPECT_STREQ("", wend_conn_local(e.c));
	});
}

TEST_F(NetTls, WhoThePeerIs)
{
	const struct {
		const char *names, *host;
		long seconds;
		int client;
	} cases[] = {
		{ "DNS:test.example", "test.example", 3600, 0 },
		{ "DNS:*.test.example", "a.test.example", 3600, 0 },
		{ "DNS:*.test.example", "a.b.test.example", 3600,
		  -EKEYREJECTED },
		{ "IP:127.0.0.1", "127.0.0.1", 3600, 0 },
		{ "IP:::1", "::1", 3600, 0 },
		{ "IP:127.0.0.1", "127.0.0.2", 3600, -EKEYREJECTED },
		{ "DNS:test.example", "other.example", 3600, -EKEYREJECTED },
		{ "DNS:test.example", "test.example", -60, -EKEYEXPIRED },
	};

	wt::RunOn(1, [&] {
		for (const auto &one : cases) {
			Ends e(ServerOpts(one.names, one.seconds), ClientOpts(),
			       one.host);
			Result r = e.Greet();

			EXPECT_EQ(one.client, r.second)
				<< one.names << " for " << one.host;
			if (r.second == 0)
				continue;
			EXPECT_EQ(-EPROTO, r.first);
			EXPECT_STRNE("", wend_tls_error(e.c));
			char b;

			EXPECT_EQ(r.second, wend_conn_read(e.c, &b, 1));
			EXPECT_EQ(r.second, wend_conn_write(e.c, &b, 1));
			EXPECT_EQ(r.second, wend_conn_close_write(e.c));
		}
		/* Signed by nobody that is known. */
		Authority stranger;
		ClientOpts client;

		client.ca = stranger.Cert().c_str();
		Ends e(ServerOpts(), client);

		EXPECT_EQ(-EKEYREJECTED, e.Greet().second);
		/* Unless nobody asks. */
		client.ca = nullptr;
		client.insecure = true;
		Ends f(ServerOpts(), client, nullptr);

		EXPECT_EQ(Result(0, 0), f.Greet());
	});
}

TEST_F(NetTls, ClientsCertificates)
{
	wt::RunOn(1, [] {
		ServerOpts server, id("DNS:client");
		ClientOpts client, with;

		server.ca = client.ca;
		server.client_certs = true;
		with.cert = id.cert;
		with.key = id.key;
		Ends e(server, with);

		EXPECT_EQ(Result(0, 0), e.Greet());
		Ends f(server, client);
		wt::Group g;

		g.Go([&] {
			EXPECT_EQ(-EPROTO,
				  wend_tls_handshake(f.s, WEND_FOREVER));
			wend_conn_close(f.s);
		});
		/* The client has finished before it is refused. */
		char b;

		EXPECT_EQ(-EPROTO, wend_conn_read(f.c, &b, 1));
		EXPECT_STRNE("", wend_tls_error(f.c));
	});
}

TEST_F(NetTls, Alpn)
{
	wt::RunOn(1, [] {
		ServerOpts server;
		ClientOpts client;

		server.alpn = "h2,http/1.1";
		client.alpn = "x,http/1.1,h2";
		Ends both(server, client);

		EXPECT_EQ(Result(0, 0), both.Greet());
		EXPECT_STREQ("h2", wend_tls_alpn(both.c));
		EXPECT_STREQ("h2", wend_tls_alpn(both.s));
		client.alpn = nullptr;
		Ends silent(server, client);

		EXPECT_EQ(Result(0, 0), silent.Greet());
		EXPECT_STREQ("", wend_tls_alpn(silent.s));
		client.alpn = "nothing-in-common";
		Ends none(server, client);

		EXPECT_EQ(Result(-EPROTO, -EPROTO), none.Greet());
	});
}

TEST_F(NetTls, BadConfigurations)
{
	wend_tls_config *c;
	ServerOpts good, other;
	wend_tls_opts o = {};

	EXPECT_EQ(-EINVAL, wend_tls_config_server(&c, nullptr));
	EXPECT_EQ(nullptr, c);
	o.cert = good.cert;
	EXPECT_EQ(-EINVAL, wend_tls_config_server(&c, &o));
	o.key = other.key;
	EXPECT_EQ(-EINVAL, wend_tls_config_server(&c, &o));
	o.key = "nonsense";
	EXPECT_EQ(-EINVAL, wend_tls_config_server(&c, &o));
	o.key = good.key;
	o.cert = "nonsense";
	EXPECT_EQ(-EINVAL, wend_tls_config_server(&c, &o));
	o = wend_tls_opts();
	o.cert_file = "/no/such/file";
	o.key = good.key;
	EXPECT_EQ(-ENOENT, wend_tls_config_server(&c, &o));
	o.cert_file = nullptr;
	o.cert = good.cert;
	o.key = nullptr;
	o.key_file = "/no/such/file";
	EXPECT_EQ(-ENOENT, wend_tls_config_server(&c, &o));
	o = wend_tls_opts();
	o.ca_file = "/no/such/file";
	EXPECT_EQ(-ENOENT, wend_tls_config_client(&c, &o));
	o.ca_file = "/dev/null";
	EXPECT_EQ(-EINVAL, wend_tls_config_client(&c, &o));
	o = wend_tls_opts();
	o.ca = "nonsense";
	EXPECT_EQ(-EINVAL, wend_tls_config_client(&c, &o));
	const std::string longest(300, 'x');

	for (const char *alpn : { ",", "a,", ",a", "a,,b", longest.c_str() }) {
		o = ClientOpts();
		o.alpn = alpn;
		EXPECT_EQ(-EINVAL, wend_tls_config_client(&c, &o)) << alpn;
	}
	EXPECT_EQ(0, wend_tls_config_client(&c, nullptr));
	wend_conn *conn;

	EXPECT_EQ(-EINVAL, wend_tls_client(&conn, c, nullptr, nullptr));
	EXPECT_EQ(-EINVAL, wend_tls_server(&conn, c, nullptr));
	wend_tls_config_free(c);
	wend_tls_config_free(nullptr);
	/* Files do as well as texts. */
	auto file = [](const std::string &text) {
		std::string path = testing::TempDir() + "tlsXXXXXX";
		int fd = mkstemp(path.data());

		EXPECT_EQ((ssize_t)text.size(),
			  write(fd, text.data(), text.size()));
		close(fd);
		return path;
	};
	std::string cert = file(good.id.cert + Ca().Cert()),
		    key = file(good.id.key), ca = file(Ca().Cert());

	o = wend_tls_opts();
	o.cert_file = cert.c_str();
	o.key_file = key.c_str();
	ClientOpts client;

	client.ca = nullptr;
	client.ca_file = ca.c_str();
	wt::RunOn(1, [&] {
		Ends e(o, client);

		EXPECT_EQ(Result(0, 0), e.Greet());
	});
	/* A chain as text, too. */
	std::string chain = good.id.cert + Ca().Cert();

	good.wend_tls_opts::cert = chain.c_str();
	EXPECT_EQ(0, wend_tls_config_server(&c, &good));
	wend_tls_config_free(c);
	for (const std::string &path : { cert, key, ca })
		unlink(path.c_str());
}

/* --- ends ------------------------------------------------------------------------ */

/* An end that was not said is an error, after all that came before it. */
TEST_F(NetTls, CutOff)
{
	Everywhere([] {
		Config config(true, ServerOpts()),
			client_config(false, ClientOpts());
		wend_conn *under[2];
		Conn s, c;
		char b[8];

		ASSERT_EQ(0, wend_net_pair(under));
		ASSERT_EQ(0, wend_tls_server(s.Out(), config, under[0]));
		ASSERT_EQ(0, wend_tls_client(c.Out(), client_config, under[1],
					     "test.example"));
		wt::Group g;

		g.Go([&] {
			EXPECT_EQ(3, wend_conn_write(s, "abc", 3));
			/* Past TLS. */
			EXPECT_EQ(0, wend_conn_close_write(under[0]));
		});
		EXPECT_EQ(3, wend_conn_read(c, b, sizeof(b)));
		EXPECT_EQ(-ECONNRESET, wend_conn_read(c, b, sizeof(b)));
		EXPECT_EQ(-ECONNRESET, wend_conn_read(c, b, sizeof(b)));
		g.Wait();
	});
}

/* Who closes or frees says it. */
TEST_F(NetTls, CloseSaysTheEnd)
{
	Everywhere([] {
		for (bool close : { true, false }) {
			Ends e;

			EXPECT_EQ(Result(0, 0), e.Greet());
			EXPECT_EQ(2, wend_conn_write(e.s, "ab", 2));
			if (close) {
				EXPECT_EQ(0, wend_conn_close(e.s));
			} else {
				e.s.Free();
			}
			EXPECT_EQ("ab", ReadAll(e.c));
			if (!close)
				continue;
			char b;

			EXPECT_EQ(0, wend_conn_close(e.s));
			EXPECT_EQ(-ECANCELED, wend_conn_read(e.s, &b, 1));
			EXPECT_EQ(-ECANCELED, wend_conn_write(e.s, &b, 1));
		}
	});
}

TEST_F(NetTls, CloseUnderAReadAndAWrite)
{
	Everywhere([] {
		const std::string big = Pattern(16 << 20);
		Ends e;
		wt::Group g;
		std::atomic<int> begun{ 0 };

		EXPECT_EQ(Result(0, 0), e.Greet());
		g.Go([&] {
			char b;

			begun++;
			EXPECT_EQ(-ECANCELED, wend_conn_read(e.c, &b, 1));
		});
		g.Go([&] {
			begun++;
			EXPECT_EQ(-ECANCELED,
				  wend_conn_write(e.c, big.data(), big.size()));
		});
		while (begun < 2)
			wend_yield();
		wend_sleep(2 * WEND_MILLISECOND);
		EXPECT_EQ(0, wend_conn_close(e.c));
		g.Wait();
	});
}

TEST_F(NetTls, Deadlines)
{
	Everywhere([] {
		const std::string big = Pattern(4 << 20);
		Ends e;
		char b;

		EXPECT_EQ(Result(0, 0), e.Greet());
		wend_conn_set_read_deadline(e.c, wend_after_ms(2));
		EXPECT_EQ(-ETIMEDOUT, wend_conn_read(e.c, &b, 1));
		/* It can be read again. */
		wend_conn_set_read_deadline(e.c, WEND_FOREVER);
		EXPECT_EQ(1, wend_conn_write(e.s, "x", 1));
		EXPECT_EQ(1, wend_conn_read(e.c, &b, 1));
		wend_conn_set_write_deadline(e.c, wend_after_ms(5));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_conn_write(e.c, big.data(), big.size()));
		/* It cannot be written again. */
		wend_conn_set_write_deadline(e.c, WEND_FOREVER);
		EXPECT_EQ(-ETIMEDOUT, wend_conn_write(e.c, "x", 1));
		EXPECT_EQ(-ETIMEDOUT, wend_conn_close_write(e.c));
		EXPECT_EQ(1, wend_conn_write(e.s, "y", 1));
		EXPECT_EQ(1, wend_conn_read(e.c, &b, 1));
	});
}

TEST_F(NetTls, ASilentPeer)
{
	Everywhere([] {
		Ends e;
		char b;

		wend_conn_set_read_deadline(e.s, wend_after(kLong));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_tls_handshake(e.s, wend_after_ms(2)));
		EXPECT_EQ(-ETIMEDOUT, wend_conn_read(e.s, &b, 1));
		Ends f;

		f.c.Free();
		EXPECT_EQ(-ECONNRESET, wend_tls_handshake(f.s, WEND_FOREVER));
	});
}

/* Deadlines that were set before a handshake count after it. */
TEST_F(NetTls, DeadlinesBeforeTheHandshake)
{
	wt::RunOn(1, [] {
		Ends e;
		char b;

		wend_conn_set_deadline(e.c, wend_after(kLong));
		wend_conn_set_read_deadline(e.c, 0);
		EXPECT_EQ(Result(0, 0), e.Greet());
		EXPECT_EQ(-ETIMEDOUT, wend_conn_read(e.c, &b, 1));
		EXPECT_EQ(1, wend_conn_write(e.c, "x", 1));
		EXPECT_EQ(1, wend_conn_read(e.s, &b, 1));
	});
}

TEST_F(NetTls, NotTls)
{
	Everywhere([] {
		Config config(true, ServerOpts()), client(false, ClientOpts());
		wend_conn *under[2];
		Conn tls, raw;

		ASSERT_EQ(0, wend_net_pair(under));
		ASSERT_EQ(0, wend_tls_server(tls.Out(), config, under[0]));
		*raw.Out() = under[1];
		EXPECT_EQ(18,
			  wend_conn_write(raw, "GET / HTTP/1.0\r\n\r\n", 18));
		EXPECT_EQ(-EPROTO, wend_tls_handshake(tls, WEND_FOREVER));
		EXPECT_STRNE("", wend_tls_error(tls));
	});
}

/* A byte that is changed on the way is found out, and said. */
TEST_F(NetTls, Forged)
{
	wt::RunOn(1, [] {
		Config config(true, ServerOpts()), client(false, ClientOpts());
		wend_conn *left[2], *right[2];
		Conn s, c;
		char b[8];

		/* c - left[0] . left[1] ~ right[0] . right[1] - s */
		ASSERT_EQ(0, wend_net_pair(left));
		ASSERT_EQ(0, wend_net_pair(right));
		ASSERT_EQ(0, wend_tls_client(c.Out(), client, left[0],
					     "test.example"));
		ASSERT_EQ(0, wend_tls_server(s.Out(), config, right[1]));
		std::atomic<bool> forge{ false };
		wt::Group g;
		auto pass = [&](wend_conn *from, wend_conn *to) {
			char buf[4096];
			ssize_t n;

			while ((n = wend_conn_read(from, buf, sizeof(buf))) >
			       0) {
				if (forge)
					buf[n - 1] ^= 1;
				if (wend_conn_write(to, buf, (size_t)n) < 0)
					break;
			}
			wend_conn_close_write(to);
		};

		g.Go([&] { pass(left[1], right[0]); });
		g.Go([&] { pass(right[0], left[1]); });
		g.Go([&] {
			EXPECT_EQ(0, wend_tls_handshake(s, WEND_FOREVER));
			EXPECT_EQ(2, wend_conn_read(s, b, sizeof(b)));
			EXPECT_EQ(-EPROTO, wend_conn_read(s, b, sizeof(b)));
			EXPECT_EQ(-EPROTO, wend_conn_read(s, b, sizeof(b)));
			EXPECT_EQ(-EPROTO, wend_conn_write(s, b, 1));
			wend_conn_close(s);
		});
		EXPECT_EQ(2, wend_conn_write(c, "ok", 2));
		while (wend_tls_handshake(c, WEND_FOREVER) != 0)
			wend_yield();
		wend_sleep(5 * WEND_MILLISECOND);
		forge = true;
		EXPECT_EQ(3, wend_conn_write(c, "bad", 3));
		EXPECT_GT(0, wend_conn_read(c, b, sizeof(b)));
		wend_conn_close(c);
		g.Wait();
		wend_conn_free(left[1]);
		wend_conn_free(right[0]);
	});
}

/* --- below, anything ---------------------------------------------------------------- */

namespace
{

/* A connection that gives one byte at a time, and has no descriptor. */
struct Drip {
	wend_conn conn;
	wend_conn *under;

	static Drip *Of(wend_conn *c)
	{
		return (Drip *)c;
	}
	explicit Drip(wend_conn *u) : under(u)
	{
		static wend_conn_ops ops = {
			[](wend_conn *c) {
				return wend_conn_close_write(Of(c)->under);
			},
			[](wend_conn *c) {
				return wend_conn_close(Of(c)->under);
			},
			[](wend_conn *c) {
				wend_conn_free(Of(c)->under);
				delete Of(c);
			},
			[](wend_conn *c, int64_t d) {
				wend_conn_set_read_deadline(Of(c)->under, d);
			},
			[](wend_conn *c, int64_t d) {
				wend_conn_set_write_deadline(Of(c)->under, d);
			},
			[](wend_conn *) { return -ENOTSUP; },
			[](wend_conn *) { return ""; },
			[](wend_conn *) { return ""; },
		};

		conn.ops = &ops;
		conn.reader.read = [](wend_reader *r, void *buf, size_t n) {
			return wend_conn_read(((Drip *)r)->under, buf,
					      n ? 1 : 0);
		};
		conn.writer.write = [](wend_writer *w, const void *buf,
				       size_t n) {
			auto *d = (Drip *)((char *)w -
					   offsetof(wend_conn, writer));

			return wend_conn_write(d->under, buf, n);
		};
	}
};

} // namespace

TEST_F(NetTls, OverADrip)
{
	Everywhere([] {
		const std::string data = Pattern(20000);
		Config config(true, ServerOpts()), client(false, ClientOpts());
		wend_conn *under[2];
		Conn s, c;
		wt::Group g;

		ASSERT_EQ(0, wend_net_pair(under));
		ASSERT_EQ(0, wend_tls_server(s.Out(), config,
					     &(new Drip(under[0]))->conn));
		ASSERT_EQ(0, wend_tls_client(c.Out(), client,
					     &(new Drip(under[1]))->conn,
					     "test.example"));
		g.Go([&] { ExpectSame(data, ReadAll(s)); });
		EXPECT_EQ((ssize_t)data.size(),
			  wend_conn_write(c, data.data(), data.size()));
		c.Free();
		g.Wait();
	});
}

TEST_F(NetTls, DialAndServe)
{
	Everywhere([] {
		Config config(true, ServerOpts()), client(false, ClientOpts());
		Listener l;
		wt::Group g;
		wend_net_server_opts opts = {};

		opts.wrap = wend_tls_wrap;
		opts.wrap_arg = (wend_tls_config *)config;
		wend_net_server *server = wend_net_server_new(
			[](wend_conn *c, void *) {
				char b[64];
				ssize_t n;

				EXPECT_EQ(-ENOTSUP, wend_conn_fd(c));
				while ((n = wend_conn_read(c, b, sizeof(b))) >
				       0)
					wend_conn_write(c, b, (size_t)n);
			},
			nullptr, &opts);

		g.Go([&] { EXPECT_EQ(0, wend_net_server_serve(server, l)); });
		for (int i = 0; i < 5; i++) {
			Conn c;
			char b[8] = "";

			ASSERT_EQ(0, wend_tls_dial(c.Out(), client, l.Address(),
						   wend_after(kLong), nullptr));
			EXPECT_EQ(4, wend_conn_write(c, "ping", 4));
			EXPECT_EQ(4, wend_conn_read(c, b, sizeof(b)));
			EXPECT_STREQ("ping", b);
			EXPECT_STREQ(l.Address(), wend_conn_remote(c));
			EXPECT_STRNE("", wend_conn_local(c));
		}
		wend_conn *none;
		std::string address = l.Address();

		EXPECT_EQ(0,
			  wend_net_server_shutdown(server, wend_after(kLong)));
		wend_net_server_free(server);
		EXPECT_EQ(-ECONNREFUSED,
			  wend_tls_dial(&none, client, address.c_str(),
					wend_after(kLong), nullptr));
		EXPECT_EQ(-EINVAL, wend_tls_dial(&none, client, "nonsense",
						 wend_after(kLong), nullptr));
	});
}

/* A connection that cannot be wrapped is closed, and the server goes on. */
TEST_F(NetTls, ServesNobodyWithoutAKey)
{
	wt::RunOn(1, [] {
		Config client(false, ClientOpts());
		Listener l;
		wt::Group g;
		wend_net_server_opts opts = {};
		bool handled = false;

		opts.wrap = wend_tls_wrap; /* a client's configuration */
		opts.wrap_arg = (wend_tls_config *)client;
		wend_net_server *server = wend_net_server_new(
			[](wend_conn *, void *arg) {
				*static_cast<bool *>(arg) = true;
			},
			&handled, &opts);

		g.Go([&] { EXPECT_EQ(0, wend_net_server_serve(server, l)); });
		for (int i = 0; i < 3; i++) {
			Conn c;

			ASSERT_EQ(0, wend_net_dial(c.Out(), l.Address(),
						   wend_after(kLong), nullptr));
			EXPECT_EQ("", ReadAll(c));
		}
		wend_net_server_free(server);
		g.Wait();
		EXPECT_FALSE(handled);
	});
}

/* A reset is no end, and says nothing. */
TEST_F(NetTls, ResetIsNoEnd)
{
	wt::RunOn(1, [] {
		Ends e;
		char b[4];

		ASSERT_EQ(Result(0, 0), e.Greet());
		EXPECT_EQ(2, wend_conn_write(e.s, "ab", 2));
		EXPECT_EQ(0, wend_conn_reset(e.s));
		EXPECT_EQ(-ECANCELED, wend_conn_write(e.s, "c", 1));
		EXPECT_EQ(2, wend_conn_read(e.c, b, sizeof(b)));
		EXPECT_EQ(-ECONNRESET, wend_conn_read(e.c, b, sizeof(b)));
	});
}
