/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.h - a reader and a writer that do what a test says: pieces of any
 * size, errors in between.
 */
#ifndef TESTS_STDLIB_SUPPORT_SCRIPT_H
#define TESTS_STDLIB_SUPPORT_SCRIPT_H

#include <wend/std/io.h>

#include <string.h>

#include <functional>
#include <string>

namespace script
{

/* Gives text in pieces of piece() bytes at most; before byte fail_at is given,
 * fails with error, once. */
struct Reader {
	wend_reader reader = { Read };
	std::string text;
	std::function<size_t()> piece = [] { return SIZE_MAX; };
	size_t fail_at = SIZE_MAX;
	int error = 0;
	size_t at = 0;
	int calls = 0;
	size_t largest = 0; /* that was asked for */

	explicit Reader(std::string t) : text(std::move(t))
	{
	}

      private:
	static ssize_t Read(wend_reader *reader, void *buf, size_t n)
	{
		Reader *r = (Reader *)reader;
		size_t left = r->text.size() - r->at, most = r->piece();

		r->calls++;
		r->largest = n > r->largest ? n : r->largest;
		if (r->at == r->fail_at) {
			r->fail_at = SIZE_MAX;
			return r->error;
		}
		if (r->at < r->fail_at && left > r->fail_at - r->at)
			left = r->fail_at - r->at;
		n = n < left ? n : left;
		n = n < most ? n : most;
		memcpy(buf, r->text.data() + r->at, n);
		r->at += n;
		return (ssize_t)n;
	}
};

/* Keeps what is written; the call number fail_call (from 1) returns result. */
struct Writer {
	wend_writer writer = { Write };
	std::string text;
	int calls = 0;
	int fail_call = 0;
	ssize_t result = 0;

      private:
	static ssize_t Write(wend_writer *writer, const void *buf, size_t n)
	{
		Writer *w = (Writer *)writer;

		if (++w->calls == w->fail_call)
			return w->result;
		w->text.append((const char *)buf, n);
		return (ssize_t)n;
	}
};

} // namespace script

#endif
