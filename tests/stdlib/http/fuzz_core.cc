/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_core.cc - any bytes as what a client sends, or a server.
 */
#include "tests/stdlib/http/fuzz_core.h"

#include <wend/std/http_client.h>
#include <wend/wend.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/stdlib/http/talk.h"

namespace
{

constexpr int64_t kMaxBody = 20000;
constexpr size_t kMaxFields = 20;

struct Seen {
	std::vector<bool> heads; /* for each reply, whether it is to HEAD */
	std::string wrong;
	int requests = 0;
};

bool IsClean(const char *text)
{
	return strpbrk(text, "\r\n") == nullptr;
}

/* Around every handler. */
void Look(wend_http_reply *w, wend_http_request *r, void *arg)
{
	Seen *seen = static_cast<Seen *>(arg);
	const char *texts[] = { r->method, r->path, r->raw_path, r->host,
				r->query ? r->query : "" };

	seen->requests++;
	/* A path is decoded: it may have anything in it. */
	for (const char *t : texts)
		if (t == nullptr || (t != r->path && !IsClean(t)))
			seen->wrong = "the target";
	if (r->scheme && strcmp(r->scheme, "http") != 0 &&
	    strcmp(r->scheme, "https") != 0)
		seen->wrong = "the scheme";
	if (r->field_count > kMaxFields)
		seen->wrong = "too many fields";
	for (size_t i = 0; i < r->field_count; i++) {
		const char *v = r->fields[i].value;

		if (r->fields[i].name[0] == '\0' ||
		    !IsClean(r->fields[i].name) ||
		    strpbrk(r->fields[i].name, " \t:") != nullptr ||
		    !IsClean(v) || v[0] == ' ' || v[0] == '\t')
			seen->wrong = "a field";
	}
	if (r->length > kMaxBody || r->length < -1)
		seen->wrong = "the length";
	wend_http_next(w, r);
}

/* The body, counted. */
void Count(wend_http_reply *w, wend_http_request *r, void *arg)
{
	Seen *seen = static_cast<Seen *>(arg);
	int64_t n = 0;
	char buf[100];
	ssize_t got;

	while ((got = wend_read(&r->body, buf, sizeof(buf))) > 0)
		n += got;
	if (n > kMaxBody || (r->length >= 0 && n > r->length) ||
	    (got == 0 && r->length >= 0 && n != r->length))
		seen->wrong = "the body";
	wend_http_printf(w, "%lld", (long long)n);
}

class Target
{
      public:
	Target() : inner_(NewRouter()), outer_(wend_http_router_new())
	{
		wend_http_server_opts o = {};

		if (wend_http_use(outer_, Look, &seen_) != 0 ||
		    wend_http_route(outer_, "/half", Count, &seen_) != 0 ||
		    wend_http_route(outer_, "/count", Count, &seen_) != 0 ||
		    wend_http_route(outer_, "/{all...}", wend_http_router_serve,
				    inner_) != 0)
			abort();
		o.handler = wend_http_router_serve;
		o.arg = outer_;
		o.max_target = 200;
		o.max_head = 1000;
		o.max_fields = kMaxFields;
		o.max_body = kMaxBody;
		o.done_arg = &seen_;
		o.done = [](const wend_http_record *r, void *arg) {
			static_cast<Seen *>(arg)->heads.push_back(
				strcmp(r->method, "HEAD") == 0);
		};
		server_ = wend_http_server_new(&o);
		if (server_ == nullptr)
			abort();
	}
	~Target()
	{
		wend_http_server_free(server_);
		wend_http_router_free(outer_);
		wend_http_router_free(inner_);
	}

	/* Serve, and check; the output without its dates. */
	std::string Serve(MemConn *c, std::string *wrong)
	{
		std::vector<Reply> replies;
		std::string out, error;
		size_t final = 0;

		seen_ = {};
		wend_http_serve_conn(server_, c->conn());
		if (!seen_.wrong.empty())
			*wrong = seen_.wrong;
		else if (!c->closed())
			*wrong = "not closed";
		else if (!ParseReplies(c->output(), seen_.heads, &replies,
				       &error))
			*wrong = error;
		for (auto &r : replies) {
			final += r.status >= 200;
			if (r.status >= 200 && r.status < 400 &&
			    final > (size_t)seen_.requests)
				*wrong = "an answer too many";
		}
		out = c->output();
		for (size_t at = 0;
		     (at = out.find("\r\nDate: ", at)) != std::string::npos;)
			out.erase(at, 8 + 29);
		return out;
	}

