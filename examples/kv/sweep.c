/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.c - expired keys that nobody asks for.
 *
 * Who reads an expired key does not see it, who changes it removes it first;
 * the rest is removed here, a shard at a time, if something in it is due. A
 * round may take a twentieth of the time; the next one goes on from there.
 */
#include "examples/kv/sweep.h"

#include "examples/kv/command.h"

#define PERIOD (100 * WEND_MILLISECOND)
#define BUDGET (5 * WEND_MILLISECOND)

/* The shard's lock is held. */
static void remove_due(struct kv_call *c, struct kv_shard *s)
{
	struct kv_entry *e, *next;
	int64_t soonest = KV_NEVER;

	HASH_ITER(hh, s->entries, e, next)
	{
		bool due = kv_expired(e, c->now);

		if (due && (c->record == NULL ||
			    kv_record_reserve(c->record, e->size, 2)))
			kv_delete(c, e);
		else if (e->expires < soonest)
			soonest = e->expires;
	}
	s->next_expiry = soonest;
}

static void sweep_shard(struct kv_shard *s, struct kv_record *record)
{
	struct kv_call c = {
		.record = kv_log_on() ? record : NULL,
		.now = kv_now_ms(),
	};

	wend_mutex_lock(&s->lock);
	if (s->volatiles > 0 && s->next_expiry <= c.now) {
		remove_due(&c, s);
		if (record->count > 0)
			s->lsn = kv_log_append(record);
	}
	wend_mutex_unlock(&s->lock);
}

TASK(sweep)
{
	struct kv_record record = { 0 };
	unsigned int at = 0;

	wend_task_set_name("sweeper");
	while (wend_sleep(PERIOD) == 0) {
		int64_t end = wend_now() + BUDGET;

		for (int i = 0; i < KV_SHARDS; i++) {
			/* What is removed must be noted. */
			if (kv_log_error() != 0 || wend_now() > end)
				break;
			sweep_shard(&kv_shards[at++ % KV_SHARDS], &record);
		}
	}
	kv_record_free(&record);
}

int kv_sweep_start(wend_task **sweeper)
{
	return go_with(&(wend_attr){ .handle = sweeper }, sweep);
}

void kv_sweep_stop(wend_task *sweeper)
{
	wend_task_cancel(sweeper);
	wend_join(sweeper, NULL);
}
