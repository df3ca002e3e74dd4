/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - from a request to a function, and the locks around it.
 */
#ifndef EXAMPLES_KV_COMMAND_H
#define EXAMPLES_KV_COMMAND_H

#include "examples/kv/db.h"
#include "examples/kv/log.h"
#include "examples/kv/reply.h"

struct kv_client;

/*
 * A command that runs. Its function finds the shards of its keys locked, puts
 * one answer into out, and notes each change it makes by kv_note().
 */
struct kv_call {
	struct kv_client *client; /* NULL: the log is being read */
	const struct kv_command *command;
	int argc;
	const struct kv_arg *argv;
	struct kv_buf *out;
	struct kv_record *record; /* NULL: there is no log */
	int64_t now;              /* ms; INT64_MIN: nothing expires */
	bool in_exec;             /* all locks are held that EXEC needs */

	/* What came of it: positions in the log, or 0. */
	uint64_t wrote; /* behind its own changes */
	uint64_t after; /* behind all that its answer may be made of */
};

enum {
	KV_READS = 1,       /* looks at keys */
	KV_WRITES = 2,      /* changes them: not while the log cannot follow */
	KV_EVERY = 4,       /* needs every shard locked */
	KV_WALKS = 8,       /* goes through all of them, one by one */
	KV_ALONE = 16,      /* not in a transaction */
	KV_SUBSCRIBED = 32, /* may be used by who listens to channels */
	KV_AT_ONCE = 64,    /* is not queued by MULTI */
};

struct kv_command {
	const char *name; /* in small letters */
	void (*run)(struct kv_call *c);
	int arity; /* words; negative: at least so many */
	unsigned int flags;
	int first, last,
		step; /* its keys; first 0: none; last -1: to the end */
};

/* A file of commands ends its table with an empty one. */
extern const struct kv_command kv_string_commands[], kv_key_commands[],
	kv_list_commands[], kv_hash_commands[], kv_server_commands[],
	kv_multi_commands[], kv_pubsub_commands[];

void kv_commands_init(void);
const struct kv_command *kv_command_find(const struct kv_arg *name);
/* All of them, in turn: i from 0; NULL behind the last. */
const struct kv_command *kv_command_at(int i);

/* The command for these words, or NULL and an answer that says why not. */
const struct kv_command *kv_command_for(struct kv_buf *out, int argc,
					const struct kv_arg *argv);

/* A set of shards, and the locking of it in the right order. */
struct kv_hold {
	uint64_t set[KV_SHARDS / 64];
};
void kv_hold_keys(struct kv_hold *h, const struct kv_command *command, int argc,
		  const struct kv_arg *argv);
void kv_hold_key(struct kv_hold *h, struct kv_arg key);
void kv_hold_lock(const struct kv_hold *h);
/* Append what c's record has, unlock, and set c->wrote and c->after. */
void kv_hold_unlock(const struct kv_hold *h, struct kv_call *c);

/* Why changes are refused now, as an answer; false: they are not. */
bool kv_refused(struct kv_buf *out);

/* Room in the record for this command; false, and an answer: no memory. */
bool kv_call_reserve(struct kv_call *c);

/* Run a command outside transactions: lock, run, log, unlock. */
void kv_command_run(struct kv_call *c);

/* Note a change of a key, for the log: as it came; or in other words. */
void kv_note(struct kv_call *c);
void kv_note_as(struct kv_call *c, struct kv_arg key, int argc,
		const struct kv_arg *argv);
void kv_note_delete(struct kv_call *c, struct kv_arg key);

/*
 * The entry to change. One that has expired is removed first, which is noted.
 * If it is of another type, that is the answer, and *wrong.
 */
struct kv_entry *kv_for_writing(struct kv_call *c, struct kv_arg key,
				enum kv_type type, bool *wrong);
/* The same to look at it. */
struct kv_entry *kv_for_reading(struct kv_call *c, struct kv_arg key,
				enum kv_type type, bool *wrong);
/* Of any type, expired ones removed. */
struct kv_entry *kv_for_change(struct kv_call *c, struct kv_arg key);

/* Remove an entry, noted. */
void kv_delete(struct kv_call *c, struct kv_entry *e);

/* An integer argument; false, and an answer: it is none. */
bool kv_call_int(struct kv_call *c, int i, int64_t *n);

#endif
