/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.c - what is on its way to a client that listens.
 */
#include "examples/kv/outbox.h"

#include <stdio.h>
#include <stdlib.h>

struct kv_outbox {
	wend_mutex lock;
	wend_cond more;
	struct kv_buf waiting;
	size_t limit;
	wend_conn *conn;
	bool gone;   /* nothing can be sent any more */
	bool ending; /* nothing more will be put in */
	wend_task *writer;
};

TASK(write_messages, (struct kv_outbox *, o))
{
	struct kv_buf sending = { 0 };

	wend_task_set_name("messages");
	wend_mutex_lock(&o->lock);
	for (;;) {
		struct kv_buf empty = sending;
		bool sent;

		while (o->waiting.size == 0 && !o->ending && !o->gone)
			wend_cond_wait(&o->more, &o->lock);
		if (o->gone || o->waiting.size == 0)
			break;
		sending = o->waiting;
		o->waiting = empty;
		wend_mutex_unlock(&o->lock);
		sent = wend_conn_write(o->conn, sending.data, sending.size) >=
		       0;
		kv_buf_reset(&sending);
		wend_mutex_lock(&o->lock);
		o->gone |= !sent;
	}
	wend_mutex_unlock(&o->lock);
	kv_buf_free(&sending);
}

struct kv_outbox *kv_outbox_new(wend_conn *conn, size_t limit)
{
	struct kv_outbox *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->conn = conn;
	o->limit = limit;
	if (go_with(&(wend_attr){ .handle = &o->writer }, write_messages, o) !=
	    0) {
		free(o);
		return NULL;
	}
	return o;
}

bool kv_outbox_put(struct kv_outbox *o, const struct kv_buf *bytes)
{
	bool alive;

	wend_mutex_lock(&o->lock);
	if (!o->gone && bytes->size > o->limit - o->waiting.size) {
		fprintf(stderr, "kv: a client reads too slowly: hung up on\n");
		o->gone = true;
	}
	if (!o->gone)
		kv_buf_put(&o->waiting, bytes->data, bytes->size);
	if (o->waiting.failed || bytes->failed)
		o->gone = true;
	alive = !o->gone;
	if (!alive) {
		/* Its two tasks wait, one to read, one to write. */
		wend_conn_close(o->conn);
		kv_buf_free(&o->waiting);
	}
	wend_cond_signal(&o->more);
	wend_mutex_unlock(&o->lock);
	return alive;
}

void kv_outbox_free(struct kv_outbox *o)
{
	if (o == NULL)
		return;
	wend_mutex_lock(&o->lock);
	o->ending = true;
	wend_cond_signal(&o->more);
	wend_mutex_unlock(&o->lock);
	wend_join(o->writer, NULL);
	kv_buf_free(&o->waiting);
	free(o);
}
