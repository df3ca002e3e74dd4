/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/bytes.h - a string of bytes that grows.
 *
 *	wend_bytes b = WEND_BYTES_INIT;
 *
 *	wend_bytes_add_text(&b, "id=");
 *	wend_bytes_printf(&b, "%d", id);
 *	if (wend_bytes_error(&b))
 *		...
 *	send(wend_bytes_text(&b), b.len);
 *	wend_bytes_free(&b);
 *
 * The first call that finds no memory leaves the bytes as they are, and so do
 * all after it until wend_bytes_clear(): it is enough to look at the end.
 *
 * It is a writer as well (&b.writer): wend_io_copy(&b.writer, r) reads all of
 * r into it. Do not copy the structure: the copy would free the same memory.
 * Context: anywhere, also outside the runtime. Nothing here waits, but for
 * wend_bytes_read().
 */
#ifndef WEND_STD_BYTES_H
#define WEND_STD_BYTES_H

#include <stdarg.h>

#include <wend/std/io.h>
#include <wend/std/str.h>

WEND_BEGIN_DECLS

/* data: len bytes and a NUL behind them, or NULL if there were never any.
 * Both may be read, not written; wend_bytes_truncate() shortens. */
typedef struct wend_bytes {
	wend_writer writer;
	char *data;
	size_t len;
	size_t cap_; /* bytes that data has room for, the NUL not counted */
	int error_;
} wend_bytes;

/* The writer's function; here for WEND_BYTES_INIT. */
WEND_API ssize_t wend__bytes_write(wend_writer *w, const void *ptr, size_t n);

#define WEND_BYTES_INIT                                                        \
	{                                                                      \
		{ wend__bytes_write }, NULL, 0, 0, 0                           \
	}
WEND_API void wend_bytes_init(wend_bytes *b);

/* Give the memory back. b is then as after init. */
WEND_API void wend_bytes_free(wend_bytes *b);

/* 0, or -ENOMEM if something was left out since the last clear. */
static inline int wend_bytes_error(const wend_bytes *b)
{
	return b->error_;
}

/* The bytes as a view, or with a NUL behind them (never NULL); valid until the
 * next change. */
static inline wend_str wend_bytes_str(const wend_bytes *b)
{
	return wend_str_of(b->data, b->len);
}
static inline const char *wend_bytes_text(const wend_bytes *b)
{
	return b->data ? b->data : "";
}

/* Room for n more bytes, so that adding them will not fail. */
WEND_API int wend_bytes_reserve(wend_bytes *b, size_t n);

/*
 * wend_bytes_add, _add_str, _add_text, _add_byte, _printf - append.
 *
 * Returns  0. Errors  ENOMEM, now or before; EINVAL from _printf: the format
 *          is wrong, and nothing of it was added.
 * What is added must not lie in b itself.
 */
WEND_API int wend__bytes_add_slow(wend_bytes *b, const void *ptr, size_t n);
static inline int wend_bytes_add(wend_bytes *b, const void *ptr, size_t n)
{
	if (b->error_ || b->cap_ - b->len < n || n == 0)
		return wend__bytes_add_slow(b, ptr, n);
	memcpy(b->data + b->len, ptr, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}
static inline int wend_bytes_add_str(wend_bytes *b, wend_str s)
{
	return wend_bytes_add(b, s.ptr, s.len);
}
static inline int wend_bytes_add_text(wend_bytes *b, const char *c_string)
{
	return wend_bytes_add(b, c_string, strlen(c_string));
}
static inline int wend_bytes_add_byte(wend_bytes *b, char c)
{
	return wend_bytes_add(b, &c, 1);
}
WEND_API int wend_bytes_printf(wend_bytes *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
WEND_API int wend_bytes_vprintf(wend_bytes *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * wend_bytes_room, wend_bytes_fill - append what another function writes.
 *
 * room returns where to write at least n bytes, NULL for want of memory; fill
 * then says how many were written, n at most.
 */
WEND_API char *wend_bytes_room(wend_bytes *b, size_t n);
WEND_API void wend_bytes_fill(wend_bytes *b, size_t n);

/*
 * wend_bytes_read - append one read of a reader: up to n bytes.
 *
 * Returns  what the read returned. Errors  ENOMEM: nothing was read.
 */
WEND_API ssize_t wend_bytes_read(wend_bytes *b, wend_reader *r, size_t n);

/* Keep the first len bytes; more than there are: all. */
WEND_API void wend_bytes_truncate(wend_bytes *b, size_t len);

/* Remove the first n bytes and move the rest to the front. */
WEND_API void wend_bytes_drop(wend_bytes *b, size_t n);

/* No bytes, no error; the memory is kept for what comes. */
WEND_API void wend_bytes_clear(wend_bytes *b);

/*
 * wend_bytes_take - hand the bytes over: with a NUL behind them, for free().
 *
 *   len         if not NULL, gets their number
 *
 * Returns  them, also if there are none; b is then as after init.
 *          NULL: something was left out for want of memory; b is unchanged.
 */
WEND_API WEND_MUST_CHECK char *wend_bytes_take(wend_bytes *b, size_t *len);

WEND_END_DECLS

#endif
