/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes_test.cc - a string that grows, beside std::string, and memory that is
 * refused.
 */
#include <wend/std/bytes.h>

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <random>
#include <string>

/* realloc() of this program's, the library included, comes by here. */
static bool refuse;

extern "C" void *__real_realloc(void *p, size_t n);
extern "C" void *__wrap_realloc(void *p, size_t n)
{
	return refuse ? nullptr : __real_realloc(p, n);
}

namespace
{

class Bytes
{
      public:
	Bytes()
	{
		wend_bytes_init(&b_);
	}
	~Bytes()
	{
		wend_bytes_free(&b_);
	}
	operator wend_bytes *()
	{
		return &b_;
	}
	wend_bytes *operator->()
	{
		return &b_;
	}
	std::string Text()
	{
		return std::string(wend_bytes_text(&b_), b_.len);
	}

      private:
	wend_bytes b_;
};

/* Gives "abc" again and again, or an error. */
struct Source {
	wend_reader reader = { Read };
	ssize_t result = 3;

	static ssize_t Read(wend_reader *r, void *buf, size_t n)
	{
		Source *s = (Source *)r;

		if (n)
			memcpy(buf, "abc", n < 3 ? n : 3);
		return s->result < (ssize_t)n ? s->result : (ssize_t)n;
	}
};

} // namespace

TEST(Bytes, BeginsEmpty)
{
	wend_bytes b = WEND_BYTES_INIT;

	EXPECT_EQ(0u, b.len);
	EXPECT_STREQ("", wend_bytes_text(&b));
	EXPECT_EQ(0u, wend_bytes_str(&b).len);
	EXPECT_EQ(0, wend_bytes_add(&b, nullptr, 0));
	wend_bytes_truncate(&b, 0);
	wend_bytes_drop(&b, 5);
	wend_bytes_clear(&b);
	EXPECT_EQ(nullptr, b.data);
	wend_bytes_free(&b);
	wend_bytes_free(&b);
}

TEST(Bytes, Appends)
{
	Bytes b;

	EXPECT_EQ(0, wend_bytes_add_text(b, "one"));
	EXPECT_EQ(0, wend_bytes_add_byte(b, ','));
	EXPECT_EQ(0, wend_bytes_add_str(b, WEND_STR("t\0o")));
	EXPECT_EQ(0, wend_bytes_add_str(b, wend_str_of(nullptr, 0)));
	EXPECT_EQ(0, wend_bytes_printf(b, ",%d%s", 3, "!"));
	EXPECT_EQ(std::string("one,t\0o,3!", 10), b.Text());
	EXPECT_EQ('\0', b->data[b->len]);
	EXPECT_EQ(3, wend_write(&b->writer, "xyz", 3));
	EXPECT_EQ(13u, b->len);
}

TEST(Bytes, PrintsAnyLength)
{
	for (size_t before : { 0, 1, 46, 47, 48, 95 }) {
		for (size_t n : { 0, 1, 46, 47, 48, 49, 1000 }) {
			Bytes b;
			std::string first(before, 'a'), text(n, 'x');

			wend_bytes_add(b, first.data(), before);
			EXPECT_EQ(0, wend_bytes_printf(b, "%s", text.c_str()));
			EXPECT_EQ(first + text, b.Text());
		}
	}
}

/* A wide character that has no bytes in this locale. */
TEST(Bytes, WrongFormatAddsNothing)
{
	Bytes b;

	wend_bytes_add_text(b, "a");
	EXPECT_EQ(-EINVAL, wend_bytes_printf(b, "b%lc", (wint_t)0x110000));
	EXPECT_EQ("a", b.Text());
	EXPECT_EQ('\0', b->data[1]);
	EXPECT_EQ(0, wend_bytes_error(b));
}

TEST(Bytes, RoomIsWrittenInPlace)
{
	Bytes b;
	char *room = wend_bytes_room(b, 0);

	ASSERT_NE(nullptr, room);
	room = wend_bytes_room(b, 100);
	memset(room, 'r', 100);
	wend_bytes_fill(b, 60);
	EXPECT_EQ(std::string(60, 'r'), b.Text());
	EXPECT_EQ('\0', b->data[60]);
	wend_bytes_fill(b, 0);
	EXPECT_EQ(60u, b->len);
}

