/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_test.cc - JSON from readers and to writers: values, limits, errors.
 */
#include <wend/std/json.h>
#include <wend/wend.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "tests/support/wt.h"

namespace
{

/* Hands a text out piece by piece, then an error or the end. */
struct Text {
	wend_reader reader;
	std::string text;
	size_t piece, at = 0;
	ssize_t end;

	explicit Text(std::string t, size_t piece = 7, ssize_t end = 0)
		: text(std::move(t)), piece(piece), end(end)
	{
		reader.read = [](wend_reader *r, void *buf, size_t n) {
			auto *t = reinterpret_cast<Text *>(r);

			n = std::min({ n, t->piece, t->text.size() - t->at });
			memcpy(buf, t->text.data() + t->at, n);
			t->at += n;
			return n == 0 ? t->end : (ssize_t)n;
		};
	}
};

/* Keeps what is written, and fails after so many bytes. */
struct Paper {
	wend_writer writer;
	std::string text;
	size_t room;

	explicit Paper(size_t room = SIZE_MAX) : room(room)
	{
		writer.write = [](wend_writer *w, const void *buf,
				  size_t n) -> ssize_t {
			auto *p = reinterpret_cast<Paper *>(w);

			if (n > p->room - p->text.size())
				return -ENOSPC;
			p->text.append(static_cast<const char *>(buf), n);
			return (ssize_t)n;
		};
	}
};

std::string Deep(size_t n, const std::string &in = "1")
{
	return std::string(n, '[') + in + std::string(n, ']');
}

int Read(const std::string &text, std::string *again = nullptr,
	 wend_json_error *e = nullptr, wend_json_limits *l = nullptr)
{
	json_t *one = nullptr, *other = nullptr;
	Text t(text);
	int err = wend_json_read(&t.reader, l, &one, e);

	/* Both ways agree. */
	EXPECT_EQ(err,
		  wend_json_parse(text.data(), text.size(), l, &other, nullptr))
		<< text;
	EXPECT_EQ(err == 0, one != nullptr);
	if (err == 0) {
		Paper p;

		EXPECT_TRUE(json_equal(one, other));
		EXPECT_EQ(0, wend_json_write(&p.writer, one, 0));
		if (again != nullptr)
			*again = p.text;
	}
	json_decref(one);
	json_decref(other);
	return err;
}

TEST(Json, RoundTrips)
{
	wt::Run(
		[] {
			for (const char *text :
			     { "{\"a\":[1,-2,3.5,true,false,null,\"x\"],"
			       "\"b\":{}}",
			       "[]", "\"\\u00e4\\n\\\"\"", "17", "null",
			       "9223372036854775807" }) {
				std::string once, twice;

				ASSERT_EQ(0, Read(text, &once)) << text;
				ASSERT_EQ(0, Read(" " + once + " \n", &twice));
				EXPECT_EQ(once, twice);
			}
			std::string long_text(5000, 'x'), again;
			ASSERT_EQ(0, Read("\"" + long_text + "\"", &again));
			EXPECT_EQ("\"" + long_text + "\"", again);
		},
		500);
}

TEST(Json, Errors)
{
	static const struct {
		const char *text;
		int line, column;
	} kBad[] = {
		{ "", 1, 1 },
		{ "{", 1, 1 },
		{ "[1,\n 2,\n ]", 3, 2 },
		{ "{\"a\":1,\"a\":2}", 1, 11 },
		{ "[1] x", 1, 5 },
		{ "'a'", 1, 1 },
		{ "[01]", 1, 3 },
		{ "\"\xff\"", 1, 1 },
		{ "[1e999]", 1, 6 },
		{ "[99999999999999999999]", 1, 21 },
	};

	for (auto &b : kBad) {
		wend_json_error e = {};

		EXPECT_EQ(-EBADMSG, Read(b.text, nullptr, &e)) << b.text;
		EXPECT_EQ(b.line, e.line) << b.text;
		EXPECT_GE(e.column, 1) << b.text;
		EXPECT_NE("", std::string(e.text)) << b.text;
	}
	/* Nothing behind the error counts. */
	wend_json_error e = {};
	EXPECT_EQ(-EBADMSG, Read("[1,\n\n   ?]", nullptr, &e));
	EXPECT_EQ(3, e.line);
	EXPECT_EQ(4, e.column);
}

TEST(Json, Depth)
{
	wt::Run(
		[] {
			wend_json_error e = {};
			wend_json_limits l = {};

			EXPECT_EQ(0, Read(Deep(64)));
			EXPECT_EQ(-EMSGSIZE,
				  Read("\n" + Deep(65), nullptr, &e));
			EXPECT_EQ(2, e.line);
			EXPECT_EQ(65, e.column);
			EXPECT_EQ(65u, e.position);
			EXPECT_EQ(-EMSGSIZE,
				  Read(std::string(1000000, '['), nullptr, &e));
			/* Brackets in strings do not count. */
			EXPECT_EQ(0, Read("\"\\\"" + std::string(100, '[') +
					  "\""));
			l.depth = 256; /* and a task's stack takes it */
			EXPECT_EQ(0, Read(Deep(256), nullptr, &e, &l));
			EXPECT_EQ(-EMSGSIZE, Read(Deep(257), nullptr, &e, &l));
			l.depth = 257;
			EXPECT_EQ(-EINVAL, Read("1", nullptr, &e, &l));
		},
		500);
}

TEST(Json, Size)
{
	wend_json_limits l = {};
	wend_json_error e = {};

	l.size = 10;
	EXPECT_EQ(0, Read("[1,2,3,45]", nullptr, &e, &l));
	EXPECT_EQ(-EMSGSIZE, Read("[1,2,3,456]", nullptr, &e, &l));
	EXPECT_EQ(10u, e.position);
	EXPECT_EQ(-EMSGSIZE, Read("[1]        ", nullptr, &e, &l));
}

TEST(Json, ReaderAndWriterErrors)
{
	json_t *v = nullptr;
	Text t("[1,", 7, -ECONNRESET);
	Text late("[1]", 7, -ETIMEDOUT);
	Text own("[1", 7, -EMSGSIZE); /* the reader's, not our limit */

	EXPECT_EQ(-ECONNRESET, wend_json_read(&t.reader, nullptr, &v, nullptr));
	EXPECT_EQ(-ETIMEDOUT,
		  wend_json_read(&late.reader, nullptr, &v, nullptr));
	EXPECT_EQ(nullptr, v);
	EXPECT_EQ(-EMSGSIZE, wend_json_read(&own.reader, nullptr, &v, nullptr));

	v = json_array();
	for (int i = 0; i < 1000; i++)
		json_array_append_new(v, json_integer(i));
	json_array_append_new(v, json_string(std::string(3000, 's').c_str()));
	for (size_t room : { 0, 1, 100, 3000, 5000 }) {
		Paper p(room);

		EXPECT_EQ(-ENOSPC, wend_json_write(&p.writer, v, 0));
	}
	json_decref(v);
}

TEST(Json, WritingChecks)
{
	Paper p;
	json_t *v = json_array();

	EXPECT_EQ(-EINVAL, wend_json_write(&p.writer, nullptr, 0));
	EXPECT_EQ(-EINVAL, wend_json_write(&p.writer, v, 32));
	EXPECT_EQ(0, wend_json_write(&p.writer, v, 31));
	for (int i = 0; i < 256; i++) {
		json_t *outer = json_object();

		json_object_set_new(outer, "a", v);
		v = outer;
	}
	p.text.clear();
	EXPECT_EQ(-EMSGSIZE, wend_json_write(&p.writer, v, 0));
	EXPECT_EQ("", p.text);
	json_decref(v);
	v = json_pack("{s:i,s:[i]}", "b", 1, "a", 2);
	EXPECT_EQ(0, wend_json_write(&p.writer, v, 2));
	EXPECT_EQ("{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}", p.text);
	json_decref(v);
}

} // namespace
