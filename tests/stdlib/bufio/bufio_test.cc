/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bufio_test.cc - buffers: sizes at their edges, errors in the middle, and
 * random use beside the plain text.
 */
#include <wend/std/bufio.h>

#include <memory>
#include <random>
#include <vector>

#include "tests/stdlib/support/script.h"
#include "tests/support/wt.h"

namespace
{

/* Buffers are exactly as large as they say, for AddressSanitizer to see. */
class In
{
      public:
	In(wend_reader *from, size_t size) : buf_(new char[size])
	{
		wend_bufio_reader_init(&r_, from, buf_.get(), size);
	}
	operator wend_bufio_reader *()
	{
		return &r_;
	}
	wend_bufio_reader *operator->()
	{
		return &r_;
	}

      private:
	std::unique_ptr<char[]> buf_;
	wend_bufio_reader r_;
};

class Out
{
      public:
	Out(wend_writer *to, size_t size) : buf_(new char[size])
	{
		wend_bufio_writer_init(&w_, to, buf_.get(), size);
	}
	operator wend_bufio_writer *()
	{
		return &w_;
	}
	wend_bufio_writer *operator->()
	{
		return &w_;
	}

      private:
	std::unique_ptr<char[]> buf_;
	wend_bufio_writer w_;
};

std::string Text(wend_str s)
{
	return s.len ? std::string(s.ptr, s.len) : std::string();
}

/* Letters and, one in eight, the ends of lines. */
std::string RandomText(std::mt19937_64 &rng, size_t n)
{
	std::string text;

	while (text.size() < n)
		text += "abcdef\n\r"[rng() % 8];
	return text;
}

} // namespace

/* --- reading ------------------------------------------------------------- */

TEST(BufioReader, Peeks)
{
	script::Reader from("abcdefgh");
	In r(&from.reader, 4);
	const char *data = nullptr;

	from.piece = [] { return 1; };
	EXPECT_EQ(0u, wend_bufio_buffered(r));
	EXPECT_EQ(0, wend_bufio_peek(r, 0, &data));
	EXPECT_EQ(0, from.calls);
	EXPECT_EQ(2, wend_bufio_peek(r, 2, &data));
	EXPECT_EQ("ab", std::string(data, 2));
	EXPECT_EQ(2, wend_bufio_peek(r, 1, &data));
	EXPECT_EQ("ab", Text(wend_bufio_peeked(r)));
	EXPECT_EQ(-EMSGSIZE, wend_bufio_peek(r, 5, &data));
	EXPECT_EQ(2u, wend_bufio_buffered(r));
	EXPECT_EQ('a', wend_bufio_read_byte(r));
	/* Across the end of the buffer. */
	EXPECT_EQ(4, wend_bufio_peek(r, 4, &data));
	EXPECT_EQ("bcde", std::string(data, 4));
	EXPECT_EQ(3, wend_bufio_discard(r, 3));
	/* The end: less than was asked for. */
	EXPECT_EQ(4, wend_bufio_peek(r, 4, &data));
	EXPECT_EQ(1, wend_bufio_discard(r, 1));
	EXPECT_EQ(3, wend_bufio_peek(r, 4, &data));
	EXPECT_EQ("fgh", std::string(data, 3));
	EXPECT_EQ(3, wend_bufio_discard(r, 4));
	EXPECT_EQ(0, wend_bufio_peek(r, 1, &data));
	EXPECT_EQ(-ENODATA, wend_bufio_read_byte(r));
	EXPECT_EQ(0, wend_bufio_discard(r, 0));
}

TEST(BufioReader, BytesAreUnsigned)
{
	script::Reader from(std::string("\xff\0", 2));
	In r(&from.reader, 1);

	EXPECT_EQ(255, wend_bufio_read_byte(r));
	EXPECT_EQ(0, wend_bufio_read_byte(r));
	EXPECT_EQ(-ENODATA, wend_bufio_read_byte(r));
}

