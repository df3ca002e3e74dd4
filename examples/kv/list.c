/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.c - strings and lists of them.
 */
#include "examples/kv/list.h"

#include <stdlib.h>
#include <string.h>

struct kv_string *kv_string_room(struct kv_string *s, size_t size)
{
	bool fresh = s == NULL;
	size_t room = size;

	if (!fresh && s->room >= size && s->room / 4 <= size + 64)
		return s;
	/* One that grows will grow again (APPEND); one that shrinks, not. */
	if (!fresh && size > s->room)
		room += size / 2;
	s = realloc(s, sizeof(*s) + room);
	if (s == NULL)
		return NULL;
	if (fresh)
		s->size = 0;
	if (s->size > size)
		s->size = size;
	s->room = room;
	return s;
}

struct kv_string *kv_string_new(struct kv_arg text)
{
	struct kv_string *s = kv_string_room(NULL, text.n);

	if (s == NULL)
		return NULL;
	if (text.n > 0)
		memcpy(s->bytes, text.p, text.n);
	s->size = text.n;
	return s;
}

bool kv_list_reserve(struct kv_list *l, size_t n)
{
	size_t room = l->room ? l->room : 4;
	struct kv_string **ring;

	if (l->room - l->size >= n)
		return true;
	while (room - l->size < n)
		room *= 2;
	ring = malloc(room * sizeof(struct kv_string *));
	if (ring == NULL)
		return false;
	for (size_t i = 0; i < l->size; i++)
		ring[i] = kv_list_at(l, i);
	free(l->ring);
	l->ring = ring;
	l->room = room;
	l->first = 0;
	return true;
}

void kv_list_push(struct kv_list *l, struct kv_string *s, bool front)
{
	size_t at = front ? l->first - 1 : l->first + l->size;

	if (front)
		l->first = at & (l->room - 1);
	l->ring[at & (l->room - 1)] = s;
	l->size++;
}

struct kv_string *kv_list_pop(struct kv_list *l, bool front)
{
	struct kv_string *s = kv_list_at(l, front ? 0 : l->size - 1);

	if (front)
		l->first = (l->first + 1) & (l->room - 1);
	l->size--;
	return s;
}

void kv_list_clear(struct kv_list *l)
{
	while (l->size > 0)
		free(kv_list_pop(l, true));
	free(l->ring);
	*l = (struct kv_list){ 0 };
}
