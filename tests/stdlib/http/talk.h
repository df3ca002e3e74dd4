/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk.h - what the server's tests share: handlers, and reading replies.
 */
#ifndef TESTS_STDLIB_HTTP_TALK_H
#define TESTS_STDLIB_HTTP_TALK_H

#include <wend/std/http_server.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/stdlib/http/mem_conn.h"

struct Reply {
	int status = 0;
	std::map<std::string, std::string> fields; /* names in lower case */
	std::string body;
	bool chunked = false;

	bool Has(const std::string &name) const
	{
		return fields.count(name) != 0;
	}
	std::string Get(const std::string &name) const
	{
		auto f = fields.find(name);

		return f == fields.end() ? "" : f->second;
	}
};

/*
 * Take what a server has written apart, strictly: each reply complete, nothing
 * between them. heads says which of them (100s not counted) answer HEAD. false:
 * something is wrong, and error says what. A reply without a length ends with
 * the text.
 */
bool ParseReplies(const std::string &text, const std::vector<bool> &heads,
		  std::vector<Reply> *replies, std::string *error);

/*
 * Routes that use most of the server:
 *	/hello, /		a small reply
 *	/echo			the body, read at once
 *	/stream			the body, read and written piece by piece
 *	/size/{n}		n bytes, written in pieces of 1000
 *	/param/{a}/x/{b}	the parameters
 *	/rest/{rest...}		the rest
 *	/unread			a reply without a look at the body
 *	/half			says 10 bytes and writes 5
 *	/query			?q=
 */
wend_http_router *NewRouter();

/* A server with these routes, or handler, and what the test changes. */
class Server
{
      public:
	explicit Server(wend_http_server_opts opts = {});
	~Server();
	operator wend_http_server *() const
	{
		return server_;
	}

      private:
	wend_http_router *router_;
	wend_http_server *server_;
};

/* Serve one connection over which this comes: what the server says. A wrong
 * reply fails the test. */
std::vector<Reply> Talk(wend_http_server *s, const std::string &input,
			const std::vector<bool> &heads = {});
std::vector<Reply> Replies(const MemConn &c,
			   const std::vector<bool> &heads = {});

/* "GET / HTTP/1.1\r\nHost: x\r\n" + more + "\r\n" */
std::string Get(const std::string &path, const std::string &more = "");
std::string Post(const std::string &path, const std::string &body,
		 const std::string &more = "");

#endif
