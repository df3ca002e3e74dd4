/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - a buffer in front of a writer.
 *
 * The first error stays, as nobody knows how much of the buffer was written:
 * going on would make a stream with a hole or a piece twice.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <wend/std/bufio.h>

static ssize_t write_writer(wend_writer *writer, const void *data, size_t n)
{
	return wend_bufio_write((wend_bufio_writer *)writer, data, n);
}

void wend_bufio_writer_init(wend_bufio_writer *w, wend_writer *to, void *buf,
			    size_t size)
{
	const wend_bufio_writer fresh = {
		{ write_writer }, to, buf, size, 0, 0
	};

	*w = fresh;
}

static int fail(wend_bufio_writer *w, int error)
{
	w->error_ = error;
	return error;
}

/* All n bytes past the buffer. A writer that says otherwise is wrong. */
static int write_through(wend_bufio_writer *w, const void *data, size_t n)
{
	ssize_t r = wend_write(w->to_, data, n);

	if (r >= 0 && (size_t)r == n)
		return 0;
	return fail(w, r < 0 ? (int)r : -EIO);
}

int wend__bufio_flush_slow(wend_bufio_writer *w)
{
	int r;

	if (w->error_)
		return w->error_;
	r = write_through(w, w->buf_, w->len_);
	if (r == 0)
		w->len_ = 0;
	return r;
}

ssize_t wend__bufio_write_slow(wend_bufio_writer *w, const void *data, size_t n)
{
	const char *from = data;
	size_t left = n, room;
	int r;

	if (w->error_)
		return w->error_;
	if (n > SSIZE_MAX)
		return fail(w, -EINVAL);
	/* The buffer is filled up before each flush: whole buffers are what
	 * goes down, but for a large rest, which goes past it. */
	while (left > w->size_ - w->len_) {
		if (w->len_ == 0) {
			r = write_through(w, from, left);
			return r ? r : (ssize_t)n;
		}
		room = w->size_ - w->len_;
		memcpy(w->buf_ + w->len_, from, room);
		w->len_ += room;
		from += room;
		left -= room;
		r = wend__bufio_flush_slow(w);
		if (r)
			return r;
	}
	if (left)
		memcpy(w->buf_ + w->len_, from, left);
	w->len_ += left;
	return (ssize_t)n;
}

ssize_t wend_bufio_printf(wend_bufio_writer *w, const char *format, ...)
{
	va_list args;
	ssize_t n;

	va_start(args, format);
	n = wend_bufio_vprintf(w, format, args);
	va_end(args);
	return n;
}

ssize_t wend_bufio_vprintf(wend_bufio_writer *w, const char *format,
			   va_list args)
{
	va_list again;
	size_t room;
	int n;

	if (w->error_)
		return w->error_;
	room = w->size_ - w->len_;
	va_copy(again, args);
	n = vsnprintf(w->buf_ + w->len_, room, format, again);
	va_end(again);
	/* vsnprintf() wants room for a NUL, too. */
	if (n >= 0 && (size_t)n >= room && w->len_) {
		if (wend_bufio_flush(w))
			return w->error_;
		room = w->size_;
		n = vsnprintf(w->buf_, room, format, args);
	}
	if (n < 0)
		return fail(w, -EINVAL);
	if ((size_t)n >= room)
		return fail(w, -EMSGSIZE);
	w->len_ += (size_t)n;
	return n;
}

char *wend__bufio_room_slow(wend_bufio_writer *w, size_t n)
{
	if (w->error_ || n > w->size_)
		return NULL;
	return wend_bufio_flush(w) ? NULL : w->buf_;
}
