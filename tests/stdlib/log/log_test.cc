/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_test.cc - lines: what they look like, that they can be taken apart again,
 * and that tasks and threads write whole ones.
 */
#include <wend/std/log.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/stdlib/support/script.h"
#include "tests/support/wt.h"

static bool refuse;

extern "C" void *__real_malloc(size_t n);
extern "C" void *__wrap_malloc(size_t n)
{
	return refuse ? nullptr : __real_malloc(n);
}

namespace
{

/* Lines go into text from construction to destruction, without the time. */
struct Capture : script::Writer {
	Capture()
	{
		wend_log_set_writer(&writer);
		wend_log_set_time(false);
	}
	~Capture()
	{
		wend_log_set_writer(nullptr);
		wend_log_set_time(true);
		wend_log_set_level(WEND_LOG_INFO);
	}
	/* What was written since the last call. */
	std::string Take()
	{
		return std::move(text);
	}
};

wend_str S(const std::string &s)
{
	return wend_str_of(s.data(), s.size());
}

std::string Unescape(const std::string &s, size_t *at)
{
	std::string out;

	for (; s[*at] != '"'; ++*at) {
		if (s[*at] != '\\') {
			out += s[*at];
			continue;
		}
		switch (char c = s[++*at]) {
		case 'n':
			out += '\n';
			break;
		case 'r':
			out += '\r';
			break;
		case 't':
			out += '\t';
			break;
		case 'x':
			out += (char)std::stoi(s.substr(*at + 1, 2), nullptr,
					       16);
			*at += 2;
			break;
		default:
			EXPECT_TRUE(c == '"' || c == '\\') << s;
			out += c;
		}
	}
	++*at;
	return out;
}

/* The fields of one line, as a reader of the log takes it apart. */
std::vector<std::pair<std::string, std::string>> Apart(const std::string &line)
{
	std::vector<std::pair<std::string, std::string>> fields;
	size_t at = 0;

	EXPECT_EQ(line.size() - 1, line.find('\n')) << line;
	while (at < line.size() && line[at] != '\n') {
		size_t equals = line.find('=', at), end;

		if (equals == line.npos) {
			ADD_FAILURE() << line;
			break;
		}
		std::string key = line.substr(at, equals - at), value;
		at = equals + 1;
		if (line[at] == '"') {
			value = Unescape(line, &++at);
		} else {
			end = line.find_first_of(" \n", at);
			value = line.substr(at, end - at);
			at = end;
		}
		fields.emplace_back(key, value);
		if (line[at] == ' ')
			at++;
	}
	return fields;
}

} // namespace

/* --- what lines look like ------------------------------------------------ */

TEST(Log, Fields)
{
	Capture c;

	wend_log_info("started");
	EXPECT_EQ("level=info msg=started\n", c.Take());
	wend_log_warn("two words", wend_log_text("text", "a"),
		      wend_log_str("str", WEND_STR("b c")),
		      wend_log_int("int", INT64_MIN),
		      wend_log_uint("uint", UINT64_MAX),
		      wend_log_float("float", 0.1), wend_log_bool("yes", true),
		      wend_log_bool("no", false),
		      wend_log_duration("took", 1500 * WEND_MILLISECOND),
		      wend_log_time("when", 0),
		      wend_log_code("error", -ENOENT));
	EXPECT_EQ("level=warn msg=\"two words\" text=a str=\"b c\" "
		  "int=-9223372036854775808 uint=18446744073709551615 "
		  "float=0.1 yes=true no=false took=1.5s "
		  "when=1970-01-01T00:00:00.000000Z "
		  "error=\"No such file or directory\"\n",
		  c.Take());
	wend_log_error("f", wend_log_float("a", INFINITY),
		       wend_log_float("b", 1.0 / 3), wend_log_float("c", -0.0),
		       wend_log_float("d", NAN < 0 ? 0 : NAN));
	EXPECT_EQ("level=error msg=f a=inf b=0.33333333333333331 c=-0 d=nan\n",
		  c.Take());
	EXPECT_EQ(3, c.calls);
}

