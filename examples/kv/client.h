/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - a connection, and what is known of it.
 */
#ifndef EXAMPLES_KV_CLIENT_H
#define EXAMPLES_KV_CLIENT_H

#include "examples/kv/command.h"
#include "examples/kv/multi.h"
#include "examples/kv/pubsub.h"
#include "examples/kv/resp.h"

/* Where an answer ends, and what it promises. */
struct kv_mark {
	size_t end;
	uint64_t wrote;
};

/* All of it is its own task's. */
struct kv_client {
	wend_conn *conn;
	uint64_t id;
	char name[64];

	struct kv_buf in; /* from the next request on */
	struct kv_resp request;
	struct kv_buf out;
	struct kv_record record;
	int64_t now;
	uint64_t commands;
	bool closing; /* answer, then hang up */

	/* Answers in out that wait for the log. */
	uint64_t after;
	struct kv_mark marks[64];
	int mark_count;

	struct kv_multi multi;
	struct kv_listener listener;
};

/* Serve one client until either side has had enough. Closes nothing. */
void kv_client_serve(struct kv_client *c);

/* Send the answers that there are, when the log has what they promise; false:
 * the client is gone. */
bool kv_client_flush(struct kv_client *c);

#endif
