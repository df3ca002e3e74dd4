/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multi.c - MULTI, EXEC, DISCARD, WATCH.
 *
 * EXEC takes the locks of all shards that its commands need, and of the keys
 * watched, and so nobody sees a part of it; in the log it is one frame.
 */
#include "examples/kv/multi.h"

#include <stdlib.h>
#include <string.h>

#include "examples/kv/client.h"

#define QUEUED_COST 128 /* bytes that a command takes besides its words */

static void drop_queue(struct kv_multi *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->queue[i].argv);
	free(m->queue);
	m->queue = NULL;
	m->count = m->room = m->bytes = m->words = 0;
	m->on = m->spoilt = false;
}

static void unwatch(struct kv_multi *m)
{
	while (m->watched != NULL) {
		struct kv_watched *w = m->watched;

		m->watched = w->next;
		free(w);
	}
}

void kv_multi_end(struct kv_multi *m)
{
	drop_queue(m);
	unwatch(m);
}

void kv_multi_spoil(struct kv_multi *m)
{
	m->spoilt = true;
}

/* Copies of the words, in one piece of memory. */
static struct kv_arg *copy_words(int argc, const struct kv_arg *argv,
				 size_t bytes)
{
	struct kv_arg *copy = malloc((size_t)argc * sizeof(struct kv_arg) +
				     bytes);
	char *to = (char *)(copy + argc);

	if (copy == NULL)
		return NULL;
	for (int i = 0; i < argc; i++) {
		if (argv[i].n > 0)
			memcpy(to, argv[i].p, argv[i].n);
		copy[i] = (struct kv_arg){ to, argv[i].n };
		to += argv[i].n;
	}
	return copy;
}

static bool add(struct kv_multi *m, const struct kv_command *command, int argc,
		const struct kv_arg *argv, size_t bytes)
{
	struct kv_arg *copy;

	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 16;
		struct kv_queued *queue = realloc(m->queue,
						  room * sizeof(*queue));

		if (queue == NULL)
			return false;
		m->queue = queue;
		m->room = room;
	}
	copy = copy_words(argc, argv, bytes);
	if (copy == NULL)
		return false;
	m->queue[m->count++] = (struct kv_queued){ command, argc, copy };
	m->bytes += bytes;
	m->words += (size_t)argc;
	return true;
}

void kv_multi_queue(struct kv_multi *m, struct kv_buf *out,
		    const struct kv_command *command, int argc,
		    const struct kv_arg *argv)
{
	size_t bytes = 0, held;

	for (int i = 0; i < argc; i++)
		bytes += argv[i].n;
	held = m->bytes + m->words * sizeof(*argv) + m->count * QUEUED_COST;
	if (command->flags & KV_ALONE) {
		kv_reply_error(out, "ERR %s inside MULTI is not allowed",
			       command->name);
		m->spoilt = true;
	} else if (bytes + held > kv_options.max_request) {
		kv_reply_error(out, "ERR transaction too large");
		m->spoilt = true;
	} else if (!add(m, command, argc, argv, bytes)) {
		kv_reply_error(out, KV_NO_MEMORY);
		m->spoilt = true;
	} else {
		kv_reply_simple(out, "QUEUED");
	}
}

static void cmd_multi(struct kv_call *c)
{
	struct kv_multi *m = &c->client->multi;

	if (m->on) {
		kv_reply_error(c->out, "ERR MULTI calls can not be nested");
		return;
	}
	m->on = true;
	m->spoilt = false;
	kv_reply_simple(c->out, "OK");
}

static void cmd_discard(struct kv_call *c)
{
	struct kv_multi *m = &c->client->multi;

	if (!m->on) {
		kv_reply_error(c->out, "ERR DISCARD without MULTI");
		return;
	}
	kv_multi_end(m);
	kv_reply_simple(c->out, "OK");
}

