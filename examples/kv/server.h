/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - accepting clients, and stopping.
 */
#ifndef EXAMPLES_KV_SERVER_H
#define EXAMPLES_KV_SERVER_H

#include <wend/std/net.h>

#include "examples/kv/kv.h"

/* Serve what connects to these listeners (NULL: none) until kv_server_stop();
 * then answer the requests that have arrived, and hang up. Returns 0 or what is
 * wrong. */
int kv_server_run(wend_net_listener *const listeners[2]);

/* From any task, also of a client. */
void kv_server_stop(void);

/* Add to the number of commands. */
void kv_server_count(uint64_t commands);

struct kv_server_facts {
	uint64_t clients, accepted, refused, commands;
	int64_t started; /* wend_now() */
};
void kv_server_facts(struct kv_server_facts *f);

#endif