TEST(BufioReader, Fills)
{
	script::Reader from("abcdef");
	In r(&from.reader, 4);

	from.piece = [] { return 3; };
	EXPECT_EQ(3, wend_bufio_fill(r));
	EXPECT_EQ(1, wend_bufio_fill(r));
	EXPECT_EQ("abcd", Text(wend_bufio_peeked(r)));
	EXPECT_EQ(-EMSGSIZE, wend_bufio_fill(r));
	EXPECT_EQ("abcd", Text(wend_bufio_peeked(r)));
	EXPECT_EQ(1, wend_bufio_discard(r, 1));
	EXPECT_EQ(1, wend_bufio_fill(r));
	EXPECT_EQ("bcde", Text(wend_bufio_peeked(r)));
	EXPECT_EQ(4, wend_bufio_discard(r, 4));
	EXPECT_EQ(1, wend_bufio_fill(r));
	EXPECT_EQ(0, wend_bufio_fill(r));
	EXPECT_EQ("f", Text(wend_bufio_peeked(r)));
}

TEST(BufioReader, LargeReadsGoPast)
{
	script::Reader from("0123456789");
	In r(&from.reader, 4);
	char buf[8];

	EXPECT_EQ(0, wend_bufio_read(r, buf, 0));
	EXPECT_EQ(0, from.calls);
	/* Smaller ones read as much as the buffer holds. */
	EXPECT_EQ(1, wend_bufio_read(r, buf, 1));
	EXPECT_EQ(4u, from.largest);
	/* What is buffered comes first, and without a read. */
	EXPECT_EQ(3, wend_bufio_read(r, buf, 8));
	EXPECT_EQ(1, from.calls);
	EXPECT_EQ("123", std::string(buf, 3));
	EXPECT_EQ(6, wend_bufio_read(r, buf, 8));
	EXPECT_EQ(8u, from.largest);
	EXPECT_EQ("456789", std::string(buf, 6));
	EXPECT_EQ(0, wend_bufio_read(r, buf, 8));
	EXPECT_EQ(0, wend_bufio_read(r, buf, 1));
}

TEST(BufioReader, Lines)
{
	script::Reader from("one\r\n\ntwo\r\r\n\r\nlast");
	In r(&from.reader, 8);
	wend_str line;

	EXPECT_EQ(5, wend_bufio_read_line(r, 8, &line));
	EXPECT_EQ("one", Text(line));
	EXPECT_EQ(1, wend_bufio_read_line(r, 8, &line));
	EXPECT_EQ("", Text(line));
	/* One "\r" belongs to the end, others are the line's. */
	EXPECT_EQ(6, wend_bufio_read_line(r, 8, &line));
	EXPECT_EQ("two\r", Text(line));
	EXPECT_EQ(2, wend_bufio_read_line(r, 8, &line));
	EXPECT_EQ("", Text(line));
	EXPECT_EQ(4, wend_bufio_read_line(r, 8, &line));
	EXPECT_EQ("last", Text(line));
	EXPECT_EQ(0, wend_bufio_read_line(r, 8, &line));
	EXPECT_EQ(0u, line.len);
}

/* The last line that may be, and the first that may not. */
TEST(BufioReader, LinesHaveALimit)
{
	for (size_t size : { 6, 7, 100 }) {
		for (size_t piece : { 1, 3, 100 }) {
			script::Reader from("abcde\nabcdef\nx");
			In r(&from.reader, size);
			wend_str line;

			from.piece = [&] { return piece; };
			EXPECT_EQ(-EMSGSIZE, wend_bufio_read_line(r, 5, &line));
			EXPECT_EQ(0,
				  wend_bufio_read_line(r, 0, &line) + EMSGSIZE);
			EXPECT_EQ(6, wend_bufio_read_line(r, 6, &line));
			EXPECT_EQ("abcde", Text(line));
			EXPECT_EQ(-EMSGSIZE, wend_bufio_read_line(r, 6, &line));
			/* Nothing was taken. */
			EXPECT_EQ('a', wend_bufio_read_byte(r));
			EXPECT_EQ(6, wend_bufio_read_until(r, '\n', SIZE_MAX,
							   &line));
			EXPECT_EQ("bcdef\n", Text(line));
		}
	}
	/* The end of the text is no delimiter beyond the limit. */
	script::Reader from("abc");
	In r(&from.reader, 3);
	wend_str piece;
	EXPECT_EQ(-EMSGSIZE, wend_bufio_read_until(r, '\n', 3, &piece));
	EXPECT_EQ(3, wend_bufio_discard(r, 9));
}

