/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial_test.cc - of a host's many addresses the one that answers. The resolver
 * is this test's: "test-host" has the addresses that a test has set.
 */
#include "tests/stdlib/net/net_util.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

using namespace net;

namespace
{

std::vector<std::string> addresses; /* one at least, or a failure */
int failure;                        /* of the resolver */
std::atomic<bool> held{ false };    /* it does not answer */
std::atomic<int> asking{ 0 };

} // namespace

extern "C" {
int __real_getaddrinfo(const char *host, const char *port,
		       const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *host, const char *port,
		       const struct addrinfo *hints, struct addrinfo **list);

/* The list is put together from the C library's own lists of one, which
 * freeaddrinfo() frees one by one. */
int __wrap_getaddrinfo(const char *host, const char *port,
		       const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo **end = list;

	if (!host || strcmp(host, "test-host") != 0 ||
	    (hints->ai_flags & AI_NUMERICHOST))
		return __real_getaddrinfo(host, port, hints, list);
	asking++;
	while (held)
		wend_yield();
	asking--;
	if (failure)
		return failure;
	for (const std::string &text : addresses) {
		struct addrinfo numeric = *hints;
		auto colon = text.rfind(':');
		std::string h = text.substr(0, colon);

		if (h[0] == '[')
			h = h.substr(1, h.size() - 2);
		numeric.ai_flags |= AI_NUMERICHOST;
		int r = __real_getaddrinfo(h.c_str(),
					   text.substr(colon + 1).c_str(),
					   &numeric, end);
		if (r)
			return r;
		end = &(*end)->ai_next;
	}
	return 0;
}
}

namespace
{

class NetDial : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
		addresses.clear();
		failure = 0;
		held = false;
	}
};

/* A port that does not answer: its queue of connections is full. */
class Blackhole
{
      public:
	explicit Blackhole(const char *address)
	{
		wend_net_addr a;

		EXPECT_EQ(0, wend_net_addr_parse(&a, address));
		fd_ = socket(a.sa.ss_family, SOCK_STREAM, 0);
		EXPECT_EQ(0, bind(fd_, (struct sockaddr *)&a.sa, a.size));
		EXPECT_EQ(0, listen(fd_, 0));
		a.size = sizeof(a.sa);
		getsockname(fd_, (struct sockaddr *)&a.sa, &a.size);
		char text[WEND_NET_TEXT];
		wend_net_addr_text(&a, text, sizeof(text));
		address_ = text;
		for (int &fd : full_) {
			fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK,
				    0);
			(void)connect(fd, (struct sockaddr *)&a.sa, a.size);
		}
	}
	~Blackhole()
	{
		for (int fd : full_)
			close(fd);
		close(fd_);
	}
	const std::string &Address() const
	{
		return address_;
	}

      private:
	int fd_;
	int full_[8];
	std::string address_;
};

/* A port of loopback that refuses. */
std::string Refusing()
{
	Listener l;

	return l.Address();
}

int Dial(wend_conn **c, int64_t deadline = wend_after(kLong),
	 const wend_net_opts *opts = nullptr)
{
	return wend_net_dial(c, "test-host:1", deadline, opts);
}

} // namespace

TEST_F(NetDial, TheFirstIsIt)
{
	Everywhere([] {
		Listener a, b;
		Conn c, got;

		addresses = { a.Address(), b.Address() };
		ASSERT_EQ(0, Dial(c.Out()));
		EXPECT_STREQ(a.Address(), wend_conn_remote(c));
		EXPECT_EQ(0, wend_net_accept(a, got.Out()));
		/* No attempt at the other one. */
		wend_conn *none;

		EXPECT_EQ(-ETIMEDOUT, wend_net_accept_until(b, &none, 0));
	});
}

TEST_F(NetDial, PastABlackhole)
{
	Everywhere([] {
		Blackhole hole("127.0.0.1:0");
		wend_net_opts opts = {};
		Listener l;
		Conn c;

		opts.stagger = 5 * WEND_MILLISECOND;
		addresses = { hole.Address(), l.Address() };
		int64_t begin = wend_now();

		ASSERT_EQ(0, Dial(c.Out(), wend_after(kLong), &opts));
		/* Not before the first has had its time. */
		EXPECT_GE(wend_now() - begin, opts.stagger);
		EXPECT_STREQ(l.Address(), wend_conn_remote(c));
	});
}

/* With the default, too: a quarter of a second. */
TEST_F(NetDial, PastABlackholeByDefault)
{
	wt::RunOn(1, [] {
		Blackhole hole("127.0.0.1:0");
		Listener l;
		Conn c;

		addresses = { hole.Address(), l.Address() };
		int64_t begin = wend_now();

		ASSERT_EQ(0, Dial(c.Out()));
		EXPECT_GE(wend_now() - begin, 250 * WEND_MILLISECOND);
		EXPECT_STREQ(l.Address(), wend_conn_remote(c));
	});
}

/* A failure starts the next at once: an hour's stagger is not waited for. */
TEST_F(NetDial, PastARefusal)
{
	Everywhere([] {
		wend_net_opts opts = {};
		Listener l;
		Conn c;

		opts.stagger = 3600 * WEND_SECOND;
		addresses = { Refusing(), Refusing(), l.Address() };
		ASSERT_EQ(0, Dial(c.Out(), wend_after(kLong), &opts));
		EXPECT_STREQ(l.Address(), wend_conn_remote(c));
	});
}

