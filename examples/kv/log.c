/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - appending, and the task that writes.
 *
 * One task writes and syncs for all: what is appended while it does goes out
 * with its next round. So however many clients wait for the disk, each fsync
 * serves all that had come before it (group commit), and nobody else ever
 * waits for the disk with a lock held.
 *
 * Rejected: a write by each client before its answer (as many system calls as
 * answers, and the file's lock in each); a fork for the rewrite, as Redis does
 * it (a copy of the page tables, and of each page that is written meanwhile).
 */
#include "examples/kv/log_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "examples/kv/db.h"

#define MOST_PENDING (64 * 1024 * 1024)
#define SYNC_EVERY   WEND_SECOND
#define RETRY_EVERY  (200 * WEND_MILLISECOND)

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

/* The file cannot be gone on with; the lock is held. */
static void distrust(struct kv_log *l, int err)
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
		distrust(l, -ENOMEM); /* the keys know more than the log */
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

int kv_write_at(int fd, const struct kv_buf *b, uint64_t at)
{
	size_t done = 0;

	while (done < b->size) {
		ssize_t n = pwrite(fd, b->data + done, b->size - done,
				   (off_t)(at + done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Whether there is anything to do; if not, until when to sleep. The lock is
 * held. */
static bool writer_due(struct kv_log *l, int64_t *until)
{
	bool dirty = l->synced < l->written;

	*until = WEND_FOREVER;
	if (l->next_fd >= 0)
		return true;
	if (l->must_rewrite)
		return l->stopping;
	if (l->error != 0) {
		*until = l->synced_at + RETRY_EVERY;
		return wend_now() >= *until || l->stopping;
	}
	if (l->pending.size > 0 || l->inflight.size > 0 ||
	    (l->stopping && dirty))
		return true;
	if (dirty && kv_options.fsync == KV_FSYNC_EVERYSEC) {
		*until = l->synced_at + SYNC_EVERY;
		return wend_now() >= *until;
	}
	return false;
}

static bool must_sync(const struct kv_log *l)
{
	if (l->stopping || kv_options.fsync == KV_FSYNC_ALWAYS)
		return true;
	return kv_options.fsync == KV_FSYNC_EVERYSEC &&
	       wend_now() >= l->synced_at + SYNC_EVERY;
}

/* What is in flight goes first. The lock is held. */
static void take_pending(struct kv_log *l)
{
	if (l->inflight.size == 0) {
		struct kv_buf empty = l->inflight;

		l->inflight = l->pending;
		l->pending = empty;
	} else {
		kv_buf_put(&l->inflight, l->pending.data, l->pending.size);
		if (l->inflight.failed || l->pending.failed)
			distrust(l, -ENOMEM);
		l->pending.size = 0;
		l->pending.failed = false;
	}
	l->backlog = 0;
}

/* What came of a round, with the lock held again. */
static void conclude(struct kv_log *l, int err, bool sync_failed, bool synced,
		     uint64_t upto)
{
	if (err != 0 && err != l->error)
		fprintf(stderr, "kv: %s: %s: changes are refused\n", l->path,
			strerror(-err));
	if (err == 0 && l->error != 0)
		fprintf(stderr, "kv: %s: can be written again\n", l->path);
	l->error = err;
	if (sync_failed)
		distrust(l, err);
	if (err == 0) {
		l->written = upto;
		kv_buf_reset(&l->inflight);
	}
	if (err == 0 && synced)
		l->synced = upto;
	if (synced || err != 0)
		l->synced_at = wend_now();
	wend_cond_broadcast(&l->done);
	if (l->size > 2 * l->base && l->size > kv_options.rewrite_min)
		wend_cond_signal(&l->wanted);
}

/* Write what is pending, and sync if it is time. The lock is held, but not
 * meanwhile. */
static void write_round(struct kv_log *l)
{
	bool sync, sync_failed = false;
	uint64_t upto;
	int err;

	take_pending(l);
	if (l->must_rewrite)
		return;
	upto = l->appended;
	sync = must_sync(l);
	wend_mutex_unlock(&l->lock);
	err = kv_write_at(l->fd, &l->inflight, l->size);
	if (err == 0) {
		l->size += l->inflight.size;
		if (sync && fdatasync(l->fd) != 0) {
			err = -errno;
			sync_failed = true;
		}
	} else if (ftruncate(l->fd, (off_t)l->size) != 0) {
		/* A torn frame is left: the next start cuts it off. */
	}
	wend_mutex_lock(&l->lock);
	conclude(l, err, sync_failed, sync, upto);
}

/*
 * Put the rewriter's file in the place of ours. It has all shards as they were
 * dumped, and the tail is what has changed in them since: so with the tail it
 * has all that was appended until now.
 */
static int install(struct kv_log *l, const struct kv_buf *tail, char *from)
{
	int err = tail->failed ? -ENOMEM :
				 kv_write_at(l->next_fd, tail, l->next_size);

	if (err == 0 && fdatasync(l->next_fd) != 0)
		err = -errno;
	if (err == 0 && rename(from, l->path) != 0)
		err = -errno;
	return err;
}

static void switch_round(struct kv_log *l)
{
	char from[KV_PATH_ROOM];
	struct kv_buf tail = l->tail;
	uint64_t upto = l->appended;
	int err;

	snprintf(from, sizeof(from), "%s.rewrite", l->path);
	take_pending(l);
	l->tail = (struct kv_buf){ 0 };
	l->rewriting = false; /* what comes now goes into whichever it is */
	wend_mutex_unlock(&l->lock);
	err = install(l, &tail, from);
	if (err == 0) {
		close(l->fd);
		l->fd = l->next_fd;
		l->size = l->next_size + tail.size;
		/* Before that a crash may bring the old file back, which is
		 * not gone on with: it is part of being synced. */
		err = kv_sync_folder(l->path);
		wend_mutex_lock(&l->lock);
		l->base = l->size;
		l->rewrites++;
		l->must_rewrite = false;
		kv_buf_reset(&l->inflight);
		conclude(l, err, err != 0, true, upto);
		err = 0;
	} else {
		close(l->next_fd);
		unlink(from);
		wend_mutex_lock(&l->lock);
	}
	l->next_fd = -1;
	l->next_result = err;
	kv_buf_free(&tail);
	wend_cond_broadcast(&l->done);
}

TASK(log_writer, (struct kv_log *, l))
{
	int64_t until;

	wend_task_set_name("log writer");
	wend_mutex_lock(&l->lock);
	for (;;) {
		bool due = writer_due(l, &until);

		if (due && l->next_fd >= 0)
			switch_round(l);
		else if (due)
			write_round(l);
		else if (!l->stopping)
			(void)!wend_cond_wait_until(&l->work, &l->lock, until);
		/* Stopping waits for no disk that is full. */
		if (l->stopping && l->next_fd < 0 &&
		    (l->error != 0 ||
		     (l->pending.size == 0 && l->synced == l->appended)))
			break;
	}
	l->stopped = true;
	wend_cond_broadcast(&l->done);
	wend_mutex_unlock(&l->lock);
	wend_waitgroup_done(&l->tasks);
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
	err = go(log_writer, l);
	if (err != 0)
		return err;
	l->started = true;
	return go(log_rewriter);
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
