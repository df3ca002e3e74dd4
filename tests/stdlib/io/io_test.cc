/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_test.cc - copying, and readers and writers that are made of others.
 */
#include <wend/std/io.h>

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <random>
#include <string>

#include "tests/stdlib/support/script.h"

static bool refuse;

extern "C" void *__real_malloc(size_t n);
extern "C" void *__wrap_malloc(size_t n)
{
	return refuse ? nullptr : __real_malloc(n);
}

extern "C" void *__real_realloc(void *p, size_t n);
extern "C" void *__wrap_realloc(void *p, size_t n)
{
	return refuse ? nullptr : __real_realloc(p, n);
}

namespace
{

std::string Numbers(size_t n)
{
	std::string text;

	while (text.size() < n)
		text += std::to_string(text.size()) + ",";
	text.resize(n);
	return text;
}

/* All of a reader, by reads of this size. */
std::string All(wend_reader *r, size_t size, ssize_t *error = nullptr)
{
	std::string text, buf(size, '\0');
	ssize_t n;

	while ((n = wend_read(r, &buf[0], size)) > 0)
		text.append(buf, 0, (size_t)n);
	if (error)
		*error = n;
	else
		EXPECT_EQ(0, n);
	return text;
}

} // namespace

/* --- copying ------------------------------------------------------------- */

TEST(Copy, All)
{
	for (size_t n : { 0, 1, 32767, 32768, 32769, 100000 }) {
		for (size_t piece : { (size_t)1000, SIZE_MAX }) {
			script::Reader r(Numbers(n));
			script::Writer w;

			r.piece = [&] { return piece; };
			EXPECT_EQ((int64_t)n,
				  wend_io_copy(&w.writer, &r.reader));
			EXPECT_EQ(r.text, w.text);
		}
	}
}

TEST(Copy, SomeAndNoMore)
{
	for (int64_t n : { 0, 1, 32768, 32769, 50000, 60000 }) {
		script::Reader r(Numbers(50000));
		script::Writer w;
		int64_t want = n < 50000 ? n : 50000;

		EXPECT_EQ(want, wend_io_copy_n(&w.writer, &r.reader, n));
		EXPECT_EQ(r.text.substr(0, (size_t)want), w.text);
		/* What was not asked for is still there. */
		EXPECT_EQ((size_t)want, r.at);
	}
	script::Reader r("abc");
	script::Writer w;
	EXPECT_EQ(0, wend_io_copy_n(&w.writer, &r.reader, -1));
	EXPECT_EQ(0, r.calls);
}

TEST(Copy, ThroughTheCallersBuffer)
{
	script::Reader r("abcdefg");
	script::Writer w;
	char buf[3];

	refuse = true;
	EXPECT_EQ(7, wend_io_copy_buffer(&w.writer, &r.reader, buf, 3));
	refuse = false;
	EXPECT_EQ("abcdefg", w.text);
	EXPECT_EQ(3u, r.largest);
}

TEST(Copy, Errors)
{
	script::Reader r(Numbers(100));
	script::Writer w;

	r.fail_at = 40;
	r.error = -ECONNRESET;
	EXPECT_EQ(-ECONNRESET, wend_io_copy(&w.writer, &r.reader));
	EXPECT_EQ(r.text.substr(0, 40), w.text);
	w.fail_call = 2;
	w.result = -EPIPE;
	EXPECT_EQ(-EPIPE, wend_io_copy(&w.writer, &r.reader));
	r.at = 0;
	w.fail_call = 3;
	w.result = 5;
	EXPECT_EQ(-EIO, wend_io_copy(&w.writer, &r.reader));
	r.at = 0;
	refuse = true;
	EXPECT_EQ(-ENOMEM, wend_io_copy(&w.writer, &r.reader));
	EXPECT_EQ(-ENOMEM, wend_io_copy_n(&w.writer, &r.reader, 5));
	refuse = false;
	EXPECT_EQ(0u, r.at);
}

TEST(ReadFull, FillsOrEnds)
{
	script::Reader r("abcdef");
	char buf[8];

	r.piece = [] { return 2; };
	EXPECT_EQ(0, wend_io_read_full(&r.reader, buf, 0));
	EXPECT_EQ(0, r.calls);
	EXPECT_EQ(5, wend_io_read_full(&r.reader, buf, 5));
	EXPECT_EQ("abcde", std::string(buf, 5));
	EXPECT_EQ(1, wend_io_read_full(&r.reader, buf, 5));
	EXPECT_EQ(0, wend_io_read_full(&r.reader, buf, 5));
	r.at = 0;
	r.fail_at = 4;
	r.error = -EIO;
	EXPECT_EQ(-EIO, wend_io_read_full(&r.reader, buf, 5));
	EXPECT_EQ(-EINVAL, wend_io_read_full(&r.reader, buf, SIZE_MAX));
}

TEST(ReadAll, UpToTheLimit)
{
	for (size_t n : { 0, 1, 511, 512, 513, 1024, 100000 }) {
		script::Reader r(Numbers(n));
		char *data;

		r.piece = [] { return 700; };
		for (size_t limit : { n, n + 1, (size_t)1 << 20, SIZE_MAX }) {
			r.at = 0;
			ASSERT_EQ((ssize_t)n,
				  wend_io_read_all(&r.reader, limit, &data));
			EXPECT_EQ(r.text, std::string(data, n));
			EXPECT_EQ('\0', data[n]);
			free(data);
		}
		if (n == 0)
			continue;
		r.at = 0;
		EXPECT_EQ(-EMSGSIZE, wend_io_read_all(&r.reader, n - 1, &data));
		EXPECT_EQ(nullptr, data);
	}
}

