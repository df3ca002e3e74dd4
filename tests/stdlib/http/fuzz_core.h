/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_core.h - any bytes as what a client sends, or a server.
 *
 * Each returns "" if all that must hold does, or else what does not:
 *   - what is answered is a sequence of whole, well-formed replies;
 *   - it is the same however the bytes are cut into pieces;
 *   - what handlers see is clean: no CR, LF or NUL in names and values, no
 *     body beyond its length or the limits.
 */
#ifndef TESTS_STDLIB_HTTP_FUZZ_CORE_H
#define TESTS_STDLIB_HTTP_FUZZ_CORE_H

#include <string>

std::string FuzzServer(const std::string &input);
std::string FuzzClient(const std::string &input);

#endif
