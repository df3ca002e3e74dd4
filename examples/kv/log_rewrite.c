/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_rewrite.c - a log as short as it can be: the keys as they are.
 *
 *	rewriter			who changes a key
 *	lock shard i			lock shard j
 *	note its keys			change it
 *	dumped = i + 1			append: j < dumped? into the tail, too
 *	unlock shard i			unlock shard j
 *
 * A shard's lock decides: a change of it comes before its dump, and is in it,
 * or after, and is in the tail. Frames in the tail have only those parts of a
 * transaction whose shards were dumped; the others are in dumps to come. The
 * new file counts only when it is whole, so nobody sees half of one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/kv/db.h"
#include "examples/kv/log_file.h"
#include "examples/kv/reply.h"

#define FRAME_SIZE  (256 * 1024)
#define WORDS       64 /* of a list, hash or set, in a command */
#define RETRY_EVERY (500 * WEND_MILLISECOND)

/* Frames that are made one command at a time. */
struct dump {
	struct kv_buf bytes;
	size_t begin; /* of the frame that is open */
};

static void seal(struct dump *d)
{
	if (!d->bytes.failed && d->bytes.size > d->begin)
		kv_frame_seal(d->bytes.data + d->begin,
			      d->bytes.size - d->begin);
	d->begin = d->bytes.size;
}

static void dump_words(struct dump *d, int argc, const struct kv_arg *argv)
{
	static const struct kv_log_frame blank;

	if (d->bytes.size == d->begin)
		kv_buf_put(&d->bytes, &blank, sizeof(blank));
	kv_reply_words(&d->bytes, argc, argv);
	if (d->bytes.size - d->begin > FRAME_SIZE)
		seal(d);
}

static void dump_list(struct dump *d, const struct kv_entry *e)
{
	struct kv_arg words[2 + WORDS] = { KV_ARG("RPUSH"), kv_entry_key(e) };
	int n = 2;

	for (size_t i = 0; i < e->list.size; i++) {
		words[n++] = kv_string_arg(kv_list_at(&e->list, i));
		if (n == 2 + WORDS || i + 1 == e->list.size) {
			dump_words(d, n, words);
			n = 2;
		}
	}
}

static void dump_fields(struct dump *d, const struct kv_entry *e)
{
	bool hash = e->type == KV_HASH;
	struct kv_arg words[2 + WORDS] = { KV_ARG("SADD"), kv_entry_key(e) };
	int n = 2;

	if (hash)
		words[0] = KV_ARG("HSET");
	for (struct kv_field *f = e->fields; f; f = f->hh.next) {
		words[n++] = (struct kv_arg){ f->name, f->size };
		if (hash)
			words[n++] = kv_string_arg(f->value);
		if (n == 2 + WORDS || f->hh.next == NULL) {
			dump_words(d, n, words);
			n = 2;
		}
	}
}

static void dump_entry(struct dump *d, const struct kv_entry *e)
{
	char number[KV_INT_TEXT];

	if (e->type == KV_STRING)
		dump_words(d, 3,
			   (struct kv_arg[]){ KV_ARG("SET"), kv_entry_key(e),
					      kv_string_arg(e->string) });
	else if (e->type == KV_LIST)
		dump_list(d, e);
	else
		dump_fields(d, e);
	if (e->expires != KV_NEVER)
		dump_words(d, 3,
			   (struct kv_arg[]){
				   KV_ARG("PEXPIREAT"),
				   kv_entry_key(e),
				   { number, kv_int_text(number, e->expires) },
			   });
}

/* A shard as it is, and from now on its changes go into the tail. */
static void dump_shard(struct kv_log *l, uint32_t i, struct dump *d)
{
	struct kv_shard *s = &kv_shards[i];

	wend_mutex_lock(&s->lock);
	for (struct kv_entry *e = s->entries; e != NULL; e = e->hh.next)
		dump_entry(d, e);
	wend_mutex_lock(&l->lock);
	if (!l->restart)
		l->dumped = i + 1;
	wend_mutex_unlock(&l->lock);
	wend_mutex_unlock(&s->lock);
	seal(d);
}

