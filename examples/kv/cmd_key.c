/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_key.c - commands on keys of any type: DEL, EXPIRE, KEYS, SCAN ...
 */
#include <string.h>

#include "examples/kv/expiry.h"
#include "examples/kv/glob.h"

static const char *const type_names[] = { "string", "list", "hash", "set" };

bool kv_expiry_any(struct kv_call *c, int i, enum kv_time unit, int64_t *ms)
{
	int64_t n, base = unit == KV_IN_SECONDS || unit == KV_IN_MS ?
				  kv_now_ms() :
				  0;

	if (!kv_call_int(c, i, &n))
		return false;
	if (unit == KV_IN_SECONDS || unit == KV_AT_SECONDS)
		if (__builtin_mul_overflow(n, 1000, &n))
			n = KV_NEVER;
	if (n < KV_NEVER && !__builtin_add_overflow(n, base, ms) &&
	    *ms<KV_NEVER && * ms> INT64_MIN)
		return true;
	kv_reply_error(c->out, "ERR invalid expire time in '%s' command",
		       c->command->name);
	return false;
}

bool kv_expiry_arg(struct kv_call *c, int i, enum kv_time unit, int64_t *ms)
{
	int64_t n;

	if (!kv_call_int(c, i, &n))
		return false;
	if (n > 0)
		return kv_expiry_any(c, i, unit, ms);
	kv_reply_error(c->out, "ERR invalid expire time in '%s' command",
		       c->command->name);
	return false;
}

static void cmd_del(struct kv_call *c)
{
	int64_t n = 0;

	for (int i = 1; i < c->argc; i++) {
		struct kv_entry *e = kv_for_change(c, c->argv[i]);

		if (e == NULL)
			continue;
		kv_delete(c, e);
		n++;
	}
	kv_reply_int(c->out, n);
}

static void cmd_exists(struct kv_call *c)
{
	int64_t n = 0;

	for (int i = 1; i < c->argc; i++)
		n += kv_find(c->argv[i], c->now) != NULL;
	kv_reply_int(c->out, n);
}

static void cmd_type(struct kv_call *c)
{
	struct kv_entry *e = kv_find(c->argv[1], c->now);

	kv_reply_simple(c->out, e ? type_names[e->type] : "none");
}

static void expire(struct kv_call *c, enum kv_time unit)
{
	struct kv_entry *e = kv_for_change(c, c->argv[1]);
	char number[KV_INT_TEXT];
	int64_t ms;

	if (!kv_expiry_any(c, 2, unit, &ms))
		return;
	kv_reply_int(c->out, e != NULL);
	if (e == NULL)
		return;
	if (ms <= c->now) {
		kv_delete(c, e);
		return;
	}
	kv_set_expiry(e, ms);
	kv_touch(e);
	kv_note_as(c, c->argv[1], 3,
		   (struct kv_arg[]){
			   KV_ARG("PEXPIREAT"),
			   c->argv[1],
			   { number, kv_int_text(number, ms) },
		   });
}

static void cmd_expire(struct kv_call *c)
{
	expire(c, KV_IN_SECONDS);
}

static void cmd_pexpire(struct kv_call *c)
{
	expire(c, KV_IN_MS);
}

static void cmd_expireat(struct kv_call *c)
{
	expire(c, KV_AT_SECONDS);
}

static void cmd_pexpireat(struct kv_call *c)
{
	expire(c, KV_AT_MS);
}

static void cmd_persist(struct kv_call *c)
{
	struct kv_entry *e = kv_for_change(c, c->argv[1]);

	if (e == NULL || e->expires == KV_NEVER) {
		kv_reply_int(c->out, 0);
		return;
	}
	kv_set_expiry(e, KV_NEVER);
	kv_touch(e);
	kv_note(c);
	kv_reply_int(c->out, 1);
}

/* -2: no such key; -1: it does not expire; or ms to go. */
static int64_t left_of(struct kv_call *c)
{
	struct kv_entry *e = kv_find(c->argv[1], c->now);

	if (e == NULL)
		return -2;
	return e->expires == KV_NEVER ? -1 : e->expires - c->now;
}

static void cmd_ttl(struct kv_call *c)
{
	int64_t ms = left_of(c);

	kv_reply_int(c->out, ms < 0 ? ms : (ms + 500) / 1000);
}

static void cmd_pttl(struct kv_call *c)
{
	kv_reply_int(c->out, left_of(c));
}

/* A shard for a command that walks through all of them. */
static struct kv_shard *enter(struct kv_call *c, size_t i)
{
	if (!c->in_exec)
		wend_mutex_lock(&kv_shards[i].lock);
	return &kv_shards[i];
}

static void leave(struct kv_call *c, struct kv_shard *s)
{
	if (!c->in_exec)
		wend_mutex_unlock(&s->lock);
}

/* A shard's keys that fit a pattern and a type, or NULL; how many. */
static size_t list_shard(struct kv_call *c, struct kv_buf *to,
			 const struct kv_shard *s, const struct kv_arg *pattern,
			 const struct kv_arg *type)
{
	size_t n = 0;

	for (struct kv_entry *e = s->entries; e; e = e->hh.next) {
		if (kv_expired(e, c->now) ||
		    (type && !kv_arg_is(type, type_names[e->type])) ||
		    (pattern && !kv_glob(*pattern, kv_entry_key(e))))
			continue;
		kv_reply_bulk(to, e->key, e->size);
		n++;
	}
	return n;
}

