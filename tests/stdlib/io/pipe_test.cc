/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_test.cc - pipes in memory: bytes, closing, deadlines, many at once.
 */
#include <wend/std/io.h>

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>

#include "tests/support/wt.h"

namespace
{

struct Pipe : wend_io_pipe {
	Pipe()
	{
		wend_io_pipe_init(this);
	}
	ssize_t Read(void *buf, size_t n)
	{
		return wend_read(&reader, buf, n);
	}
	ssize_t Write(const std::string &text)
	{
		return wend_write(&writer, text.data(), text.size());
	}
};

/* Everything up to the end, by reads of random sizes. */
std::string All(Pipe &p, std::mt19937_64 &rng)
{
	std::string text;
	char buf[20];
	ssize_t n;

	while ((n = p.Read(buf, 1 + rng() % sizeof(buf))) > 0)
		text.append(buf, (size_t)n);
	EXPECT_EQ(0, n);
	return text;
}

} // namespace

TEST(Pipe, BytesInOrder)
{
	wt::Run(
		[] {
			std::mt19937_64 rng(wt::Seed());
			std::string want;
			Pipe p;
			wt::Group g;

			g.Go([&] {
				std::mt19937_64 sizes(wt::Seed() + 1);

				for (int i = 0; i < 50; i++) {
					std::string piece(sizes() % 30,
							  (char)('a' + i % 26));

					want += piece;
					EXPECT_EQ((ssize_t)piece.size(),
						  p.Write(piece));
				}
				wend_io_pipe_close_write(&p, 0);
			});
			std::string got = All(p, rng);
			g.Wait();
			EXPECT_EQ(want, got);
		},
		4);
}

/* A write returns when its bytes were read, not before. */
TEST(Pipe, IsSynchronous)
{
	wt::Run(
		[] {
			bool read = false, written = false;
			Pipe p;
			char buf[2];
			wt::Group g;

			g.Go(
				[&] {
					EXPECT_EQ(3, p.Write("abc"));
					EXPECT_TRUE(read);
					written = true;
				},
				"writer");
			EXPECT_EQ(2, p.Read(buf, 2));
			wt::AwaitWaiting("writer");
			EXPECT_FALSE(written);
			read = true;
			EXPECT_EQ(1, p.Read(buf, 2));
			EXPECT_EQ('c', buf[0]);
		},
		4);
}

TEST(Pipe, NothingIsReadAndWrittenAtOnce)
{
	wt::Run([] {
		Pipe p;
		char c;

		EXPECT_EQ(0, p.Read(&c, 0));
		EXPECT_EQ(0, p.Write(""));
		EXPECT_EQ(-EINVAL, wend_write(&p.writer, &c, SIZE_MAX));
	});
}

TEST(Pipe, ClosedForWriting)
{
	wt::Run(
		[] {
			char c;
			wt::Group g;

			for (int error : { 0, -ECONNRESET }) {
				Pipe p;

				g.Go([&] { EXPECT_EQ(error, p.Read(&c, 1)); },
				     "reader");
				wt::AwaitWaiting("reader");
				wend_io_pipe_close_write(&p, error);
				g.Wait();
				/* The first call counts. */
				wend_io_pipe_close_write(&p, -EIO);
				EXPECT_EQ(error, p.Read(&c, 1));
				EXPECT_EQ(-EPIPE, p.Write("x"));
				EXPECT_EQ(-EPIPE, p.Write(""));
			}
			/* One that is under way: it fails, the bytes are gone. */
			Pipe p;
			g.Go([&] { EXPECT_EQ(-EPIPE, p.Write("x")); },
			     "writer");
			wt::AwaitWaiting("writer");
			wend_io_pipe_close_write(&p, 0);
			g.Wait();
			EXPECT_EQ(0, p.Read(&c, 1));
		},
		4);
}

TEST(Pipe, ClosedForReading)
{
	wt::Run(
		[] {
			char c;
			wt::Group g;

			for (int error : { 0, -ECONNRESET }) {
				int want = error ? error : -EPIPE;
				Pipe p;

				g.Go([&] { EXPECT_EQ(want, p.Write("x")); },
				     "one");
				g.Go([&] { EXPECT_EQ(want, p.Write("y")); },
				     "two");
				wt::AwaitWaiting("one");
				wt::AwaitWaiting("two");
				wend_io_pipe_close_read(&p, error);
				g.Wait();
				wend_io_pipe_close_read(&p, -EIO);
				EXPECT_EQ(want, p.Write("z"));
				EXPECT_EQ(want, p.Write(""));
				EXPECT_EQ(-EPIPE, p.Read(&c, 1));
				EXPECT_EQ(-EPIPE, p.Read(&c, 0));
			}
			Pipe p;
			g.Go([&] { EXPECT_EQ(-EPIPE, p.Read(&c, 1)); },
			     "reader");
			wt::AwaitWaiting("reader");
			wend_io_pipe_close_read(&p, 0);
			g.Wait();
		},
		4);
}

