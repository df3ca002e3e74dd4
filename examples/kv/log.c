/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - appending, waiting, start and stop.
 */
#include "examples/kv/log_file.h"

#include <unistd.h>

#include "examples/kv/db.h"

#define MOST_PENDING (64 * 1024 * 1024)

struct kv_log kv_log = { .fd = -1, .next_fd = -1 };

bool kv_log_on(void)
{
	return kv_log.on;
}

int kv_log_error(void)
{
	return kv_log.error;
}

int kv_log_ready(void)
{
	struct kv_log *l = &kv_log;

	if (!l->on || l->error != 0)
		return l->error;
	if (l->backlog < MOST_PENDING)
		return 0;
	wend_mutex_lock(&l->lock);
	while (l->backlog >= MOST_PENDING && l->error == 0 && !l->stopped)
		wend_cond_wait(&l->done, &l->lock);
	wend_mutex_unlock(&l->lock);
	return l->error;
}

static bool flushes(const struct kv_record *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->effects[i].shard == KV_ALL_SHARDS)
			return true;
	return false;
}

/* The part of a record that a rewrite has passed by already. */
static void append_tail(struct kv_log *l, const struct kv_record *r)
{
	size_t head = sizeof(struct kv_log_frame);
	size_t begin = l->tail.size, from = head;

	if (flushes(r) && l->dumped < KV_SHARDS) {
		/* Nothing is left of what the new file has; what this record
		 * does besides will be dumped. */
		l->restart = true;
		l->dumped = 0;
		l->tail.size = 0;
		return;
	}
	kv_buf_put(&l->tail, r->frame.data, head); /* sealed below */
	for (size_t i = 0; i < r->count; i++) {
		const struct kv_effect *e = &r->effects[i];

		if (e->shard == KV_ALL_SHARDS || e->shard < l->dumped)
			kv_buf_put(&l->tail, r->frame.data + from,
				   e->end - from);
		from = e->end;
	}
	if (l->tail.failed)
		return;
	if (l->tail.size == begin + head)
		l->tail.size = begin;
	else
		kv_frame_seal(l->tail.data + begin, l->tail.size - begin);
}

void kv_log_distrust(struct kv_log *l, int err)
{
	l->error = err;
	l->must_rewrite = true;
	wend_cond_signal(&l->wanted);
}

uint64_t kv_log_append(struct kv_record *r)
{
	struct kv_log *l = &kv_log;
	uint64_t lsn;

	kv_frame_seal(r->frame.data, r->frame.size);
	wend_mutex_lock(&l->lock);
	if (l->pending.size == 0)
		wend_cond_signal(&l->work);
	kv_buf_put(&l->pending, r->frame.data, r->frame.size);
	l->backlog = l->pending.size;
	if (l->pending.failed)
		kv_log_distrust(l,
				-ENOMEM); /* the keys know more than the log */
	if (l->rewriting)
		append_tail(l, r);
	l->appended += r->frame.size;
	lsn = l->appended;
	wend_mutex_unlock(&l->lock);
	kv_record_reset(r);
	return lsn;
}

int kv_log_wait(uint64_t lsn)
{
	struct kv_log *l = &kv_log;
	int err = 0;

	if (!l->on || kv_options.fsync != KV_FSYNC_ALWAYS)
		return 0;
	wend_mutex_lock(&l->lock);
	while (l->synced < lsn && l->error == 0 && !l->stopped)
		wend_cond_wait(&l->done, &l->lock);
	if (l->synced < lsn)
		err = l->error ? l->error : -EIO;
	wend_mutex_unlock(&l->lock);
	return err;
}

uint64_t kv_log_synced(void)
{
	uint64_t lsn;

	wend_mutex_lock(&kv_log.lock);
	lsn = kv_log.synced;
	wend_mutex_unlock(&kv_log.lock);
	return lsn;
}

TASK(log_writer)
{
	wend_task_set_name("log writer");
	kv_log_writer();
	wend_waitgroup_done(&kv_log.tasks);
}

TASK(log_rewriter)
{
	wend_task_set_name("log rewriter");
	kv_log_rewriter();
	wend_waitgroup_done(&kv_log.tasks);
}

int kv_log_start(void)
{
	struct kv_log *l = &kv_log;
	int err;

	if (!l->on)
		return 0;
	l->synced_at = wend_now();
	wend_waitgroup_add(&l->tasks, 2);
	err = go(log_writer);
	if (err != 0)
		return err;
	l->started = true;
	err = go(log_rewriter);
	if (err != 0)
		wend_waitgroup_done(&l->tasks);
	return err;
}

int kv_log_stop(void)
{
	struct kv_log *l = &kv_log;

	if (!l->started)
		return 0;
	wend_mutex_lock(&l->lock);
	l->stopping = true;
	wend_cond_broadcast(&l->work);
	wend_cond_broadcast(&l->wanted);
	wend_mutex_unlock(&l->lock);
	wend_waitgroup_wait(&l->tasks);
	close(l->fd);
	kv_buf_free(&l->pending);
	kv_buf_free(&l->inflight);
	kv_buf_free(&l->tail);
	return l->synced == l->appended ? 0 : l->error ? l->error : -EIO;
}

int kv_log_rewrite(void)
{
	struct kv_log *l = &kv_log;
	int err = 0;

	if (!l->on)
		return -ENOTSUP;
	wend_mutex_lock(&l->lock);
	if (l->rewrite_wanted || l->rewriting)
		err = -EALREADY;
	l->rewrite_wanted = true;
	wend_cond_signal(&l->wanted);
	wend_mutex_unlock(&l->lock);
	return err;
}

void kv_log_facts(struct kv_log_facts *f)
{
	struct kv_log *l = &kv_log;

	wend_mutex_lock(&l->lock);
	*f = (struct kv_log_facts){
		.size = l->size,
		.base = l->base,
		.pending = l->pending.size + l->inflight.size,
		.rewrites = l->rewrites,
		.restarts = l->restarts,
		.error = l->error,
		.rewriting = l->rewriting || l->rewrite_wanted,
	};
	wend_mutex_unlock(&l->lock);
}
