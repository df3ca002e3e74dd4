/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h - the keys: a fixed number of shards, each a hash table and a lock.
 *
 * Invariants, a shard's lock held:
 *   I1  a key lives in the shard that its hash names, and in no other
 *   I2  volatiles is the number of keys with an expiry; none of these expires
 *       before next_expiry
 *   I3  version never falls, and no two changes of keys have the same
 *   I4  lsn is the log's position behind the last change
 *
 * A table of uthash doubles at once. With KV_SHARDS of them that is a pause of
 * some 100 us where one table of ten million keys would stand for a second.
 * The shards are SCAN's cursor, too: a call gives whole shards, so a key that
 * stays is given, whatever else comes and goes.
 */
#ifndef EXAMPLES_KV_DB_H
#define EXAMPLES_KV_DB_H

#include "examples/kv/list.h"
#include "examples/kv/table.h"

#define KV_SHARDS 1024

enum kv_type { KV_STRING, KV_LIST, KV_HASH, KV_SET };

/* A field of a hash, or a member of a set (value is NULL). */
struct kv_field {
	UT_hash_handle hh;
	struct kv_string *value;
	size_t size;
	char name[];
};

struct kv_entry {
	UT_hash_handle hh;
	int64_t expires;  /* ms since 1970; KV_NEVER */
	uint64_t version; /* the shard's, of the last change */
	enum kv_type type;
	union {
		struct kv_string *string;
		struct kv_list list;
		struct kv_field *fields;
	};
	size_t size;
	char key[];
};

#define KV_NEVER INT64_MAX

struct kv_shard {
	wend_mutex lock;
	struct kv_entry *entries;
	size_t volatiles;
	int64_t next_expiry;
	uint64_t version;
	uint64_t lsn;
} __attribute__((aligned(64))); /* a cache line is one shard's alone */

extern struct kv_shard kv_shards[KV_SHARDS];

/* Choose the seed. Once, before anything else. */
void kv_db_init(void);
void kv_db_free(void);

static inline unsigned int kv_shard_of(uint64_t hash)
{
	/* Of the half that uthash keeps; not the bits that choose a bucket,
	 * which would be alike within a shard. */
	return (uint32_t)hash >> 22;
}

/* The functions below: the key's shard is locked by the caller. */

/* An entry that has not expired by `now`, or NULL. */
struct kv_entry *kv_find(struct kv_arg key, int64_t now);

/* The entry, expired or not. */
struct kv_entry *kv_find_any(struct kv_arg key);

/* A new key, which is not there; its value is empty (a string: NULL). NULL: no
 * memory. */
struct kv_entry *kv_add(struct kv_arg key, enum kv_type type);

/* It and its value are gone. */
void kv_remove(struct kv_entry *e);

/* Only its value, which becomes an empty one of this type. */
void kv_clear(struct kv_entry *e, enum kv_type type);

/* Say that e has changed: whoever watches it will know. */
void kv_touch(struct kv_entry *e);

void kv_set_expiry(struct kv_entry *e, int64_t expires);

static inline struct kv_arg kv_entry_key(const struct kv_entry *e)
{
	return (struct kv_arg){ e->key, e->size };
}

static inline bool kv_expired(const struct kv_entry *e, int64_t now)
{
	return e->expires <= now;
}

/* Fields of a hash or members of a set. */
struct kv_field *kv_field_find(const struct kv_entry *e, struct kv_arg name);
/* Set or add; *added says which. A set's value is NULL. false: no memory. */
bool kv_field_set(struct kv_entry *e, struct kv_arg name,
		  const struct kv_arg *value, bool *added);
void kv_field_remove(struct kv_entry *e, struct kv_field *f);

#endif