/* An error in the middle of anything loses nothing: a deadline, say. */
TEST(BufioReader, ErrorsLoseNothing)
{
	for (size_t fail_at = 0; fail_at < 6; fail_at++) {
		script::Reader from("abcd\nX");
		In r(&from.reader, 6);
		const char *data;
		wend_str line;

		from.fail_at = fail_at;
		from.error = -ETIMEDOUT;
		if (fail_at < 5) {
			EXPECT_EQ(-ETIMEDOUT,
				  wend_bufio_read_line(r, 6, &line));
			EXPECT_EQ(0u, line.len);
			EXPECT_EQ(fail_at, wend_bufio_buffered(r));
		}
		EXPECT_EQ(5, wend_bufio_read_line(r, 6, &line));
		EXPECT_EQ("abcd", Text(line));

		script::Reader again("abcdef");
		wend_bufio_reader_init(r, &again.reader, r->buf_, 6);
		again.fail_at = fail_at;
		again.error = -EIO;
		EXPECT_EQ(-EIO, wend_bufio_peek(r, 6, &data));
		EXPECT_EQ(6, wend_bufio_peek(r, 6, &data));
		EXPECT_EQ("abcdef", std::string(data, 6));
	}
	script::Reader from("abcdef");
	In r(&from.reader, 2);
	char buf[4];
	from.fail_at = 0;
	from.error = -EIO;
	EXPECT_EQ(-EIO, wend_bufio_read_byte(r));
	from.fail_at = 0;
	EXPECT_EQ(-EIO, wend_bufio_read(r, buf, 1));
	from.fail_at = 0;
	EXPECT_EQ(-EIO, wend_bufio_read(r, buf, 4));
	from.fail_at = 3;
	EXPECT_EQ(-EIO, wend_bufio_discard(r, 4));
	from.fail_at = from.at;
	EXPECT_EQ(-EIO, wend_bufio_fill(r));
	EXPECT_EQ(-EINVAL, wend_bufio_discard(r, SIZE_MAX));
}

TEST(BufioReader, RandomUse)
{
	std::mt19937_64 rng(1);

	for (int round = 0; round < 400; round++) {
		std::string text = RandomText(rng, rng() % 500);
		size_t size = 1 + rng() % 40, at = 0;
		script::Reader from(text);
		In r(&from.reader, size);

		from.piece = [&] { return 1 + rng() % 20; };
		while (at < text.size()) {
			size_t n = rng() % 60, left = text.size() - at, end;
			const char *data;
			wend_str piece;
			char buf[64];
			ssize_t got;

			if (rng() % 4 == 0) {
				from.fail_at = from.at;
				from.error = -EINTR;
			}
			switch (rng() % 5) {
			case 0:
				got = wend_bufio_peek(r, n, &data);
				if (n > size) {
					ASSERT_EQ(-EMSGSIZE, got);
				} else if (got != -EINTR) {
					ASSERT_GE(got,
						  (ssize_t)(n < left ? n :
								       left));
					ASSERT_EQ(text.substr(at, (size_t)got),
						  std::string(data,
							      (size_t)got));
				}
				break;
			case 1:
				got = wend_bufio_read(r, buf, n);
				if (got == -EINTR)
					break;
				ASSERT_GE(got, n ? 1 : 0);
				ASSERT_EQ(text.substr(at, (size_t)got),
					  std::string(buf, (size_t)got));
				at += (size_t)got;
				break;
			case 2:
				n = wend_bufio_buffered(r);
				ASSERT_EQ((ssize_t)n, wend_bufio_discard(r, n));
				at += n;
				break;
			case 3:
				got = wend_bufio_read_byte(r);
				if (got == -EINTR)
					break;
				ASSERT_EQ((unsigned char)text[at++], got);
				break;
			case 4:
				got = wend_bufio_read_until(r, '\n', n, &piece);
				if (got == -EINTR)
					break;
				end = text.find('\n', at);
				end = end == text.npos ? left : end - at + 1;
				if (got == -EMSGSIZE) {
					/* Or a last piece as long as that. */
					ASSERT_GE(end, n < size ? n : size);
					break;
				}
				ASSERT_EQ((ssize_t)end, got);
				ASSERT_EQ(text.substr(at, end), Text(piece));
				at += end;
				break;
			}
			from.fail_at = SIZE_MAX;
		}
		ASSERT_EQ(-ENODATA, wend_bufio_read_byte(r));
	}
}

/* --- writing ------------------------------------------------------------- */

