/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_hash.c - commands on hashes, and on sets: hashes without values.
 */
#include "examples/kv/command.h"

static struct kv_entry *fields_for(struct kv_call *c, enum kv_type type)
{
	bool wrong;
	struct kv_entry *e = kv_for_writing(c, c->argv[1], type, &wrong);

	if (e == NULL && !wrong) {
		e = kv_add(c->argv[1], type);
		if (e == NULL)
			kv_reply_error(c->out, KV_NO_MEMORY);
	}
	return e;
}

/*
 * Set the fields from word 2 on, each with the word behind it as its value
 * (step 2) or none (1). For want of memory some may be set: then only these
 * are noted.
 */
static bool set_fields(struct kv_call *c, struct kv_entry *e, int step,
		       int64_t *fresh)
{
	int i;

	*fresh = 0;
	for (i = 2; i < c->argc; i += step) {
		const struct kv_arg *value = step == 2 ? &c->argv[i + 1] : NULL;
		bool added;

		if (!kv_field_set(e, c->argv[i], value, &added))
			break;
		*fresh += added;
	}
	if (i > 2) {
		kv_touch(e);
		kv_note_as(c, c->argv[1], i, c->argv);
	} else if (e->fields == NULL) {
		kv_remove(e);
	}
	if (i < c->argc)
		kv_reply_error(c->out, KV_NO_MEMORY);
	return i >= c->argc;
}

static bool in_pairs(struct kv_call *c)
{
	if (c->argc % 2 == 0)
		return true;
	kv_reply_error(c->out, "ERR wrong number of arguments for '%s' command",
		       c->command->name);
	return false;
}

static void cmd_hset(struct kv_call *c)
{
	struct kv_entry *e = in_pairs(c) ? fields_for(c, KV_HASH) : NULL;
	int64_t n;

	if (e != NULL && set_fields(c, e, 2, &n))
		kv_reply_int(c->out, n);
}

static void cmd_hmset(struct kv_call *c)
{
	struct kv_entry *e = in_pairs(c) ? fields_for(c, KV_HASH) : NULL;
	int64_t n;

	if (e != NULL && set_fields(c, e, 2, &n))
		kv_reply_simple(c->out, "OK");
}

static void cmd_sadd(struct kv_call *c)
{
	struct kv_entry *e = fields_for(c, KV_SET);
	int64_t n;

	if (e != NULL && set_fields(c, e, 1, &n))
		kv_reply_int(c->out, n);
}

static void remove_fields(struct kv_call *c, enum kv_type type)
{
	bool wrong;
	struct kv_entry *e = kv_for_writing(c, c->argv[1], type, &wrong);
	int64_t n = 0;

	if (wrong)
		return;
	for (int i = 2; e != NULL && i < c->argc; i++) {
		struct kv_field *f = kv_field_find(e, c->argv[i]);

		if (f == NULL)
			continue;
		kv_field_remove(e, f);
		n++;
	}
	if (n > 0) {
		kv_touch(e);
		kv_note(c);
		if (e->fields == NULL)
			kv_remove(e);
	}
	kv_reply_int(c->out, n);
}

static void cmd_hdel(struct kv_call *c)
{
	remove_fields(c, KV_HASH);
}

static void cmd_srem(struct kv_call *c)
{
	remove_fields(c, KV_SET);
}

static void has_field(struct kv_call *c, enum kv_type type)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], type, &wrong);

	if (!wrong)
		kv_reply_int(c->out, e && kv_field_find(e, c->argv[2]));
}

static void cmd_hexists(struct kv_call *c)
{
	has_field(c, KV_HASH);
}

static void cmd_sismember(struct kv_call *c)
{
	has_field(c, KV_SET);
}

static void count_fields(struct kv_call *c, enum kv_type type)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], type, &wrong);

	if (!wrong)
		kv_reply_int(c->out, e ? (int64_t)HASH_COUNT(e->fields) : 0);
}

static void cmd_hlen(struct kv_call *c)
{
	count_fields(c, KV_HASH);
}

static void cmd_scard(struct kv_call *c)
{
	count_fields(c, KV_SET);
}

static void reply_value(struct kv_call *c, const struct kv_entry *e,
			struct kv_arg name)
{
	struct kv_field *f = e ? kv_field_find(e, name) : NULL;

	if (f != NULL)
		kv_reply_bulk(c->out, f->value->bytes, f->value->size);
	else
		kv_reply_nil(c->out);
}

static void cmd_hget(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], KV_HASH, &wrong);

	if (!wrong)
		reply_value(c, e, c->argv[2]);
}

static void cmd_hmget(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], KV_HASH, &wrong);

	if (wrong)
		return;
	kv_reply_array(c->out, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++)
		reply_value(c, e, c->argv[i]);
}

static void list_fields(struct kv_call *c, enum kv_type type, bool names,
			bool values)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], type, &wrong);
	size_t n = e ? HASH_COUNT(e->fields) : 0;

	if (wrong)
		return;
	kv_reply_array(c->out, n * ((size_t)names + (size_t)values));
	for (struct kv_field *f = e ? e->fields : NULL; f; f = f->hh.next) {
		if (names)
			kv_reply_bulk(c->out, f->name, f->size);
		if (values)
			kv_reply_bulk(c->out, f->value->bytes, f->value->size);
	}
}

static void cmd_hgetall(struct kv_call *c)
{
	list_fields(c, KV_HASH, true, true);
}

static void cmd_hkeys(struct kv_call *c)
{
	list_fields(c, KV_HASH, true, false);
}

static void cmd_hvals(struct kv_call *c)
{
	list_fields(c, KV_HASH, false, true);
}

static void cmd_smembers(struct kv_call *c)
{
	list_fields(c, KV_SET, true, false);
}

const struct kv_command kv_hash_commands[] = {
	{ "hset", cmd_hset, -4, KV_WRITES, 1, 1, 1 },
	{ "hmset", cmd_hmset, -4, KV_WRITES, 1, 1, 1 },
	{ "hget", cmd_hget, 3, KV_READS, 1, 1, 1 },
	{ "hmget", cmd_hmget, -3, KV_READS, 1, 1, 1 },
	{ "hdel", cmd_hdel, -3, KV_WRITES, 1, 1, 1 },
	{ "hgetall", cmd_hgetall, 2, KV_READS, 1, 1, 1 },
	{ "hkeys", cmd_hkeys, 2, KV_READS, 1, 1, 1 },
	{ "hvals", cmd_hvals, 2, KV_READS, 1, 1, 1 },
	{ "hlen", cmd_hlen, 2, KV_READS, 1, 1, 1 },
	{ "hexists", cmd_hexists, 3, KV_READS, 1, 1, 1 },
	{ "sadd", cmd_sadd, -3, KV_WRITES, 1, 1, 1 },
	{ "srem", cmd_srem, -3, KV_WRITES, 1, 1, 1 },
	{ "scard", cmd_scard, 2, KV_READS, 1, 1, 1 },
	{ "sismember", cmd_sismember, 3, KV_READS, 1, 1, 1 },
	{ "smembers", cmd_smembers, 2, KV_READS, 1, 1, 1 },
	{ NULL },
};
