/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h - what is on its way to a client that listens to channels.
 *
 * Anybody may put messages in and never waits; a task of its own writes them
 * to the client. Who reads too slowly is hung up on when `limit` bytes wait.
 */
#ifndef EXAMPLES_KV_OUTBOX_H
#define EXAMPLES_KV_OUTBOX_H

#include <wend/std/conn.h>

#include "examples/kv/buf.h"
#include "examples/kv/kv.h"

struct kv_outbox;

/* NULL: no memory. conn must stay until kv_outbox_free(). */
struct kv_outbox *kv_outbox_new(wend_conn *conn, size_t limit);

/* false: the client is gone, or too slow, and then hung up on. */
bool kv_outbox_put(struct kv_outbox *o, const struct kv_buf *bytes);

/* Write what is in it, as far as the client lives, then free it. */
void kv_outbox_free(struct kv_outbox *o);

#endif
