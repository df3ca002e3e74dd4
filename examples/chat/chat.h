/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat.h - the parts of chat.
 *
 *	main.c     options, start and stop
 *	client.c   a connection: one task reads, one writes
 *	command.c  what a client can say
 *	hall.c     who is there, and in which room
 *	line.c     a line of text, shared by all who are to get it
 *
 * Who says something puts the line into each listener's queue and goes on:
 * nobody waits for somebody else's connection. A queue that is full is one of
 * a client that reads too slowly: it is let go.
 */
#ifndef EXAMPLES_CHAT_H
#define EXAMPLES_CHAT_H

#include <stdatomic.h>
#include <utlist.h>
#include <wend/short.h>
#include <wend/std/context.h>
#include <wend/std/net.h>
#include <wend/std/str.h>
#include <wend/std/sync.h>

#define NAME_SIZE 21   /* of nicks and rooms, the NUL included */
#define LINE_SIZE 1024 /* of what a client sends, its end included */

struct chat_options {
	uint16_t port;
	uint32_t clients; /* at once */
	uint32_t queue;   /* lines that wait for one client */
	uint32_t rate;    /* lines a second that one client may say */
};
extern struct chat_options chat_options;
extern wend_ctx *chat_told; /* ends when the program is to */

/* --- lines ---------------------------------------------------------------- */

struct line {
	atomic_uint refs;
	size_t size;
	char text[]; /* with its "\n" */
};

/* As printf(), with one reference, which is the caller's; NULL: no memory. */
struct line *line_new(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void line_ref(struct line *l);
void line_unref(struct line *l); /* NULL does nothing */

/* --- clients -------------------------------------------------------------- */

struct room;

/* Of the task that reads, but for what hall.c guards with its lock. */
struct client {
	wend_conn *conn;
	chan(struct line *) queue;
	wend_sync_limiter *limiter;
	char nick[NAME_SIZE];                 /* hall */
	struct room *room;                    /* hall; NULL: in none */
	struct client *prev, *next;           /* hall: of all */
	struct client *prev_here, *next_here; /* hall: of the room */
	bool ended;                           /* hall: the queue is closed */
	bool slow;                            /* hall: because it was full */
	bool quits;
};

/* A connection, from its first byte to its last; for wend_net_server_new(). */
void client_serve(wend_conn *conn, void *arg);

/* Do what a line says: a command, or talk. */
void command_run(struct client *c, wend_str line);

/* --- the hall ------------------------------------------------------------- */

/* Letters, digits, '-' and '_', not too many. */
bool hall_is_name(wend_str name);

/* Come in under a nick of the hall's choice; go for ever, after which nobody
 * sends to c's queue, and it is closed. */
void hall_enter(struct client *c);
void hall_leave(struct client *c);

/* 0; -EEXIST: somebody has that nick. Names are valid, here and below. */
int hall_rename(struct client *c, wend_str nick);

/* Leave the room that c is in, if any, for another; 0 or -ENOMEM. Leaving:
 * 0, or -ENOENT: it is in none. */
int hall_join(struct client *c, wend_str name);
int hall_part(struct client *c);

/* To all others in c's room, c's nick in front; -ENOENT: it is in none. */
int hall_say(struct client *c, wend_str text);
/* To one; -ENOENT: nobody of that nick. */
int hall_tell(struct client *c, wend_str nick, wend_str text);
/* To c itself. The reference goes over to the hall. */
void hall_answer(struct client *c, struct line *l);

/* A line for c about all rooms; about all in c's room, or -ENOENT. */
void hall_list(struct client *c);
int hall_who(struct client *c);

#endif