TEST(Bytes, ReadsFromAReader)
{
	Source s;
	Bytes b;

	EXPECT_EQ(3, wend_bytes_read(b, &s.reader, 100));
	EXPECT_EQ(2, wend_bytes_read(b, &s.reader, 2));
	EXPECT_EQ("abcab", b.Text());
	s.result = -EIO;
	EXPECT_EQ(-EIO, wend_bytes_read(b, &s.reader, 100));
	EXPECT_EQ("abcab", b.Text());
	EXPECT_EQ('\0', b->data[5]);
	s.result = 0;
	EXPECT_EQ(0, wend_bytes_read(b, &s.reader, 100));
	refuse = true;
	EXPECT_EQ(-ENOMEM, wend_bytes_read(b, &s.reader, 1000));
	refuse = false;
}

TEST(Bytes, TakenIsOwned)
{
	Bytes b;
	size_t len = 9;
	char *data = wend_bytes_take(b, &len);

	EXPECT_STREQ("", data);
	EXPECT_EQ(0u, len);
	free(data);
	wend_bytes_add_text(b, "abc");
	data = wend_bytes_take(b, &len);
	EXPECT_STREQ("abc", data);
	EXPECT_EQ(3u, len);
	free(data);
	EXPECT_EQ("", b.Text());
	wend_bytes_add_text(b, "more");
	EXPECT_EQ("more", b.Text());
}

/* Nothing changes from the first refusal on, until a clear. */
TEST(Bytes, NoMemoryStays)
{
	Bytes b;

	wend_bytes_add_text(b, "kept");
	refuse = true;
	EXPECT_EQ(-ENOMEM,
		  wend_bytes_add(b, std::string(100, 'x').data(), 100));
	refuse = false;
	EXPECT_EQ(-ENOMEM, wend_bytes_error(b));
	EXPECT_EQ(-ENOMEM, wend_bytes_add_byte(b, 'x'));
	EXPECT_EQ(-ENOMEM, wend_bytes_add(b, nullptr, 0));
	EXPECT_EQ(-ENOMEM, wend_bytes_printf(b, "x"));
	EXPECT_EQ(-ENOMEM, wend_bytes_reserve(b, 1));
	EXPECT_EQ(-ENOMEM, wend_write(&b->writer, "x", 1));
	EXPECT_EQ(nullptr, wend_bytes_room(b, 1));
	EXPECT_EQ(nullptr, wend_bytes_take(b, nullptr));
	EXPECT_EQ("kept", b.Text());
	wend_bytes_clear(b);
	EXPECT_EQ(0, wend_bytes_error(b));
	EXPECT_EQ(0, wend_bytes_add_byte(b, 'x'));
	EXPECT_EQ("x", b.Text());
}

TEST(Bytes, NoMemoryForPrinting)
{
	Bytes b;

	refuse = true;
	EXPECT_EQ(-ENOMEM, wend_bytes_printf(b, "x"));
	refuse = false;
	wend_bytes_clear(b);
	wend_bytes_add_text(b, "kept");
	refuse = true;
	EXPECT_EQ(-ENOMEM, wend_bytes_printf(b, "%100s", "x"));
	refuse = false;
	EXPECT_EQ("kept", b.Text());
	EXPECT_STREQ("kept", b->data);
}

/* Sizes that nobody has; they come from the network as a rule. */
TEST(Bytes, NoMemoryForHugeSizes)
{
	for (size_t n : { SIZE_MAX, SIZE_MAX - 1, (size_t)PTRDIFF_MAX,
			  (size_t)PTRDIFF_MAX - 1 }) {
		Bytes b;

		wend_bytes_add_text(b, "kept");
		EXPECT_EQ(-ENOMEM, wend_bytes_reserve(b, n));
		EXPECT_EQ("kept", b.Text());
	}
}

TEST(Bytes, DoesWhatAStringDoes)
{
	std::mt19937 rng(3);
	std::string s;
	Bytes b;

	for (int i = 0; i < 20000; i++) {
		std::string piece(rng() % 40, (char)('a' + rng() % 26));
		size_t n = rng() % 50;

		switch (rng() % 6) {
		case 0:
		case 1:
			wend_bytes_add(b, piece.data(), piece.size());
			s += piece;
			break;
		case 2:
			wend_bytes_printf(b, "%s.%zu", piece.c_str(), n);
			s += piece + "." + std::to_string(n);
			break;
		case 3:
			wend_bytes_drop(b, n);
			s.erase(0, n);
			break;
		case 4:
			wend_bytes_truncate(b, n * 20);
			if (s.size() > n * 20)
				s.resize(n * 20);
			break;
		case 5:
			wend_bytes_add_byte(b, 'b');
			s += 'b';
			break;
		}
		ASSERT_EQ(s, b.Text());
		ASSERT_EQ('\0', wend_bytes_text(b)[b->len]);
	}
}
