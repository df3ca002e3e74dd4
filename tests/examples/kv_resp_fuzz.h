/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_resp_fuzz.h - what must be true of kv's parser, whatever bytes it gets.
 */
#ifndef TESTS_EXAMPLES_KV_RESP_FUZZ_H
#define TESTS_EXAMPLES_KV_RESP_FUZZ_H

#include <cstddef>
#include <cstdint>

/* libFuzzer's. Ends the program when something is not as it must be: what is
 * parsed in pieces is parsed as in one go, and nothing outside is touched. */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
