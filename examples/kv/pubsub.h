/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pubsub.h - channels, and who listens to them.
 */
#ifndef EXAMPLES_KV_PUBSUB_H
#define EXAMPLES_KV_PUBSUB_H

#include "examples/kv/outbox.h"
#include "examples/kv/table.h"

struct kv_subscription;

/* What a client listens to: names, and patterns. */
struct kv_listener {
	struct kv_outbox *outbox; /* NULL until it first listens */
	struct kv_subscription *of[2];
};

static inline bool kv_listening(const struct kv_listener *l)
{
	return l->of[0] != NULL || l->of[1] != NULL;
}

/* End all of it; the outbox is emptied first, as far as the client reads. */
void kv_unlisten(struct kv_listener *l);

/* Channels that somebody listens to, and patterns: for INFO. */
void kv_pubsub_count(size_t *channels, size_t *patterns);

#endif