static int flush(int fd, struct kv_buf *b, uint64_t *size)
{
	int err = b->failed ? -ENOMEM : kv_write_at(fd, b, *size);

	*size += b->size;
	kv_buf_reset(b);
	return err;
}

/* What has changed so far, so that it need not be kept in memory. */
static int flush_tail(struct kv_log *l, int fd, uint64_t *size)
{
	struct kv_buf tail;
	int err;

	wend_mutex_lock(&l->lock);
	tail = l->tail;
	l->tail = (struct kv_buf){ 0 };
	wend_mutex_unlock(&l->lock);
	err = flush(fd, &tail, size);
	kv_buf_free(&tail);
	return err;
}

/* Whether all was flushed meanwhile: then all begins again. */
static bool restarted(struct kv_log *l)
{
	bool yes;

	wend_mutex_lock(&l->lock);
	yes = l->restart;
	l->restarts += yes;
	l->restart = false;
	wend_mutex_unlock(&l->lock);
	return yes;
}

static int dump_all(struct kv_log *l, int fd, uint64_t *size)
{
	struct dump d = { 0 };
	int err = 0;

	for (uint32_t i = 0; i < KV_SHARDS && err == 0; i++) {
		dump_shard(l, i, &d);
		err = flush(fd, &d.bytes, size);
		d.begin = 0;
		if (err == 0)
			err = flush_tail(l, fd, size);
		if (restarted(l)) {
			*size = sizeof(struct kv_log_head);
			if (ftruncate(fd, (off_t)*size) != 0)
				err = -errno;
			i = UINT32_MAX;
		}
	}
	kv_buf_free(&d.bytes);
	return err;
}

static int rewrite(struct kv_log *l)
{
	char path[KV_PATH_ROOM];
	uint64_t size = sizeof(struct kv_log_head);
	int fd, err;

	snprintf(path, sizeof(path), "%s.rewrite", l->path);
	err = kv_log_create(path, &fd);
	if (err != 0)
		return err;
	wend_mutex_lock(&l->lock);
	l->rewriting = true;
	l->restart = false;
	l->dumped = 0;
	wend_mutex_unlock(&l->lock);

	err = dump_all(l, fd, &size);
	/* The most of it now, while nobody waits for it. */
	if (err == 0 && fdatasync(fd) != 0)
		err = -errno;

	wend_mutex_lock(&l->lock);
	if (err == 0 && !l->stopped) {
		l->next_size = size;
		l->next_fd = fd;
		wend_cond_signal(&l->work);
		while (l->next_fd >= 0)
			wend_cond_wait(&l->done, &l->lock);
		err = l->next_result;
	} else {
		l->rewriting = false;
		kv_buf_free(&l->tail);
		close(fd);
		unlink(path);
	}
	wend_mutex_unlock(&l->lock);
	return err;
}

void kv_log_rewriter(void)
{
	struct kv_log *l = &kv_log;

	wend_mutex_lock(&l->lock);
	while (!l->stopping) {
		bool grown = l->error == 0 && l->size > 2 * l->base &&
			     l->size > kv_options.rewrite_min;
		int err;

		if (!l->rewrite_wanted && !l->must_rewrite && !grown) {
			wend_cond_wait(&l->wanted, &l->lock);
			continue;
		}
		wend_mutex_unlock(&l->lock);
		err = rewrite(l);
		if (err != 0) {
			fprintf(stderr, "kv: rewriting %s: %s\n", l->path,
				strerror(-err));
			wend_sleep(RETRY_EVERY);
		}
		wend_mutex_lock(&l->lock);
		l->rewrite_wanted = false;
		/* Not again at once for the same reason. */
		if (err != 0 && !l->must_rewrite)
			l->base = l->size;
	}
	wend_mutex_unlock(&l->lock);
}
