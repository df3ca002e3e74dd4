/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_test.cc - static files: what is served, what is not, ranges, conditions.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wend/std/net.h>
#include <wend/wend.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "stdlib/net/http/files.h"
#include "tests/stdlib/http/talk.h"
#include "tests/support/wt.h"

namespace
{

constexpr char kDate[] = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr time_t kTime = 784111777;

/* A directory with something of everything. */
class Tree
{
      public:
	Tree()
	{
		char name[] = "/tmp/wend-http-XXXXXX";

		EXPECT_NE(nullptr, mkdtemp(name));
		dir_ = name;
		root_ = dir_ + "/root";
		mkdir(root_.c_str(), 0755);
		mkdir((root_ + "/sub").c_str(), 0755);
		mkdir((root_ + "/empty").c_str(), 0755);
		mkdir((root_ + "/.git").c_str(), 0755);
		Put("a.txt", "0123456789");
		Put("none.txt", "");
		Put("large.bin", std::string(300000, 'L'));
		Put("with space.html", "<p>");
		Put("sub/index.html", "<index>");
		Put(".hidden", "hidden");
		Put(".git/config", "config");
		Put("../secret", "secret");
		Put("../root2", "near");
		Link("../secret", "out");
		Link("a.txt", "in");
		Link("sub", "dir");
		Link("..", "up");
		mkfifo((root_ + "/fifo").c_str(), 0644);
	}
	~Tree()
	{
		EXPECT_EQ(0, system(("rm -rf " + dir_).c_str()));
	}
	const std::string &root() const
	{
		return root_;
	}
	void Put(const std::string &name, const std::string &text)
	{
		const timespec times[2] = { { kTime, 0 }, { kTime, 0 } };
		std::string path = root_ + "/" + name;
		FILE *f = fopen(path.c_str(), "w");

		ASSERT_NE(nullptr, f) << path;
		fwrite(text.data(), 1, text.size(), f);
		fclose(f);
		utimensat(AT_FDCWD, path.c_str(), times, 0);
	}
	void Link(const std::string &to, const std::string &name)
	{
		EXPECT_EQ(0, symlink(to.c_str(), (root_ + "/" + name).c_str()));
	}

      private:
	std::string dir_, root_;
};

class FileServer
{
      public:
	explicit FileServer(wend_http_files_opts o, bool openat2 = true)
	{
		wend_http_server_opts opts = {};

		router_ = wend_http_router_new();
		EXPECT_EQ(0, wend_http_files_new(&o, &files_));
		files_->openat2 &= openat2;
		EXPECT_EQ(0, wend_http_route(router_, "/f/{path...}",
					     wend_http_files_serve, files_));
		EXPECT_EQ(0, wend_http_route(router_, "/{other...}",
					     wend_http_files_serve, files_));
		opts.handler = wend_http_router_serve;
		opts.arg = router_;
		server_ = wend_http_server_new(&opts);
	}
	~FileServer()
	{
		wend_http_server_free(server_);
		wend_http_router_free(router_);
		wend_http_files_free(files_);
	}
	operator wend_http_server *() const
	{
		return server_;
	}
	Reply Ask(const std::string &path, const std::string &more = "",
		  bool head = false)
	{
		std::string get = Get(path, more);

		if (head)
			get = "HEAD" + get.substr(3);
		auto r = Talk(server_, get, { head });
		EXPECT_EQ(1u, r.size());
		return r.empty() ? Reply() : r[0];
	}
	bool openat2() const
	{
		return files_->openat2;
	}

