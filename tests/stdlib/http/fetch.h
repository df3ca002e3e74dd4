/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h - our HTTP client as the tests use it: a call, and all of its answer.
 */
#ifndef TESTS_STDLIB_HTTP_FETCH_H
#define TESTS_STDLIB_HTTP_FETCH_H

#include <stdlib.h>
#include <wend/std/http_client.h>
#include <wend/wend.h>

#include <string>

inline int64_t Soon()
{
	return wend_after(60 * WEND_SECOND);
}

/* What a call came to. size: of the body, or -errno. */
struct Got {
	int err = 0, status = 0;
	std::string url, body;
	ssize_t size = 0;
};

/* Frees the client in the end; who derives from it makes one. */
class Fetcher
{
      public:
	Got Do(wend_http_call call, int64_t deadline = Soon())
	{
		wend_http_response *r;
		Got g;
		char *body;

		g.err = wend_http_do(c_, &call, deadline, &r);
		if (g.err != 0)
			return g;
		g.status = r->status;
		g.url = r->url;
		g.size = wend_http_read_all(r, 10000000, &body);
		if (g.size >= 0) {
			g.body.assign(body, (size_t)g.size);
			free(body);
		}
		wend_http_response_free(r);
		return g;
	}
	Got Get(const std::string &url, int64_t deadline = Soon())
	{
		wend_http_call call = {};

		call.url = url.c_str();
		return Do(call, deadline);
	}

      protected:
	Fetcher() = default;
	Fetcher(const Fetcher &) = delete;
	~Fetcher()
	{
		Close();
	}
	/* Before what it dials with ends. */
	void Close()
	{
		wend_http_client_free(c_);
		c_ = nullptr;
	}
	wend_http_client *c_ = nullptr;
};

#endif
