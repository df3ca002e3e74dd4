/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.c - a hash map in shards, each with a lock and a table of its own.
 *
 * Invariants, s->lock held:
 *   M1  an item is in the shard of its hash's upper bits, and in the list of
 *       the slot of its hash's lower bits
 *   M2  no two items have the same key
 *   M3  slot_count is 0 or a power of two, at least count unless there was no
 *       memory for more
 *
 * Values are given up after the lock is: unref() may do anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <wend/std/sync.h>
#include <wend/sync.h>
#include <wend/time.h>

#include "stdlib/sync/hash.h"

enum { SHARDS_LOG2 = 6, SHARDS = 1 << SHARDS_LOG2, FIRST_SLOTS = 8 };

struct item {
	struct item *next;
	uint64_t hash;
	void *value;
	size_t n;
	char key[];
};

struct shard {
	wend_mutex lock;
	size_t count, slot_count;
	struct item **slots;
} __attribute__((aligned(64)));

struct wend_sync_map {
	struct shard shards[SHARDS];
	uint64_t seed[2];
	void (*ref)(void *value);
	void (*unref)(void *value);
};

/* A key that is looked for. */
struct want {
	const void *key;
	size_t n;
	uint64_t hash;
	struct shard *shard;
};

static struct want wanted(wend_sync_map *m, const void *key, size_t n)
{
	struct want w = { key, n, wend__hash(m->seed, key, n), NULL };

	w.shard = &m->shards[w.hash >> (64 - SHARDS_LOG2)];
	return w;
}

static void *take_ref(const wend_sync_map *m, void *value)
{
	if (m->ref)
		m->ref(value);
	return value;
}

static void give_up(const wend_sync_map *m, void *value)
{
	if (m->unref)
		m->unref(value);
}

/* --- a shard's table, its lock held --------------------------------------------------- */

/* The link to the item, or the end of the list where it would be. NULL: there
 * is no table yet. */
static struct item **find_locked(const struct want *w)
{
	struct shard *s = w->shard;
	struct item **link;

	if (!s->slot_count)
		return NULL;
	link = &s->slots[w->hash & (s->slot_count - 1)];
	for (; *link; link = &(*link)->next)
		if ((*link)->hash == w->hash && (*link)->n == w->n &&
		    (w->n == 0 || memcmp((*link)->key, w->key, w->n) == 0))
			break;
	return link;
}

static struct item *item_locked(const struct want *w)
{
	struct item **link = find_locked(w);

	return link ? *link : NULL;
}

/* A table of twice the size; without memory it stays as it is. */
static void grow_locked(struct shard *s)
{
	size_t n = s->slot_count ? 2 * s->slot_count : FIRST_SLOTS;
	struct item **slots = calloc(n, sizeof(*slots)), *i, *next;

	if (!slots)
		return;
	for (size_t k = 0; k < s->slot_count; k++)
		for (i = s->slots[k]; i; i = next) {
			next = i->next;
			i->next = slots[i->hash & (n - 1)];
			slots[i->hash & (n - 1)] = i;
		}
	free(s->slots);
	s->slots = slots;
	s->slot_count = n;
}

static int insert_locked(const struct want *w, void *value)
{
	struct shard *s = w->shard;
	struct item *i = malloc(sizeof(*i) + w->n), **slot;

	if (!i)
		return -ENOMEM;
	if (s->count >= s->slot_count)
		grow_locked(s);
	if (!s->slot_count) {
		free(i);
		return -ENOMEM;
	}
	i->hash = w->hash;
	i->value = value;
	i->n = w->n;
	if (w->n)
		memcpy(i->key, w->key, w->n);
	slot = &s->slots[w->hash & (s->slot_count - 1)];
	i->next = *slot;
	*slot = i;
	s->count++;
	return 0;
}

/* Take the item out; the caller frees it. NULL: it is not there, or its value
 * is not the one given. */
static struct item *remove_locked(const struct want *w, void *const *only)
{
	struct item **link = find_locked(w), *i = link ? *link : NULL;

	if (!i || (only && i->value != *only))
		return NULL;
	*link = i->next;
	w->shard->count--;
	return i;
}

/* --- the map --------------------------------------------------------------------------- */

wend_sync_map *wend_sync_map_new(void (*ref)(void *value),
				 void (*unref)(void *value))
{
	wend_sync_map *m = aligned_alloc(64,
					 sizeof(*m) + (64 - sizeof(*m) % 64));

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->ref = ref;
	m->unref = unref;
	if (getrandom(m->seed, sizeof(m->seed), GRND_NONBLOCK) < 0) {
		/* The machine has just started: the address and the time. */
		m->seed[0] = (uintptr_t)m;
		m->seed[1] = (uint64_t)wend_now();
	}
	return m;
}

int wend_sync_map_load(wend_sync_map *m, const void *key, size_t n,
		       void **value)
{
	struct want w = wanted(m, key, n);
	struct item *i;

	wend_mutex_lock(&w.shard->lock);
	i = item_locked(&w);
	if (i)
		*value = take_ref(m, i->value);
	wend_mutex_unlock(&w.shard->lock);
	return i ? 0 : -ENOENT;
}

