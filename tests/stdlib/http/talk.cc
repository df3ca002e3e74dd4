/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk.cc - what the server's tests share.
 */
#include "tests/stdlib/http/talk.h"

#include <gtest/gtest.h>
#include <wend/wend.h>

#include <cstdlib>
#include <cstring>

static void Hello(wend_http_reply *w, wend_http_request *, void *)
{
	wend_http_send(w, 200, "text/plain", "hello\n", 6);
}

static void Echo(wend_http_reply *w, wend_http_request *r, void *)
{
	const char *data;
	ssize_t n = wend_http_body(r, &data);

	if (n >= 0)
		wend_http_send(w, 200, "application/octet-stream", data,
			       (size_t)n);
}

static void Stream(wend_http_reply *w, wend_http_request *r, void *)
{
	char buf[700];
	ssize_t n;

	wend_http_set(w, "X-Kind", "stream");
	while ((n = wend_read(&r->body, buf, sizeof(buf))) > 0)
		if (wend_http_write(w, buf, (size_t)n) < 0)
			return;
}

static void Size(wend_http_reply *w, wend_http_request *r, void *)
{
	long n = strtol(wend_http_param(r, "n"), nullptr, 10);
	const std::string piece(1000, 'x');

	if (n < 0 || n > 1000000) {
		wend_http_error(w, 400, "too many");
		return;
	}
	for (; n > 0; n -= 1000)
		if (wend_http_write(w, piece.data(),
				    n < 1000 ? (size_t)n : 1000) < 0)
			return;
}

static void Params(wend_http_reply *w, wend_http_request *r, void *)
{
	wend_http_printf(w, "%s|%s", wend_http_param(r, "a"),
			 wend_http_param(r, "b"));
}

static void Rest(wend_http_reply *w, wend_http_request *r, void *)
{
	wend_http_printf(w, "%s", wend_http_param(r, "rest"));
}

static void Unread(wend_http_reply *w, wend_http_request *, void *)
{
	wend_http_error(w, 403, nullptr);
}

static void Half(wend_http_reply *w, wend_http_request *, void *)
{
	wend_http_set_length(w, 10);
	wend_http_write(w, "half.", 5);
}

static void Query(wend_http_reply *w, wend_http_request *r, void *)
{
	const char *q = wend_http_query(r, "q");

	wend_http_printf(w, "%s", q ? q : "(none)");
}

wend_http_router *NewRouter()
{
	static const struct {
		const char *pattern;
		wend_http_handler *fn;
	} kRoutes[] = {
		{ "GET /", Hello },          { "GET /hello", Hello },
		{ "POST /echo", Echo },      { "/stream", Stream },
		{ "GET /size/{n}", Size },   { "GET /param/{a}/x/{b}", Params },
		{ "/rest/{rest...}", Rest }, { "/unread", Unread },
		{ "GET /half", Half },       { "GET /query", Query },
	};
	wend_http_router *router = wend_http_router_new();

	for (const auto &r : kRoutes)
		if (wend_http_route(router, r.pattern, r.fn, nullptr) != 0)
			abort();
	return router;
}

Server::Server(wend_http_server_opts opts) : router_(NewRouter())
{
	if (opts.handler == nullptr) {
		opts.handler = wend_http_router_serve;
		opts.arg = router_;
	}
	server_ = wend_http_server_new(&opts);
	if (server_ == nullptr)
		abort();
}

Server::~Server()
{
	wend_http_server_free(server_);
	wend_http_router_free(router_);
}

namespace
{

/* Reads a text strictly; the first thing that is wrong stays as an error. */
class Text
{
      public:
	Text(const std::string &s, std::string *error) : s_(s), error_(error)
	{
	}
	bool AtEnd() const
	{
		return at_ == s_.size();
	}
	bool Wrong(const std::string &what)
	{
		*error_ = what + " at " + std::to_string(at_);
		return false;
	}
	bool Line(std::string *line)
	{
		size_t end = s_.find("\r\n", at_);

		if (end == std::string::npos)
			return Wrong("no end of the line");
		*line = s_.substr(at_, end - at_);
		at_ = end + 2;
		if (line->find_first_of(std::string("\r\n\0", 3)) !=
		    std::string::npos)
			return Wrong("a stray CR, LF or NUL");
		return true;
	}
	bool Bytes(size_t n, std::string *to)
	{
		if (n > s_.size() - at_)
			return Wrong("too short");
		to->append(s_, at_, n);
		at_ += n;
		return true;
	}
	std::string Rest()
	{
		std::string rest = s_.substr(at_);

		at_ = s_.size();
		return rest;
	}

