/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/bufio.h - buffers in front of a reader or a writer.
 *
 * The buffer is the caller's, and nothing is allocated: a connection's two can
 * lie in one piece with the rest of what it needs. Both structures must not be
 * moved while in use, as they are a reader and a writer themselves. One is
 * used by one task at a time. Waiting is what the reads and writes of the
 * stream below do, errors are theirs, too.
 *
 *	char in[4096], out[4096];
 *	wend_bufio_reader r;
 *	wend_bufio_writer w;
 *	wend_str line;
 *
 *	wend_bufio_reader_init(&r, &conn->reader, in, sizeof(in));
 *	wend_bufio_writer_init(&w, &conn->writer, out, sizeof(out));
 *	while (wend_bufio_read_line(&r, 1000, &line) > 0) {
 *		wend_bufio_printf(&w, "%zu bytes\n", line.len);
 *		if (wend_bufio_buffered(&r) == 0 && wend_bufio_flush(&w))
 *			break;
 *	}
 */
#ifndef WEND_STD_BUFIO_H
#define WEND_STD_BUFIO_H

#include <errno.h>
#include <stdarg.h>

#include <wend/std/io.h>
#include <wend/std/str.h>

WEND_BEGIN_DECLS

/* --- reading ------------------------------------------------------------- */

typedef struct wend_bufio_reader {
	wend_reader reader;
	wend_reader *from_;
	char *buf_;
	size_t size_;
	size_t begin_; /* what is buffered: from begin_ to before end_ */
	size_t end_;
} wend_bufio_reader;

/* Read from `from` through size bytes at buf, at least 1. Used again: what was
 * buffered is forgotten. */
WEND_API void wend_bufio_reader_init(wend_bufio_reader *r, wend_reader *from,
				     void *buf, size_t size);

/* Bytes that can be had without waiting. */
static inline size_t wend_bufio_buffered(const wend_bufio_reader *r)
{
	return r->end_ - r->begin_;
}

/* These bytes; valid until the next call on r that reads. */
static inline wend_str wend_bufio_peeked(const wend_bufio_reader *r)
{
	return wend_str_of(r->buf_ + r->begin_, r->end_ - r->begin_);
}

/*
 * wend_bufio_fill - read once from the stream, behind what is buffered.
 *
 * For parsers that take what there is and ask for more.
 * Returns  how many bytes came; 0: the end.
 * Errors   EMSGSIZE  the buffer is full
 *          the stream's
 *          What was buffered stays.
 */
WEND_API WEND_MUST_CHECK ssize_t wend_bufio_fill(wend_bufio_reader *r);

/*
 * wend_bufio_peek - look at the next n bytes without taking them.
 *
 *   data        gets where they are; valid until the next call on r that reads
 *
 * Returns  how many bytes are buffered: n or more, or fewer before the end.
 * Errors   EMSGSIZE  n is more than the buffer holds
 *          the stream's; what was buffered stays
 */
WEND_API ssize_t wend__bufio_peek_slow(wend_bufio_reader *r, size_t n,
				       const char **data);
static inline ssize_t wend_bufio_peek(wend_bufio_reader *r, size_t n,
				      const char **data)
{
	if (wend_bufio_buffered(r) < n)
		return wend__bufio_peek_slow(r, n, data);
	*data = r->buf_ + r->begin_;
	return (ssize_t)wend_bufio_buffered(r);
}

/*
 * wend_bufio_discard - skip n bytes.
 *
 * Returns  n, or fewer: the end came.
 * Errors   the stream's; how much was skipped then is unknown.
 */
WEND_API ssize_t wend__bufio_discard_slow(wend_bufio_reader *r, size_t n);
static inline ssize_t wend_bufio_discard(wend_bufio_reader *r, size_t n)
{
	if (wend_bufio_buffered(r) < n)
		return wend__bufio_discard_slow(r, n);
	r->begin_ += n;
	return (ssize_t)n;
}

/*
 * wend_bufio_read - up to n bytes, at least one if n is not 0.
 *
 * One read of the stream at most, and none if something is buffered. Reads of
 * n bytes that the buffer could not hold go past it. &r->reader does the same;
 * wend_io_read_full(&r->reader, ...) reads all n.
 * Returns  how many; 0: the end.
 */
WEND_API ssize_t wend__bufio_read_slow(wend_bufio_reader *r, void *data,
				       size_t n);
static inline ssize_t wend_bufio_read(wend_bufio_reader *r, void *data,
				      size_t n)
{
	if (n == 0 || wend_bufio_buffered(r) < n)
		return wend__bufio_read_slow(r, data, n);
	memcpy(data, r->buf_ + r->begin_, n);
	r->begin_ += n;
	return (ssize_t)n;
}

/* One byte, 0 to 255. Errors  ENODATA: the end; the stream's. */
static inline int wend_bufio_read_byte(wend_bufio_reader *r)
{
	const char *data;
	ssize_t n = wend_bufio_peek(r, 1, &data);

	if (n <= 0)
		return n ? (int)n : -ENODATA;
	r->begin_++;
	return (unsigned char)*data;
}

