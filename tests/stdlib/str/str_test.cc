/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str_test.cc - views: the ends of ranges, and what there is none of.
 */
#include <wend/std/str.h>

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <random>
#include <string>
#include <vector>

namespace
{

const wend_str kNone = { nullptr, 0 };

wend_str S(const std::string &s)
{
	return wend_str_of(s.data(), s.size());
}

std::string Text(wend_str s)
{
	return s.ptr ? std::string(s.ptr, s.len) : std::string();
}

std::vector<std::string> Parts(wend_str s, char separator)
{
	std::vector<std::string> parts;
	wend_str part;

	while (wend_str_next(&s, separator, &part))
		parts.push_back(Text(part));
	return parts;
}

std::vector<std::string> Fields(wend_str s)
{
	std::vector<std::string> fields;
	wend_str field;

	while (wend_str_next_field(&s, &field))
		fields.push_back(Text(field));
	return fields;
}

using List = std::vector<std::string>;

} // namespace

TEST(Str, Made)
{
	EXPECT_EQ("ab", Text(WEND_STR("ab")));
	EXPECT_EQ(2u, WEND_STR("a\0").len);
	EXPECT_EQ("ab", Text(wend_str_from("ab")));
	EXPECT_EQ(0u, wend_str_from(nullptr).len);

	char text[8];
	snprintf(text, sizeof(text), "<%.*s%.*s>", WEND_STR_ARG(WEND_STR("x")),
		 WEND_STR_ARG(kNone));
	EXPECT_STREQ("<x>", text);
}

TEST(Str, DupEndsWithNul)
{
	char *copy = wend_str_dup(wend_str_of("abc", 2));

	EXPECT_STREQ("ab", copy);
	free(copy);
	copy = wend_str_dup(kNone);
	EXPECT_STREQ("", copy);
	free(copy);
}

TEST(Str, Compares)
{
	EXPECT_TRUE(wend_str_equal(kNone, WEND_STR("")));
	EXPECT_TRUE(
		wend_str_equal(WEND_STR("a\0b"), S(std::string("a\0b", 3))));
	EXPECT_FALSE(wend_str_equal(WEND_STR("a\0b"), WEND_STR("a\0c")));
	EXPECT_FALSE(wend_str_equal(WEND_STR("a"), WEND_STR("ab")));

	EXPECT_TRUE(wend_str_equal_fold(WEND_STR("Ab-Z"), WEND_STR("aB-z")));
	EXPECT_TRUE(wend_str_equal_fold(kNone, WEND_STR("")));
	/* The neighbours of the letters, and what only a locale calls one. */
	EXPECT_FALSE(wend_str_equal_fold(WEND_STR("@["), WEND_STR("`{")));
	EXPECT_FALSE(wend_str_equal_fold(WEND_STR("\xc4"), WEND_STR("\xe4")));
	EXPECT_FALSE(wend_str_equal_fold(WEND_STR("a"), WEND_STR("")));

	EXPECT_EQ(0, wend_str_compare(kNone, WEND_STR("")));
	EXPECT_LT(wend_str_compare(WEND_STR("a"), WEND_STR("ab")), 0);
	EXPECT_GT(wend_str_compare(WEND_STR("b"), WEND_STR("ab")), 0);
	EXPECT_GT(wend_str_compare(WEND_STR("\xff"), WEND_STR("a")), 0);

	EXPECT_TRUE(wend_str_has_prefix(WEND_STR("abc"), WEND_STR("ab")));
	EXPECT_TRUE(wend_str_has_prefix(kNone, kNone));
	EXPECT_FALSE(wend_str_has_prefix(WEND_STR("a"), WEND_STR("ab")));
	EXPECT_TRUE(wend_str_has_suffix(WEND_STR("abc"), WEND_STR("bc")));
	EXPECT_TRUE(wend_str_has_suffix(WEND_STR("abc"), kNone));
	EXPECT_FALSE(wend_str_has_suffix(WEND_STR("c"), WEND_STR("bc")));
}