int wend_sync_map_store(wend_sync_map *m, const void *key, size_t n,
			void *value)
{
	struct want w = wanted(m, key, n);
	void *old = NULL;
	struct item *i;
	int r = 0;

	wend_mutex_lock(&w.shard->lock);
	i = item_locked(&w);
	if (i) {
		old = i->value;
		i->value = value;
	} else {
		r = insert_locked(&w, value);
	}
	wend_mutex_unlock(&w.shard->lock);
	if (i)
		give_up(m, old);
	return r;
}

int wend_sync_map_load_or_store(wend_sync_map *m, const void *key, size_t n,
				void *value, void **found)
{
	struct want w = wanted(m, key, n);
	struct item *i;
	int r = 1;

	wend_mutex_lock(&w.shard->lock);
	i = item_locked(&w);
	if (i)
		*found = take_ref(m, i->value);
	else
		r = insert_locked(&w, value);
	wend_mutex_unlock(&w.shard->lock);
	return r;
}

static struct item *remove_from(const struct want *w, void *const *only)
{
	struct item *i;

	wend_mutex_lock(&w->shard->lock);
	i = remove_locked(w, only);
	wend_mutex_unlock(&w->shard->lock);
	return i;
}

int wend_sync_map_delete(wend_sync_map *m, const void *key, size_t n,
			 void **value)
{
	struct want w = wanted(m, key, n);
	struct item *i = remove_from(&w, NULL);

	if (!i)
		return -ENOENT;
	if (value)
		*value = i->value; /* and the map's reference with it */
	else
		give_up(m, i->value);
	free(i);
	return 0;
}

bool wend_sync_map_delete_if(wend_sync_map *m, const void *key, size_t n,
			     void *old)
{
	struct want w = wanted(m, key, n);
	struct item *i = remove_from(&w, &old);

	if (!i)
		return false;
	give_up(m, old);
	free(i);
	return true;
}

bool wend_sync_map_replace(wend_sync_map *m, const void *key, size_t n,
			   void *old, void *value)
{
	struct want w = wanted(m, key, n);
	bool replaced;
	struct item *i;

	wend_mutex_lock(&w.shard->lock);
	i = item_locked(&w);
	replaced = i && i->value == old;
	if (replaced)
		i->value = value;
	wend_mutex_unlock(&w.shard->lock);
	if (replaced)
		give_up(m, old);
	return replaced;
}

size_t wend_sync_map_len(wend_sync_map *m)
{
	size_t n = 0;

	for (struct shard *s = m->shards; s < m->shards + SHARDS; s++) {
		wend_mutex_lock(&s->lock);
		n += s->count;
		wend_mutex_unlock(&s->lock);
	}
	return n;
}

static void free_shard(wend_sync_map *m, struct shard *s)
{
	struct item *i, *next;

	for (size_t k = 0; k < s->slot_count; k++)
		for (i = s->slots[k]; i; i = next) {
			next = i->next;
			give_up(m, i->value);
			free(i);
		}
	free(s->slots);
}

void wend_sync_map_free(wend_sync_map *m)
{
	if (!m)
		return;
	for (size_t k = 0; k < SHARDS; k++)
		free_shard(m, &m->shards[k]);
	free(m);
}

/* --- all of it -------------------------------------------------------------------------- */

/* What a shard had at one time: entries, and their keys behind them. */
struct copy {
	size_t count;
	struct entry {
		const char *key;
		size_t n;
		void *value; /* with a reference */
	} entries[];
};

static struct copy *copy_locked(const wend_sync_map *m, const struct shard *s)
{
	size_t bytes = 0;
	struct copy *c;
	char *at;

	for (size_t k = 0; k < s->slot_count; k++)
		for (const struct item *i = s->slots[k]; i; i = i->next)
			bytes += i->n;
	c = malloc(sizeof(*c) + s->count * sizeof(c->entries[0]) + bytes);
	if (!c)
		return NULL;
	c->count = 0;
	at = (char *)&c->entries[s->count];
	for (size_t k = 0; k < s->slot_count; k++)
		for (const struct item *i = s->slots[k]; i; i = i->next) {
			memcpy(at, i->key, i->n);
			c->entries[c->count++] = (struct entry){
				at, i->n, take_ref(m, i->value)
			};
			at += i->n;
		}
	return c;
}

int wend_sync_map_range(wend_sync_map *m,
			bool (*fn)(const void *key, size_t n, void *value,
				   void *arg),
			void *arg)
{
	bool more = true;

	for (size_t k = 0; k < SHARDS && more; k++) {
		struct shard *s = &m->shards[k];
		struct copy *c;

		wend_mutex_lock(&s->lock);
		c = copy_locked(m, s);
		wend_mutex_unlock(&s->lock);
		if (!c)
			return -ENOMEM;
		for (size_t i = 0; i < c->count; i++) {
			const struct entry *e = &c->entries[i];

			if (more)
				more = fn(e->key, e->n, e->value, arg);
			give_up(m, e->value);
		}
		free(c);
	}
	return 0;
}