      private:
	const std::string &s_;
	std::string *error_;
	size_t at_ = 0;
};

bool ParseHead(Text *t, Reply *r)
{
	std::string line;

	if (!t->Line(&line))
		return false;
	if (line.size() < 14 || line.compare(0, 9, "HTTP/1.1 ") != 0 ||
	    line.find_first_not_of("0123456789", 9) != 12 || line[12] != ' ')
		return t->Wrong("no status line: " + line);
	r->status = std::atoi(line.c_str() + 9);
	while (t->Line(&line)) {
		size_t colon = line.find(": ");

		if (line.empty())
			return true;
		if (colon == std::string::npos || colon == 0)
			return t->Wrong("no field: " + line);
		for (size_t i = 0; i < colon; i++)
			line[i] = (char)tolower((unsigned char)line[i]);
		if (!r->fields
			     .emplace(line.substr(0, colon),
				      line.substr(colon + 2))
			     .second)
			return t->Wrong("twice: " + line);
	}
	return false;
}

bool ParseChunks(Text *t, Reply *r)
{
	for (;;) {
		std::string line;
		char *end;
		size_t n;

		if (!t->Line(&line))
			return false;
		n = strtoul(line.c_str(), &end, 16);
		if (line.empty() || *end != '\0')
			return t->Wrong("no chunk: " + line);
		if (n > 0 && !t->Bytes(n, &r->body))
			return false;
		if (!t->Line(&line))
			return false;
		if (!line.empty())
			return t->Wrong("no end of a chunk");
		if (n == 0)
			return true;
	}
}

bool ParseBody(Text *t, bool head, Reply *r)
{
	r->chunked = r->Get("transfer-encoding") == "chunked";
	if (r->chunked && r->Has("content-length"))
		return t->Wrong("two lengths");
	if (r->status < 200 || r->status == 204 || r->status == 304) {
		if (r->Has("content-length") || r->chunked)
			return t->Wrong("a length where there is no body");
		return true;
	}
	if (head)
		return true;
	if (r->chunked)
		return ParseChunks(t, r);
	if (r->Has("content-length")) {
		size_t n = strtoul(r->Get("content-length").c_str(), nullptr,
				   10);

		return t->Bytes(n, &r->body);
	}
	if (r->Get("connection") != "close")
		return t->Wrong("no length");
	r->body = t->Rest();
	return true;
}

} // namespace

bool ParseReplies(const std::string &text, const std::vector<bool> &heads,
		  std::vector<Reply> *replies, std::string *error)
{
	Text t(text, error);
	size_t count = 0;
	bool closed = false;

	while (!t.AtEnd()) {
		Reply r;

		if (closed)
			return t.Wrong("more after \"close\"");
		if (!ParseHead(&t, &r) ||
		    !ParseBody(&t, count < heads.size() && heads[count], &r))
			return false;
		count += r.status >= 200;
		closed = r.Get("connection") == "close";
		replies->push_back(r);
	}
	return true;
}

std::vector<Reply> Replies(const MemConn &c, const std::vector<bool> &heads)
{
	std::vector<Reply> replies;
	std::string error;

	EXPECT_TRUE(ParseReplies(c.output(), heads, &replies, &error))
		<< error << "\n"
		<< c.output();
	return replies;
}

std::vector<Reply> Talk(wend_http_server *s, const std::string &input,
			const std::vector<bool> &heads)
{
	MemConn c(input);

	wend_http_serve_conn(s, c.conn());
	EXPECT_TRUE(c.closed());
	return Replies(c, heads);
}

std::string Get(const std::string &path, const std::string &more)
{
	return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

std::string Post(const std::string &path, const std::string &body,
		 const std::string &more)
{
	return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
	       std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}
