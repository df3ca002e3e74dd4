/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_string.c - commands on strings: GET, SET, INCR ...
 */
#include <stdlib.h>
#include <string.h>

#include "examples/kv/command.h"
#include "examples/kv/expiry.h"

#define MAX_STRING (512 * 1024 * 1024)

struct set_options {
	bool only_new, only_old, keep_expiry, get;
	int64_t expires;
};

/* Text as the whole value of a key that is a string now, and shall be. */
static bool put_text(struct kv_entry *e, struct kv_arg text)
{
	struct kv_string *s = kv_string_room(e->string, text.n);

	if (s == NULL)
		return false;
	if (text.n > 0)
		memcpy(s->bytes, text.p, text.n);
	s->size = text.n;
	e->string = s;
	return true;
}

/*
 * Set a key to text, whatever it was: e, or NULL where there was none. NULL:
 * no memory, and it is what it was.
 */
static struct kv_entry *set(struct kv_arg key, struct kv_entry *e,
			    struct kv_arg text)
{
	struct kv_string *s;

	if (e != NULL && e->type == KV_STRING) {
		if (!put_text(e, text))
			return NULL;
		kv_touch(e);
		return e;
	}
	s = kv_string_new(text);
	if (s == NULL)
		return NULL;
	if (e == NULL)
		e = kv_add(key, KV_STRING);
	else
		kv_clear(e, KV_STRING);
	if (e == NULL) {
		free(s);
		return NULL;
	}
	e->string = s;
	kv_touch(e);
	return e;
}

/* As it is to be done again: with the time at which it ends, not the one that
 * it lasts. */
static void note_set(struct kv_call *c, const struct kv_entry *e,
		     struct kv_arg text)
{
	char number[KV_INT_TEXT];
	struct kv_arg words[5] = { KV_ARG("SET"), kv_entry_key(e), text };
	int n = 3;

	if (e->expires != KV_NEVER) {
		words[n++] = KV_ARG("PXAT");
		words[n++] = (struct kv_arg){ number,
					      kv_int_text(number, e->expires) };
	}
	kv_note_as(c, words[1], n, words);
}

/* GET's answer for an entry or none. */
static void reply_string(struct kv_call *c, const struct kv_entry *e)
{
	if (e != NULL)
		kv_reply_bulk(c->out, e->string->bytes, e->string->size);
	else
		kv_reply_nil(c->out);
}

static void cmd_get(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], KV_STRING, &wrong);

	if (!wrong)
		reply_string(c, e);
}

static bool set_option(struct kv_call *c, int *i, struct set_options *o)
{
	static const struct {
		const char *name;
		enum kv_time unit;
	} times[] = {
		{ "ex", KV_IN_SECONDS },
		{ "px", KV_IN_MS },
		{ "exat", KV_AT_SECONDS },
		{ "pxat", KV_AT_MS },
	};
	const struct kv_arg *a = &c->argv[*i];

	for (int t = 0; t < 4; t++) {
		if (!kv_arg_is(a, times[t].name))
			continue;
		if (o->expires != KV_NEVER || o->keep_expiry ||
		    *i + 1 == c->argc)
			break;
		return kv_expiry_arg(c, ++*i, times[t].unit, &o->expires);
	}
	if (kv_arg_is(a, "nx") && !o->only_old)
		o->only_new = true;
	else if (kv_arg_is(a, "xx") && !o->only_new)
		o->only_old = true;
	else if (kv_arg_is(a, "get"))
		o->get = true;
	else if (kv_arg_is(a, "keepttl") && o->expires == KV_NEVER)
		o->keep_expiry = true;
	else {
		kv_reply_error(c->out, "ERR syntax error");
		return false;
	}
	return true;
}

