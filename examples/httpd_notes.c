/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd_notes.c - a small JSON API: notes, kept in memory.
 *
 *	GET    /api/notes		all of them
 *	POST   /api/notes		{"text": "..."}: 201 and the note
 *	GET    /api/notes/{id}		one
 *	PUT    /api/notes/{id}		{"text": "..."}
 *	DELETE /api/notes/{id}		204
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <wend/std/json.h>
#include "examples/httpd.h"

#define MAX_NOTES 10000

struct notes {
	wend_mutex lock;
	json_t *all; /* id as text -> note */
	int64_t last_id;
};

struct notes *notes_new(void)
{
	struct notes *n = calloc(1, sizeof(*n));

	if (n != NULL)
		n->all = json_object();
	if (n != NULL && n->all == NULL) {
		free(n);
		n = NULL;
	}
	return n;
}

void notes_free(struct notes *n)
{
	if (n == NULL)
		return;
	json_decref(n->all);
	free(n);
}

/* Consumes v; NULL: there was no memory for it. */
static void answer(wend_http_reply *w, int status, json_t *v)
{
	wend_http_status(w, status);
	wend_http_set(w, "Content-Type", "application/json");
	if (v == NULL || wend_json_write(wend_http_writer(w), v, 0) != 0)
		wend_http_error(w, 503, NULL);
	else
		wend_http_write(w, "\n", 1);
	json_decref(v);
}

static void complain(wend_http_reply *w, int status, const char *what)
{
	answer(w, status, json_pack("{s:s}", "error", what));
}

/* The text of a note in the body; NULL: the client has been told. */
static json_t *text_of(wend_http_reply *w, wend_http_request *r)
{
	wend_json_error e;
	json_t *body, *text;
	char what[256];
	int err = wend_json_read(&r->body, NULL, &body, &e);

	if (err == -EBADMSG && e.line > 0) {
		snprintf(what, sizeof(what), "line %d, column %d: %s", e.line,
			 e.column, e.text);
		complain(w, 400, what);
	} else if (err != 0) {
		complain(w, err == -ENOMEM ? 503 : 413, "cannot be read");
	}
	if (err != 0)
		return NULL;
	text = json_incref(json_object_get(body, "text"));
	json_decref(body);
	if (json_is_string(text))
		return text;
	json_decref(text);
	complain(w, 422, "\"text\" is no string");
	return NULL;
}

static void list(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct notes *n = arg;
	json_t *all = json_array(), *note;
	const char *id;

	(void)r;
	/* A copy: writing it may wait for the client, and the lock is for all.
	 * The notes themselves never change, they are replaced. */
	wend_mutex_lock(&n->lock);
	json_object_foreach(n->all, id, note) json_array_append(all, note);
	wend_mutex_unlock(&n->lock);
	answer(w, 200, all);
}

static json_t *note_new(const char *id, json_t *text)
{
	return json_pack("{s:s,s:O}", "id", id, "text", text);
}

static void create(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct notes *n = arg;
	json_t *text = text_of(w, r), *note = NULL;
	char id[24], location[64];
	bool full;

	if (text == NULL)
		return;
	wend_mutex_lock(&n->lock);
	full = json_object_size(n->all) >= MAX_NOTES;
	if (!full) {
		snprintf(id, sizeof(id), "%" PRId64, ++n->last_id);
		note = note_new(id, text);
		if (json_object_set(n->all, id, note) != 0) {
			json_decref(note);
			note = NULL;
		}
	}
	wend_mutex_unlock(&n->lock);
	json_decref(text);
	if (full) {
		complain(w, 507, "too many notes");
		return;
	}
	snprintf(location, sizeof(location), "/api/notes/%s", id);
	wend_http_set(w, "Location", location);
	answer(w, 201, note);
}

static json_t *find(struct notes *n, const char *id)
{
	json_t *note;

	wend_mutex_lock(&n->lock);
	note = json_incref(json_object_get(n->all, id));
	wend_mutex_unlock(&n->lock);
	return note;
}

static void show(wend_http_reply *w, wend_http_request *r, void *arg)
{
	json_t *note = find(arg, wend_http_param(r, "id"));

	if (note != NULL)
		answer(w, 200, note);
	else
		complain(w, 404, "no such note");
}

static void change(wend_http_reply *w, wend_http_request *r, void *arg)
{
	const char *id = wend_http_param(r, "id");
	struct notes *n = arg;
	json_t *text = text_of(w, r), *note;
	bool there;

	if (text == NULL)
		return;
	note = note_new(id, text);
	json_decref(text);
	wend_mutex_lock(&n->lock);
	there = json_object_get(n->all, id) != NULL;
	if (there && json_object_set(n->all, id, note) != 0) {
		json_decref(note);
		note = NULL;
	}
	wend_mutex_unlock(&n->lock);
	if (there) {
		answer(w, 200, note);
	} else {
		json_decref(note);
		complain(w, 404, "no such note");
	}
}

static void forget(wend_http_reply *w, wend_http_request *r, void *arg)
{
	struct notes *n = arg;
	int err;

	wend_mutex_lock(&n->lock);
	err = json_object_del(n->all, wend_http_param(r, "id"));
	wend_mutex_unlock(&n->lock);
	if (err == 0)
		wend_http_status(w, 204);
	else
		complain(w, 404, "no such note");
}

int httpd_notes(wend_http_router *router, struct notes *n)
{
	static const struct {
		const char *pattern;
		wend_http_handler *fn;
	} routes[] = {
		{ "GET /api/notes", list },
		{ "POST /api/notes", create },
		{ "GET /api/notes/{id}", show },
		{ "PUT /api/notes/{id}", change },
		{ "DELETE /api/notes/{id}", forget },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (err == 0)
			err = wend_http_route(router, routes[i].pattern,
					      routes[i].fn, n);
	return err;
}
