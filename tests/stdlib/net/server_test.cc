/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_test.cc - serving, its limits, and its end.
 */
#include "tests/stdlib/net/net_util.h"

using namespace net;

namespace
{

class NetServer : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
	}
};

void Echo(wend_conn *c, void *)
{
	char buf[1024];
	ssize_t n;

	while ((n = wend_conn_read(c, buf, sizeof(buf))) > 0)
		if (wend_conn_write(c, buf, (size_t)n) < 0)
			break;
}

/* A server that serves one listener, in a task. */
class Server
{
      public:
	explicit Server(wend_net_handler handler = Echo, void *arg = nullptr,
			const wend_net_server_opts *opts = nullptr)
		: s_(wend_net_server_new(handler, arg, opts))
	{
		EXPECT_NE(nullptr, s_);
		g_.Go([this] { result_ = wend_net_server_serve(s_, l_); });
	}
	~Server()
	{
		wend_net_server_free(s_);
		g_.Wait();
		EXPECT_EQ(0, result_);
	}
	operator wend_net_server *() const
	{
		return s_;
	}
	wend_conn *Dial()
	{
		wend_conn *c = nullptr;

		EXPECT_EQ(0, wend_net_dial(&c, l_.Address(), wend_after(kLong),
					   nullptr));
		return c;
	}
	Listener l_;

      private:
	wend_net_server *s_;
	wt::Group g_;
	int result_ = 1;
};

void Ping(wend_conn *c)
{
	char b = 0;

	EXPECT_EQ(1, wend_conn_write(c, "p", 1));
	EXPECT_EQ(1, wend_conn_read(c, &b, 1));
	EXPECT_EQ('p', b);
}

} // namespace

TEST_F(NetServer, ServesAndEnds)
{
	Everywhere([] {
		Server s;
		std::vector<wend_conn *> clients;

		for (int i = 0; i < 20; i++)
			clients.push_back(s.Dial());
		for (wend_conn *c : clients)
			Ping(c);
		EXPECT_EQ(20u, wend_net_server_conns(s));
		EXPECT_FALSE(wend_net_server_stopping(s));
		for (wend_conn *c : clients)
			wend_conn_free(c);
		EXPECT_EQ(0, wend_net_server_shutdown(s, wend_after(kLong)));
		EXPECT_EQ(0u, wend_net_server_conns(s));
		EXPECT_TRUE(wend_net_server_stopping(s));
		wend_conn *none;

		EXPECT_EQ(-ECONNREFUSED,
			  wend_net_dial(&none, s.l_.Address(),
					wend_after(kLong), nullptr));
		EXPECT_EQ(0, wend_net_server_shutdown(s, 0));
	});
}

/* Those under way end as they want, before the deadline. */
TEST_F(NetServer, WaitsForHandlers)
{
	Everywhere([] {
		Server s;
		Conn c(s.Dial());
		wt::Group g;

		Ping(c);
		g.Go([&] {
			EXPECT_EQ(0, wend_net_server_shutdown(
					     s, wend_after(kLong)));
		});
		while (!wend_net_server_stopping(s))
			wend_yield();
		Ping(c);
		EXPECT_EQ(0, wend_conn_close_write(c));
		EXPECT_EQ("", ReadAll(c));
		g.Wait();
	});
}

TEST_F(NetServer, ClosesTheRest)
{
	Everywhere([] {
		Server s;
		Conn c(s.Dial());

		Ping(c);
		EXPECT_EQ(-ETIMEDOUT,
			  wend_net_server_shutdown(s, wend_after_ms(2)));
		EXPECT_EQ("", ReadAll(c));
		EXPECT_EQ(0, wend_net_server_shutdown(s, wend_after(kLong)));
	});
}

namespace
{
struct Told {
	std::atomic<int> count{ 0 };
};
} // namespace

/* A handler's silent connections are told. */
TEST_F(NetServer, TellsHandlers)
{
	Everywhere([] {
		Told told;
		wend_net_server_opts opts = {};

		opts.stopping = [](wend_conn *c, void *arg) {
			((Told *)arg)->count++;
			wend_conn_set_read_deadline(c, 0);
		};
		opts.name = "told";
		opts.stack_size = 64 << 10;
		Server s(Echo, &told, &opts);
		Conn a(s.Dial()), b(s.Dial());

		Ping(a);
		Ping(b);
		EXPECT_EQ(0, wend_net_server_shutdown(s, wend_after(kLong)));
		EXPECT_EQ(2, told.count);
	});
}

