/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_list.c - commands on lists: LPUSH, RPOP, LRANGE ...
 */
#include <stdlib.h>

#include "examples/kv/command.h"

/* The key's list, made if it is not there; NULL, and an answer. */
static struct kv_entry *list_for(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_writing(c, c->argv[1], KV_LIST, &wrong);

	if (e == NULL && !wrong) {
		e = kv_add(c->argv[1], KV_LIST);
		if (e == NULL)
			kv_reply_error(c->out, KV_NO_MEMORY);
	}
	return e;
}

/* All of the words or, for want of memory, none. */
static bool push_all(struct kv_call *c, struct kv_list *l, bool front)
{
	if (!kv_list_reserve(l, (size_t)c->argc - 2))
		return false;
	for (int i = 2; i < c->argc; i++) {
		struct kv_string *s = kv_string_new(c->argv[i]);

		if (s != NULL) {
			kv_list_push(l, s, front);
			continue;
		}
		while (i-- > 2)
			free(kv_list_pop(l, front));
		return false;
	}
	return true;
}

static void push(struct kv_call *c, bool front)
{
	struct kv_entry *e = list_for(c);

	if (e == NULL)
		return;
	if (!push_all(c, &e->list, front)) {
		kv_reply_error(c->out, KV_NO_MEMORY);
		if (e->list.size == 0)
			kv_remove(e);
		return;
	}
	kv_touch(e);
	kv_note(c);
	kv_reply_int(c->out, (int64_t)e->list.size);
}

static void cmd_lpush(struct kv_call *c)
{
	push(c, true);
}

static void cmd_rpush(struct kv_call *c)
{
	push(c, false);
}

static void pop_some(struct kv_call *c, struct kv_entry *e, size_t n,
		     bool front)
{
	for (size_t i = 0; i < n; i++) {
		struct kv_string *s = kv_list_pop(&e->list, front);

		kv_reply_bulk(c->out, s->bytes, s->size);
		free(s);
	}
	kv_touch(e);
	/* That removes the last one's key, too. */
	if (n > 0)
		kv_note(c);
	if (e->list.size == 0)
		kv_remove(e);
}

/* LPOP KEY [COUNT]: without a count one element, else an array. */
static void pop(struct kv_call *c, bool front)
{
	bool wrong, many = c->argc == 3;
	struct kv_entry *e;
	int64_t n = 1;

	if (c->argc > 3) {
		kv_reply_error(c->out, "ERR syntax error");
		return;
	}
	if (many && (!kv_arg_int(&c->argv[2], &n) || n < 0)) {
		kv_reply_error(c->out,
			       "ERR value is out of range, must be positive");
		return;
	}
	e = kv_for_writing(c, c->argv[1], KV_LIST, &wrong);
	if (wrong)
		return;
	if (e == NULL) {
		if (many)
			kv_reply_nil_array(c->out);
		else
			kv_reply_nil(c->out);
		return;
	}
	if ((uint64_t)n > e->list.size)
		n = (int64_t)e->list.size;
	if (many)
		kv_reply_array(c->out, (size_t)n);
	pop_some(c, e, (size_t)n, front);
}

static void cmd_lpop(struct kv_call *c)
{
	pop(c, true);
}

static void cmd_rpop(struct kv_call *c)
{
	pop(c, false);
}

static void cmd_llen(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], KV_LIST, &wrong);

	if (!wrong)
		kv_reply_int(c->out, e ? (int64_t)e->list.size : 0);
}

/* Negative indices count from the end. */
static int64_t from_end(int64_t i, int64_t size)
{
	return i >= 0 ? i : i + size < 0 ? 0 : i + size;
}

static void cmd_lrange(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e;
	int64_t first, last, size;

	if (!kv_call_int(c, 2, &first) || !kv_call_int(c, 3, &last))
		return;
	e = kv_for_reading(c, c->argv[1], KV_LIST, &wrong);
	if (wrong)
		return;
	size = e ? (int64_t)e->list.size : 0;
	first = from_end(first, size);
	last = last < -size ? -1 : from_end(last, size);
	if (last >= size)
		last = size - 1;
	if (first > last) {
		kv_reply_array(c->out, 0);
		return;
	}
	kv_reply_array(c->out, (size_t)(last - first + 1));
	for (int64_t i = first; i <= last; i++) {
		struct kv_string *s = kv_list_at(&e->list, (size_t)i);

		kv_reply_bulk(c->out, s->bytes, s->size);
	}
}

static void cmd_lindex(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e;
	struct kv_string *s;
	int64_t i;

	if (!kv_call_int(c, 2, &i))
		return;
	e = kv_for_reading(c, c->argv[1], KV_LIST, &wrong);
	if (wrong)
		return;
	if (e != NULL && i < 0)
		i += (int64_t)e->list.size;
	if (e == NULL || i < 0 || (uint64_t)i >= e->list.size) {
		kv_reply_nil(c->out);
		return;
	}
	s = kv_list_at(&e->list, (size_t)i);
	kv_reply_bulk(c->out, s->bytes, s->size);
}

const struct kv_command kv_list_commands[] = {
	{ "lpush", cmd_lpush, -3, KV_WRITES, 1, 1, 1 },
	{ "rpush", cmd_rpush, -3, KV_WRITES, 1, 1, 1 },
	{ "lpop", cmd_lpop, -2, KV_WRITES, 1, 1, 1 },
	{ "rpop", cmd_rpop, -2, KV_WRITES, 1, 1, 1 },
	{ "llen", cmd_llen, 2, KV_READS, 1, 1, 1 },
	{ "lrange", cmd_lrange, 4, KV_READS, 1, 1, 1 },
	{ "lindex", cmd_lindex, 3, KV_READS, 1, 1, 1 },
	{ NULL },
};