/* The version of a key whose shard is locked. */
static uint64_t version_of(struct kv_arg key, int64_t now)
{
	struct kv_entry *e = kv_find(key, now);

	return e != NULL ? e->version : 0;
}

static void cmd_watch(struct kv_call *c)
{
	struct kv_multi *m = &c->client->multi;

	if (m->on) {
		kv_reply_error(c->out, "ERR WATCH inside MULTI is not allowed");
		return;
	}
	for (int i = 1; i < c->argc; i++) {
		struct kv_arg key = c->argv[i];
		struct kv_watched *w = malloc(sizeof(*w) + key.n);

		if (w == NULL) {
			kv_reply_error(c->out, KV_NO_MEMORY);
			return;
		}
		w->version = version_of(key, c->now);
		w->size = key.n;
		if (key.n > 0)
			memcpy(w->key, key.p, key.n);
		w->next = m->watched;
		m->watched = w;
	}
	kv_reply_simple(c->out, "OK");
}

static void cmd_unwatch(struct kv_call *c)
{
	unwatch(&c->client->multi);
	kv_reply_simple(c->out, "OK");
}

static bool unchanged(const struct kv_multi *m, int64_t now)
{
	for (const struct kv_watched *w = m->watched; w; w = w->next)
		if (version_of((struct kv_arg){ w->key, w->size }, now) !=
		    w->version)
			return false;
	return true;
}

static void run_queue(struct kv_call *c, const struct kv_multi *m)
{
	kv_reply_array(c->out, m->count);
	for (size_t i = 0; i < m->count; i++) {
		const struct kv_queued *q = &m->queue[i];
		struct kv_call call = *c;

		call.command = q->command;
		call.argc = q->argc;
		call.argv = q->argv;
		call.in_exec = true;
		q->command->run(&call);
	}
}

/* Whether it can be tried at all; if not, why is the answer. */
static bool may_run(struct kv_call *c, const struct kv_multi *m)
{
	bool writes = false;

	for (size_t i = 0; i < m->count; i++)
		writes |= (m->queue[i].command->flags & KV_WRITES) != 0;
	if (!writes)
		return true;
	if (kv_refused(c->out))
		return false;
	if (c->record == NULL ||
	    kv_record_reserve(c->record, 2 * m->bytes, m->words))
		return true;
	kv_reply_error(c->out, KV_NO_MEMORY);
	return false;
}

static void exec(struct kv_call *c, struct kv_multi *m)
{
	struct kv_hold hold = { 0 };

	for (size_t i = 0; i < m->count; i++)
		kv_hold_keys(&hold, m->queue[i].command, m->queue[i].argc,
			     m->queue[i].argv);
	for (struct kv_watched *w = m->watched; w; w = w->next)
		kv_hold_key(&hold, (struct kv_arg){ w->key, w->size });
	kv_hold_lock(&hold);
	if (unchanged(m, c->now))
		run_queue(c, m);
	else
		kv_reply_nil_array(c->out);
	kv_hold_unlock(&hold, c);
}

static void cmd_exec(struct kv_call *c)
{
	struct kv_multi *m = &c->client->multi;

	if (!m->on) {
		kv_reply_error(c->out, "ERR EXEC without MULTI");
		return;
	}
	if (m->spoilt)
		kv_reply_error(c->out, "EXECABORT Transaction discarded "
				       "because of previous errors.");
	else if (may_run(c, m))
		exec(c, m);
	kv_multi_end(m);
}

const struct kv_command kv_multi_commands[] = {
	{ "multi", cmd_multi, 1, KV_AT_ONCE },
	{ "exec", cmd_exec, 1, KV_AT_ONCE },
	{ "discard", cmd_discard, 1, KV_AT_ONCE },
	{ "watch", cmd_watch, -2, KV_AT_ONCE | KV_READS, 1, -1, 1 },
	{ "unwatch", cmd_unwatch, 1, 0 },
	{ NULL },
};
