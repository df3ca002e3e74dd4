/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_test.cc - SipHash against what its authors published, and what a map
 * needs of it.
 */
extern "C" {
#include "stdlib/sync/hash.h"
}

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace
{

/* Appendix A of the paper: key 00 01 .. 0f, input 00 01 .. 0e. */
constexpr uint64_t kKey[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

std::string Counting(size_t n)
{
	std::string s;

	for (size_t i = 0; i < n; i++)
		s += (char)i;
	return s;
}

} // namespace

TEST(Hash, ThePublishedExample)
{
	EXPECT_EQ(UINT64_C(0xa129ca6149be45e5),
		  wend__hash_rounds(kKey, Counting(15).data(), 15, 2, 4));
}

/* Every length, every byte and the key make a difference. */
TEST(Hash, EverythingCounts)
{
	std::set<uint64_t> seen;
	const uint64_t other[2] = { kKey[0], kKey[1] ^ 1 };

	for (size_t n = 0; n < 40; n++) {
		std::string s = Counting(n), zeros(n, 0);

		EXPECT_TRUE(seen.insert(wend__hash(kKey, s.data(), n)).second);
		EXPECT_TRUE(seen.insert(wend__hash(other, s.data(), n)).second);
		if (n > 1) {
			EXPECT_TRUE(
				seen.insert(wend__hash(kKey, zeros.data(), n))
					.second);
		}
		for (size_t i = 0; i < n; i++) {
			std::string t = s;

			t[i] = (char)(t[i] ^ 0x80);
			EXPECT_TRUE(seen.insert(wend__hash(kKey, t.data(), n))
					    .second);
		}
	}
}

/* Numbers as keys spread evenly over the upper and the lower bits. */
TEST(Hash, Spreads)
{
	unsigned upper[64] = {}, lower[64] = {};

	for (uint32_t i = 0; i < 64000; i++) {
		uint64_t h = wend__hash(kKey, &i, sizeof(i));

		upper[h >> 58]++;
		lower[h & 63]++;
	}
	for (int i = 0; i < 64; i++) {
		EXPECT_NEAR(1000, upper[i], 200);
		EXPECT_NEAR(1000, lower[i], 200);
	}
}
