/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_test.cc - the corpus, and mutations of it that a seed chooses; with any
 * compiler.
 *
 *   WEND_FUZZ_RUNS   how many mutations (20,000; a tenth with a sanitizer)
 *   WEND_FUZZ_SEED   which ones
 */
#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/stdlib/http/fuzz_core.h"
#include "tests/support/wt.h"

namespace
{

std::vector<std::string> Corpus()
{
	const char *dir = "tests/stdlib/http/corpus";
	std::vector<std::string> all;
	DIR *d = opendir(dir);

	if (d == nullptr)
		return all;
	while (dirent *e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		std::ifstream f(std::string(dir) + "/" + e->d_name,
				std::ios::binary);
		std::string text((std::istreambuf_iterator<char>(f)),
				 std::istreambuf_iterator<char>());

		if (!text.empty())
			all.push_back(text);
	}
	closedir(d);
	std::sort(all.begin(), all.end()); /* readdir() has no order */
	return all;
}

std::string One(const std::string &text)
{
	return text[0] == 'c' ? FuzzClient(text.substr(1)) :
				FuzzServer(text.substr(1));
}

class Mutator
{
      public:
	explicit Mutator(uint64_t seed) : state_(seed * 2 + 1)
	{
	}
	std::string Next(const std::vector<std::string> &corpus)
	{
		std::string s = corpus[Below(corpus.size())];

		for (size_t n = 1 + Below(4); n > 0; n--)
			Change(&s, corpus);
		return s;
	}

      private:
	uint64_t Below(uint64_t n)
	{
		state_ ^= state_ << 13;
		state_ ^= state_ >> 7;
		state_ ^= state_ << 17;
		return (state_ >> 11) % n;
	}
	void Change(std::string *s, const std::vector<std::string> &corpus)
	{
		static const char *const kWords[] = {
			"\r\n",
			"\n",
			"\r",
			" ",
			"\t",
			":",
			"0\r\n\r\n",
			"5\r\n",
			"ffffffffffffffff\r\n",
			"\r\n\r\n",
			"Transfer-Encoding: chunked\r\n",
			"Content-Length: 5\r\n",
			"Content-Length: 99999999999\r\n",
			"Connection: close\r\n",
			"Connection: keep-alive\r\n",
			"Expect: 100-continue\r\n",
			"Host: y\r\n",
			"HTTP/1.0",
			"HTTP/2.0",
			"HEAD ",
			"POST ",
			"CONNECT ",
			"%00",
			"%",
			"http://h/",
			"*",
			"X: a\r\n b\r\n",
			"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 100 Continue\r\n\r\n",
			"204",
			"304",
			"-1",
		};
		/* The first byte says who reads it. */
		size_t at = 1 + Below(s->size()), n;

		switch (Below(7)) {
		case 0:
			if (at < s->size())
				(*s)[at] = (char)Below(256);
			break;
		case 1:
			if (at < s->size())
				(*s)[at] ^= (char)(1 << Below(8));
			break;
		case 2:
			s->erase(at < s->size() ? at : 1, 1 + Below(20));
			break;
		case 3:
		case 4:
			s->insert(at, kWords[Below(sizeof(kWords) /
						   sizeof(kWords[0]))]);
			break;
		case 5:
			n = Below(s->size() - 1) + 1;
			s->insert(at, s->substr(n, 1 + Below(200)));
			break;
		default:
			s->append(corpus[Below(corpus.size())].substr(1));
			break;
		}
		if (s->size() < 2)
			s->append("\r\n");
		if (s->size() > 8192)
			s->resize(8192);
	}
	uint64_t state_;
};

std::string Escaped(const std::string &s)
{
	std::string out;
	char hex[8];

	for (unsigned char c : s) {
		if (c >= 0x20 && c < 0x7f && c != '\\') {
			out += (char)c;
		} else {
			snprintf(hex, sizeof(hex), "\\x%02x", c);
			out += hex;
		}
		if (c == '\n')
			out += '\n';
	}
	return out;
}

uint64_t Number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, nullptr, 10) : fallback;
}

TEST(HttpFuzz, Corpus)
{
	auto corpus = Corpus();

	ASSERT_GE(corpus.size(), 10u);
	for (const auto &text : corpus)
		ASSERT_EQ("", One(text)) << Escaped(text);
}

TEST(HttpFuzz, Mutations)
{
	auto corpus = Corpus();
	uint64_t seed = Number("WEND_FUZZ_SEED", 1);
	uint64_t runs = Number("WEND_FUZZ_RUNS", wt::kSanitized ? 2000 : 20000);
	Mutator m(seed);

	ASSERT_FALSE(corpus.empty());
	for (uint64_t i = 0; i < runs; i++) {
		std::string text = m.Next(corpus);

		ASSERT_EQ("", One(text))
			<< "seed " << seed << ", run " << i << ":\n"
			<< Escaped(text);
	}
}

} // namespace