TEST(Log, Quotes)
{
	const std::pair<std::string, const char *> cases[] = {
		{ "", "\"\"" },
		{ "plain-1.5/x:[y]", "plain-1.5/x:[y]" },
		{ "a b", "\"a b\"" },
		{ "a=b", "\"a=b\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "a\\b", "\"a\\\\b\"" },
		{ "a\n\r\t", "\"a\\n\\r\\t\"" },
		{ std::string("a\0b", 3), "\"a\\x00b\"" },
		{ "\x1b[2J\x7f", "\"\\x1b[2J\\x7f\"" },
		/* Letters and signs of all lengths. */
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		/* A control beyond ASCII, and what is no UTF-8: cut short, too
		 * long for what it is, surrogates, beyond the end. */
		{ "\xc2\x9b", "\"\\xc2\\x9b\"" },
		{ "\xff", "\"\\xff\"" },
		{ "\x80", "\"\\x80\"" },
		{ "a\xc3", "\"a\\xc3\"" },
		{ "\xe2\x82", "\"\\xe2\\x82\"" },
		{ "\xc3x", "\"\\xc3x\"" },
		{ "\xc0\xaf", "\"\\xc0\\xaf\"" },
		{ "\xe0\x80\xaf", "\"\\xe0\\x80\\xaf\"" },
		{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"" },
		{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"" },
		{ "\xf8\x88\x80\x80\x80", "\"\\xf8\\x88\\x80\\x80\\x80\"" },
	};
	Capture c;

	for (const auto &[value, want] : cases) {
		wend_log_info("m", wend_log_str("k", S(value)));
		EXPECT_EQ("level=info msg=m k=" + std::string(want) + "\n",
			  c.Take());
	}
	wend_log_info(nullptr, wend_log_text("k", nullptr));
	EXPECT_EQ("level=info msg=\"\" k=\"\"\n", c.Take());
	wend_log_info("m", wend_log_int("a b=\"\n\xff", 1), wend_log_int("", 2),
		      wend_log_int("\xc3\xa4", 3));
	EXPECT_EQ("level=info msg=m a_b____=1 _=2 \xc3\xa4=3\n", c.Take());
}

/* Whatever a value is, one line comes, and the value comes back from it. */
TEST(Log, AnyValueComesBack)
{
	std::mt19937_64 rng(4);
	Capture c;

	for (int i = 0; i < 5000; i++) {
		std::string message, a, b;

		for (std::string *s : { &message, &a, &b }) {
			for (unsigned n = rng() % 20; n; n--)
				*s += rng() % 3 ? (char)(' ' + rng() % 95) :
						  (char)rng();
		}
		/* A message ends at its NUL. */
		message = message.c_str();
		wend_log_info(message.c_str(), wend_log_str("a", S(a)),
			      wend_log_str("b", S(b)));
		auto fields = Apart(c.Take());
		ASSERT_EQ(4u, fields.size());
		ASSERT_EQ(message, fields[1].second);
		ASSERT_EQ(a, fields[2].second);
		ASSERT_EQ(b, fields[3].second);
	}
}

TEST(Log, BeginsWithTheTime)
{
	Capture c;

	wend_log_set_time(true);
	wend_log_info("m");
	EXPECT_THAT(c.text, testing::MatchesRegex(
				    "time=20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}"
				    ":[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z "
				    "level=info msg=m\n"));
}

TEST(Log, Printf)
{
	Capture c;

	errno = ENOENT;
	wend_log_printf(WEND_LOG_ERROR, "%d %s: %m", 7, "x");
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ("level=error msg=\"7 x: No such file or directory\"\n",
		  c.Take());
	for (size_t n : { 254, 255, 256, 257, 5000 }) {
		std::string text(n, 'x');

		wend_log_printf(WEND_LOG_INFO, "%s", text.c_str());
		EXPECT_EQ("level=info msg=" + text + "\n", c.Take());
	}
	wend_log_printf(WEND_LOG_INFO, "a%lc", (wint_t)0x110000);
	EXPECT_EQ("level=info msg=a%lc\n", c.Take());
	/* Without memory as much as there is room for. */
	refuse = true;
	wend_log_printf(WEND_LOG_INFO, "%0300d", 0);
	refuse = false;
	EXPECT_EQ("level=info msg=" + std::string(255, '0') + "\n", c.Take());
}

/* --- long lines ---------------------------------------------------------- */

