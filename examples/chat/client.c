/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - a connection: one task reads, one writes.
 *
 * The end comes from either side:
 *
 *	reader: the client has ended, says /quit, or the program stops
 *	        -> hall_leave() closes the queue -> the writer writes what is in
 *	        it, and closes the connection
 *	writer: the connection fails, or the hall has closed the queue because it
 *	        was full -> closes the connection -> the reader's read ends
 */
#include <wend/std/bufio.h>
#include <wend/std/log.h>
#include "examples/chat/chat.h"

/* What a client gets to take its last lines. */
#define LAST_WORDS (2 * WEND_SECOND)

TASK(client_write, (struct client *, c))
{
	char buf[4096];
	wend_bufio_writer w;
	struct line *l;

	wend_bufio_writer_init(&w, &c->conn->writer, buf, sizeof(buf));
	/* To the end of the queue even if the connection has failed: what is in
	 * there is freed here. */
	while (chan_recv(c->queue, &l) == 0) {
		wend_bufio_write(&w, l->text, l->size);
		line_unref(l);
		/* Lines that come together are sent together. */
		if (chan_len(c->queue) == 0 && wend_bufio_flush(&w) != 0)
			wend_conn_close(c->conn);
	}
	if (c->slow)
		wend_bufio_write_text(&w, "* you read too slowly: bye\n");
	(void)!wend_bufio_flush(&w);
	wend_conn_close(c->conn);
}

/* What could move the cursor of somebody's terminal, or ring it. */
static void clean(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = '?';
}

/* What ended it, for the log. */
static const char *client_read(struct client *c)
{
	char buf[LINE_SIZE];
	wend_bufio_reader r;
	wend_str line;
	ssize_t n = 1;

	wend_bufio_reader_init(&r, &c->conn->reader, buf, sizeof(buf));
	while (!c->quits &&
	       (n = wend_bufio_read_line(&r, sizeof(buf), &line)) > 0) {
		/* Who says more than that is read no faster, and waits. */
		if (wend_sync_limiter_wait(chat_told, c->limiter, 1) != 0)
			break;
		clean((char *)(uintptr_t)line.ptr, line.len);
		command_run(c, line);
	}
	if (wend_ctx_err(chat_told) != 0) {
		hall_answer(c, line_new("* the server stops: bye"));
		return "stopped";
	}
	if (n == -EMSGSIZE) {
		hall_answer(c, line_new("! too long a line: bye"));
		return "line too long";
	}
	return n > 0 ? "quit" : n == 0 ? "end" : "error";
}

static void converse(struct client *c)
{
	wend_task *writer;
	wend_attr attr = { .name = "writer", .handle = &writer };
	const char *end;

	if (go_with(&attr, client_write, c) != 0) {
		wend_log_warn("no memory for a client");
		return;
	}
	hall_enter(c);
	wend_log_info("connected",
		      wend_log_text("client", wend_conn_remote(c->conn)),
		      wend_log_text("nick", c->nick));
	end = client_read(c);
	hall_leave(c);
	wend_conn_set_write_deadline(c->conn, wend_after(LAST_WORDS));
	wend_join(writer, NULL);
	wend_log_info("gone",
		      wend_log_text("client", wend_conn_remote(c->conn)),
		      wend_log_text("nick", c->nick),
		      wend_log_text("end", c->slow ? "too slow" : end));
}

void client_serve(wend_conn *conn, void *arg)
{
	const struct chat_options *o = &chat_options;
	struct client c = { .conn = conn };

	(void)arg;
	c.queue = chan_make(struct line *, o->queue);
	c.limiter = wend_sync_limiter_new(o->rate, 2 * o->rate);
	if (c.queue != NULL && c.limiter != NULL)
		converse(&c);
	else
		wend_log_warn("no memory for a client");
	wend_sync_limiter_free(c.limiter);
	chan_free(c.queue);
}
