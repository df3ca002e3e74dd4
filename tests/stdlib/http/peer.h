/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - a client of the server's tests, over a socket, byte by byte.
 */
#ifndef TESTS_STDLIB_HTTP_PEER_H
#define TESTS_STDLIB_HTTP_PEER_H

#include <poll.h>
#include <wend/std/net.h>
#include <wend/wend.h>

#include <string>
#include <vector>

#include "tests/stdlib/http/fetch.h"
#include "tests/stdlib/http/talk.h"
#include "tests/support/wt.h"

/* A client's end of a connection that is being served. */
class Peer
{
      public:
	enum Kind { kUnix, kTcp };

	explicit Peer(wend_http_server *s, Kind kind = kUnix)
	{
		if (kind == kUnix)
			EXPECT_EQ(0, wend_net_pair(pair_));
		else
			Connect();
		wend_conn_set_deadline(pair_[0], Soon());
		group_.Go([this,
			   s] { result_ = wend_http_serve_conn(s, pair_[1]); },
			  "serves");
	}
	~Peer()
	{
		wend_conn_close(pair_[0]);
		group_.Wait();
		wend_conn_free(pair_[0]);
		wend_conn_free(pair_[1]);
	}
	bool Send(const std::string &s)
	{
		return wend_conn_write(pair_[0], s.data(), s.size()) ==
		       (ssize_t)s.size();
	}
	/* All that it says until it hangs up, or how it ends else. */
	std::string Rest(ssize_t end = 0)
	{
		std::string all;
		char buf[4096];
		ssize_t n;

		while ((n = wend_conn_read(pair_[0], buf, sizeof(buf))) > 0)
			all.append(buf, (size_t)n);
		EXPECT_EQ(end, n);
		return all;
	}
	/* Until this has come. */
	std::string Until(const std::string &what)
	{
		std::string all;
		char byte;

		while (all.find(what) == std::string::npos &&
		       wend_conn_read(pair_[0], &byte, 1) == 1)
			all += byte;
		return all;
	}
	bool HasAnswer()
	{
		pollfd f = { wend_conn_fd(pair_[0]), POLLIN, 0 };

		return poll(&f, 1, 0) == 1;
	}
	wend_conn *conn()
	{
		return pair_[0];
	}
	int Result()
	{
		group_.Wait();
		return result_;
	}

      private:
	void Connect()
	{
		wend_net_listener *l;

		EXPECT_EQ(0, wend_net_listen(&l, "127.0.0.1:0", nullptr));
		EXPECT_EQ(0,
			  wend_net_dial(&pair_[0], wend_net_listener_address(l),
					Soon(), nullptr));
		EXPECT_EQ(0, wend_net_accept(l, &pair_[1]));
		wend_net_listener_free(l);
	}
	wend_conn *pair_[2];
	int result_ = 1;
	wt::Group group_;
};

inline std::vector<Reply> Parse(const std::string &text)
{
	std::vector<Reply> replies;
	std::string error;

	EXPECT_TRUE(ParseReplies(text, {}, &replies, &error)) << error << "\n"
							      << text;
	return replies;
}

#endif
