/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hall.c - who is there, and in which room.
 *
 * One lock over all of it. Nothing that is done under it waits: lines go into
 * queues or nowhere.
 *
 * Invariants, lock held:
 *   H1  a client is in `clients` from hall_enter() to hall_leave()
 *   H2  a room has members, each of which has it as its room
 *   H3  ended <=> the queue is closed; nobody sends to it any more
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "examples/chat/chat.h"

/* What a client that reads too slowly gets to take what is left. */
#define LAST_CHANCE WEND_SECOND

struct room {
	char name[NAME_SIZE];
	size_t size;
	struct client *members;
	struct room *prev, *next;
};

static wend_mutex lock;
static struct client *clients;
static struct room *rooms;
static uint64_t guests;

bool hall_is_name(wend_str name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";

	if (name.len == 0 || name.len >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (memchr(chars, name.ptr[i], sizeof(chars) - 1) == NULL)
			return false;
	return true;
}

static void set_name(char to[NAME_SIZE], wend_str name)
{
	memcpy(to, name.ptr, name.len);
	to[name.len] = '\0';
}

/* --- sending, lock held --------------------------------------------------- */

static void end(struct client *c)
{
	if (!c->ended)
		chan_close(c->queue);
	c->ended = true;
}

/* The reader of c, which says so to the others, wakes when the writer is done
 * or its time is over. */
static void drop(struct client *c)
{
	c->slow = true;
	wend_conn_set_write_deadline(c->conn, wend_after(LAST_CHANCE));
	end(c);
}

/* What there is no memory for is not said. */
static void put(struct client *c, struct line *l)
{
	if (l == NULL || c->ended)
		return;
	line_ref(l);
	if (wend_chan_send_try(wend_chan_raw(c->queue), &l) != 0) {
		line_unref(l);
		drop(c);
	}
}

/* The same, and the reference is taken. */
static void give(struct client *c, struct line *l)
{
	put(c, l);
	line_unref(l);
}

/* To all in a room but one; the reference is taken. */
static void send_room(struct room *r, const struct client *but, struct line *l)
{
	struct client *c;

	DL_FOREACH2(r->members, c, next_here)
	if (c != but)
		put(c, l);
	line_unref(l);
}

/* --- rooms, lock held ----------------------------------------------------- */

static void part(struct client *c, const char *how)
{
	struct room *r = c->room;

	if (r == NULL)
		return;
	DL_DELETE2(r->members, c, prev_here, next_here);
	c->room = NULL;
	if (--r->size > 0) {
		send_room(r, NULL, line_new("* %s %s", c->nick, how));
		return;
	}
	DL_DELETE(rooms, r);
	free(r);
}

/* The room of that name, made if need be; NULL: no memory. */
static struct room *room_of(wend_str name)
{
	struct room *r;

	DL_FOREACH(rooms, r)
	if (wend_str_equal(wend_str_from(r->name), name))
		return r;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	set_name(r->name, name);
	DL_APPEND(rooms, r);
	return r;
}

static int join(struct client *c, wend_str name)
{
	struct room *r = room_of(name);

	if (r == NULL)
		return -ENOMEM;
	if (r == c->room)
		return 0;
	part(c, "has left");
	DL_APPEND2(r->members, c, prev_here, next_here);
	r->size++;
	c->room = r;
	send_room(r, NULL, line_new("* %s has joined %s", c->nick, r->name));
	return 0;
}

int hall_join(struct client *c, wend_str name)
{
	int err;

	wend_mutex_lock(&lock);
	err = join(c, name);
	wend_mutex_unlock(&lock);
	return err;
}

int hall_part(struct client *c)
{
	bool was;

	wend_mutex_lock(&lock);
	was = c->room != NULL;
	part(c, "has left");
	wend_mutex_unlock(&lock);
	return was ? 0 : -ENOENT;
}

/* --- clients -------------------------------------------------------------- */

static struct client *find(wend_str nick)
{
	struct client *c;

	DL_FOREACH(clients, c)
	if (wend_str_equal(wend_str_from(c->nick), nick))
		return c;
	return NULL;
}

void hall_enter(struct client *c)
{
	wend_mutex_lock(&lock);
	do
		snprintf(c->nick, sizeof(c->nick), "guest%llu",
			 (unsigned long long)++guests);
	while (find(wend_str_from(c->nick)) != NULL);
	DL_APPEND(clients, c);
	give(c, line_new("* welcome, %s; /help says what there is", c->nick));
	wend_mutex_unlock(&lock);
}

void hall_leave(struct client *c)
{
	wend_mutex_lock(&lock);
	part(c, c->slow ? "was dropped: it reads too slowly" : "is gone");
	DL_DELETE(clients, c);
	end(c);
	wend_mutex_unlock(&lock);
}

int hall_rename(struct client *c, wend_str nick)
{
	struct line *l = NULL;
	int err = 0;

	wend_mutex_lock(&lock);
	if (find(nick) != NULL) {
		err = -EEXIST;
	} else {
		l = line_new("* %s is now %.*s", c->nick, WEND_STR_ARG(nick));
		set_name(c->nick, nick);
	}
	if (c->room != NULL)
		send_room(c->room, NULL, l);
	else
		give(c, l);
	wend_mutex_unlock(&lock);
	return err;
}

/* --- talk ----------------------------------------------------------------- */

int hall_say(struct client *c, wend_str text)
{
	bool heard;

	wend_mutex_lock(&lock);
	heard = c->room != NULL;
	if (heard)
		send_room(c->room, c,
			  line_new("%s: %.*s", c->nick, WEND_STR_ARG(text)));
	wend_mutex_unlock(&lock);
	return heard ? 0 : -ENOENT;
}

int hall_tell(struct client *c, wend_str nick, wend_str text)
{
	struct client *to;

	wend_mutex_lock(&lock);
	to = find(nick);
	if (to != NULL)
		give(to, line_new("(%s): %.*s", c->nick, WEND_STR_ARG(text)));
	wend_mutex_unlock(&lock);
	return to != NULL ? 0 : -ENOENT;
}

void hall_answer(struct client *c, struct line *l)
{
	wend_mutex_lock(&lock);
	give(c, l);
	wend_mutex_unlock(&lock);
}

/* --- who and where -------------------------------------------------------- */

/* One line, however many there are: the rest is left out. */
struct names {
	char text[LINE_SIZE];
	size_t size;
};

static void add(struct names *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add(struct names *n, const char *format, ...)
{
	char one[NAME_SIZE + 32];
	va_list args;
	size_t size;

	va_start(args, format);
	size = (size_t)vsnprintf(one, sizeof(one), format, args);
	va_end(args);
	if (n->size + size + sizeof(" ...") > sizeof(n->text)) {
		strcpy(n->text + n->size, " ...");
		return;
	}
	memcpy(n->text + n->size, one, size + 1);
	n->size += size;
}

void hall_list(struct client *c)
{
	struct names n = { .size = 0 };
	struct room *r;

	wend_mutex_lock(&lock);
	DL_FOREACH(rooms, r)
	add(&n, " %s (%zu)", r->name, r->size);
	give(c, line_new("* rooms:%s", rooms != NULL ? n.text : " none"));
	wend_mutex_unlock(&lock);
}

int hall_who(struct client *c)
{
	struct names n = { .size = 0 };
	struct client *other;
	bool is_in;

	wend_mutex_lock(&lock);
	is_in = c->room != NULL;
	if (is_in) {
		DL_FOREACH2(c->room->members, other, next_here)
		add(&n, " %s", other->nick);
		give(c, line_new("* in %s:%s", c->room->name, n.text));
	}
	wend_mutex_unlock(&lock);
	return is_in ? 0 : -ENOENT;
}