TEST(BufioWriter, Buffers)
{
	script::Writer to;
	Out w(&to.writer, 8);

	EXPECT_EQ(0, wend_bufio_flush(w));
	EXPECT_EQ(3, wend_bufio_write_text(w, "abc"));
	EXPECT_EQ(1, wend_bufio_write_byte(w, 'd'));
	EXPECT_EQ(4, wend_bufio_write_str(w, WEND_STR("efgh")));
	EXPECT_EQ(0, wend_bufio_write(w, nullptr, 0));
	EXPECT_EQ(0, to.calls);
	EXPECT_EQ(8u, wend_bufio_pending(w));
	EXPECT_EQ(0u, wend_bufio_available(w));
	EXPECT_EQ(1, wend_write(&w->writer, "i", 1));
	EXPECT_EQ("abcdefgh", to.text);
	EXPECT_EQ(1u, wend_bufio_pending(w));
	EXPECT_EQ(0, wend_bufio_flush(w));
	EXPECT_EQ("abcdefghi", to.text);
	EXPECT_EQ(0, wend_bufio_flush(w));
	EXPECT_EQ(2, to.calls);
}

TEST(BufioWriter, LargeWritesGoPast)
{
	script::Writer to;
	Out w(&to.writer, 4);
	std::string large(100, 'x');

	EXPECT_EQ(100, wend_bufio_write(w, large.data(), 100));
	EXPECT_EQ(1, to.calls);
	wend_bufio_write_byte(w, 'a');
	/* The buffer is filled up first; then the rest in one piece. */
	EXPECT_EQ(100, wend_bufio_write(w, large.data(), 100));
	EXPECT_EQ(3, to.calls);
	EXPECT_EQ(large + "a" + large, to.text);
	EXPECT_EQ(0u, wend_bufio_pending(w));
	/* As much as the buffer holds stays in it. */
	EXPECT_EQ(4, wend_bufio_write(w, large.data(), 4));
	EXPECT_EQ(3, to.calls);
}

TEST(BufioWriter, Prints)
{
	script::Writer to;
	Out w(&to.writer, 8);

	EXPECT_EQ(7, wend_bufio_printf(w, "%d-%s", 123, "abc"));
	EXPECT_EQ(0, to.calls);
	EXPECT_EQ(2, wend_bufio_printf(w, "%d", 45));
	EXPECT_EQ("123-abc", to.text);
	EXPECT_EQ(0, wend_bufio_printf(w, "%s", ""));
	EXPECT_EQ(7, wend_bufio_printf(w, "%07d", 6));
	EXPECT_EQ(0, wend_bufio_flush(w));
	EXPECT_EQ("123-abc450000006", to.text);
	/* printf() needs one byte more, for its NUL. */
	EXPECT_EQ(-EMSGSIZE, wend_bufio_printf(w, "%08d", 6));
	EXPECT_EQ(-EMSGSIZE, wend_bufio_flush(w));
	EXPECT_EQ(-EMSGSIZE, wend_bufio_write_byte(w, 'x'));
	EXPECT_EQ("123-abc450000006", to.text);

	wend_bufio_writer_init(w, &to.writer, w->buf_, 8);
	EXPECT_EQ(0, wend_bufio_error(w));
	EXPECT_EQ(-EINVAL, wend_bufio_printf(w, "%lc", (wint_t)0x110000));
	EXPECT_EQ(-EINVAL, wend_bufio_error(w));
	EXPECT_EQ(-EINVAL, wend_bufio_printf(w, "x"));
}

TEST(BufioWriter, RoomIsWrittenInPlace)
{
	script::Writer to;
	Out w(&to.writer, 4);
	char *room = wend_bufio_room(w, 3);

	memcpy(room, "abc", 3);
	wend_bufio_put(w, 3);
	room = wend_bufio_room(w, 1);
	*room = 'd';
	wend_bufio_put(w, 1);
	EXPECT_EQ(0, to.calls);
	EXPECT_EQ(nullptr, wend_bufio_room(w, 5));
	EXPECT_EQ(0, wend_bufio_error(w));
	room = wend_bufio_room(w, 4);
	EXPECT_EQ("abcd", to.text);
	memcpy(room, "efgh", 4);
	wend_bufio_put(w, 2);
	EXPECT_EQ(0, wend_bufio_flush(w));
	EXPECT_EQ("abcdef", to.text);
	to.fail_call = 3;
	to.result = -EPIPE;
	wend_bufio_write_byte(w, 'x');
	EXPECT_EQ(nullptr, wend_bufio_room(w, 4));
	EXPECT_EQ(-EPIPE, wend_bufio_error(w));
	EXPECT_EQ(nullptr, wend_bufio_room(w, 1));
}

