/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c - a buffer in front of a reader.
 *
 * No error is kept: a call that meets one leaves what is buffered where it is
 * and returns the error, and the next call reads again. So a deadline that has
 * passed loses nothing.
 */
#include <errno.h>
#include <limits.h>

#include <wend/std/bufio.h>

static ssize_t read_reader(wend_reader *reader, void *data, size_t n)
{
	return wend_bufio_read((wend_bufio_reader *)reader, data, n);
}

void wend_bufio_reader_init(wend_bufio_reader *r, wend_reader *from, void *buf,
			    size_t size)
{
	const wend_bufio_reader fresh = {
		{ read_reader }, from, buf, size, 0, 0
	};

	*r = fresh;
}

/* To the front; nothing is moved if nothing is buffered, which is the rule. */
static void compact(wend_bufio_reader *r)
{
	size_t n = wend_bufio_buffered(r);

	if (r->begin_ && n)
		memmove(r->buf_, r->buf_ + r->begin_, n);
	r->begin_ = 0;
	r->end_ = n;
}

ssize_t wend_bufio_fill(wend_bufio_reader *r)
{
	ssize_t n;

	/* Only when there is no room behind: a parser that wants a few bytes
	 * more each time would pay for a move each time. */
	if (r->end_ == r->size_ || r->begin_ == r->end_)
		compact(r);
	if (r->end_ == r->size_)
		return -EMSGSIZE;
	n = wend_read(r->from_, r->buf_ + r->end_, r->size_ - r->end_);
	if (n > 0)
		r->end_ += (size_t)n;
	return n;
}

ssize_t wend__bufio_peek_slow(wend_bufio_reader *r, size_t n, const char **data)
{
	ssize_t got = 1;

	*data = r->buf_ + r->begin_;
	if (n > r->size_)
		return -EMSGSIZE;
	while (wend_bufio_buffered(r) < n && got > 0) {
		/* fill() moves only when it must, and then far enough. */
		got = wend_bufio_fill(r);
	}
	*data = r->buf_ + r->begin_;
	return got < 0 ? got : (ssize_t)wend_bufio_buffered(r);
}

ssize_t wend__bufio_discard_slow(wend_bufio_reader *r, size_t n)
{
	size_t left = n;
	ssize_t got;

	if (n > SSIZE_MAX)
		return -EINVAL;
	for (;;) {
		size_t here = wend_bufio_buffered(r);

		if (here > left)
			here = left;
		r->begin_ += here;
		left -= here;
		if (left == 0)
			return (ssize_t)n;
		got = wend_bufio_fill(r);
		if (got <= 0)
			return got ? got : (ssize_t)(n - left);
	}
}

ssize_t wend__bufio_read_slow(wend_bufio_reader *r, void *data, size_t n)
{
	size_t here = wend_bufio_buffered(r);
	ssize_t got;

	if (n == 0)
		return 0;
	if (here == 0) {
		if (n >= r->size_)
			return wend_read(r->from_, data, n);
		got = wend_bufio_fill(r);
		if (got <= 0)
			return got;
		here = (size_t)got;
	}
	if (n > here)
		n = here;
	memcpy(data, r->buf_ + r->begin_, n);
	r->begin_ += n;
	return (ssize_t)n;
}

ssize_t wend_bufio_read_until(wend_bufio_reader *r, char delimiter,
			      size_t limit, wend_str *piece)
{
	size_t seen = 0, here, n;
	const char *found;
	ssize_t got;

	*piece = wend_str_of(NULL, 0);
	if (limit > r->size_)
		limit = r->size_;
	for (;;) {
		here = wend_bufio_buffered(r);
		n = here < limit ? here : limit;
		/* What was looked at before the last fill is not again. */
		found = memchr(r->buf_ + r->begin_ + seen, delimiter, n - seen);
		if (found) {
			n = (size_t)(found - (r->buf_ + r->begin_)) + 1;
			break;
		}
		if (here >= limit)
			return -EMSGSIZE;
		seen = n;
		got = wend_bufio_fill(r);
		if (got < 0)
			return got;
		if (got == 0)
			break;
	}
	*piece = wend_str_of(r->buf_ + r->begin_, n);
	r->begin_ += n;
	return (ssize_t)n;
}

ssize_t wend_bufio_read_line(wend_bufio_reader *r, size_t limit, wend_str *line)
{
	ssize_t n = wend_bufio_read_until(r, '\n', limit, line);

	if (n <= 0 || line->ptr[n - 1] != '\n')
		return n;
	line->len--;
	if (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	return n;
}