TEST(Pipe, Deadlines)
{
	wt::Run(
		[] {
			Pipe p;
			char c = 0;

			for (int64_t deadline :
			     { (int64_t)0, wend_now(), wend_after_ms(1) }) {
				wend_io_pipe_set_read_deadline(&p, deadline);
				wend_io_pipe_set_write_deadline(&p, deadline);
				EXPECT_EQ(-ETIMEDOUT, p.Read(&c, 1));
				EXPECT_GE(wend_now(), deadline);
				EXPECT_EQ(-ETIMEDOUT, p.Write("x"));
			}
			/* What is there can be read past it; and a write that failed
			 * has left nothing. */
			wend_io_pipe_set_write_deadline(&p, WEND_FOREVER);
			wt::Group g;
			g.Go([&] { EXPECT_EQ(1, p.Write("y")); }, "writer");
			wt::AwaitWaiting("writer");
			EXPECT_EQ(1, p.Read(&c, 1));
			EXPECT_EQ('y', c);
			g.Wait();
			EXPECT_EQ(-ETIMEDOUT, p.Read(&c, 1));
		},
		4);
}

/* Calls under way see a new one: an earlier, and a later in place of one that
 * passes. */
TEST(Pipe, DeadlinesOfCallsUnderWay)
{
	wt::Run([] {
		Pipe p;
		wt::Group g;

		g.Go(
			[&] {
				char c;

				EXPECT_EQ(-ETIMEDOUT, p.Read(&c, 1));
			},
			"reader");
		wt::AwaitWaiting("reader");
		wend_io_pipe_set_read_deadline(&p, wend_now());
		g.Wait();
		g.Go([&] { EXPECT_EQ(-ETIMEDOUT, p.Write("x")); }, "writer");
		wt::AwaitWaiting("writer");
		wend_io_pipe_set_write_deadline(&p, wend_now());
		g.Wait();

		int64_t late = wend_after_ms(3);
		wend_io_pipe_set_read_deadline(&p, wend_after_ms(1000000));
		g.Go([&] {
			char c;

			EXPECT_EQ(-ETIMEDOUT, p.Read(&c, 1));
			EXPECT_GE(wend_now(), late);
		});
		wend_io_pipe_set_read_deadline(&p, late);
	});
}

TEST(Pipe, Cancelled)
{
	wt::Run([] {
		Pipe p;
		char c;
		wt::Group g;
		wend_task *t = g.Go(
			[&] { EXPECT_EQ(-ECANCELED, p.Read(&c, 1)); },
			"reader");

		wt::AwaitWaiting("reader");
		wend_task_cancel(t);
		g.Wait();
		/* A write, with one behind it that waits for its turn. */
		wt::Group next;
		t = g.Go([&] { EXPECT_EQ(-ECANCELED, p.Write("x")); },
			 "writer");
		wt::AwaitWaiting("writer");
		next.Go([&] { EXPECT_EQ(1, p.Write("y")); }, "next");
		wt::AwaitWaiting("next");
		wend_task_cancel(t);
		g.Wait();
		EXPECT_EQ(1, p.Read(&c, 1));
		EXPECT_EQ('y', c);
	});
}

/* Each write's bytes stay together, and none is lost, whatever the sizes. */
TEST(Pipe, ManyWritersAndReaders)
{
	wt::Run(
		[] {
			enum { WRITERS = 4, WRITES = 20 };
			wt::Log<char> log;
			Pipe p;
			wt::Group writers, readers;

			for (int i = 0; i < WRITERS; i++)
				writers.Go([&, i] {
					std::string piece(4, (char)('a' + i));

					for (int n = 0; n < WRITES; n++)
						EXPECT_EQ(4, p.Write(piece));
				});
			for (int i = 0; i < 3; i++)
				readers.Go([&] {
					char c;

					while (p.Read(&c, 1) == 1)
						log.Add(c);
				});
			writers.Wait();
			wend_io_pipe_close_write(&p, 0);
			readers.Wait();
			std::vector<char> all = log.Get();
			EXPECT_EQ((size_t)WRITERS * WRITES * 4, all.size());
			for (int i = 0; i < WRITERS; i++)
				EXPECT_EQ(WRITES * 4,
					  std::count(all.begin(), all.end(),
						     'a' + i));
		},
		4);
}

TEST(Pipe, WritesStayTogether)
{
	wt::Run(
		[] {
			std::mt19937_64 rng(wt::Seed());
			Pipe p;
			wt::Group g, closer;

			for (int i = 0; i < 3; i++)
				g.Go([&, i] {
					std::string piece(7, (char)('a' + i));

					for (int n = 0; n < 10; n++)
						EXPECT_EQ(7, p.Write(piece));
				});
			closer.Go([&] {
				g.Wait();
				wend_io_pipe_close_write(&p, 0);
			});
			std::string all = All(p, rng);
			ASSERT_EQ(3u * 10 * 7, all.size());
			for (size_t at = 0; at < all.size(); at += 7)
				EXPECT_EQ(std::string(7, all[at]),
					  all.substr(at, 7));
		},
		4);
}

/* Between a task and a thread that is none. */
TEST(Pipe, WithAThread)
{
	WT_NEEDS_THREADS();
	wt::Run([] {
		Pipe p;
		std::thread thread([&] {
			for (int i = 0; i < 100; i++)
				EXPECT_EQ(10, p.Write("0123456789"));
			wend_io_pipe_close_write(&p, 0);
		});
		std::mt19937_64 rng(wt::Seed());

		EXPECT_EQ(1000u, All(p, rng).size());
		thread.join();
	});
}
