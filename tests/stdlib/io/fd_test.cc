/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd_test.cc - readers and writers over real descriptors.
 */
#include <wend/std/io.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/stdlib/support/script.h"
#include "tests/support/wt.h"

namespace
{

struct Pipe {
	int in = -1;
	int out = -1;

	explicit Pipe(int flags = 0)
	{
		int fds[2];

		EXPECT_EQ(0, pipe2(fds, O_CLOEXEC | flags));
		in = fds[0];
		out = fds[1];
	}
	~Pipe()
	{
		CloseOut();
		close(in);
	}
	void CloseOut()
	{
		if (out >= 0)
			close(out);
		out = -1;
	}
};

/* More than a pipe holds. */
std::string Large()
{
	std::string text;

	while (text.size() < 300000)
		text += std::to_string(text.size());
	return text;
}

void CopyThrough(int flags)
{
	wt::Run(
		[flags] {
			Pipe p(flags);
			script::Reader from(Large());
			script::Writer to;
			wt::Group g;

			g.Go([&] {
				wend_io_fd_writer w;

				/* One write, many of the system's. */
				wend_io_fd_writer_init(&w, p.out);
				EXPECT_EQ((ssize_t)from.text.size(),
					  wend_write(&w.writer,
						     from.text.data(),
						     from.text.size()));
				p.CloseOut();
			});
			wend_io_fd_reader r;
			wend_io_fd_reader_init(&r, p.in);
			EXPECT_EQ((int64_t)from.text.size(),
				  wend_io_copy(&to.writer, &r.reader));
			EXPECT_EQ(from.text, to.text);
		},
		4);
}

} // namespace

TEST(Fd, AllThroughAPipe)
{
	CopyThrough(0);
}

/* EAGAIN is waited out. */
TEST(Fd, AllThroughANonBlockingPipe)
{
	CopyThrough(O_NONBLOCK);
}

/* The same from threads that are no tasks, without a runtime. */
TEST(Fd, InThreads)
{
	Pipe p(O_NONBLOCK);
	script::Reader from(Large());
	script::Writer to;
	std::thread writer([&] {
		wend_io_fd_writer w;

		wend_io_fd_writer_init(&w, p.out);
		EXPECT_EQ((int64_t)from.text.size(),
			  wend_io_copy(&w.writer, &from.reader));
		p.CloseOut();
	});
	wend_io_fd_reader r;

	wend_io_fd_reader_init(&r, p.in);
	EXPECT_EQ((int64_t)from.text.size(),
		  wend_io_copy(&to.writer, &r.reader));
	EXPECT_EQ(from.text, to.text);
	writer.join();
}

TEST(Fd, Errors)
{
	struct sigaction ignore = {}, before;

	ignore.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &ignore, &before);
	wt::Run([] {
		wend_io_fd_reader r;
		wend_io_fd_writer w;
		char c;

		wend_io_fd_reader_init(&r, -1);
		wend_io_fd_writer_init(&w, -1);
		EXPECT_EQ(-EBADF, wend_read(&r.reader, &c, 1));
		EXPECT_EQ(-EBADF, wend_write(&w.writer, &c, 1));
		EXPECT_EQ(0, wend_write(&w.writer, &c, 0));
		EXPECT_EQ(-EINVAL, wend_write(&w.writer, &c, SIZE_MAX));

		Pipe p;
		w.fd = p.out;
		close(p.in);
		EXPECT_EQ(-EPIPE, wend_write(&w.writer, "x", 1));
		p.in = -1;

		int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
		ASSERT_GE(full, 0);
		w.fd = full;
		EXPECT_EQ(-ENOSPC, wend_write(&w.writer, "x", 1));
		close(full);
	});
	sigaction(SIGPIPE, &before, nullptr);
}

TEST(Fd, CancelledWhileItWaits)
{
	for (int flags : { 0, O_NONBLOCK }) {
		wt::Run([flags] {
			Pipe p(flags);
			std::string large = Large();
			wt::Group g;
			wend_task *reader = g.Go(
				[&] {
					wend_io_fd_reader r;
					char c;

					wend_io_fd_reader_init(&r, p.in);
					EXPECT_EQ(-ECANCELED,
						  wend_read(&r.reader, &c, 1));
				},
				"reader");
			wend_task_cancel(reader);
			g.Wait();
			wend_task *writer = g.Go([&] {
				wend_io_fd_writer w;

				wend_io_fd_writer_init(&w, p.out);
				EXPECT_EQ(-ECANCELED,
					  wend_write(&w.writer, large.data(),
						     large.size()));
			});
			wend_task_cancel(writer);
		});
	}
}

TEST(Fd, Sections)
{
	wt::Run([] {
		std::string text = Large();
		FILE *file = tmpfile();
		int fd = fileno(file);

		ASSERT_EQ((ssize_t)text.size(),
			  write(fd, text.data(), text.size()));
		/* Many readers of one descriptor, each with its own place. */
		wt::Group g;
		for (size_t at = 0; at < text.size(); at += 60000) {
			g.Go([&, at] {
				wend_io_section s;
				script::Writer to;
				std::string want = text.substr(at, 70000);

				wend_io_section_init(&s, fd, (int64_t)at,
						     70000);
				EXPECT_EQ((int64_t)want.size(),
					  wend_io_copy(&to.writer, &s.reader));
				EXPECT_EQ(want, to.text);
			});
		}
		g.Wait();
		EXPECT_EQ((off_t)text.size(), lseek(fd, 0, SEEK_CUR));

		wend_io_section s;
		char buf[8];
		wend_io_section_init(&s, fd, 0, -1);
		EXPECT_EQ(0, wend_read(&s.reader, buf, 8));
		wend_io_section_init(&s, fd, 10, 3);
		EXPECT_EQ(0, wend_read(&s.reader, buf, 0));
		EXPECT_EQ(3, wend_read(&s.reader, buf, 8));
		EXPECT_EQ(text.substr(10, 3), std::string(buf, 3));
		EXPECT_EQ(0, wend_read(&s.reader, buf, 8));
		wend_io_section_init(&s, fd, -1, 3);
		EXPECT_EQ(-EINVAL, wend_read(&s.reader, buf, 8));
		fclose(file);
		wend_io_section_init(&s, -1, 0, 3);
		EXPECT_EQ(-EBADF, wend_read(&s.reader, buf, 8));
	});
}
