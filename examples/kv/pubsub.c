/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pubsub.c - SUBSCRIBE, PUBLISH and their kin.
 *
 * One lock for all of it. A message is put into an outbox under it, and so is
 * the word that a subscription has begun: what a client is sent is in the
 * order in which it happened.
 */
#include "examples/kv/pubsub.h"

#include <stdlib.h>
#include <string.h>

#include "examples/kv/client.h"
#include "examples/kv/glob.h"

enum { NAMES, PATTERNS };

/* A name, or a pattern, that somebody listens to. */
struct channel {
	UT_hash_handle hh;
	struct kv_subscription *first;
	size_t size;
	char name[];
};

struct kv_subscription {
	UT_hash_handle hh; /* among the client's */
	struct channel *channel;
	struct kv_outbox *to;
	struct kv_subscription *next, **link; /* of the channel */
};

static wend_mutex lock;
static struct channel *channels[2];

static const char *const words[2][2] = {
	{ "subscribe", "unsubscribe" },
	{ "psubscribe", "punsubscribe" },
};

static struct kv_arg name_of(const struct channel *ch)
{
	return (struct kv_arg){ ch->name, ch->size };
}

static struct channel *find_channel(int kind, struct kv_arg name)
{
	struct channel *ch;

	KV_TABLE_FIND(channels[kind], name, kv_hash(name), ch);
	return ch;
}

static struct channel *get_channel(int kind, struct kv_arg name)
{
	struct channel *ch = find_channel(kind, name);

	if (ch != NULL)
		return ch;
	ch = malloc(sizeof(*ch) + name.n);
	if (ch == NULL)
		return NULL;
	memset(ch, 0, sizeof(*ch));
	ch->size = name.n;
	if (name.n > 0)
		memcpy(ch->name, name.p, name.n);
	KV_TABLE_ADD(channels[kind], name_of(ch), kv_hash(name), ch);
	if (ch->hh.tbl == NULL) {
		free(ch);
		return NULL;
	}
	return ch;
}

static void put_channel(int kind, struct channel *ch)
{
	if (ch->first != NULL)
		return;
	HASH_DELETE(hh, channels[kind], ch);
	free(ch);
}

static struct kv_subscription *find(struct kv_listener *l, int kind,
				    struct kv_arg name)
{
	struct kv_subscription *s;

	KV_TABLE_FIND(l->of[kind], name, kv_hash(name), s);
	return s;
}

/* false: no memory. */
static bool subscribe(struct kv_listener *l, int kind, struct kv_arg name)
{
	struct kv_subscription *s;
	struct channel *ch;

	if (find(l, kind, name) != NULL)
		return true;
	ch = get_channel(kind, name);
	s = ch ? calloc(1, sizeof(*s)) : NULL;
	if (s != NULL)
		KV_TABLE_ADD(l->of[kind], name_of(ch), kv_hash(name), s);
	if (s == NULL || s->hh.tbl == NULL) {
		free(s);
		if (ch != NULL)
			put_channel(kind, ch);
		return false;
	}
	s->channel = ch;
	s->to = l->outbox;
	s->link = &ch->first;
	s->next = ch->first;
	if (s->next != NULL)
		s->next->link = &s->next;
	ch->first = s;
	return true;
}

static void unsubscribe(struct kv_listener *l, int kind,
			struct kv_subscription *s)
{
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	HASH_DELETE(hh, l->of[kind], s);
	put_channel(kind, s->channel);
	free(s);
}

/* [what, name, how many the client listens to now] */
static void say(struct kv_listener *l, struct kv_buf *b, const char *what,
		const struct kv_arg *name)
{
	kv_reply_array(b, 3);
	kv_reply_text(b, what);
	if (name != NULL)
		kv_reply_bulk(b, name->p, name->n);
	else
		kv_reply_nil(b);
	kv_reply_int(b, (int64_t)(HASH_COUNT(l->of[NAMES]) +
				  HASH_COUNT(l->of[PATTERNS])));
}

/* From now on everything goes through an outbox. */
static bool need_outbox(struct kv_call *c, struct kv_listener *l)
{
	if (!kv_client_flush(c->client)) {
		c->client->closing = true;
		return false;
	}
	if (l->outbox == NULL)
		l->outbox = kv_outbox_new(c->client->conn,
					  kv_options.output_limit);
	if (l->outbox != NULL)
		return true;
	kv_reply_error(c->out, KV_NO_MEMORY);
	return false;
}