TEST(ReadAll, Errors)
{
	script::Reader r(Numbers(2000));
	char *data;

	r.fail_at = 1500;
	r.error = -EIO;
	EXPECT_EQ(-EIO, wend_io_read_all(&r.reader, SIZE_MAX, &data));
	EXPECT_EQ(nullptr, data);
	r.at = 0;
	/* The first memory, and more of it. */
	refuse = true;
	EXPECT_EQ(-ENOMEM, wend_io_read_all(&r.reader, SIZE_MAX, &data));
	refuse = false;
	r.piece = [] {
		refuse = true;
		return SIZE_MAX;
	};
	EXPECT_EQ(-ENOMEM, wend_io_read_all(&r.reader, SIZE_MAX, &data));
	refuse = false;
	EXPECT_EQ(nullptr, data);
}

/* --- made of others ------------------------------------------------------ */

TEST(Made, Bytes)
{
	wend_io_bytes b;
	char buf[4];

	wend_io_bytes_init(&b, "abcdef", 6);
	EXPECT_EQ(0, wend_read(&b.reader, buf, 0));
	EXPECT_EQ(4, wend_read(&b.reader, buf, 4));
	EXPECT_EQ("abcd", std::string(buf, 4));
	EXPECT_EQ(2, wend_read(&b.reader, buf, 4));
	EXPECT_EQ(0, wend_read(&b.reader, buf, 4));
	wend_io_bytes_init(&b, nullptr, 0);
	EXPECT_EQ(0, wend_read(&b.reader, buf, 4));
}

TEST(Made, Limit)
{
	script::Reader r("abcdef");
	wend_io_limit l;
	char buf[8];

	wend_io_limit_init(&l, &r.reader, 4);
	EXPECT_EQ(3, wend_read(&l.reader, buf, 3));
	EXPECT_EQ(1, l.left);
	EXPECT_EQ(1, wend_read(&l.reader, buf, 8));
	EXPECT_EQ(0, wend_read(&l.reader, buf, 8));
	EXPECT_EQ(4u, r.at);
	/* The other one ends first. */
	wend_io_limit_init(&l, &r.reader, 4);
	EXPECT_EQ("ef", All(&l.reader, 8));
	EXPECT_EQ(2, l.left);
	wend_io_limit_init(&l, &r.reader, -5);
	EXPECT_EQ(0, l.left);
	EXPECT_EQ(0, wend_read(&l.reader, buf, 8));
	r.at = 0;
	r.fail_at = 0;
	r.error = -EIO;
	wend_io_limit_init(&l, &r.reader, INT64_MAX);
	EXPECT_EQ(-EIO, wend_read(&l.reader, buf, 8));
	EXPECT_EQ(INT64_MAX, l.left);
}

TEST(Made, Tee)
{
	script::Reader r("abcdef");
	script::Writer w;
	wend_io_tee t;
	ssize_t error;

	wend_io_tee_init(&t, &r.reader, &w.writer);
	EXPECT_EQ("abcdef", All(&t.reader, 4));
	EXPECT_EQ("abcdef", w.text);
	EXPECT_EQ(2, w.calls);
	r.at = 0;
	r.fail_at = 4;
	r.error = -EIO;
	EXPECT_EQ("abcd", All(&t.reader, 4, &error));
	EXPECT_EQ(-EIO, error);
	r.at = 0;
	w.fail_call = 4;
	w.result = -ENOSPC;
	EXPECT_EQ("", All(&t.reader, 4, &error));
	EXPECT_EQ(-ENOSPC, error);
	w.fail_call = 5;
	w.result = 1;
	EXPECT_EQ("", All(&t.reader, 2, &error));
	EXPECT_EQ(-EIO, error);
}

TEST(Made, MultiReader)
{
	script::Reader a("abc"), none(""), b("defg");
	wend_reader *list[] = { &none.reader, &a.reader, &none.reader,
				&b.reader };
	wend_io_multi_reader m;
	ssize_t error;
	char c;

	wend_io_multi_reader_init(&m, list, 4);
	EXPECT_EQ("abcdefg", All(&m.reader, 2));
	EXPECT_EQ(0, wend_read(&m.reader, &c, 1));
	a.at = b.at = 0;
	b.fail_at = 2;
	b.error = -EIO;
	wend_io_multi_reader_init(&m, list, 4);
	/* A read of nothing skips nothing. */
	EXPECT_EQ(0, wend_read(&m.reader, &c, 0));
	EXPECT_EQ("abcde", All(&m.reader, 9, &error));
	EXPECT_EQ(-EIO, error);
	wend_io_multi_reader_init(&m, nullptr, 0);
	EXPECT_EQ(0, wend_read(&m.reader, &c, 1));
}

TEST(Made, MultiWriter)
{
	script::Writer a, b;
	wend_writer *list[] = { &a.writer, wend_io_discard(), &b.writer };
	wend_io_multi_writer m;

	wend_io_multi_writer_init(&m, list, 3);
	EXPECT_EQ(3, wend_write(&m.writer, "abc", 3));
	EXPECT_EQ("abc", a.text);
	EXPECT_EQ("abc", b.text);
	a.fail_call = 2;
	a.result = -EPIPE;
	EXPECT_EQ(-EPIPE, wend_write(&m.writer, "def", 3));
	EXPECT_EQ("abc", b.text);
	a.fail_call = 3;
	a.result = 1;
	EXPECT_EQ(-EIO, wend_write(&m.writer, "def", 3));
	wend_io_multi_writer_init(&m, nullptr, 0);
	EXPECT_EQ(3, wend_write(&m.writer, "abc", 3));
}

TEST(Made, Discard)
{
	script::Reader r(Numbers(70000));

	EXPECT_EQ(70000, wend_io_copy(wend_io_discard(), &r.reader));
}