/* An array whose length is known when its elements are. */
static void reply_list(struct kv_call *c, size_t n, struct kv_buf *list)
{
	kv_reply_array(c->out, n);
	kv_buf_put(c->out, list->data, list->size);
	c->out->failed |= list->failed;
	kv_buf_free(list);
}

static void cmd_keys(struct kv_call *c)
{
	struct kv_buf list = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < KV_SHARDS; i++) {
		struct kv_shard *s = enter(c, i);

		n += list_shard(c, &list, s, &c->argv[1], NULL);
		leave(c, s);
	}
	reply_list(c, n, &list);
}

struct scan {
	int64_t cursor, count;
	const struct kv_arg *pattern, *type;
};

static bool scan_options(struct kv_call *c, struct scan *s)
{
	if (!kv_arg_int(&c->argv[1], &s->cursor) || s->cursor < 0) {
		kv_reply_error(c->out, "ERR invalid cursor");
		return false;
	}
	for (int i = 2; i < c->argc; i += 2) {
		bool more = i + 1 < c->argc;

		if (more && kv_arg_is(&c->argv[i], "match")) {
			s->pattern = &c->argv[i + 1];
		} else if (more && kv_arg_is(&c->argv[i], "type")) {
			s->type = &c->argv[i + 1];
		} else if (more && kv_arg_is(&c->argv[i], "count")) {
			if (!kv_call_int(c, i + 1, &s->count))
				return false;
		}
		if (!more || s->count < 1 ||
		    !(s->pattern == &c->argv[i + 1] ||
		      s->type == &c->argv[i + 1] ||
		      kv_arg_is(&c->argv[i], "count"))) {
			kv_reply_error(c->out, "ERR syntax error");
			return false;
		}
	}
	return true;
}

/*
 * The cursor is the next shard. Each call gives all of at least one; keys that
 * do not fit the pattern were work, too, and count.
 */
static void cmd_scan(struct kv_call *c)
{
	struct scan s = { .count = 10 };
	struct kv_buf list = { 0 };
	char text[KV_INT_TEXT];
	int64_t seen = 0;
	size_t n = 0, i;

	if (!scan_options(c, &s))
		return;
	for (i = (size_t)s.cursor; i < KV_SHARDS && seen < s.count; i++) {
		struct kv_shard *shard = enter(c, i);

		seen += (int64_t)HASH_COUNT(shard->entries);
		n += list_shard(c, &list, shard, s.pattern, s.type);
		leave(c, shard);
	}
	kv_reply_array(c->out, 2);
	kv_reply_bulk(c->out, text,
		      kv_int_text(text, i < KV_SHARDS ? (int64_t)i : 0));
	reply_list(c, n, &list);
}

static void cmd_dbsize(struct kv_call *c)
{
	int64_t n = 0;

	for (size_t i = 0; i < KV_SHARDS; i++) {
		struct kv_shard *s = enter(c, i);

		n += HASH_COUNT(s->entries);
		leave(c, s);
	}
	kv_reply_int(c->out, n);
}

static void cmd_flushall(struct kv_call *c)
{
	struct kv_entry *e, *next;

	for (int i = 0; i < KV_SHARDS; i++)
		HASH_ITER(hh, kv_shards[i].entries, e, next)
	kv_remove(e);
	if (c->record != NULL)
		kv_record_add(c->record, KV_ALL_SHARDS, 1, &KV_ARG("FLUSHALL"));
	kv_reply_simple(c->out, "OK");
}

const struct kv_command kv_key_commands[] = {
	{ "del", cmd_del, -2, KV_WRITES, 1, -1, 1 },
	{ "unlink", cmd_del, -2, KV_WRITES, 1, -1, 1 },
	{ "exists", cmd_exists, -2, KV_READS, 1, -1, 1 },
	{ "type", cmd_type, 2, KV_READS, 1, 1, 1 },
	{ "expire", cmd_expire, 3, KV_WRITES, 1, 1, 1 },
	{ "pexpire", cmd_pexpire, 3, KV_WRITES, 1, 1, 1 },
	{ "expireat", cmd_expireat, 3, KV_WRITES, 1, 1, 1 },
	{ "pexpireat", cmd_pexpireat, 3, KV_WRITES, 1, 1, 1 },
	{ "persist", cmd_persist, 2, KV_WRITES, 1, 1, 1 },
	{ "ttl", cmd_ttl, 2, KV_READS, 1, 1, 1 },
	{ "pttl", cmd_pttl, 2, KV_READS, 1, 1, 1 },
	{ "keys", cmd_keys, 2, KV_READS | KV_WALKS },
	{ "scan", cmd_scan, -2, KV_READS | KV_WALKS },
	{ "dbsize", cmd_dbsize, 1, KV_READS | KV_WALKS },
	{ "flushall", cmd_flushall, -1, KV_WRITES | KV_EVERY },
	{ "flushdb", cmd_flushall, -1, KV_WRITES | KV_EVERY },
	{ NULL },
};
