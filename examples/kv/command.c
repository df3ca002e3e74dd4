/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.c - from a request to a function, and the locks around it.
 */
#include "examples/kv/command.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 512 /* a power of two, several times as many as commands */

static const struct kv_command *slots[SLOTS];

static const struct kv_command *const tables[] = {
	kv_string_commands, kv_key_commands,    kv_list_commands,
	kv_hash_commands,   kv_server_commands, kv_multi_commands,
	kv_pubsub_commands,
};

/* The table never changes, so any function will do that spreads it. */
static unsigned int slot_of(const char *name, size_t n)
{
	unsigned int h = (unsigned int)n;

	for (size_t i = 0; i < n; i++)
		h = h * 31 + ((unsigned char)name[i] | 0x20);
	return (h ^ h >> 7) % SLOTS;
}

void kv_commands_init(void)
{
	const struct kv_command *c;

	for (int i = 0; (c = kv_command_at(i)) != NULL; i++) {
		unsigned int at = slot_of(c->name, strlen(c->name));

		while (slots[at] != NULL)
			at = (at + 1) % SLOTS;
		slots[at] = c;
	}
}

const struct kv_command *kv_command_at(int i)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct kv_command *c = tables[t]; c->name; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

const struct kv_command *kv_command_find(const struct kv_arg *name)
{
	unsigned int at = slot_of(name->p, name->n < 32 ? name->n : 32);

	for (; slots[at] != NULL; at = (at + 1) % SLOTS)
		if (kv_arg_is(name, slots[at]->name))
			return slots[at];
	return NULL;
}

const struct kv_command *kv_command_for(struct kv_buf *out, int argc,
					const struct kv_arg *argv)
{
	const struct kv_command *c = kv_command_find(&argv[0]);

	if (c == NULL)
		kv_reply_error(out, "ERR unknown command '%.*s'",
			       argv[0].n < 128 ? (int)argv[0].n : 128,
			       argv[0].p);
	else if (c->arity > 0 ? argc != c->arity : argc < -c->arity)
		kv_reply_error(out,
			       "ERR wrong number of arguments for '%s' command",
			       c->name);
	else
		return c;
	return NULL;
}

void kv_hold_key(struct kv_hold *h, struct kv_arg key)
{
	unsigned int shard = kv_shard_of(kv_hash(key));

	h->set[shard / 64] |= UINT64_C(1) << shard % 64;
}

void kv_hold_keys(struct kv_hold *h, const struct kv_command *command, int argc,
		  const struct kv_arg *argv)
{
	int last = command->last < 0 ? argc + command->last : command->last;

	if (command->flags & (KV_EVERY | KV_WALKS))
		memset(h->set, 0xff, sizeof(h->set));
	else if (command->first > 0)
		for (int i = command->first; i <= last; i += command->step)
			kv_hold_key(h, argv[i]);
}

#define FOR_EACH_HELD(h, word, bits, shard)                                    \
	for (int word = 0; word < KV_SHARDS / 64; word++)                      \
		for (uint64_t bits = (h)->set[word], shard;                    \
		     bits != 0 && (shard = (uint64_t)word * 64 +               \
					   (uint64_t)__builtin_ctzll(bits),    \
				  true);                                       \
		     bits &= bits - 1)

void kv_hold_lock(const struct kv_hold *h)
{
	FOR_EACH_HELD(h, word, bits, shard)
	wend_mutex_lock(&kv_shards[shard].lock);
}

static void append(struct kv_call *c)
{
	if (c->record != NULL && c->record->count > 0)
		c->wrote = kv_log_append(c->record);
}

/* Who reads a change must not be told of it before it is safe. */
static void note_position(struct kv_call *c, struct kv_shard *s)
{
	if (c->wrote > 0)
		s->lsn = c->wrote;
	if (s->lsn > c->after)
		c->after = s->lsn;
}

void kv_hold_unlock(const struct kv_hold *h, struct kv_call *c)
{
	append(c);
	FOR_EACH_HELD(h, word, bits, shard)
	{
		note_position(c, &kv_shards[shard]);
		wend_mutex_unlock(&kv_shards[shard].lock);
	}
}