TEST(Str, Finds)
{
	wend_str s = WEND_STR("abcabc");

	EXPECT_EQ(1, wend_str_find(s, WEND_STR("bc")));
	EXPECT_EQ(4, wend_str_rfind(s, WEND_STR("bc")));
	EXPECT_EQ(2, wend_str_find_byte(s, 'c'));
	EXPECT_EQ(5, wend_str_rfind_byte(s, 'c'));
	EXPECT_EQ(-ENOENT, wend_str_find(s, WEND_STR("cb")));
	EXPECT_EQ(-ENOENT, wend_str_rfind(s, WEND_STR("cb")));
	EXPECT_EQ(-ENOENT, wend_str_find(s, WEND_STR("abcabca")));
	EXPECT_EQ(-ENOENT, wend_str_rfind(s, WEND_STR("abcabca")));
	EXPECT_EQ(-ENOENT, wend_str_find_byte(s, 'x'));
	EXPECT_EQ(-ENOENT, wend_str_rfind_byte(kNone, 'x'));
	EXPECT_EQ(-ENOENT, wend_str_find_byte(kNone, 'x'));
	EXPECT_EQ(0, wend_str_find(s, kNone));
	EXPECT_EQ(6, wend_str_rfind(s, kNone));
	EXPECT_EQ(0, wend_str_find(kNone, kNone));
}

/* As std::string does it. */
TEST(Str, FindsLikeTheStandardLibrary)
{
	std::mt19937 rng(7);

	for (int i = 0; i < 5000; i++) {
		std::string s, what;

		for (unsigned n = rng() % 12; n; n--)
			s += (char)('a' + rng() % 2);
		for (unsigned n = rng() % 4; n; n--)
			what += (char)('a' + rng() % 2);
		size_t first = s.find(what), last = s.rfind(what);
		EXPECT_EQ(first == s.npos ? -ENOENT : (ssize_t)first,
			  wend_str_find(S(s), S(what)))
			<< s << " " << what;
		EXPECT_EQ(last == s.npos ? -ENOENT : (ssize_t)last,
			  wend_str_rfind(S(s), S(what)))
			<< s << " " << what;
		EXPECT_EQ(s.compare(what) > 0,
			  wend_str_compare(S(s), S(what)) > 0);
	}
}

TEST(Str, SubIsClamped)
{
	wend_str s = WEND_STR("abc");

	EXPECT_EQ("bc", Text(wend_str_sub(s, 1, 3)));
	EXPECT_EQ("bc", Text(wend_str_sub(s, 1, SIZE_MAX)));
	EXPECT_EQ("", Text(wend_str_sub(s, 7, 9)));
	EXPECT_EQ("", Text(wend_str_sub(s, 2, 1)));
	EXPECT_EQ(nullptr, wend_str_sub(kNone, 1, 2).ptr);
}

TEST(Str, Trims)
{
	EXPECT_EQ("a b", Text(wend_str_trim(WEND_STR(" \t\n\v\f\ra b \n"))));
	EXPECT_EQ("", Text(wend_str_trim(WEND_STR(" \t "))));
	EXPECT_EQ("", Text(wend_str_trim(kNone)));
	/* A no-break space is none of ASCII's. */
	EXPECT_EQ("\xa0", Text(wend_str_trim(WEND_STR("\xa0 "))));
}

TEST(Str, Cuts)
{
	wend_str a, b, s = WEND_STR("key: value: more");

	EXPECT_TRUE(wend_str_cut(s, WEND_STR(": "), &a, &b));
	EXPECT_EQ("key", Text(a));
	EXPECT_EQ("value: more", Text(b));
	EXPECT_FALSE(wend_str_cut(s, WEND_STR("="), &a, &b));
	EXPECT_EQ("key: value: more", Text(a));
	EXPECT_EQ("", Text(b));
	EXPECT_TRUE(wend_str_cut(WEND_STR("a="), WEND_STR("="), nullptr, &b));
	EXPECT_EQ("", Text(b));
	/* In place. */
	EXPECT_TRUE(wend_str_cut(s, WEND_STR(":"), nullptr, &s));
	EXPECT_EQ(" value: more", Text(s));
}

