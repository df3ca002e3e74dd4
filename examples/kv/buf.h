/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - bytes that grow.
 *
 * Out of memory is remembered in `failed`: what is put from then on is
 * dropped, and whoever uses the bytes looks once, at the end. All zero is an
 * empty buffer.
 */
#ifndef EXAMPLES_KV_BUF_H
#define EXAMPLES_KV_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct kv_buf {
	char *data;
	size_t size, room;
	bool failed;
};

/* Room for n bytes more; false, and b has failed: no memory. */
bool kv_buf_grow(struct kv_buf *b, size_t n);

/* Drop the first n bytes. */
void kv_buf_drop(struct kv_buf *b, size_t n);

/* Nothing in it, and no failure; memory above a page or two is given back. */
void kv_buf_reset(struct kv_buf *b);
void kv_buf_free(struct kv_buf *b);

static inline bool kv_buf_reserve(struct kv_buf *b, size_t n)
{
	return b->room - b->size >= n ? true : kv_buf_grow(b, n);
}

static inline void kv_buf_put(struct kv_buf *b, const void *p, size_t n)
{
	if (n == 0 || !kv_buf_reserve(b, n))
		return;
	memcpy(b->data + b->size, p, n);
	b->size += n;
}

#endif