/* With GET the answer is the old value, put before it goes. */
static void set_as(struct kv_call *c, const struct set_options *o)
{
	struct kv_entry *e = kv_for_change(c, c->argv[1]);
	bool old = e != NULL;
	size_t begin = c->out->size;

	if (o->get && old && e->type != KV_STRING) {
		kv_reply_error(c->out, KV_WRONG_TYPE);
		return;
	}
	if (o->get)
		reply_string(c, e);
	if ((o->only_new && old) || (o->only_old && !old)) {
		if (!o->get)
			kv_reply_nil(c->out);
		return;
	}
	e = set(c->argv[1], e, c->argv[2]);
	if (e == NULL) {
		c->out->size = begin;
		kv_reply_error(c->out, KV_NO_MEMORY);
		return;
	}
	if (!o->keep_expiry)
		kv_set_expiry(e, o->expires);
	note_set(c, e, c->argv[2]);
	if (!o->get)
		kv_reply_simple(c->out, "OK");
}

static void cmd_set(struct kv_call *c)
{
	struct set_options o = { .expires = KV_NEVER };

	for (int i = 3; i < c->argc; i++)
		if (!set_option(c, &i, &o))
			return;
	set_as(c, &o);
}

/* SETEX KEY TIME VALUE */
static void set_for(struct kv_call *c, enum kv_time unit)
{
	struct set_options o = { 0 };
	struct kv_arg words[3] = { c->argv[0], c->argv[1], c->argv[3] };
	struct kv_call as_set = *c;

	if (!kv_expiry_arg(c, 2, unit, &o.expires))
		return;
	as_set.argv = words;
	as_set.argc = 3;
	set_as(&as_set, &o);
}

static void cmd_setex(struct kv_call *c)
{
	set_for(c, KV_IN_SECONDS);
}

static void cmd_psetex(struct kv_call *c)
{
	set_for(c, KV_IN_MS);
}

static void cmd_setnx(struct kv_call *c)
{
	struct kv_entry *e = kv_for_change(c, c->argv[1]);

	if (e != NULL) {
		kv_reply_int(c->out, 0);
		return;
	}
	e = set(c->argv[1], NULL, c->argv[2]);
	if (e == NULL) {
		kv_reply_error(c->out, KV_NO_MEMORY);
		return;
	}
	note_set(c, e, c->argv[2]);
	kv_reply_int(c->out, 1);
}

static void cmd_getset(struct kv_call *c)
{
	set_as(c, &(struct set_options){ .get = true, .expires = KV_NEVER });
}

static void cmd_getdel(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_writing(c, c->argv[1], KV_STRING, &wrong);

	if (wrong)
		return;
	reply_string(c, e);
	if (e != NULL)
		kv_delete(c, e);
}

static void cmd_mset(struct kv_call *c)
{
	if (c->argc % 2 == 0) {
		kv_reply_error(c->out,
			       "ERR wrong number of arguments for MSET");
		return;
	}
	for (int i = 1; i < c->argc; i += 2) {
		struct kv_entry *e = kv_for_change(c, c->argv[i]);

		e = set(c->argv[i], e, c->argv[i + 1]);
		if (e == NULL) {
			kv_reply_error(c->out, KV_NO_MEMORY);
			return;
		}
		kv_set_expiry(e, KV_NEVER);
		note_set(c, e, c->argv[i + 1]);
	}
	kv_reply_simple(c->out, "OK");
}

static void cmd_mget(struct kv_call *c)
{
	kv_reply_array(c->out, (size_t)c->argc - 1);
	for (int i = 1; i < c->argc; i++) {
		struct kv_entry *e = kv_find(c->argv[i], c->now);

		reply_string(c, e && e->type == KV_STRING ? e : NULL);
	}
}

