/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/json.h - JSON from readers and to writers.
 *
 *	json_t *v;
 *	wend_json_error e;
 *	int err = wend_json_read(&request->body, NULL, &v, &e);
 *
 *	if (err == -EBADMSG)
 *		complain(e.line, e.column, e.text);
 *	...
 *	json_decref(v);
 *
 * Values are those of the library Jansson, with all that <jansson.h> offers to
 * look into and to make them. This package reads and writes them within limits:
 * Jansson recurses, and a task's stack is small.
 *
 * Not in libwend but in libwend-json, which needs Jansson: pkg-config wend-json,
 * or CMake's wend::json.
 */
#ifndef WEND_STD_JSON_H
#define WEND_STD_JSON_H

#include <jansson.h>
#include <wend/std/io.h>

WEND_BEGIN_DECLS

/* Zero: the default, in brackets. */
typedef struct wend_json_limits {
	size_t size;        /* bytes of text (1 MiB) */
	unsigned int depth; /* arrays and objects in each other (64); at most
			     * 256 */
} wend_json_limits;

/* Where and what; lines and columns count from 1, columns in bytes. */
typedef struct wend_json_error {
	int line, column;
	size_t position; /* bytes from the start */
	char text[160];
} wend_json_error;

/*
 * wend_json_read - one value, and nothing but blanks behind it, to the end of r.
 * wend_json_parse - the same of n bytes.
 *
 *   limits      NULL: the defaults
 *   value       gets a reference for json_decref()
 *   error       if not NULL, says more where it is EBADMSG or EMSGSIZE
 *
 * Numbers are 64-bit integers or doubles; an object that has a name twice, and
 * text that is not UTF-8, are errors.
 *
 * Errors   EBADMSG    not JSON
 *          EMSGSIZE   larger or deeper than the limits
 *          EINVAL     limits->depth is too large
 *          ENOMEM, or the reader's
 */
WEND_API WEND_MUST_CHECK int wend_json_read(wend_reader *r,
					    const wend_json_limits *limits,
					    json_t **value,
					    wend_json_error *error);
WEND_API WEND_MUST_CHECK int wend_json_parse(const void *text, size_t n,
					     const wend_json_limits *limits,
					     json_t **value,
					     wend_json_error *error);

/*
 * wend_json_write - a value as text.
 *
 *   indent      0: in one line, without blanks; 1 to 31: that many for a level
 *
 * Names stand in the order in which they were put into an object.
 *
 * Errors   EMSGSIZE   deeper than 256; nothing was written
 *          EINVAL     it contains itself, or no value at all
 *          ENOMEM, or the writer's: an unknown part was written
 */
WEND_API WEND_MUST_CHECK int
wend_json_write(wend_writer *w, const json_t *value, unsigned int indent);

WEND_END_DECLS

#endif
