/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_resp_fuzz.cc - kv's parser and patterns, given any bytes.
 *
 * The first byte says in which pieces the others arrive. They are parsed at
 * once and in pieces: requests, errors and sizes must be the same. Each time
 * the bytes lie in a block of just their size, so that AddressSanitizer sees
 * a step outside.
 */
#include "tests/examples/kv_resp_fuzz.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "examples/kv/glob.h"
#include "examples/kv/resp.h"
}

namespace
{

constexpr size_t kLimit = 4096;

struct Parsed {
	std::vector<std::vector<std::string>> requests;
	bool bad = false;
	size_t used = 0;
};

void Require(bool true_it_is)
{
	if (!true_it_is)
		abort();
}

/* The requests of data when they arrive in pieces of `step` bytes. */
Parsed Parse(const std::string &data, size_t step)
{
	Parsed parsed;
	struct kv_resp r;
	std::string kept;
	size_t next = 0;

	kv_resp_init(&r, kLimit);
	while (!parsed.bad && next < data.size()) {
		kept += data.substr(next, step);
		next += step;
		for (;;) {
			size_t size = kept.size();
			std::unique_ptr<char[]> exact(new char[size]);
			enum kv_resp_state state;

			memcpy(exact.get(), kept.data(), size);
			state = kv_resp_parse(&r, exact.get(), size);
			parsed.bad = state == KV_RESP_BAD;
			if (state != KV_RESP_DONE)
				break;
			Require(r.size > 0 && r.size <= size);
			parsed.requests.emplace_back();
			for (int i = 0; i < r.argc; i++) {
				const struct kv_arg &a = r.argv[i];

				Require(a.p >= exact.get() &&
					a.p + a.n <= exact.get() + size);
				parsed.requests.back().emplace_back(a.p, a.n);
			}
			parsed.used += r.size;
			kept.erase(0, r.size);
			kv_resp_next(&r);
		}
	}
	if (parsed.bad)
		Require(r.error != nullptr && *r.error != '\0');
	kv_resp_free(&r);
	return parsed;
}

void Match(const std::vector<std::string> &words)
{
	for (size_t i = 0; i + 1 < words.size() && i < 8; i++) {
		const std::string &p = words[i], &t = words[i + 1];

		(void)kv_glob({ p.data(), p.size() }, { t.data(), t.size() });
		Require(kv_glob({ "*", 1 }, { t.data(), t.size() }));
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	std::string bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
	Parsed whole = Parse(bytes, bytes.size() + 1);
	Parsed pieces = Parse(bytes, data[0] % 64 + 1);

	Require(whole.requests == pieces.requests);
	Require(whole.bad == pieces.bad && whole.used == pieces.used);
	for (const auto &words : whole.requests)
		Match(words);
	return 0;
}