TEST(Str, Splits)
{
	EXPECT_EQ((List{ "a", "", "b" }), Parts(WEND_STR("a,,b"), ','));
	EXPECT_EQ((List{ "a", "" }), Parts(WEND_STR("a,"), ','));
	EXPECT_EQ((List{ "", "" }), Parts(WEND_STR(","), ','));
	EXPECT_EQ((List{ "" }), Parts(WEND_STR(""), ','));
	EXPECT_EQ((List{}), Parts(kNone, ','));
	EXPECT_EQ((List{ "a", "bc" }), Fields(WEND_STR("  a\t\nbc ")));
	EXPECT_EQ((List{}), Fields(WEND_STR(" \t")));
	EXPECT_EQ((List{}), Fields(kNone));
}

TEST(Str, NumbersAreDigitsAlone)
{
	uint64_t u = 77;
	int64_t i = 77;

	for (const char *s : { "", "-", "+1", " 1", "1 ", "0x10", "1a", "--1",
			       "1-", "1.0", "99999999999999999999999x" }) {
		EXPECT_EQ(-EINVAL, wend_str_to_u64(wend_str_from(s), 10, &u))
			<< s;
		EXPECT_EQ(-EINVAL, wend_str_to_i64(wend_str_from(s), 10, &i))
			<< s;
	}
	EXPECT_EQ(-EINVAL, wend_str_to_u64(WEND_STR("-1"), 10, &u));
	EXPECT_EQ(-EINVAL, wend_str_to_u64(kNone, 10, &u));
	EXPECT_EQ(-EINVAL, wend_str_to_u64(WEND_STR("2"), 2, &u));
	for (int base : { -10, 0, 1, 37 })
		EXPECT_EQ(-EINVAL, wend_str_to_i64(WEND_STR("1"), base, &i));
	EXPECT_EQ(77u, u);
	EXPECT_EQ(77, i);
}

TEST(Str, NumbersHaveEnds)
{
	uint64_t u = 77;
	int64_t i = 77;

	EXPECT_EQ(-ERANGE,
		  wend_str_to_u64(WEND_STR("18446744073709551616"), 10, &u));
	EXPECT_EQ(-ERANGE,
		  wend_str_to_i64(WEND_STR("9223372036854775808"), 10, &i));
	EXPECT_EQ(-ERANGE,
		  wend_str_to_i64(WEND_STR("-9223372036854775809"), 10, &i));
	/* 2^64 + 1: what wraps round is not small. */
	EXPECT_EQ(-ERANGE,
		  wend_str_to_u64(WEND_STR("10000000000000001"), 16, &u));
	EXPECT_EQ(77u, u);
	EXPECT_EQ(77, i);
	EXPECT_EQ(0, wend_str_to_u64(WEND_STR("18446744073709551615"), 10, &u));
	EXPECT_EQ(UINT64_MAX, u);
	EXPECT_EQ(0, wend_str_to_i64(WEND_STR("9223372036854775807"), 10, &i));
	EXPECT_EQ(INT64_MAX, i);
	EXPECT_EQ(0, wend_str_to_i64(WEND_STR("-9223372036854775808"), 10, &i));
	EXPECT_EQ(INT64_MIN, i);
	EXPECT_EQ(0, wend_str_to_i64(WEND_STR("-0"), 10, &i));
	EXPECT_EQ(0, i);
	EXPECT_EQ(0, wend_str_to_u64(WEND_STR("fF"), 16, &u));
	EXPECT_EQ(255u, u);
	EXPECT_EQ(0, wend_str_to_u64(WEND_STR("0000000000000000000000zZ"), 36,
				     &u));
	EXPECT_EQ(35u * 37, u);
}

/* Back and forth, in every base. */
TEST(Str, NumbersComeBack)
{
	std::mt19937_64 rng(11);

	for (int n = 0; n < 2000; n++) {
		int base = 2 + (int)(rng() % 35);
		uint64_t v = rng() >> rng() % 64, got = 0, rest = v;
		std::string text;

		do
			text.insert(text.begin(),
				    "0123456789abcdefghijklmnopqrstuvwxyz"
					    [rest % (uint64_t)base]);
		while (rest /= (uint64_t)base);
		ASSERT_EQ(0, wend_str_to_u64(S(text), base, &got)) << text;
		EXPECT_EQ(v, got) << text << " base " << base;
	}
}
