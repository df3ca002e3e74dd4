/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - facts, gathered first and printed at the end, for people in two
 * columns or as JSON.
 *
 * A fact is a value, a note on it, or both: where there is no value the note
 * says why. Sections come in the order in which they are begun.
 */
#ifndef TOOLS_WEND_REPORT_H
#define TOOLS_WEND_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* What follows belongs to this section: its key in JSON, its headline. */
void report_section(const char *key, const char *headline);

/*
 * One fact: its key in JSON, its label, its value, and printf()'s arguments
 * for the note; an empty note is none. key, label and text are copied.
 */
#define REPORT_LIKE_PRINTF(n) __attribute__((format(printf, n, n + 1)))
void report_text(const char *key, const char *label, const char *text,
		 const char *note, ...) REPORT_LIKE_PRINTF(4);
void report_count(const char *key, const char *label, uint64_t count,
		  const char *note, ...) REPORT_LIKE_PRINTF(4);
void report_bytes(const char *key, const char *label, uint64_t bytes,
		  const char *note, ...) REPORT_LIKE_PRINTF(4);
void report_ns(const char *key, const char *label, int64_t ns, const char *note,
	       ...) REPORT_LIKE_PRINTF(4);
void report_none(const char *key, const char *label, const char *note, ...)
	REPORT_LIKE_PRINTF(3);

/* A duration for people, "1.6 us"; into buf, which it returns. */
enum { REPORT_DURATION = 32 };
const char *report_duration(char buf[REPORT_DURATION], int64_t ns);

/* Print all of it. false: stdout takes no more. */
bool report_print(bool json);

#endif
