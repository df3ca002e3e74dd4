/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c - looks at JSON text before the parser does: how large, how deep.
 *
 * Brackets outside strings are counted. In text that is not JSON the count
 * means nothing, but then the parser ends at an error soon, and never deeper
 * than it was counted.
 */
#include <stdio.h>
#include <wend/wend.h>
#include "stdlib/encoding/json/scan.h"

static int complain(const struct json_scan *s, wend_json_error *error,
		    const char *what)
{
	error->line = s->line;
	error->column = s->column;
	error->position = s->size;
	snprintf(error->text, sizeof(error->text), "%s", what);
	return -EMSGSIZE;
}

static void scan_string(struct json_scan *s, char c)
{
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->in_string = false;
}

int wend__json_scan(struct json_scan *s, const char *text, size_t n,
		    wend_json_error *error)
{
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		s->column++;
		if (s->size == s->max_size)
			return complain(s, error, "larger than the limit");
		if (s->in_string)
			scan_string(s, c);
		else if (c == '"')
			s->in_string = true;
		else if ((c == '[' || c == '{') && s->depth++ == s->max_depth)
			return complain(s, error, "deeper than the limit");
		else if ((c == ']' || c == '}') && s->depth > 0)
			s->depth--;
		if (c == '\n') {
			s->line++;
			s->column = 0;
		}
		s->size++;
	}
	return 0;
}
