/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.c - readers and writers over descriptors.
 *
 * O_NONBLOCK belongs to the open file: whoever shares it may have set it, a
 * terminal's for one. So EAGAIN is not an error here but a reason to wait.
 */
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <wend/std/io.h>
#include <wend/wend.h>

/*
 * 0: the call that set errno may be made again, after a wait if it would have
 * waited. Else the error.
 */
static int again(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	/* What is wrong with fd, if anything, the call says better. */
	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t fd_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_fd_reader *f = (wend_io_fd_reader *)reader;
	ssize_t got;
	int r;

	for (;;) {
		got = read(f->fd, buf, n);
		if (got >= 0)
			return got;
		r = again(f->fd, POLLIN);
		if (r)
			return r;
	}
}

void wend_io_fd_reader_init(wend_io_fd_reader *f, int fd)
{
	f->reader.read = fd_read;
	f->fd = fd;
}

static ssize_t fd_write(wend_writer *writer, const void *buf, size_t n)
{
	wend_io_fd_writer *f = (wend_io_fd_writer *)writer;
	size_t done = 0;
	ssize_t put;
	int r;

	if (n > SSIZE_MAX)
		return -EINVAL;
	while (done < n) {
		put = write(f->fd, (const char *)buf + done, n - done);
		if (put > 0) {
			done += (size_t)put;
			continue;
		}
		/* No file writes 0 bytes of more; one that did would again. */
		r = put < 0 ? again(f->fd, POLLOUT) : -EIO;
		if (r)
			return r;
	}
	return (ssize_t)n;
}

void wend_io_fd_writer_init(wend_io_fd_writer *f, int fd)
{
	f->writer.write = fd_write;
	f->fd = fd;
}

static ssize_t section_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_section *s = (wend_io_section *)reader;
	ssize_t got;

	if (n > (uint64_t)s->left_)
		n = (size_t)s->left_;
	if (n == 0)
		return 0;
	do
		got = pread(s->fd, buf, n, s->offset_);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	s->offset_ += got;
	s->left_ -= got;
	return got;
}

void wend_io_section_init(wend_io_section *s, int fd, int64_t offset, int64_t n)
{
	s->reader.read = section_read;
	s->fd = fd;
	s->offset_ = offset;
	s->left_ = n > 0 ? n : 0;
}