/* Around the size that needs memory: nothing is missing. */
TEST(Log, LongLines)
{
	Capture c;

	for (size_t n = 900; n < 1100; n++) {
		for (char fill : { 'x', '"' }) {
			std::string value(n / (fill == '"' ? 2 : 1), fill);

			wend_log_info("m", wend_log_str("k", S(value)));
			auto fields = Apart(c.Take());
			ASSERT_EQ(3u, fields.size());
			EXPECT_EQ(value, fields[2].second);
		}
	}
	std::string value(60000, ' ');
	wend_log_info("m", wend_log_str("k", S(value)));
	EXPECT_EQ("level=info msg=m k=\"" + value + "\"\n", c.Take());
}

/* A line that is cut is in order still, and says so; what comes first is
 * there. */
TEST(Log, CutLines)
{
	std::mt19937_64 rng(14);
	Capture c;

	for (int i = 0; i < 300; i++) {
		std::string value, more(rng() % 30, 'm');
		bool memory = i % 10 == 0;

		while (value.size() < (memory ? 70000u : 1100u))
			value += i % 3 ? "a\n\xff\xc3\xa4\" "[rng() % 7] : 'p';
		refuse = !memory;
		wend_log_info("m", wend_log_str("more", S(more)),
			      wend_log_str("k", S(value)),
			      wend_log_int("last", 1));
		refuse = false;
		EXPECT_LE(c.text.size(), memory ? 65536u : 1024u);
		EXPECT_GE(c.text.size(), memory ? 65500u : 990u);
		auto fields = Apart(c.Take());
		ASSERT_EQ(5u, fields.size());
		EXPECT_EQ(more, fields[2].second);
		EXPECT_EQ(value.substr(0, fields[3].second.size()),
			  fields[3].second);
		EXPECT_EQ("cut", fields[4].first);
		EXPECT_EQ("true", fields[4].second);
	}
}

/* --- levels and writers -------------------------------------------------- */

TEST(Log, Levels)
{
	int evaluated = 0;
	auto count = [&] { return ++evaluated; };
	Capture c;

	wend_log_debug("m", wend_log_int("n", count()));
	EXPECT_EQ(0, evaluated);
	wend_log_set_level(WEND_LOG_DEBUG);
	wend_log_debug("m", wend_log_int("n", count()));
	EXPECT_EQ("level=debug msg=m n=1\n", c.Take());
	wend_log_set_level(WEND_LOG_ERROR);
	wend_log_warn("m");
	wend_log_printf(WEND_LOG_WARN, "m");
	wend_log_write(WEND_LOG_WARN, "m", nullptr);
	EXPECT_EQ("", c.Take());
	wend_log_error("m");
	EXPECT_EQ("level=error msg=m\n", c.Take());
	wend_log_set_level(WEND_LOG_OFF);
	EXPECT_FALSE(wend_log_enabled(WEND_LOG_ERROR));
	wend_log_error("m");
	/* "off" is no level of a line. */
	wend_log(WEND_LOG_OFF, "m");
	wend_log(99, "m");
	EXPECT_EQ("", c.Take());
	wend_log_set_level(-5);
	wend_log(-3, "m");
	EXPECT_EQ("level=debug msg=m\n", c.Take());

	EXPECT_EQ(WEND_LOG_DEBUG, wend_log_level_of(WEND_STR("debug")));
	EXPECT_EQ(WEND_LOG_WARN, wend_log_level_of(WEND_STR("Warn")));
	EXPECT_EQ(WEND_LOG_OFF, wend_log_level_of(WEND_STR("off")));
	EXPECT_EQ(-EINVAL, wend_log_level_of(WEND_STR("")));
	EXPECT_EQ(-EINVAL, wend_log_level_of(WEND_STR("loud")));
}

TEST(Log, LostLinesAreCounted)
{
	uint64_t before = wend_log_lost();
	Capture c;

	c.fail_call = 1;
	c.result = -ENOSPC;
	errno = EDOM;
	wend_log_info("m");
	EXPECT_EQ(EDOM, errno);
	EXPECT_EQ(before + 1, wend_log_lost());
	wend_log_info("next");
	EXPECT_EQ(before + 1, wend_log_lost());
	EXPECT_EQ("level=info msg=next\n", c.Take());
}