static void subscribe_all(struct kv_call *c, int kind)
{
	struct kv_listener *l = &c->client->listener;
	struct kv_buf said = { 0 };

	if (!need_outbox(c, l))
		return;
	wend_mutex_lock(&lock);
	for (int i = 1; i < c->argc; i++) {
		if (subscribe(l, kind, c->argv[i]))
			say(l, &said, words[kind][0], &c->argv[i]);
		else
			kv_reply_error(&said, KV_NO_MEMORY);
	}
	kv_outbox_put(l->outbox, &said);
	wend_mutex_unlock(&lock);
	kv_buf_free(&said);
}

/* Without names: from all of that kind. */
static void unsubscribe_all(struct kv_call *c, int kind)
{
	struct kv_listener *l = &c->client->listener;
	struct kv_subscription *s, *next;
	struct kv_buf said = { 0 };

	if (!need_outbox(c, l))
		return;
	wend_mutex_lock(&lock);
	for (int i = 1; i < c->argc; i++) {
		s = find(l, kind, c->argv[i]);
		if (s != NULL)
			unsubscribe(l, kind, s);
		say(l, &said, words[kind][1], &c->argv[i]);
	}
	if (c->argc == 1 && l->of[kind] == NULL)
		say(l, &said, words[kind][1], NULL);
	if (c->argc == 1)
		HASH_ITER(hh, l->of[kind], s, next)
		{
			struct kv_buf name = { 0 };

			kv_buf_put(&name, s->channel->name, s->channel->size);
			unsubscribe(l, kind, s);
			say(l, &said, words[kind][1],
			    &(struct kv_arg){ name.data, name.size });
			kv_buf_free(&name);
		}
	kv_outbox_put(l->outbox, &said);
	wend_mutex_unlock(&lock);
	kv_buf_free(&said);
}

void kv_unlisten(struct kv_listener *l)
{
	struct kv_subscription *s, *next;

	wend_mutex_lock(&lock);
	for (int kind = NAMES; kind <= PATTERNS; kind++)
		HASH_ITER(hh, l->of[kind], s, next)
	unsubscribe(l, kind, s);
	wend_mutex_unlock(&lock);
	kv_outbox_free(l->outbox);
	l->outbox = NULL;
}

void kv_pubsub_count(size_t *names, size_t *patterns)
{
	wend_mutex_lock(&lock);
	*names = HASH_COUNT(channels[NAMES]);
	*patterns = HASH_COUNT(channels[PATTERNS]);
	wend_mutex_unlock(&lock);
}

static int64_t deliver(const struct channel *ch, const struct kv_buf *message)
{
	int64_t n = 0;

	for (struct kv_subscription *s = ch->first; s != NULL; s = s->next)
		n += kv_outbox_put(s->to, message);
	return n;
}

static int64_t publish(const struct kv_arg *name, const struct kv_arg *text)
{
	struct kv_buf message = { 0 };
	struct channel *ch = find_channel(NAMES, *name);
	int64_t n = 0;

	if (ch != NULL) {
		kv_reply_words(&message, 3,
			       (struct kv_arg[]){ KV_ARG("message"), *name,
						  *text });
		n += deliver(ch, &message);
	}
	for (ch = channels[PATTERNS]; ch != NULL; ch = ch->hh.next) {
		if (!kv_glob(name_of(ch), *name))
			continue;
		message.size = 0;
		kv_reply_words(&message, 4,
			       (struct kv_arg[]){ KV_ARG("pmessage"),
						  name_of(ch), *name, *text });
		n += deliver(ch, &message);
	}
	kv_buf_free(&message);
	return n;
}

static void cmd_publish(struct kv_call *c)
{
	int64_t n;

	wend_mutex_lock(&lock);
	n = publish(&c->argv[1], &c->argv[2]);
	wend_mutex_unlock(&lock);
	kv_reply_int(c->out, n);
}

static void cmd_subscribe(struct kv_call *c)
{
	subscribe_all(c, NAMES);
}

static void cmd_psubscribe(struct kv_call *c)
{
	subscribe_all(c, PATTERNS);
}

static void cmd_unsubscribe(struct kv_call *c)
{
	unsubscribe_all(c, NAMES);
}

static void cmd_punsubscribe(struct kv_call *c)
{
	unsubscribe_all(c, PATTERNS);
}

#define LISTENS (KV_ALONE | KV_SUBSCRIBED)

const struct kv_command kv_pubsub_commands[] = {
	{ "publish", cmd_publish, 3, 0 },
	{ "subscribe", cmd_subscribe, -2, LISTENS },
	{ "unsubscribe", cmd_unsubscribe, -1, LISTENS },
	{ "psubscribe", cmd_psubscribe, -2, LISTENS },
	{ "punsubscribe", cmd_punsubscribe, -1, LISTENS },
	{ NULL },
};
