/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - JSON from readers and to writers, by Jansson.
 */
#include <stdio.h>
#include <string.h>
#include <wend/wend.h>
#include "stdlib/encoding/json/scan.h"

#define DEPTH     64
#define MAX_DEPTH 256
#define SIZE      (1 << 20)

/* Jansson seeds its hash tables at first use, and who comes second spins until
 * that is done; so it is done before there are tasks. */
__attribute__((constructor)) static void seed(void)
{
	json_object_seed(0);
}

/* --- reading ------------------------------------------------------------ */

struct source {
	wend_reader *reader;
	struct json_scan scan;
	int error;
	wend_json_error where;
};

static size_t pull(void *to, size_t n, void *arg)
{
	struct source *s = arg;
	ssize_t r = wend_read(s->reader, to, n);

	if (r >= 0)
		s->error = wend__json_scan(&s->scan, to, (size_t)r, &s->where);
	else
		s->error = (int)r;
	return s->error != 0 ? (size_t)-1 : (size_t)r;
}

static int init(struct source *s, const wend_json_limits *limits)
{
	memset(s, 0, sizeof(*s));
	s->scan.max_size = limits != NULL && limits->size != 0 ? limits->size :
								 SIZE;
	s->scan.max_depth = limits != NULL && limits->depth != 0 ?
				    limits->depth :
				    DEPTH;
	s->scan.line = 1;
	return s->scan.max_depth > MAX_DEPTH ? -EINVAL : 0;
}

/* Why there is no value: our limits, the reader, or the text. */
static int explain(const struct source *s, const json_error_t *e,
		   wend_json_error *error)
{
	if (s->error == -EMSGSIZE && s->where.line != 0) {
		if (error != NULL)
			*error = s->where;
		return -EMSGSIZE;
	}
	if (s->error != 0)
		return s->error;
	if (json_error_code(e) == json_error_out_of_memory)
		return -ENOMEM;
	if (error != NULL) {
		error->line = e->line;
		/* 0 where the line has not begun. */
		error->column = e->column > 0 ? e->column : 1;
		error->position = (size_t)e->position;
		snprintf(error->text, sizeof(error->text), "%s", e->text);
	}
	return -EBADMSG;
}

#define DECODE (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

int wend_json_read(wend_reader *r, const wend_json_limits *limits,
		   json_t **value, wend_json_error *error)
{
	struct source s;
	json_error_t e;
	int err = init(&s, limits);

	if (err != 0)
		return err;
	s.reader = r;
	*value = json_load_callback(pull, &s, DECODE, &e);
	if (*value != NULL && s.error != 0) {
		json_decref(*value);
		*value = NULL;
	}
	return *value != NULL ? 0 : explain(&s, &e, error);
}

int wend_json_parse(const void *text, size_t n, const wend_json_limits *limits,
		    json_t **value, wend_json_error *error)
{
	struct source s;
	json_error_t e;
	int err = init(&s, limits);

	if (err != 0)
		return err;
	s.error = wend__json_scan(&s.scan, text, n, &s.where);
	*value = s.error == 0 ? json_loadb(text, n, DECODE, &e) : NULL;
	return *value != NULL ? 0 : explain(&s, &e, error);
}

/* --- writing ------------------------------------------------------------ */

static bool is_deeper(const json_t *v, unsigned int depth)
{
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_array(v)) {
		if (depth == 0)
			return true;
		json_array_foreach(v, i,
				   child) if (is_deeper(child,
							depth - 1)) return true;
	} else if (json_is_object(v)) {
		if (depth == 0)
			return true;
		json_object_foreach(
			(json_t *)(uintptr_t)v, key,
			child) if (is_deeper(child, depth - 1)) return true;
	}
	return false;
}

/* Jansson writes a token at a time. */
struct sink {
	wend_writer *writer;
	int error;
	size_t used;
	char buf[1024];
};

static int flush(struct sink *s)
{
	ssize_t r = 0;

	if (s->used > 0)
		r = wend_write(s->writer, s->buf, s->used);
	s->used = 0;
	if (r < 0)
		s->error = (int)r;
	return r < 0 ? -1 : 0;
}

static int push(const char *text, size_t n, void *arg)
{
	struct sink *s = arg;
	ssize_t r;

	if (n > sizeof(s->buf) - s->used && flush(s) != 0)
		return -1;
	if (n <= sizeof(s->buf)) {
		memcpy(s->buf + s->used, text, n);
		s->used += n;
		return 0;
	}
	r = wend_write(s->writer, text, n);
	if (r < 0)
		s->error = (int)r;
	return r < 0 ? -1 : 0;
}

int wend_json_write(wend_writer *w, const json_t *value, unsigned int indent)
{
	struct sink s = { .writer = w };
	size_t flags = JSON_ENCODE_ANY |
		       (indent == 0 ? JSON_COMPACT : JSON_INDENT(indent));

	if (value == NULL || indent > JSON_MAX_INDENT)
		return -EINVAL;
	if (is_deeper(value, MAX_DEPTH))
		return -EMSGSIZE;
	if (json_dump_callback(value, push, &s, flags) != 0 || flush(&s) != 0)
		return s.error != 0 ? s.error : -EINVAL;
	return 0;
}