TEST_F(NetServer, NoMoreThanItMay)
{
	Everywhere([] {
		struct Seen {
			std::atomic<int> now{ 0 }, most{ 0 }, all{ 0 };
		} seen;
		wend_net_server_opts opts = {};

		opts.max_conns = 3;
		Server s(
			[](wend_conn *c, void *arg) {
				auto *v = (Seen *)arg;
				int n = ++v->now;
				int most = v->most;

				while (n > most &&
				       !v->most.compare_exchange_weak(most, n))
					;
				Echo(c, nullptr);
				v->now--;
				v->all++;
			},
			&seen, &opts);
		{
			wt::Group g;

			for (int i = 0; i < 12; i++)
				g.Go([&] {
					Conn c(s.Dial());

					Ping(c);
				});
		}
		EXPECT_EQ(0, wend_net_server_shutdown(s, wend_after(kLong)));
		EXPECT_LE(seen.most, 3);
		EXPECT_EQ(12, seen.all);
	});
}

/* Shut down while it has no room and somebody waits for some. */
TEST_F(NetServer, EndsWhileFull)
{
	Everywhere([] {
		wend_net_server_opts opts = {};

		opts.max_conns = 1;
		Server s(Echo, nullptr, &opts);
		Conn a(s.Dial()), b(s.Dial());

		Ping(a);
		EXPECT_EQ(-ETIMEDOUT,
			  wend_net_server_shutdown(s, wend_after_ms(1)));
	});
}

/* Out of descriptors: who is connected is served, who is not waits. */
TEST_F(NetServer, OutOfDescriptors)
{
	Everywhere([] {
		Server s;
		Conn early(s.Dial());

		Ping(early);
		int fds[8];

		/* The client's end is there before there are no more. */
		wend_net_addr a;
		ASSERT_EQ(0, wend_net_addr_parse(&a, s.l_.Address()));
		for (int &fd : fds)
			fd = socket(AF_INET, SOCK_STREAM, 0);
		{
			FewDescriptors few(0);

			for (int fd : fds)
				ASSERT_EQ(0,
					  connect(fd, (struct sockaddr *)&a.sa,
						  a.size));
			for (int i = 0; i < 5; i++) {
				Ping(early);
				wend_sleep(2 * WEND_MILLISECOND);
			}
			/* A thread that waits has a descriptor, which one of
			 * them may get when it ends. */
			EXPECT_LT(wend_net_server_conns(s), 9u);
		}
		for (int fd : fds) {
			Conn late;

			ASSERT_EQ(0, wend_net_from_fd(late.Out(), fd));
			Ping(late);
		}
		Ping(early);
	});
}

TEST_F(NetServer, ListenersOfTheirOwn)
{
	Everywhere([] {
		Server s;
		Listener more;
		wt::Group g;
		std::atomic<int> result{ 1 };

		g.Go([&] { result = wend_net_server_serve(s, more); });
		{
			wend_conn *c;

			ASSERT_EQ(0, wend_net_dial(&c, more.Address(),
						   wend_after(kLong), nullptr));
			Ping(c);
			wend_conn_free(c);
		}
		/* Closed by somebody else: the other one goes on. */
		wend_net_listener_close(more);
		g.Wait();
		EXPECT_EQ(-ECANCELED, result);
		Conn c(s.Dial());

		Ping(c);
		c.Free();
		EXPECT_EQ(0, wend_net_server_shutdown(s, wend_after(kLong)));
		/* What comes too late is not served. */
		Listener late;

		EXPECT_EQ(0, wend_net_server_serve(s, late));
	});
	wend_net_server_free(nullptr);
}

/* Connections come while it ends; none is lost, and nothing leaks. */
TEST_F(NetServer, EndsInAStorm)
{
	constexpr int kRounds = wt::kSanitized ? 5 : 20;

	wt::Run([] {
		for (int i = 0; i < kRounds; i++) {
			Server s;
			std::atomic<bool> over{ false };
			wt::Group g;

			for (int k = 0; k < 4; k++)
				g.Go([&] {
					while (!over) {
						wend_conn *c;

						if (wend_net_dial(
							    &c, s.l_.Address(),
							    wend_after(kLong),
							    nullptr) < 0)
							break;
						wend_conn_write(c, "x", 1);
						char b;

						wend_conn_read(c, &b, 1);
						wend_conn_free(c);
					}
				});
			wend_sleep(WEND_MILLISECOND * (i % 4));
			(void)!wend_net_server_shutdown(
				s, i % 2 ? 0 : wend_after_ms(1));
			over = true;
			g.Wait();
		}
	});
}