/*
 * wend_bufio_read_until - the bytes up to and with the next `delimiter`.
 *
 *   limit       the most that they may be, the delimiter included; what is
 *               more than the buffer's size counts as that
 *   piece       gets them; valid until the next call on r that reads
 *
 * Returns  their number. A last piece may lack the delimiter. 0: the end.
 * Errors   EMSGSIZE  there is no delimiter among the first `limit` bytes
 *          the stream's
 *          Nothing was taken: a call after -ETIMEDOUT goes on where it was.
 */
WEND_API ssize_t wend_bufio_read_until(wend_bufio_reader *r, char delimiter,
				       size_t limit, wend_str *piece);

/*
 * wend_bufio_read_line - a line, without the "\n" or "\r\n" at its end.
 *
 * As wend_bufio_read_until(); the limit counts the end of the line.
 * Returns  the number of bytes taken: line->len if it is a last line that has
 *          no end, else 1 or 2 more. 0: the end.
 */
WEND_API ssize_t wend_bufio_read_line(wend_bufio_reader *r, size_t limit,
				      wend_str *line);

/* --- writing ------------------------------------------------------------- */

typedef struct wend_bufio_writer {
	wend_writer writer;
	wend_writer *to_;
	char *buf_;
	size_t size_;
	size_t len_; /* what is buffered */
	int error_;
} wend_bufio_writer;

/*
 * Write to `to` through size bytes at buf, at least 1. Used again: what was
 * buffered, and the error, are forgotten.
 *
 * The first error stays: every later call returns it and does nothing. So it
 * is enough to look at what the flush returns.
 */
WEND_API void wend_bufio_writer_init(wend_bufio_writer *w, wend_writer *to,
				     void *buf, size_t size);

/* Bytes that wait for a flush, room for more before one, and the error or 0. */
static inline size_t wend_bufio_pending(const wend_bufio_writer *w)
{
	return w->len_;
}
static inline size_t wend_bufio_available(const wend_bufio_writer *w)
{
	return w->size_ - w->len_;
}
static inline int wend_bufio_error(const wend_bufio_writer *w)
{
	return w->error_;
}

/* Write what is buffered. 0, or the first error that there was. */
WEND_API int wend__bufio_flush_slow(wend_bufio_writer *w);
static inline int wend_bufio_flush(wend_bufio_writer *w)
{
	return w->len_ || w->error_ ? wend__bufio_flush_slow(w) : 0;
}

/*
 * wend_bufio_write, _write_str, _write_text, _write_byte - all of it, into the
 * buffer or, when that is full, through it. &w->writer does the same.
 *
 * Returns  n (_write_byte: 1).
 */
WEND_API ssize_t wend__bufio_write_slow(wend_bufio_writer *w, const void *data,
					size_t n);
static inline ssize_t wend_bufio_write(wend_bufio_writer *w, const void *data,
				       size_t n)
{
	if (w->error_ || n == 0 || w->size_ - w->len_ < n)
		return wend__bufio_write_slow(w, data, n);
	memcpy(w->buf_ + w->len_, data, n);
	w->len_ += n;
	return (ssize_t)n;
}
static inline ssize_t wend_bufio_write_str(wend_bufio_writer *w, wend_str s)
{
	return wend_bufio_write(w, s.ptr, s.len);
}
static inline ssize_t wend_bufio_write_text(wend_bufio_writer *w,
					    const char *c_string)
{
	return wend_bufio_write(w, c_string, strlen(c_string));
}
static inline ssize_t wend_bufio_write_byte(wend_bufio_writer *w, char c)
{
	return wend_bufio_write(w, &c, 1);
}

/*
 * wend_bufio_printf - as printf().
 *
 * Returns  the number of bytes.
 * Errors   EMSGSIZE  they are more than the buffer holds less one; this stays,
 *          as every error of a writer
 *          EINVAL    the format is wrong; this stays, too
 */
WEND_API ssize_t wend_bufio_printf(wend_bufio_writer *w, const char *format,
				   ...) __attribute__((format(printf, 2, 3)));
WEND_API ssize_t wend_bufio_vprintf(wend_bufio_writer *w, const char *format,
				    va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * wend_bufio_room, wend_bufio_put - write into the buffer in place.
 *
 * room returns where to write at least n bytes, after a flush if need be; put
 * then says how many were written, n at most. NULL: there is an error, or n is
 * more than the buffer holds (which is no error).
 */
WEND_API char *wend__bufio_room_slow(wend_bufio_writer *w, size_t n);
static inline char *wend_bufio_room(wend_bufio_writer *w, size_t n)
{
	if (w->error_ || w->size_ - w->len_ < n)
		return wend__bufio_room_slow(w, n);
	return w->buf_ + w->len_;
}
static inline void wend_bufio_put(wend_bufio_writer *w, size_t n)
{
	w->len_ += n;
}

WEND_END_DECLS

#endif