TEST(Log, ToStderr)
{
	wt::StderrCapture capture;

	wend_log_set_time(false);
	wend_log_info("here");
	wend_log_set_time(true);
	EXPECT_EQ("level=info msg=here\n", capture.Text());
}

/* --- tasks and threads --------------------------------------------------- */

/* A writer that gives way in the middle of each line: whoever else came in
 * would be seen. */
struct SlowWriter {
	wend_writer writer = { Write };
	std::string text;

      private:
	static ssize_t Write(wend_writer *writer, const void *buf, size_t n)
	{
		SlowWriter *w = (SlowWriter *)writer;
		size_t half = n / 2;

		w->text.append((const char *)buf, half);
		wend_yield();
		w->text.append((const char *)buf + half, n - half);
		return (ssize_t)n;
	}
};

TEST(Log, LinesFromManyTasksStayWhole)
{
	wt::Run(
		[] {
			enum { TASKS = 6, LINES = 20 };
			std::map<std::string, int> next;
			SlowWriter to;

			wend_log_set_writer(&to.writer);
			{
				wt::Group g;

				for (int t = 0; t < TASKS; t++)
					g.Go([t] {
						for (int i = 0; i < LINES; i++)
							wend_log_info(
								"some words",
								wend_log_int(
									"task",
									t),
								wend_log_int(
									"n",
									i));
					});
			}
			wend_log_set_writer(nullptr);
			size_t at = 0, end;
			int lines = 0;
			for (; at < to.text.size(); at = end, lines++) {
				end = to.text.find('\n', at) + 1;
				auto f = Apart(to.text.substr(at, end - at));
				ASSERT_EQ(5u, f.size());
				EXPECT_EQ("some words", f[2].second);
				/* Each task's in their order. */
				EXPECT_EQ(next[f[3].second]++,
					  std::stoi(f[4].second));
			}
			EXPECT_EQ(TASKS * LINES, lines);
		},
		4);
}

/* Before there is a runtime, and with none. */
TEST(Log, LinesFromThreads)
{
	WT_NEEDS_THREADS();
	Capture c;
	std::vector<std::thread> threads;

	for (int t = 0; t < 4; t++)
		threads.emplace_back([] {
			for (int i = 0; i < 200; i++)
				wend_log_info("from a thread");
		});
	for (std::thread &t : threads)
		t.join();
	std::string want;
	for (int i = 0; i < 800; i++)
		want += "level=info msg=\"from a thread\"\n";
	EXPECT_EQ(want, c.Take());
}

/* A pipe that is full keeps who logs waiting, nobody else, and a cancelled
 * task's line is not lost. */
TEST(Log, FullPipe)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		wend_io_fd_writer to;
		int fds[2];

		ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_NONBLOCK));
		std::string filler(4096, '#');
		size_t filled = 0;
		ssize_t n;
		while ((n = write(fds[1], filler.data(), filler.size())) > 0)
			filled += (size_t)n;
		ASSERT_EQ(0, fcntl(fds[1], F_SETFL, 0));
		wend_io_fd_writer_init(&to, fds[1]);
		wend_log_set_writer(&to.writer);
		wend_log_set_time(false);

		uint64_t lost = wend_log_lost();
		std::atomic<bool> written{ false };
		{
			wt::Group g;
			wend_task *t = g.Go([&] {
				wend_log_info("late");
				EXPECT_TRUE(wend_task_cancelled());
				written = true;
			});
			wend_task_cancel(t);
			for (int i = 0; i < 100; i++)
				wend_yield();
			EXPECT_FALSE(written);
			ASSERT_EQ(0, fcntl(fds[0], F_SETFL, 0));
			std::string all;
			char buf[4096];
			while (all.size() < filled + 20) {
				n = read(fds[0], buf, sizeof(buf));
				ASSERT_GT(n, 0);
				all.append(buf, (size_t)n);
			}
			EXPECT_EQ("level=info msg=late\n", all.substr(filled));
		}
		EXPECT_EQ(lost, wend_log_lost());
		wend_log_set_writer(nullptr);
		wend_log_set_time(true);
		close(fds[0]);
		close(fds[1]);
	});
}