/* More addresses than are tried at once, most of them dead. */
TEST_F(NetDial, ManyDead)
{
	Everywhere([] {
		Blackhole hole("127.0.0.1:0");
		wend_net_opts opts = {};
		Listener l;
		Conn c;

		opts.stagger = WEND_MILLISECOND;
		addresses.assign(7, hole.Address());
		addresses.push_back(l.Address());
		ASSERT_EQ(0, Dial(c.Out(), wend_after(kLong), &opts));
		EXPECT_STREQ(l.Address(), wend_conn_remote(c));
		/* Eight that do not answer keep the ninth waiting. */
		addresses.assign(9, hole.Address());
		addresses.push_back(l.Address());
		EXPECT_EQ(-ETIMEDOUT,
			  Dial(Conn().Out(), wend_after_ms(40), &opts));
	});
}

/* IPv6 and IPv4 by turns, whatever the order of the resolver. */
TEST_F(NetDial, FamiliesByTurns)
{
	wt::Run([] {
		wend_net_listener *probe;

		if (wend_net_listen(&probe, "[::1]:0", nullptr) < 0) {
			GTEST_SKIP() << "no IPv6 here";
		}
		wend_net_listener_free(probe);
		Blackhole a("[::1]:0"), b("[::1]:0");
		wend_net_opts opts = {};
		Listener l;
		Conn c;

		/* The third address is second; so the second is never tried. */
		opts.stagger = 20 * WEND_MILLISECOND;
		addresses = { a.Address(), b.Address(), l.Address() };
		int64_t begin = wend_now();

		ASSERT_EQ(0, Dial(c.Out(), wend_after(kLong), &opts));
		EXPECT_STREQ(l.Address(), wend_conn_remote(c));
		EXPECT_GE(wend_now() - begin, opts.stagger);
	});
}

TEST_F(NetDial, AllFail)
{
	Everywhere([] {
		wend_conn *c;

		addresses = { Refusing(), "192.0.2.1:0" };
		EXPECT_EQ(-ECONNREFUSED, Dial(&c));
		EXPECT_EQ(nullptr, c);
	});
}

TEST_F(NetDial, ADeadlineForAll)
{
	Everywhere([] {
		Blackhole hole("127.0.0.1:0");
		wend_conn *c;

		addresses = { hole.Address(), hole.Address() };
		EXPECT_EQ(-ETIMEDOUT, Dial(&c, wend_after_ms(5)));
		EXPECT_EQ(nullptr, c);
	});
}

/* A resolver that does not answer is left behind. */
TEST_F(NetDial, TheResolverHangs)
{
	Everywhere([] {
		wend_conn *c;

		addresses = { "127.0.0.1:1" };
		held = true;
		EXPECT_EQ(-ETIMEDOUT, Dial(&c, wend_after_ms(5)));
		held = false;
		while (asking)
			wend_yield();
	});
}

TEST_F(NetDial, TheResolverFails)
{
	const int cases[][2] = { { EAI_NONAME, -ENOENT },
				 { EAI_AGAIN, -EAGAIN },
				 { EAI_MEMORY, -ENOMEM },
				 { EAI_FAIL, -EIO } };

	for (auto &one : cases) {
		failure = one[0];
		wt::RunOn(1, [&] {
			wend_conn *c;

			EXPECT_EQ(one[1], Dial(&c));
		});
	}
}

TEST_F(NetDial, Cancelled)
{
	wt::Run([] {
		Blackhole hole("127.0.0.1:0");
		wt::Group g;

		addresses = { hole.Address() };
		wend_task *t = g.Go(
			[&] {
				wend_conn *c;

				EXPECT_EQ(-ECANCELED, Dial(&c));
			},
			"dials");
		wt::AwaitWaiting("dials");
		wend_task_cancel(t);
		g.Wait();
	});
}

TEST_F(NetDial, FromAnAddress)
{
	Everywhere([] {
		wend_net_opts opts = {};
		Listener l;
		Conn c;

		opts.local = "127.0.0.5:0";
		ASSERT_EQ(0, wend_net_dial(c.Out(), l.Address(),
					   wend_after(kLong), &opts));
		EXPECT_EQ(0, strncmp("127.0.0.5:", wend_conn_local(c), 10));
		wend_conn *none;

		opts.local = "192.0.2.1:0";
		EXPECT_EQ(-EADDRNOTAVAIL,
			  wend_net_dial(&none, l.Address(), wend_after(kLong),
					&opts));
		opts.local = "[::1]:0";
		EXPECT_EQ(-EAFNOSUPPORT,
			  wend_net_dial(&none, l.Address(), wend_after(kLong),
					&opts));
	});
}

/* A Unix listener whose queue is full: waited for. */
TEST_F(NetDial, AFullUnixQueue)
{
	Everywhere([] {
		Dir dir;
		std::string path = dir.File("full");
		wend_net_opts opts = {};
		std::vector<wend_conn *> conns;
		wend_conn *c;

		opts.backlog = 1;
		Listener l(path.c_str(), &opts);

		while (wend_net_dial(&c, path.c_str(), wend_after_ms(5),
				     nullptr) == 0)
			conns.push_back(c);
		EXPECT_EQ(-ETIMEDOUT, wend_net_dial(&c, path.c_str(),
						    wend_after_ms(2), nullptr));
		wt::Group g;

		g.Go([&] {
			Conn one;

			wend_sleep(2 * WEND_MILLISECOND);
			EXPECT_EQ(0, wend_net_accept(l, one.Out()));
		});
		EXPECT_EQ(0, wend_net_dial(&c, path.c_str(), wend_after(kLong),
					   nullptr));
		wend_conn_free(c);
		g.Wait();
		for (wend_conn *one : conns)
			wend_conn_free(one);
	});
}
