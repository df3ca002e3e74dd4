/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_resp_test.cc - kv's parser: what it makes of requests, and of requests
 * that a million small changes have made wrong.
 */
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/examples/kv_resp_fuzz.h"

extern "C" {
#include "examples/kv/glob.h"
#include "examples/kv/resp.h"
}

namespace
{

using Words = std::vector<std::string>;

/* The one request in text, or {"error: ..."}, or {"more"}. */
Words Parse(std::string text, size_t limit = 1 << 20)
{
	struct kv_resp r;
	Words words;

	kv_resp_init(&r, limit);
	switch (kv_resp_parse(&r, &text[0], text.size())) {
	case KV_RESP_BAD:
		words = { std::string("error: ") + r.error };
		break;
	case KV_RESP_MORE:
		words = { "more" };
		break;
	case KV_RESP_DONE:
		for (int i = 0; i < r.argc; i++)
			words.emplace_back(r.argv[i].p, r.argv[i].n);
	}
	kv_resp_free(&r);
	return words;
}

TEST(KvResp, ReadsArrays)
{
	EXPECT_EQ(Parse("*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n"),
		  (Words{ "ECHO", "a\r\n" }));
	EXPECT_EQ(Parse("*1\r\n$0\r\n\r\n"), (Words{ "" }));
	EXPECT_EQ(Parse("*0\r\n"), (Words{}));
	EXPECT_EQ(Parse("*-1\r\n"), (Words{}));
}

TEST(KvResp, ReadsLines)
{
	EXPECT_EQ(Parse("PING\r\n"), (Words{ "PING" }));
	EXPECT_EQ(Parse("  set  a\t1 \n"), (Words{ "set", "a", "1" }));
	EXPECT_EQ(Parse("\r\n"), (Words{}));
	EXPECT_EQ(Parse("set \"a b\" 'c \"d'\n"),
		  (Words{ "set", "a b", "c \"d" }));
	EXPECT_EQ(Parse("x \"\\x41\\n\\\"\\q\" '\\'\\n'\n"),
		  (Words{ "x", "A\n\"q", "'\\n" }));
	EXPECT_EQ(Parse("x \"\"\n"), (Words{ "x", "" }));
}

TEST(KvResp, WaitsForTheRest)
{
	std::string whole = "*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n";

	for (size_t n = 0; n < whole.size(); n++)
		EXPECT_EQ(Parse(whole.substr(0, n)), (Words{ "more" })) << n;
	EXPECT_EQ(Parse("PING"), (Words{ "more" }));
}

TEST(KvResp, RefusesWhatIsWrong)
{
	for (const char *bad :
	     { "*x\r\n", "*1\r\n+OK\r\n", "*1\r\n$-1\r\n", "*1\rx", "*\r\n",
	       "*1\r\n$2\r\nabc\r\n", "*1\r\n$1\r\nabc", "*2000000\r\n",
	       "*1\r\n$2000000\r\n", "*1\r\n$99999999999999999999\r\n",
	       "*1111111111111111111111111111", "x \"a\n", "x 'a\n",
	       "x \"a\"b\n" })
		EXPECT_EQ(Parse(bad).at(0).substr(0, 6), "error:") << bad;
	EXPECT_EQ(Parse(std::string(KV_MAX_LINE + 2, 'x')).at(0).substr(0, 6),
		  "error:");
}

TEST(KvResp, LimitsTheWholeRequest)
{
	std::string one = "$10\r\n0123456789\r\n", many = "*100\r\n";

	for (int i = 0; i < 100; i++)
		many += one;
	EXPECT_EQ(Parse(many).size(), 100u);
	EXPECT_EQ(Parse(many, many.size() - 1).at(0),
		  "error: request too large");
}

/* Seeded by a number that is printed: a failure can be had again. */
TEST(KvResp, TakesAnything)
{
	const Words seeds = {
		"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\n*1\r\n$\r\n",
		"*1\r\n$4\r\nPING\r\nPING\r\n*0\r\n*-1\r\n",
		"set \"a b\" 'c' \\x41 \"\\x4g\\\\\"\r\n\r\nget x\n",
		"*2\r\n$4\r\nKEYS\r\n$12\r\n[^a-z]*\\*?[]\r\n",
	};
	const char odd[] = "\r\n*$-0129\"'\\ x[]";
	std::mt19937 random(20260417);

	for (int round = 0; round < 30000; round++) {
		std::string text(1, static_cast<char>(random()));

		for (unsigned n = random() % 3 + 1; n > 0; n--)
			text += seeds[random() % seeds.size()];
		for (unsigned n = random() % 6; n > 0; n--) {
			size_t at = random() % text.size();

			if (random() % 3 == 0)
				text.erase(at, random() % 4);
			else if (random() % 2 == 0)
				text.insert(at, 1,
					    odd[random() % (sizeof(odd) - 1)]);
			else
				text[at] = static_cast<char>(random());
			if (text.empty())
				text = "x";
		}
		SCOPED_TRACE(round);
		LLVMFuzzerTestOneInput(
			reinterpret_cast<const uint8_t *>(text.data()),
			text.size());
	}
}

bool Glob(const std::string &p, const std::string &t)
{
	return kv_glob({ p.data(), p.size() }, { t.data(), t.size() });
}

TEST(KvGlob, Matches)
{
	EXPECT_TRUE(Glob("", ""));
	EXPECT_TRUE(Glob("*", ""));
	EXPECT_TRUE(Glob("h?llo", "hello"));
	EXPECT_TRUE(Glob("h*o*", "hello"));
	EXPECT_TRUE(Glob("*a*b*c", "xxaxxbxbxxc"));
	EXPECT_TRUE(Glob("[a-c]x[^a-c]", "bxd"));
	EXPECT_TRUE(Glob("[c-a]", "b"));
	EXPECT_TRUE(Glob("\\*\\[", "*["));
	EXPECT_TRUE(Glob("[\\]]", "]"));
	EXPECT_TRUE(Glob(std::string("a\0*", 3), std::string("a\0b", 3)));
	EXPECT_FALSE(Glob("", "x"));
	EXPECT_FALSE(Glob("?", ""));
	EXPECT_FALSE(Glob("h?llo", "hllo"));
	EXPECT_FALSE(Glob("[^b]", "b"));
	EXPECT_FALSE(Glob("a*b", "acbc"));
	EXPECT_FALSE(Glob("\\*", "x"));
}

/* An exponential matcher would not come back from this. */
TEST(KvGlob, TakesNoTimeWithManyStars)
{
	std::string pattern, text(1000, 'a');

	for (int i = 0; i < 100; i++)
		pattern += "*a";
	EXPECT_FALSE(Glob(pattern + "b", text));
	EXPECT_TRUE(Glob(pattern, text));
}

} // namespace
