/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_write.c - the task that writes the log.
 *
 * It writes and syncs for all: what is appended while it does goes out with
 * its next round. So however many clients wait for the disk, each fsync serves
 * all that had come before it (group commit), and nobody else ever waits for
 * the disk with a lock held.
 *
 * Rejected: a write by each client before its answer (as many system calls as
 * answers, and the file's lock in each).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "examples/kv/log_file.h"

#define SYNC_EVERY  WEND_SECOND
#define RETRY_EVERY (200 * WEND_MILLISECOND)

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
			kv_log_distrust(l, -ENOMEM);
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
		kv_log_distrust(l, err);
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

void kv_log_writer(void)
{
	struct kv_log *l = &kv_log;
	int64_t until;

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
}
