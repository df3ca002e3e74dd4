/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.h - a line of the log, as it is written into memory.
 */
#ifndef WEND_STDLIB_LOG_LINE_H
#define WEND_STDLIB_LOG_LINE_H

#include <wend/std/log.h>

/* What a line says. */
struct wend__log_entry {
	bool has_time;
	int64_t time;
	int level;
	wend_str message;
	const wend_log_field *fields;
};

/*
 * wend__log_render - an entry as a line of text.
 *
 *   size        room at buf, at least 64 bytes; what does not fit is left out
 *   len         gets the length of what was written
 *
 * Returns  the room that the whole line needs: more than size if it was cut.
 */
size_t wend__log_render(const struct wend__log_entry *e, char *buf, size_t size,
			size_t *len);

#endif
