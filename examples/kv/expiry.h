/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry.h - how long a key lives, as commands say it.
 */
#ifndef EXAMPLES_KV_EXPIRY_H
#define EXAMPLES_KV_EXPIRY_H

#include "examples/kv/command.h"

enum kv_time { KV_IN_SECONDS, KV_IN_MS, KV_AT_SECONDS, KV_AT_MS };

/*
 * The time that an argument names. false, and an answer: it is no number, or
 * no such time.
 *
 * kv_expiry_arg is for keys that are set: a length of time must be above 0.
 */
bool kv_expiry_arg(struct kv_call *c, int i, enum kv_time unit, int64_t *ms);
bool kv_expiry_any(struct kv_call *c, int i, enum kv_time unit, int64_t *ms);

#endif
