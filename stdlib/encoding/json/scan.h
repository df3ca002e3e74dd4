/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.h - looks at JSON text before the parser does: how large, how deep.
 */
#ifndef STDLIB_ENCODING_JSON_SCAN_H
#define STDLIB_ENCODING_JSON_SCAN_H

#include <wend/std/json.h>

struct json_scan {
	size_t max_size;
	unsigned int max_depth, depth;
	bool in_string, escaped;
	int line, column; /* of the last byte */
	size_t size;
};

/* 0, or -EMSGSIZE with *error filled in. */
int wend__json_scan(struct json_scan *s, const char *text, size_t n,
		    wend_json_error *error);

#endif