/* Also one that says that it wrote less, which no writer may. */
TEST(BufioWriter, FirstErrorStays)
{
	for (ssize_t result : { (ssize_t)-EPIPE, (ssize_t)2, (ssize_t)0 }) {
		script::Writer to;
		Out w(&to.writer, 4);
		int error = result < 0 ? (int)result : -EIO;

		to.fail_call = 2;
		to.result = result;
		EXPECT_EQ(6, wend_bufio_write_text(w, "abcdef"));
		EXPECT_EQ(error, wend_bufio_write_text(w, "ghijk"));
		EXPECT_EQ(error, wend_bufio_error(w));
		EXPECT_EQ(error, wend_bufio_write_byte(w, 'x'));
		EXPECT_EQ(error, wend_bufio_write(w, nullptr, 0));
		EXPECT_EQ(error, wend_bufio_flush(w));
		EXPECT_EQ(2, to.calls);
		EXPECT_EQ("abcdef" == to.text || "abcd" == to.text, true);
	}
	script::Writer to;
	Out w(&to.writer, 4);
	to.fail_call = 1;
	to.result = -ENOSPC;
	EXPECT_EQ(-ENOSPC, wend_bufio_write_text(w, "large one"));
	EXPECT_EQ(-ENOSPC, wend_bufio_flush(w));
	wend_bufio_writer_init(w, &to.writer, w->buf_, 4);
	/* Not known to the compiler, which would warn. */
	volatile size_t huge = SIZE_MAX;
	EXPECT_EQ(-EINVAL, wend_bufio_write(w, "", huge));
}

TEST(BufioWriter, RandomUse)
{
	std::mt19937_64 rng(2);

	for (int round = 0; round < 400; round++) {
		size_t size = 2 + rng() % 30;
		std::string want;
		script::Writer to;
		Out w(&to.writer, size);

		for (int i = 0; i < 100; i++) {
			std::string piece = RandomText(rng, rng() % 70);
			char *room;

			switch (rng() % 5) {
			case 0:
				ASSERT_EQ((ssize_t)piece.size(),
					  wend_bufio_write(w, piece.data(),
							   piece.size()));
				break;
			case 1:
				piece = "x";
				ASSERT_EQ(1, wend_bufio_write_byte(w, 'x'));
				break;
			case 2:
				piece.resize(rng() % size);
				for (char &c : piece)
					c = 'p';
				ASSERT_EQ((ssize_t)piece.size(),
					  wend_bufio_printf(w, "%s",
							    piece.c_str()));
				break;
			case 3:
				piece.resize(rng() % (size + 1));
				room = wend_bufio_room(w, piece.size());
				ASSERT_NE(nullptr, room);
				memcpy(room, piece.data(), piece.size());
				wend_bufio_put(w, piece.size());
				break;
			case 4:
				piece = "";
				ASSERT_EQ(0, wend_bufio_flush(w));
				ASSERT_EQ(want, to.text);
				break;
			}
			want += piece;
			ASSERT_LE(wend_bufio_pending(w), size);
			ASSERT_EQ(want.size(),
				  to.text.size() + wend_bufio_pending(w));
		}
		ASSERT_EQ(0, wend_bufio_flush(w));
		ASSERT_EQ(want, to.text);
	}
}

/* --- both, between tasks ------------------------------------------------- */

TEST(Bufio, LinesThroughAPipe)
{
	wt::Run([] {
		wend_io_pipe pipe;
		int lines = 0;

		wend_io_pipe_init(&pipe);
		wt::Group g;
		g.Go([&] {
			Out w(&pipe.writer, 64);

			for (int i = 0; i < 200; i++)
				EXPECT_GT(wend_bufio_printf(w, "line %d\n", i),
					  0);
			EXPECT_EQ(0, wend_bufio_flush(w));
			wend_io_pipe_close_write(&pipe, 0);
		});
		In r(&pipe.reader, 16);
		wend_str line;
		while (wend_bufio_read_line(r, 16, &line) > 0)
			EXPECT_EQ("line " + std::to_string(lines++),
				  Text(line));
		EXPECT_EQ(200, lines);
		g.Wait();
	});
}
