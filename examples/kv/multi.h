/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multi.h - a client's transaction: commands that wait for EXEC, and keys that
 * must not have changed then.
 */
#ifndef EXAMPLES_KV_MULTI_H
#define EXAMPLES_KV_MULTI_H

#include "examples/kv/command.h"

struct kv_queued {
	const struct kv_command *command;
	int argc;
	struct kv_arg *argv; /* and the bytes, in one piece */
};

struct kv_watched {
	struct kv_watched *next;
	uint64_t version; /* of the key; 0: it was not there */
	size_t size;
	char key[];
};

struct kv_multi {
	bool on, spoilt;
	struct kv_queued *queue;
	size_t count, room;
	size_t bytes, words; /* of all in it */
	struct kv_watched *watched;
};

/* Add a command, and answer. */
void kv_multi_queue(struct kv_multi *m, struct kv_buf *out,
		    const struct kv_command *command, int argc,
		    const struct kv_arg *argv);

/* A command could not be added: EXEC will say so. */
void kv_multi_spoil(struct kv_multi *m);

/* Forget all of it. */
void kv_multi_end(struct kv_multi *m);

#endif
