/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - one client: read, run what arrived, answer with one write.
 */
#include "examples/kv/client.h"

#include <string.h>

#include "examples/kv/server.h"

#define READ_SIZE (16 * 1024)
#define LINGER    (2 * WEND_SECOND)
#define FLUSH_SIZE                                                             \
	(64 * 1024) /* of answers that go out before the batch ends */

/* Say of answers that the log does not have what they promise. */
static void take_back(struct kv_client *c, int err)
{
	struct kv_buf out = { 0 };
	uint64_t synced = kv_log_synced();
	size_t at = 0;

	for (int i = 0; i < c->mark_count; i++) {
		const struct kv_mark *m = &c->marks[i];

		if (m->wrote > synced)
			kv_reply_error(&out,
				       "IOERR not in the log, and perhaps "
				       "never: %s",
				       strerror(-err));
		else
			kv_buf_put(&out, c->out.data + at, m->end - at);
		at = m->end;
	}
	kv_buf_put(&out, c->out.data + at, c->out.size - at);
	out.failed |= c->out.failed;
	kv_buf_free(&c->out);
	c->out = out;
}

bool kv_client_flush(struct kv_client *c)
{
	int err = c->after > 0 ? kv_log_wait(c->after) : 0;
	bool sent;

	if (err != 0)
		take_back(c, err);
	c->after = 0;
	c->mark_count = 0;
	if (c->out.failed)
		return false;
	sent = c->listener.outbox ?
		       kv_outbox_put(c->listener.outbox, &c->out) :
		       wend_conn_write(c->conn, c->out.data, c->out.size) >= 0;
	kv_buf_reset(&c->out);
	return sent;
}

static void run(struct kv_client *c, const struct kv_command *command)
{
	struct kv_call call = {
		.client = c,
		.command = command,
		.argc = c->request.argc,
		.argv = c->request.argv,
		.out = &c->out,
		.record = kv_log_on() ? &c->record : NULL,
		.now = c->now,
	};

	kv_command_run(&call);
	if (call.after > c->after)
		c->after = call.after;
	if (c->after > 0)
		c->marks[c->mark_count++] = (struct kv_mark){
			.end = c->out.size,
			.wrote = call.wrote,
		};
}

/* Run a request, or put it into the transaction. */
static void run_request(struct kv_client *c)
{
	const struct kv_resp *r = &c->request;
	const struct kv_command *command;

	if (r->argc == 0)
		return;
	c->commands++;
	command = kv_command_for(&c->out, r->argc, r->argv);
	if (command == NULL) {
		kv_multi_spoil(&c->multi);
	} else if (kv_listening(&c->listener) &&
		   !(command->flags & KV_SUBSCRIBED)) {
		kv_reply_error(&c->out,
			       "ERR Can't execute '%s': only (P)SUBSCRIBE / "
			       "(P)UNSUBSCRIBE / PING / QUIT are allowed in "
			       "this context",
			       command->name);
	} else if (c->multi.on && !(command->flags & KV_AT_ONCE)) {
		kv_multi_queue(&c->multi, &c->out, command, r->argc, r->argv);
	} else {
		run(c, command);
	}
}

static bool full(const struct kv_client *c)
{
	return c->out.size > FLUSH_SIZE ||
	       c->mark_count == sizeof(c->marks) / sizeof(c->marks[0]);
}

/* Run all that has arrived as a whole; false: the client is gone. */
static bool run_arrived(struct kv_client *c)
{
	enum kv_resp_state state = KV_RESP_MORE;
	size_t at = 0;
	bool alive = true;

	while (alive && !c->closing) {
		state = kv_resp_parse(&c->request, c->in.data + at,
				      c->in.size - at);
		if (state != KV_RESP_DONE)
			break;
		run_request(c);
		at += c->request.size;
		kv_resp_next(&c->request);
		if (full(c))
			alive = kv_client_flush(c);
	}
	if (state == KV_RESP_BAD) {
		kv_reply_error(&c->out, "ERR Protocol error: %s",
			       c->request.error);
		c->closing = true;
	}
	kv_buf_drop(&c->in, at);
	if (c->in.size == 0)
		kv_buf_reset(&c->in);
	return alive;
}

/* Wait for more; false: there is none, or no memory for it. */
static bool receive(struct kv_client *c)
{
	ssize_t n;

	if (!kv_buf_reserve(&c->in, READ_SIZE))
		return false;
	n = wend_conn_read(c->conn, c->in.data + c->in.size,
			   c->in.room - c->in.size);
	if (n <= 0)
		return false;
	c->in.size += (size_t)n;
	return true;
}

/* Read away what a client that is hung up on still sends: with bytes unread,
 * close() would reset the connection and destroy the last answer. */
static void linger(struct kv_client *c)
{
	int64_t most = 16 << 20;

	wend_conn_set_read_deadline(c->conn, wend_after(LINGER));
	if (wend_conn_close_write(c->conn) != 0)
		return;
	for (c->in.size = 0; most > 0 && receive(c); c->in.size = 0)
		most -= (int64_t)c->in.size;
}

void kv_client_serve(struct kv_client *c)
{
	kv_resp_init(&c->request, kv_options.max_request);
	while (!c->closing && receive(c)) {
		uint64_t before = c->commands;

		c->now = kv_now_ms();
		if (!run_arrived(c) || !kv_client_flush(c))
			break;
		kv_server_count(c->commands - before);
	}
	kv_unlisten(&c->listener);
	if (c->closing)
		linger(c);
	kv_multi_end(&c->multi);
	kv_resp_free(&c->request);
	kv_record_free(&c->record);
	kv_buf_free(&c->in);
	kv_buf_free(&c->out);
}
