/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c - the keys and their values.
 */
#include "examples/kv/db.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct kv_shard kv_shards[KV_SHARDS];
static uint64_t seed;

uint64_t kv_hash(struct kv_arg key)
{
	return XXH3_64bits_withSeed(key.p, key.n, seed);
}

int64_t kv_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void kv_db_init(void)
{
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint64_t)wend_now();
	for (int i = 0; i < KV_SHARDS; i++)
		kv_shards[i].next_expiry = KV_NEVER;
}

void kv_db_free(void)
{
	struct kv_entry *e, *next;

	for (int i = 0; i < KV_SHARDS; i++)
		HASH_ITER(hh, kv_shards[i].entries, e, next)
	kv_remove(e);
}

static struct kv_shard *shard_of(const struct kv_entry *e)
{
	return &kv_shards[kv_shard_of(e->hh.hashv)];
}

struct kv_entry *kv_find_any(struct kv_arg key)
{
	uint64_t hash = kv_hash(key);
	struct kv_entry *e;

	KV_TABLE_FIND(kv_shards[kv_shard_of(hash)].entries, key, hash, e);
	return e;
}

struct kv_entry *kv_find(struct kv_arg key, int64_t now)
{
	struct kv_entry *e = kv_find_any(key);

	return e == NULL || kv_expired(e, now) ? NULL : e;
}

struct kv_entry *kv_add(struct kv_arg key, enum kv_type type)
{
	uint64_t hash = kv_hash(key);
	struct kv_shard *s = &kv_shards[kv_shard_of(hash)];
	struct kv_entry *e = malloc(sizeof(*e) + key.n);

	if (e == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->type = type;
	e->expires = KV_NEVER;
	e->size = key.n;
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	KV_TABLE_ADD(s->entries, kv_entry_key(e), hash, e);
	if (e->hh.tbl == NULL) {
		free(e);
		return NULL;
	}
	e->version = ++s->version;
	return e;
}

static void clear_fields(struct kv_entry *e)
{
	struct kv_field *f, *next;

	HASH_ITER(hh, e->fields, f, next)
	kv_field_remove(e, f);
}

void kv_clear(struct kv_entry *e, enum kv_type type)
{
	if (e->type == KV_STRING)
		free(e->string);
	else if (e->type == KV_LIST)
		kv_list_clear(&e->list);
	else
		clear_fields(e);
	e->list = (struct kv_list){ 0 };
	e->string = NULL;
	e->type = type;
}

void kv_remove(struct kv_entry *e)
{
	struct kv_shard *s = shard_of(e);

	kv_clear(e, e->type);
	kv_set_expiry(e, KV_NEVER);
	s->version++;
	HASH_DELETE(hh, s->entries, e);
	free(e);
}

void kv_touch(struct kv_entry *e)
{
	e->version = ++shard_of(e)->version;
}

void kv_set_expiry(struct kv_entry *e, int64_t expires)
{
	struct kv_shard *s;

	if (e->expires == expires)
		return;
	s = shard_of(e);
	s->volatiles += expires != KV_NEVER;
	s->volatiles -= e->expires != KV_NEVER;
	if (expires < s->next_expiry)
		s->next_expiry = expires;
	e->expires = expires;
}

struct kv_field *kv_field_find(const struct kv_entry *e, struct kv_arg name)
{
	struct kv_field *f;

	KV_TABLE_FIND(e->fields, name, kv_hash(name), f);
	return f;
}

static struct kv_field *new_field(struct kv_entry *e, struct kv_arg name)
{
	struct kv_field *f = malloc(sizeof(*f) + name.n);
	struct kv_arg kept;

	if (f == NULL)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->size = name.n;
	if (name.n > 0)
		memcpy(f->name, name.p, name.n);
	kept = (struct kv_arg){ f->name, f->size };
	KV_TABLE_ADD(e->fields, kept, kv_hash(kept), f);
	if (f->hh.tbl == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

bool kv_field_set(struct kv_entry *e, struct kv_arg name,
		  const struct kv_arg *value, bool *added)
{
	struct kv_field *f = kv_field_find(e, name);
	struct kv_string *s = NULL;

	*added = f == NULL;
	if (value != NULL && (s = kv_string_new(*value)) == NULL)
		return false;
	if (f == NULL)
		f = new_field(e, name);
	if (f == NULL) {
		free(s);
		return false;
	}
	free(f->value);
	f->value = s;
	return true;
}

void kv_field_remove(struct kv_entry *e, struct kv_field *f)
{
	HASH_DELETE(hh, e->fields, f);
	free(f->value);
	free(f);
}
