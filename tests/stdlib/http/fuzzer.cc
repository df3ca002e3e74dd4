/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzzer.cc - for libFuzzer: the first byte says whom the rest goes to.
 *
 *	bazel build --config=fuzz //tests/stdlib/http:fuzzer
 *	mkdir found
 *	bazel-bin/tests/stdlib/http/fuzzer -max_len=8192 found \
 *		tests/stdlib/http/corpus
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/stdlib/http/fuzz_core.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	std::string input, wrong;

	if (size == 0)
		return 0;
	input.assign(reinterpret_cast<const char *>(data) + 1, size - 1);
	wrong = data[0] == 'c' ? FuzzClient(input) : FuzzServer(input);
	if (!wrong.empty()) {
		fprintf(stderr, "%s\n", wrong.c_str());
		abort();
	}
	return 0;
}
