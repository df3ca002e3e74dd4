/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.c - a string of bytes that grows.
 *
 * Invariants
 *   I1  data == NULL  <=>  cap_ == 0, and then len == 0
 *   I2  data != NULL   =>  it has cap_ + 1 bytes, len <= cap_, data[len] == 0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <wend/std/bytes.h>

enum { FIRST_CAP = 47 };

ssize_t wend__bytes_write(wend_writer *w, const void *ptr, size_t n)
{
	int r = wend_bytes_add((wend_bytes *)w, ptr, n);

	return r ? r : (ssize_t)n;
}

void wend_bytes_init(wend_bytes *b)
{
	const wend_bytes empty = WEND_BYTES_INIT;

	*b = empty;
}

void wend_bytes_free(wend_bytes *b)
{
	free(b->data);
	wend_bytes_init(b);
}

static int no_memory(wend_bytes *b)
{
	b->error_ = -ENOMEM;
	return -ENOMEM;
}

int wend_bytes_reserve(wend_bytes *b, size_t n)
{
	size_t need, cap;
	char *data;

	if (b->error_)
		return b->error_;
	if (b->cap_ - b->len >= n)
		return 0;
	/* Sizes above half of the address space are for nobody. */
	if (n > PTRDIFF_MAX - 1 - b->len)
		return no_memory(b);
	need = b->len + n;
	/* Twice as large, so that many small additions cost O(1) each. */
	cap = b->cap_ > PTRDIFF_MAX / 2 - 1 ? need : b->cap_ * 2 + 1;
	if (cap < FIRST_CAP)
		cap = FIRST_CAP;
	if (cap < need)
		cap = need;
	data = realloc(b->data, cap + 1);
	if (!data)
		return no_memory(b);
	b->data = data;
	b->cap_ = cap;
	data[b->len] = '\0';
	return 0;
}

int wend__bytes_add_slow(wend_bytes *b, const void *ptr, size_t n)
{
	int r = wend_bytes_reserve(b, n);

	if (r || n == 0)
		return r;
	memcpy(b->data + b->len, ptr, n);
	wend_bytes_fill(b, n);
	return 0;
}

int wend_bytes_printf(wend_bytes *b, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = wend_bytes_vprintf(b, format, args);
	va_end(args);
	return r;
}

int wend_bytes_vprintf(wend_bytes *b, const char *format, va_list args)
{
	va_list again;
	int n, r;

	/* The NUL has room even in a full one; in an empty one there is none. */
	r = wend_bytes_reserve(b, b->data ? 0 : 1);
	if (r)
		return r;
	va_copy(again, args);
	n = vsnprintf(b->data + b->len, b->cap_ - b->len + 1, format, again);
	va_end(again);
	if (n >= 0 && (size_t)n > b->cap_ - b->len) {
		b->data[b->len] = '\0';
		r = wend_bytes_reserve(b, (size_t)n);
		if (r)
			return r;
		n = vsnprintf(b->data + b->len, b->cap_ - b->len + 1, format,
			      args);
	}
	if (n < 0) {
		b->data[b->len] = '\0';
		return -EINVAL;
	}
	b->len += (size_t)n;
	return 0;
}

char *wend_bytes_room(wend_bytes *b, size_t n)
{
	/* One byte at least, so that there is an address to return. */
	return wend_bytes_reserve(b, n ? n : 1) ? NULL : b->data + b->len;
}

void wend_bytes_fill(wend_bytes *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

ssize_t wend_bytes_read(wend_bytes *b, wend_reader *r, size_t n)
{
	char *room = wend_bytes_room(b, n);
	ssize_t got;

	if (!room)
		return -ENOMEM;
	got = wend_read(r, room, n);
	/* A reader that fails may have written there. */
	wend_bytes_fill(b, got > 0 ? (size_t)got : 0);
	return got;
}

void wend_bytes_truncate(wend_bytes *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

void wend_bytes_drop(wend_bytes *b, size_t n)
{
	if (n == 0 || b->len == 0)
		return;
	if (n > b->len)
		n = b->len;
	memmove(b->data, b->data + n, b->len - n);
	wend_bytes_truncate(b, b->len - n);
}

void wend_bytes_clear(wend_bytes *b)
{
	b->error_ = 0;
	wend_bytes_truncate(b, 0);
}

char *wend_bytes_take(wend_bytes *b, size_t *len)
{
	char *data;

	/* Nothing was ever added: an empty string is made now. */
	if (wend_bytes_reserve(b, b->data ? 0 : 1))
		return NULL;
	data = b->data;
	if (len)
		*len = b->len;
	wend_bytes_init(b);
	return data;
}
