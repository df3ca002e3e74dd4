/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - strings, and lists of them: a ring that grows at either end, so
 * that LRANGE finds its first element at once.
 */
#ifndef EXAMPLES_KV_LIST_H
#define EXAMPLES_KV_LIST_H

#include "examples/kv/kv.h"

struct kv_string {
	size_t size, room;
	char bytes[];
};

struct kv_string *kv_string_new(struct kv_arg text);

/*
 * A string with room for size bytes, and the bytes of s as far as they fit;
 * s, which may be NULL, is gone. NULL: no memory, and s is as it was.
 */
struct kv_string *kv_string_room(struct kv_string *s, size_t size);

static inline struct kv_arg kv_string_arg(const struct kv_string *s)
{
	return (struct kv_arg){ s->bytes, s->size };
}

struct kv_list {
	size_t size, room, first; /* room: a power of two, or 0 */
	struct kv_string **ring;
};

/* Room for n more: then n pushes cannot fail but for their strings. */
bool kv_list_reserve(struct kv_list *l, size_t n);
void kv_list_push(struct kv_list *l, struct kv_string *s, bool front);
struct kv_string *kv_list_pop(struct kv_list *l, bool front);
void kv_list_clear(struct kv_list *l);

static inline struct kv_string *kv_list_at(const struct kv_list *l, size_t i)
{
	return l->ring[(l->first + i) & (l->room - 1)];
}

#endif