      private:
	Seen seen_;
	wend_http_router *inner_, *outer_;
	wend_http_server *server_;
};

/* Where the last reply of an output begins, if it is a refusal of what is
 * malformed or too large. */
size_t Refusal(const std::string &out)
{
	size_t at = out.rfind("HTTP/1.1 4");

	for (const char *status : { "400", "413", "414", "431" })
		if (at != std::string::npos &&
		    out.compare(at + 9, 3, status) == 0)
			return at;
	return std::string::npos;
}

/* The same; but what is wrong in two ways may be refused for either. */
bool IsSame(const std::string &a, const std::string &b)
{
	size_t at = Refusal(a);

	return a == b || (at != std::string::npos && at == Refusal(b) &&
			  a.compare(0, at, b, 0, at) == 0);
}

/* Sizes of pieces that depend on nothing but the input. */
std::function<size_t(unsigned)> Pieces(const std::string &input)
{
	uint32_t hash = 2166136261u;

	for (unsigned char c : input)
		hash = (hash ^ c) * 16777619u;
	return [hash](unsigned n) -> size_t {
		uint32_t x = (hash ^ n) * 2654435761u;

		return (x >> 28) < 8 ? 1 + (x >> 8) % 5 : 1 + (x >> 8) % 300;
	};
}

Target &TheTarget()
{
	/* Never destroyed: a leak only of what the process has once. */
	static Target *target = new Target;

	return *target;
}

} // namespace

std::string FuzzServer(const std::string &input)
{
	MemConn whole(input), cut(input), bytes(input);
	std::string wrong, once, twice;

	once = TheTarget().Serve(&whole, &wrong);
	if (!wrong.empty())
		return wrong + ":\n" + whole.output();
	cut.piece = Pieces(input);
	twice = TheTarget().Serve(&cut, &wrong);
	if (wrong.empty() && IsSame(once, twice)) {
		bytes.piece = [](unsigned) { return 1; };
		twice = TheTarget().Serve(&bytes, &wrong);
	}
	if (wrong.empty() && !IsSame(once, twice))
		wrong = "it depends on the pieces";
	return wrong.empty() ? "" : wrong + ":\n" + once + "\nor\n" + twice;
}

/* --- the client --------------------------------------------------------- */

namespace
{

struct Answer {
	int err = 0;
	int status = 0;
	ssize_t size = 0;
	std::string body;
	/* What is wrong in two ways may be refused for either. */
	static bool IsWrong(ssize_t e)
	{
		return e == -EPROTO || e == -EMSGSIZE || e == -EBADMSG;
	}
	bool operator==(const Answer &o) const
	{
		return (err == o.err || (IsWrong(err) && IsWrong(o.err))) &&
		       status == o.status && body == o.body &&
		       (size == o.size || (IsWrong(size) && IsWrong(o.size)));
	}
};

Answer Ask(MemConn *server, std::string *wrong)
{
	wend_http_client_opts o = {};
	wend_http_response *r;
	wend_http_client *c;
	Answer a;
	char *body;

	o.dial = [](void *arg, const char *, const char *, bool, int64_t,
		    wend_conn **conn) {
		*conn = static_cast<MemConn *>(arg)->conn();
		return 0;
	};
	o.dial_arg = server;
	o.max_head = 1000;
	o.max_fields = kMaxFields;
	o.max_body = kMaxBody;
	o.max_redirects = -1;
	c = wend_http_client_new(&o);
	if (c == nullptr)
		abort();
	a.err = wend_http_get(c, "http://x/", WEND_FOREVER, &r);
	if (a.err == 0) {
		a.status = r->status;
		for (size_t i = 0; i < r->field_count; i++)
			if (!IsClean(r->fields[i].name) ||
			    !IsClean(r->fields[i].value))
				*wrong = "a field";
		a.size = wend_http_read_all(r, SIZE_MAX, &body);
		if (a.size >= 0) {
			a.body.assign(body, (size_t)a.size);
			free(body);
			if (r->length >= 0 && a.size != r->length &&
			    a.status != 204 && a.status != 304)
				*wrong = "the length";
			if (a.size > kMaxBody)
				*wrong = "above the limit";
		}
		if (a.status < 200)
			*wrong = "a status below 200";
		wend_http_response_free(r);
	}
	wend_http_client_free(c);
	if (!server->closed())
		*wrong = "not closed";
	return a;
}

} // namespace

std::string FuzzClient(const std::string &input)
{
	MemConn whole(input), cut(input), bytes(input);
	std::string wrong;
	Answer once = Ask(&whole, &wrong), twice;

	cut.piece = Pieces(input);
	bytes.piece = [](unsigned) { return 1; };
	twice = Ask(&cut, &wrong);
	if (wrong.empty() && once == twice)
		twice = Ask(&bytes, &wrong);
	if (wrong.empty() && !(once == twice))
		wrong = "it depends on the pieces: " +
			std::to_string(once.err) + " " +
			std::to_string(once.status) + " " +
			std::to_string(once.size) + ", " +
			std::to_string(twice.err) + " " +
			std::to_string(twice.status) + " " +
			std::to_string(twice.size);
	return wrong;
}