      private:
	wend_http_files *files_ = nullptr;
	wend_http_router *router_;
	wend_http_server *server_;
};

wend_http_files_opts At(const Tree &t)
{
	wend_http_files_opts o = {};

	o.root = t.root().c_str();
	return o;
}

/* By either way of opening. */
TEST(HttpFiles, WhatIsServed)
{
	static const std::pair<const char *, int> kPaths[] = {
		{ "/f/a.txt", 200 },
		{ "/a.txt", 200 },
		{ "/f/with%20space.html", 200 },
		{ "/f/sub/index.html", 200 },
		{ "/f/sub/", 200 },
		{ "/f/sub", 301 },
		{ "/f/large.bin", 200 },
		{ "/f/none.txt", 200 },
		{ "/f/", 404 },
		{ "/f/empty/", 404 },
		{ "/f/a.txt/", 404 },
		{ "/f/a.txt/b", 404 },
		{ "/f/b.txt", 404 },
		{ "/f/fifo", 404 },
		{ "/f/.hidden", 404 },
		{ "/f/.git/config", 404 },
		{ "/f/.", 404 },
		{ "/f/..", 404 },
		{ "/f/../secret", 404 },
		{ "/f/%2e%2e/secret", 404 },
		{ "/f/..%2fsecret", 404 },
		{ "/f/sub/../../secret", 404 },
		{ "/f/sub/../a.txt", 404 },
		{ "/f//a.txt", 404 },
		{ "/f//etc/passwd", 404 },
		{ "//etc/passwd", 404 },
		{ "/f/out", 404 },
		{ "/f/in", 404 },
		{ "/f/dir/index.html", 404 },
		{ "/f/up/secret", 404 },
	};
	Tree t;

	for (bool openat2 : { true, false }) {
		FileServer s(At(t), openat2);

		for (const auto &p : kPaths) {
			Reply r = s.Ask(p.first);

			EXPECT_EQ(p.second, r.status) << p.first << openat2;
			EXPECT_EQ(std::string::npos, r.body.find("secret"));
		}
		EXPECT_EQ("0123456789", s.Ask("/f/a.txt").body);
		EXPECT_EQ("text/plain; charset=utf-8",
			  s.Ask("/f/a.txt").Get("content-type"));
		EXPECT_EQ("<index>", s.Ask("/f/sub/").body);
		EXPECT_EQ("/f/sub/?a=b", s.Ask("/f/sub?a=b").Get("location"));
		EXPECT_EQ(std::string(300000, 'L'), s.Ask("/f/large.bin").body);
		EXPECT_EQ("", s.Ask("/f/large.bin", "", true).body);
		EXPECT_EQ(
			"300000",
			s.Ask("/f/large.bin", "", true).Get("content-length"));
	}
}

TEST(HttpFiles, SymlinksAndHidden)
{
	Tree t;
	wend_http_files_opts o = At(t);

	o.hidden = true;
	EXPECT_EQ("hidden", FileServer(o).Ask("/f/.hidden").body);
	EXPECT_EQ(404, FileServer(o).Ask("/f/..").status);
	if (!FileServer(o).openat2())
		GTEST_SKIP() << "no openat2() here";
	o.symlinks = true;
	FileServer s(o);
	EXPECT_EQ("0123456789", s.Ask("/f/in").body);
	EXPECT_EQ("<index>", s.Ask("/f/dir/").body);
	EXPECT_EQ(404, s.Ask("/f/out").status);
	EXPECT_EQ(404, s.Ask("/f/up/secret").status);
}

TEST(HttpFiles, Root)
{
	wend_http_files_opts o = {};
	wend_http_files *f = nullptr;

	o.root = "/nothing/there";
	EXPECT_EQ(-ENOENT, wend_http_files_new(&o, &f));
	o.root = "/dev/null";
	EXPECT_EQ(-ENOTDIR, wend_http_files_new(&o, &f));
	wend_http_files_free(nullptr);
}

TEST(HttpFiles, Ranges)
{
	static const struct {
		const char *range;
		int status;
		const char *body, *says;
	} kRanges[] = {
		{ "bytes=0-3", 206, "0123", "bytes 0-3/10" },
		{ "bytes=4-", 206, "456789", "bytes 4-9/10" },
		{ "bytes=9-9", 206, "9", "bytes 9-9/10" },
		{ "bytes=-3", 206, "789", "bytes 7-9/10" },
		{ "bytes=-30", 206, "0123456789", "bytes 0-9/10" },
		{ "bytes=5-99", 206, "56789", "bytes 5-9/10" },
		{ "Bytes=0-0", 206, "0", "bytes 0-0/10" },
		{ "bytes=10-", 416, nullptr, "bytes */10" },
		{ "bytes=-0", 416, nullptr, "bytes */10" },
		{ "bytes=99999999999999999999-", 416, nullptr, "bytes */10" },
		{ "bytes=3-2", 200, "0123456789", "" },
		{ "bytes=-", 200, "0123456789", "" },
		{ "bytes=a-b", 200, "0123456789", "" },
		{ "bytes=0-1,3-4", 200, "0123456789", "" },
		{ "lines=0-1", 200, "0123456789", "" },
	};
	Tree t;
	FileServer s(At(t));

	for (const auto &k : kRanges) {
		Reply r = s.Ask("/f/a.txt",
				std::string("Range: ") + k.range + "\r\n");

		EXPECT_EQ(k.status, r.status) << k.range;
		if (k.body != nullptr) {
			EXPECT_EQ(k.body, r.body) << k.range;
		}
		EXPECT_EQ(k.says, r.Get("content-range")) << k.range;
	}
	EXPECT_EQ(416, s.Ask("/f/none.txt", "Range: bytes=0-\r\n").status);
	Reply r = s.Ask("/f/large.bin", "Range: bytes=100000-299999\r\n");
	EXPECT_EQ(std::string(200000, 'L'), r.body);
}

TEST(HttpFiles, Conditions)
{
	Tree t;
	FileServer s(At(t));
	Reply all = s.Ask("/f/a.txt");
	std::string tag = all.Get("etag");
	const std::string late = "Mon, 07 Nov 1994 08:49:37 GMT";
	const std::string early = "Sat, 05 Nov 1994 08:49:37 GMT";
	const std::pair<std::string, int> kAsks[] = {
		{ "If-None-Match: " + tag, 304 },
		{ "If-None-Match: W/" + tag, 304 },
		{ "If-None-Match: \"x,y\", " + tag, 304 },
		{ "If-None-Match: *", 304 },
		{ "If-None-Match: \"x\"", 200 },
		{ "If-None-Match: \"x", 200 },
		{ std::string("If-Modified-Since: ") + kDate, 304 },
		{ "If-Modified-Since: " + late, 304 },
		{ "If-Modified-Since: " + early, 200 },
		{ "If-Modified-Since: yesterday", 200 },
		/* The tag counts, not the date. */
		{ "If-None-Match: \"x\"\r\nIf-Modified-Since: " + late, 200 },
		{ "If-Match: " + tag, 200 },
		{ "If-Match: *", 200 },
		{ "If-Match: \"x\"", 412 },
		{ "If-Match: W/" + tag, 412 },
		{ "If-Unmodified-Since: " + early, 412 },
		{ std::string("If-Unmodified-Since: ") + kDate, 200 },
		{ "If-Range: " + tag + "\r\nRange: bytes=0-1", 206 },
		{ std::string("If-Range: ") + kDate + "\r\nRange: bytes=0-1",
		  206 },
		{ "If-Range: \"x\"\r\nRange: bytes=0-1", 200 },
		{ "If-Range: " + late + "\r\nRange: bytes=0-1", 200 },
	};

	EXPECT_EQ(kDate, all.Get("last-modified"));
	EXPECT_EQ("bytes", all.Get("accept-ranges"));
	for (const auto &a : kAsks) {
		Reply r = s.Ask("/f/a.txt", a.first + "\r\n");

		EXPECT_EQ(a.second, r.status) << a.first;
		EXPECT_EQ(tag, r.Get("etag"));
	}
	/* Another version has another tag. */
	t.Put("a.txt", "0123456780123");
	EXPECT_NE(tag, s.Ask("/f/a.txt").Get("etag"));
}

/* Through the kernel, to a client that takes it slowly. */
TEST(HttpFiles, BySendfile)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Tree t;
		std::string large(5000000, 's'), get, all;
		wend_conn *c[2];
		wt::Group g;
		char buf[10000];
		ssize_t n;

