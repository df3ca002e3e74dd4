/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr_test.cc - addresses as texts, and names.
 */
#include "tests/stdlib/net/net_util.h"

#include <netinet/in.h>
#include <sys/un.h>

using namespace net;

namespace
{

std::string Text(const wend_net_addr &a)
{
	char text[WEND_NET_TEXT];
	int n = wend_net_addr_text(&a, text, sizeof(text));

	EXPECT_EQ((int)strlen(text), n);
	return text;
}

} // namespace

TEST(NetAddr, ThereAndBack)
{
	const struct {
		const char *text, *back;
		int port;
	} cases[] = {
		{ "127.0.0.1:80", "127.0.0.1:80", 80 },
		{ "0.0.0.0:0", "0.0.0.0:0", 0 },
		{ "[::1]:65535", "[::1]:65535", 65535 },
		{ "[2001:db8::1]:443", "[2001:db8::1]:443", 443 },
		{ "[fe80::1%lo]:7", "[fe80::1%lo]:7", 7 },
		{ ":8080", "[::]:8080", 8080 },
		{ "unix:/a/b", "/a/b", 0 },
		{ "/a/b", "/a/b", 0 },
		{ "unix:rel", "rel", 0 },
		{ "unix:@x y", "@x y", 0 },
		{ "@x", "@x", 0 },
	};

	for (const auto &c : cases) {
		wend_net_addr a;

		ASSERT_EQ(0, wend_net_addr_parse(&a, c.text)) << c.text;
		EXPECT_EQ(c.back, Text(a));
		EXPECT_EQ(c.port, wend_net_addr_port(&a)) << c.text;
	}
}

TEST(NetAddr, NoAddresses)
{
	const std::string too_long = "unix:/" + std::string(107, 'x');

	for (const char *text :
	     { "", "80", "1.2.3.4", "1.2.3.4:", "::1", "::1:80", "[::1]",
	       "[::1]80", "[::1", "1.2.3:x:4", "1.2.3.4:70000", "1.2.3.4:-1",
	       "host:80", "1.2.3.4:http", "unix:", too_long.c_str() }) {
		wend_net_addr a;

		if (strcmp(text, "1.2.3.4:") == 0) {
			/* An empty port is any. */
			EXPECT_EQ(0, wend_net_addr_parse(&a, text));
			continue;
		}
		EXPECT_EQ(-EINVAL, wend_net_addr_parse(&a, text)) << text;
	}
}

TEST(NetAddr, LongestPath)
{
	const std::string path = "/" + std::string(106, 'x');
	wend_net_addr a;
	char few[8];

	ASSERT_EQ(0, wend_net_addr_parse(&a, path.c_str()));
	EXPECT_EQ(path, Text(a));
	EXPECT_EQ((int)path.size(), wend_net_addr_text(&a, few, sizeof(few)));
	EXPECT_STREQ("/xxxxxx", few);
	a.size = sizeof(sa_family_t);
	EXPECT_EQ("", Text(a));
	memset(&a, 0, sizeof(a));
	EXPECT_EQ("", Text(a));
}

TEST(NetAddr, Split)
{
	char host[8], port[4];

	EXPECT_EQ(0, wend_net_split("a:b", host, 8, port, 4));
	EXPECT_STREQ("a", host);
	EXPECT_STREQ("b", port);
	EXPECT_EQ(0, wend_net_split("[::1]:80", host, 8, port, 4));
	EXPECT_STREQ("::1", host);
	EXPECT_STREQ("80", port);
	EXPECT_EQ(0, wend_net_split(":", host, 8, port, 4));
	EXPECT_STREQ("", host);
	EXPECT_STREQ("", port);
	EXPECT_EQ(-EINVAL, wend_net_split("a", host, 8, port, 4));
	EXPECT_EQ(-EINVAL, wend_net_split("a:b:c", host, 8, port, 4));
	EXPECT_EQ(-EINVAL, wend_net_split("[a:b", host, 8, port, 4));
	EXPECT_EQ(-EINVAL, wend_net_split("[a]b:1", host, 8, port, 4));
	EXPECT_EQ(-ENOSPC, wend_net_split("12345678:1", host, 8, port, 4));
	EXPECT_EQ(-ENOSPC, wend_net_split("1:1234", host, 8, port, 4));
}

TEST(NetAddr, Resolve)
{
	WT_NEEDS_THREADS();
	Everywhere([] {
		wend_net_addr a[4];

		EXPECT_EQ(1, wend_net_resolve("127.0.0.1:80", a, 4, 0));
		EXPECT_EQ("127.0.0.1:80", Text(a[0]));
		EXPECT_EQ(1, wend_net_resolve("/x", a, 4, 0));
		EXPECT_EQ("/x", Text(a[0]));
		int n = wend_net_resolve("localhost:80", a, 4, WEND_FOREVER);

		ASSERT_GE(n, 1);
		for (int i = 0; i < n; i++)
			EXPECT_EQ(80, wend_net_addr_port(&a[i]));
		EXPECT_EQ(1,
			  wend_net_resolve("localhost:80", a, 1, WEND_FOREVER));
		EXPECT_EQ(-EINVAL, wend_net_resolve("localhost", a, 4, 0));
		EXPECT_EQ(-EINVAL, wend_net_resolve("", a, 4, 0));
		EXPECT_EQ(-EINVAL, wend_net_resolve("unix:", a, 4, 0));
		EXPECT_EQ(-EINVAL, wend_net_resolve("127.0.0.1:80", a, 0, 0));
		EXPECT_EQ(-ENOENT, wend_net_resolve("127.0.0.1:no-such-service",
						    a, 4, WEND_FOREVER));
	});
}
