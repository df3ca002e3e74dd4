/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.c - readers and writers that are made of others, or of memory.
 */
#include <errno.h>
#include <string.h>

#include <wend/std/io.h>

/* --- memory -------------------------------------------------------------- */

static ssize_t bytes_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_bytes *b = (wend_io_bytes *)reader;

	if (n > b->left_)
		n = b->left_;
	if (n == 0)
		return 0;
	memcpy(buf, b->ptr_, n);
	b->ptr_ += n;
	b->left_ -= n;
	return (ssize_t)n;
}

void wend_io_bytes_init(wend_io_bytes *b, const void *ptr, size_t n)
{
	b->reader.read = bytes_read;
	b->ptr_ = ptr;
	b->left_ = n;
}

/* --- a part -------------------------------------------------------------- */

static ssize_t limit_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_limit *l = (wend_io_limit *)reader;
	ssize_t got;

	if (l->left <= 0)
		return 0;
	if (n > (uint64_t)l->left)
		n = (size_t)l->left;
	got = wend_read(l->from_, buf, n);
	if (got > 0)
		l->left -= got;
	return got;
}

void wend_io_limit_init(wend_io_limit *l, wend_reader *from, int64_t n)
{
	l->reader.read = limit_read;
	l->from_ = from;
	l->left = n > 0 ? n : 0;
}

/* --- a copy of what passes ----------------------------------------------- */

static ssize_t tee_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_tee *t = (wend_io_tee *)reader;
	ssize_t got = wend_read(t->from_, buf, n), put;

	if (got <= 0)
		return got;
	put = wend_write(t->to_, buf, (size_t)got);
	if (put != got)
		return put < 0 ? put : -EIO;
	return got;
}

void wend_io_tee_init(wend_io_tee *t, wend_reader *from, wend_writer *to)
{
	t->reader.read = tee_read;
	t->from_ = from;
	t->to_ = to;
}

/* --- several ------------------------------------------------------------- */

static ssize_t multi_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_multi_reader *m = (wend_io_multi_reader *)reader;
	ssize_t got = 0;

	/* A read of nothing is no sign of an end. */
	if (n == 0)
		return 0;
	while (m->left_) {
		got = wend_read(*m->list_, buf, n);
		if (got != 0)
			break;
		m->list_++;
		m->left_--;
	}
	return got;
}

void wend_io_multi_reader_init(wend_io_multi_reader *m,
			       wend_reader *const *list, size_t n)
{
	m->reader.read = multi_read;
	m->list_ = list;
	m->left_ = n;
}

static ssize_t multi_write(wend_writer *writer, const void *buf, size_t n)
{
	wend_io_multi_writer *m = (wend_io_multi_writer *)writer;
	ssize_t put;

	for (size_t i = 0; i < m->n_; i++) {
		put = wend_write(m->list_[i], buf, n);
		if (put < 0 || (size_t)put != n)
			return put < 0 ? put : -EIO;
	}
	return (ssize_t)n;
}

void wend_io_multi_writer_init(wend_io_multi_writer *m,
			       wend_writer *const *list, size_t n)
{
	m->writer.write = multi_write;
	m->list_ = list;
	m->n_ = n;
}

/* --- nothing ------------------------------------------------------------- */

static ssize_t discard_write(wend_writer *writer, const void *buf, size_t n)
{
	return (ssize_t)n;
}

wend_writer *wend_io_discard(void)
{
	static wend_writer discard = { discard_write };

	return &discard;
}