		for (size_t i = 0; i < large.size(); i++)
			large[i] = (char)(i * 7 >> 3);
		t.Put("huge", large);
		FileServer s(At(t));
		ASSERT_EQ(0, wend_net_pair(c));
		wend_conn_set_deadline(c[0], wend_after(60 * WEND_SECOND));
		g.Go([&] { EXPECT_EQ(0, wend_http_serve_conn(s, c[1])); });
		get = Get("/f/huge") + Get("/f/huge", "Range: bytes=1-\r\n"
						      "Connection: close\r\n");
		wend_conn_write(c[0], get.data(), get.size());
		while ((n = wend_conn_read(c[0], buf, sizeof(buf))) > 0)
			all.append(buf, (size_t)n);
		g.Wait();
		std::vector<Reply> r;
		std::string error;
		ASSERT_TRUE(ParseReplies(all, {}, &r, &error)) << error;
		ASSERT_EQ(2u, r.size());
		EXPECT_TRUE(r[0].body == large);
		EXPECT_TRUE(r[1].body == large.substr(1));
		wend_conn_free(c[0]);
		wend_conn_free(c[1]);
	});
}

TEST(HttpFiles, OtherMethods)
{
	Tree t;
	FileServer s(At(t));
	auto r = Talk(s, Post("/f/a.txt", "x") + Get("/f/a.txt"));

	ASSERT_EQ(2u, r.size());
	EXPECT_EQ(405, r[0].status);
	EXPECT_EQ("GET, HEAD", r[0].Get("allow"));
	EXPECT_EQ(200, r[1].status);
}