static void add_to(struct kv_call *c, int64_t more)
{
	char text[KV_INT_TEXT];
	struct kv_arg value;
	int64_t n = 0;
	bool wrong;
	struct kv_entry *e = kv_for_writing(c, c->argv[1], KV_STRING, &wrong);

	if (wrong)
		return;
	value = e ? kv_string_arg(e->string) : KV_ARG("0");
	if (!kv_arg_int(&value, &n)) {
		kv_reply_error(c->out, "ERR value is not an integer or out "
				       "of range");
		return;
	}
	if (__builtin_add_overflow(n, more, &n)) {
		kv_reply_error(c->out,
			       "ERR increment or decrement would overflow");
		return;
	}
	value = (struct kv_arg){ text, kv_int_text(text, n) };
	e = set(c->argv[1], e, value);
	if (e == NULL) {
		kv_reply_error(c->out, KV_NO_MEMORY);
		return;
	}
	kv_note(c);
	kv_reply_int(c->out, n);
}

static void cmd_incr(struct kv_call *c)
{
	add_to(c, 1);
}

static void cmd_decr(struct kv_call *c)
{
	add_to(c, -1);
}

static void cmd_incrby(struct kv_call *c)
{
	int64_t n;

	if (kv_call_int(c, 2, &n))
		add_to(c, n);
}

static void cmd_decrby(struct kv_call *c)
{
	int64_t n;

	if (!kv_call_int(c, 2, &n))
		return;
	if (n == INT64_MIN)
		kv_reply_error(c->out, "ERR decrement would overflow");
	else
		add_to(c, -n);
}

static void cmd_append(struct kv_call *c)
{
	struct kv_arg more = c->argv[2];
	bool wrong;
	struct kv_entry *e = kv_for_writing(c, c->argv[1], KV_STRING, &wrong);
	struct kv_string *s;

	if (wrong)
		return;
	if (e == NULL) {
		e = set(c->argv[1], NULL, more);
	} else if (e->string->size + more.n > MAX_STRING) {
		kv_reply_error(c->out, "ERR string exceeds maximum allowed "
				       "size");
		return;
	} else {
		s = kv_string_room(e->string, e->string->size + more.n);
		if (s != NULL) {
			memcpy(s->bytes + s->size, more.p, more.n);
			s->size += more.n;
			e->string = s;
			kv_touch(e);
		} else {
			e = NULL;
		}
	}
	if (e == NULL) {
		kv_reply_error(c->out, KV_NO_MEMORY);
		return;
	}
	kv_note(c);
	kv_reply_int(c->out, (int64_t)e->string->size);
}

static void cmd_strlen(struct kv_call *c)
{
	bool wrong;
	struct kv_entry *e = kv_for_reading(c, c->argv[1], KV_STRING, &wrong);

	if (!wrong)
		kv_reply_int(c->out, e ? (int64_t)e->string->size : 0);
}

const struct kv_command kv_string_commands[] = {
	{ "get", cmd_get, 2, KV_READS, 1, 1, 1 },
	{ "set", cmd_set, -3, KV_WRITES, 1, 1, 1 },
	{ "setnx", cmd_setnx, 3, KV_WRITES, 1, 1, 1 },
	{ "setex", cmd_setex, 4, KV_WRITES, 1, 1, 1 },
	{ "psetex", cmd_psetex, 4, KV_WRITES, 1, 1, 1 },
	{ "getset", cmd_getset, 3, KV_WRITES, 1, 1, 1 },
	{ "getdel", cmd_getdel, 2, KV_WRITES, 1, 1, 1 },
	{ "mset", cmd_mset, -3, KV_WRITES, 1, -1, 2 },
	{ "mget", cmd_mget, -2, KV_READS, 1, -1, 1 },
	{ "incr", cmd_incr, 2, KV_WRITES, 1, 1, 1 },
	{ "decr", cmd_decr, 2, KV_WRITES, 1, 1, 1 },
	{ "incrby", cmd_incrby, 3, KV_WRITES, 1, 1, 1 },
	{ "decrby", cmd_decrby, 3, KV_WRITES, 1, 1, 1 },
	{ "append", cmd_append, 3, KV_WRITES, 1, 1, 1 },
	{ "strlen", cmd_strlen, 2, KV_READS, 1, 1, 1 },
	{ NULL },
};
