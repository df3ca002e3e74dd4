/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_file.h - private to log*.c: what the file holds, and who writes it.
 */
#ifndef EXAMPLES_KV_LOG_FILE_H
#define EXAMPLES_KV_LOG_FILE_H

#include "examples/kv/log.h"

#define KV_PATH_ROOM 4096 /* with the longest suffix */

#define KV_LOG_MAGIC   "wendkv1\n"
#define KV_FRAME_MAGIC UINT32_C(0x6b764631)

struct kv_log_head {
	char magic[8];
	uint64_t salt; /* of the frames' checksums: a value that holds a frame
			* of another file is not taken for one */
};

struct kv_log_frame {
	uint32_t magic;
	uint32_t size;  /* bytes behind this head */
	uint64_t check; /* of these and size, by XXH3 from the salt */
};

/*
 * Everything here under lock, but for what is the writer's alone.
 *
 * writer task: takes pending as inflight, writes it, and says so. It is the
 * only one that uses fd. rewriter task: writes the keys into another file,
 * shard by shard, and what changes meanwhile in those it has done (tail);
 * then the writer puts that file in the place of its own (next_fd).
 */
struct kv_log {
	wend_mutex lock;
	wend_cond work;   /* the writer has something to do */
	wend_cond done;   /* it has done something */
	wend_cond wanted; /* the rewriter has */
	const char *path;
	bool on, started, stopping, stopped;
	uint64_t salt;

	struct kv_buf pending;
	_Atomic size_t backlog; /* its size, for a look without the lock */
	uint64_t appended, written, synced;
	int64_t synced_at;
	_Atomic int error; /* negative: changes are refused */
	bool must_rewrite; /* the file cannot be trusted or gone on with */

	/* the writer's */
	int fd;
	struct kv_buf inflight;
	_Atomic uint64_t size; /* of the file */

	/* a rewrite */
	bool rewrite_wanted, rewriting, restart;
	uint32_t dumped; /* shards below are in the new file */
	struct kv_buf tail;
	int next_fd; /* -1: none */
	uint64_t next_size;
	int next_result;
	uint64_t base, rewrites, restarts;
	wend_waitgroup tasks;
};
extern struct kv_log kv_log;

/* Fill in the head of a frame of `size` bytes in all, at data. */
void kv_frame_seal(char *data, size_t size);

/* The size in all of a whole frame at data; 0: there is none. */
size_t kv_frame_whole(const char *data, size_t size);

/* All of it at that place, or a negative error number. */
int kv_write_at(int fd, const struct kv_buf *b, uint64_t at);

/* A file for a log, locked against other servers, with its head written. */
int kv_log_create(const char *path, int *fd);
int kv_log_lock_file(int fd);

/* What the two tasks do until the log stops. */
void kv_log_writer(void);
void kv_log_rewriter(void);

/* The file cannot be gone on with; the lock is held. */
void kv_log_distrust(struct kv_log *l, int err);

/* What a folder lists is on the disk: that of this file. */
int kv_sync_folder(const char *path);

#endif