TEST(HttpText, Dates)
{
	char text[WEND_HTTP_DATE_SIZE];
	time_t when = 0;

	EXPECT_EQ(0, wend_http_date(text, kTime));
	EXPECT_STREQ(kDate, text);
	EXPECT_EQ(-EINVAL, wend_http_date(text, -1));
	EXPECT_EQ(-EINVAL, wend_http_date(text, 253402300800));
	for (const char *form : { kDate, "Sunday, 06-Nov-94 08:49:37 GMT",
				  "Sun Nov  6 08:49:37 1994" }) {
		when = 0;
		EXPECT_EQ(0, wend_http_date_parse(form, &when)) << form;
		EXPECT_EQ(kTime, when) << form;
	}
	for (const char *bad :
	     { "", "Sun", "Sun, 06 Nov 1994 08:49:37 CET",
	       "Sun, 06 Nov 1994 08:49:37 GMT ",
	       "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
	       "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1894 08:49:37 GMT",
	       "784111777" })
		EXPECT_EQ(-EINVAL, wend_http_date_parse(bad, &when)) << bad;
	/* There and back, every 97 days or so, to the end. */
	for (time_t at = 0; at < 253402300800; at += 8388607) {
		ASSERT_EQ(0, wend_http_date(text, at));
		ASSERT_EQ(0, wend_http_date_parse(text, &when)) << text;
		ASSERT_EQ(at, when) << text;
	}
}

TEST(HttpText, TokensAndTypes)
{
	EXPECT_TRUE(wend_http_has_token("a, b;q=1 ,C", "b"));
	EXPECT_TRUE(wend_http_has_token("a, b;q=1 ,C", "c"));
	EXPECT_FALSE(wend_http_has_token("ab, b", "a"));
	EXPECT_FALSE(wend_http_has_token(",", "a"));
	EXPECT_FALSE(wend_http_has_token(nullptr, "a"));
	EXPECT_STREQ("image/png", wend_http_type_of("a/b.PNG"));
	EXPECT_STREQ("application/octet-stream", wend_http_type_of("a.png/b"));
	EXPECT_STREQ("application/octet-stream", wend_http_type_of("png"));
	EXPECT_STREQ("Not Found", wend_http_reason(404));
	EXPECT_STREQ("Unknown", wend_http_reason(299));
}

} // namespace