bool kv_refused(struct kv_buf *out)
{
	int err = kv_log_ready();

	if (err == 0)
		return false;
	kv_reply_error(
		out,
		"MISCONF the log cannot be written (%s): nothing is changed until it can",
		strerror(-err));
	return true;
}

bool kv_call_reserve(struct kv_call *c)
{
	size_t bytes = 0;

	if (c->record == NULL || !(c->command->flags & KV_WRITES))
		return true;
	for (int i = 0; i < c->argc; i++)
		bytes += c->argv[i].n;
	/* At worst a MSET or a DEL: a command for each word, and another to
	 * remove what had expired. */
	if (kv_record_reserve(c->record, 2 * bytes, (size_t)c->argc))
		return true;
	kv_reply_error(c->out, KV_NO_MEMORY);
	return false;
}

/* Nearly every command has one key. */
static void run_with_one(struct kv_call *c)
{
	struct kv_arg key = c->argv[c->command->first];
	struct kv_shard *s = &kv_shards[kv_shard_of(kv_hash(key))];

	wend_mutex_lock(&s->lock);
	c->command->run(c);
	append(c);
	note_position(c, s);
	wend_mutex_unlock(&s->lock);
}

static void run_with_many(struct kv_call *c)
{
	struct kv_hold hold = { 0 };

	kv_hold_keys(&hold, c->command, c->argc, c->argv);
	kv_hold_lock(&hold);
	c->command->run(c);
	kv_hold_unlock(&hold, c);
}

void kv_command_run(struct kv_call *c)
{
	const struct kv_command *command = c->command;

	if (command->flags & KV_WRITES &&
	    (kv_refused(c->out) || !kv_call_reserve(c)))
		return;
	if (command->flags & KV_EVERY ||
	    (command->first > 0 && command->last != command->first))
		run_with_many(c);
	else if (command->first > 0)
		run_with_one(c);
	else
		command->run(c);
}

void kv_note_as(struct kv_call *c, struct kv_arg key, int argc,
		const struct kv_arg *argv)
{
	if (c->record != NULL)
		kv_record_add(c->record, kv_shard_of(kv_hash(key)), argc, argv);
}

void kv_note(struct kv_call *c)
{
	kv_note_as(c, c->argv[c->command->first], c->argc, c->argv);
}

void kv_note_delete(struct kv_call *c, struct kv_arg key)
{
	kv_note_as(c, key, 2, (struct kv_arg[]){ KV_ARG("DEL"), key });
}

void kv_delete(struct kv_call *c, struct kv_entry *e)
{
	kv_note_delete(c, kv_entry_key(e));
	kv_remove(e);
}

struct kv_entry *kv_for_change(struct kv_call *c, struct kv_arg key)
{
	struct kv_entry *e = kv_find_any(key);

	if (e == NULL || !kv_expired(e, c->now))
		return e;
	kv_delete(c, e);
	return NULL;
}

static struct kv_entry *of_type(struct kv_call *c, struct kv_entry *e,
				enum kv_type type, bool *wrong)
{
	*wrong = e != NULL && e->type != type;
	if (!*wrong)
		return e;
	kv_reply_error(c->out, KV_WRONG_TYPE);
	return NULL;
}

struct kv_entry *kv_for_writing(struct kv_call *c, struct kv_arg key,
				enum kv_type type, bool *wrong)
{
	return of_type(c, kv_for_change(c, key), type, wrong);
}

struct kv_entry *kv_for_reading(struct kv_call *c, struct kv_arg key,
				enum kv_type type, bool *wrong)
{
	return of_type(c, kv_find(key, c->now), type, wrong);
}

bool kv_call_int(struct kv_call *c, int i, int64_t *n)
{
	if (kv_arg_int(&c->argv[i], n))
		return true;
	kv_reply_error(c->out, "ERR value is not an integer or out of range");
	return false;
}
