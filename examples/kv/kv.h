/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv.h - the parts of kv, who calls whom, and what they share.
 *
 *	main.c      options, start and stop
 *	server.c    accepting, stopping
 *	client.c    one client: read, run what arrived, answer with one write
 *	resp.c      requests as they arrive, RESP2 or inline
 *	reply.c     answers, RESP2; buf.c: the bytes
 *	command.c   from a name to a function; the locks around a command
 *	cmd_*.c     the commands, a file for each kind of value
 *	multi.c     MULTI, EXEC, WATCH
 *	pubsub.c    channels and who listens; outbox.c: what is on its way there
 *	db.c        keys: shards, lookup, expiry; list.c, table.h: values
 *	sweep.c     expired keys that nobody asks for
 *	log.c       the append-only file; log_record.c, log_write.c,
 *	            log_rewrite.c, log_load.c
 *
 * Locks, in the order in which they are taken: shards by number; pub/sub;
 * an outbox. The log's comes last, after any of them.
 */
#ifndef EXAMPLES_KV_KV_H
#define EXAMPLES_KV_KV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wend/short.h>

#define KV_VERSION "7.0.0" /* of Redis: clients look what they may ask for */

enum kv_fsync { KV_FSYNC_ALWAYS, KV_FSYNC_EVERYSEC, KV_FSYNC_NO };

struct kv_options {
	long port; /* -1: none; 0: a free one */
	const char *unix_path;
	const char *log_path;
	enum kv_fsync fsync;
	bool repair;
	long max_clients;
	size_t max_request;  /* bytes of a request, or of a transaction */
	size_t output_limit; /* bytes that a subscriber may be behind */
	size_t rewrite_min;  /* bytes of log before it is rewritten by itself */
};
extern struct kv_options kv_options;

/* A word of a request: bytes, not a C string. */
struct kv_arg {
	const char *p;
	size_t n;
};

#define KV_ARG(text) ((struct kv_arg){ (text), sizeof(text) - 1 })

/* Now, in milliseconds since 1970, by the clock of the wall: what EXPIREAT
 * and the log mean. */
int64_t kv_now_ms(void);

#endif
