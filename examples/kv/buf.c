/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.c - bytes that grow.
 */
#include "examples/kv/buf.h"

#include <stdint.h>
#include <stdlib.h>

#define SMALLEST 512
#define KEPT     (64 * 1024)

bool kv_buf_grow(struct kv_buf *b, size_t n)
{
	size_t room = b->room < SMALLEST ? SMALLEST : b->room;
	char *data;

	if (b->failed || n > SIZE_MAX / 2 - b->size) {
		b->failed = true;
		return false;
	}
	while (room - b->size < n)
		room *= 2;
	data = realloc(b->data, room);
	if (data == NULL) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->room = room;
	return true;
}

void kv_buf_drop(struct kv_buf *b, size_t n)
{
	b->size -= n;
	if (b->size > 0 && n > 0)
		memmove(b->data, b->data + n, b->size);
}

void kv_buf_reset(struct kv_buf *b)
{
	if (b->room > KEPT)
		kv_buf_free(b);
	b->size = 0;
	b->failed = false;
}

void kv_buf_free(struct kv_buf *b)
{
	free(b->data);
	*b = (struct kv_buf){ 0 };
}
