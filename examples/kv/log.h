/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - the append-only file: every change, in the order in which it was made.
 *
 * The file is a head (struct kv_log_head) and frames: a head (struct
 * kv_log_frame) and commands in RESP, as a client would send them. A frame
 * counts as a whole or not at all: a transaction is one. All in the machine's
 * own byte order.
 *
 * Positions (LSNs) count bytes of frames since the program started. What was
 * appended is first `appended`, then `written`, then `synced`.
 *
 * A write error keeps what was not written, and it is tried again until it can
 * be. After a failed fsync nobody knows what of the file is on the disk, so
 * the log is written anew, from memory. Until then there are no changes: they
 * are refused before they are made.
 */
#ifndef EXAMPLES_KV_LOG_H
#define EXAMPLES_KV_LOG_H

#include "examples/kv/buf.h"
#include "examples/kv/kv.h"

#define KV_ALL_SHARDS UINT32_MAX

/* What one command, or one transaction, changes. */
struct kv_effect {
	uint32_t shard; /* or KV_ALL_SHARDS */
	size_t end;     /* in commands: where the next one begins */
};

struct kv_record {
	struct kv_buf frame; /* with room for the frame's head in front */
	struct kv_effect *effects;
	size_t count, room;
};

/* Make sure that a command of so many bytes and words can be noted. */
bool kv_record_reserve(struct kv_record *r, size_t bytes, size_t words);
/* Note a command; the record must have room. */
void kv_record_add(struct kv_record *r, uint32_t shard, int argc,
		   const struct kv_arg *argv);
void kv_record_reset(struct kv_record *r);
void kv_record_free(struct kv_record *r);

/*
 * kv_log_open - read the log into the keys, and go on with it.
 *
 * A last frame that is not whole is cut off. Damage before a whole frame is
 * refused unless options.repair: then the file is cut there, and what was
 * behind is kept in PATH.damaged. What is done is said on stderr.
 *
 * Returns  0 or a negative error number; why was said.
 * Context  before there are clients.
 */
int kv_log_open(const char *path);

/* Start the tasks that write, and that rewrite; stop them when all that was
 * appended is on the disk, or cannot be: then not 0. */
int kv_log_start(void);
int kv_log_stop(void);

/* Whether there is a log. */
bool kv_log_on(void);

/* 0, or the negative error number for which changes are refused. Waits while
 * too much is to be written. */
int kv_log_ready(void);
/* The same without waiting. */
int kv_log_error(void);

/*
 * kv_log_append - add a record, which is reset.
 * Context  the locks of all shards that it changes are held.
 * Returns  the position behind it.
 */
uint64_t kv_log_append(struct kv_record *r);

/*
 * kv_log_wait - with fsync=always: wait until all before lsn is on the disk.
 * Returns  0, or the negative error number for which it is not (yet).
 */
int kv_log_wait(uint64_t lsn);
uint64_t kv_log_synced(void);

/* Start a rewrite. -EALREADY: one goes on; -ENOTSUP: no log. */
int kv_log_rewrite(void);

struct kv_log_facts {
	uint64_t size, base, pending, rewrites, restarts;
	int error;
	bool rewriting;
};
void kv_log_facts(struct kv_log_facts *f);

#endif
