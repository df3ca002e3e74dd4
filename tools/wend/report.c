/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - keeping facts and printing them.
 *
 * JSON: an object of sections, each an object of values; a number is a count,
 * bytes or, where the key ends in _ns, nanoseconds. null stands for no value,
 * and the note of "key" is "key_note".
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/wend/report.h"

enum { FACTS_MAX = 256, SECTIONS_MAX = 16 };

enum kind { KIND_TEXT, KIND_COUNT, KIND_BYTES, KIND_NS, KIND_NONE };

static struct fact {
	unsigned int section;
	enum kind kind;
	char key[64];
	char label[64];
	char text[256];
	uint64_t number;
	char note[256];
} facts[FACTS_MAX];
static unsigned int fact_count;

static struct section {
	const char *key, *headline;
} sections[SECTIONS_MAX];
static unsigned int section_count;

/* --- gathering ------------------------------------------------------------- */

void report_section(const char *key, const char *headline)
{
	if (section_count < SECTIONS_MAX)
		sections[section_count++] = (struct section){ key, headline };
}

static void add(enum kind kind, const char *key, const char *label,
		const char *text, uint64_t number, const char *note,
		va_list args)
{
	struct fact *f = &facts[fact_count];

	if (fact_count == FACTS_MAX)
		return;
	fact_count++;
	f->section = section_count - 1;
	f->kind = kind;
	f->number = number;
	snprintf(f->key, sizeof(f->key), "%s", key);
	snprintf(f->label, sizeof(f->label), "%s", label);
	snprintf(f->text, sizeof(f->text), "%s", text);
	vsnprintf(f->note, sizeof(f->note), note, args);
}

#define ADD(kind, text, number)                                                \
	do {                                                                   \
		va_list args;                                                  \
                                                                               \
		va_start(args, note);                                          \
		add(kind, key, label, text, number, note, args);               \
		va_end(args);                                                  \
	} while (0)

void report_text(const char *key, const char *label, const char *text,
		 const char *note, ...)
{
	ADD(KIND_TEXT, text, 0);
}

void report_count(const char *key, const char *label, uint64_t count,
		  const char *note, ...)
{
	ADD(KIND_COUNT, "", count);
}

void report_bytes(const char *key, const char *label, uint64_t bytes,
		  const char *note, ...)
{
	ADD(KIND_BYTES, "", bytes);
}

void report_ns(const char *key, const char *label, int64_t ns, const char *note,
	       ...)
{
	ADD(KIND_NS, "", (uint64_t)ns);
}

void report_none(const char *key, const char *label, const char *note, ...)
{
	ADD(KIND_NONE, "", 0);
}

/* --- for people -------------------------------------------------------------- */

static void print_bytes(uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
					     "TiB" };
	unsigned int i = 0;

	while (i < 4 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	printf("%" PRIu64 " %s", bytes, units[i]);
}

const char *report_duration(char buf[REPORT_DURATION], int64_t ns)
{
	if (ns < 1000)
		snprintf(buf, REPORT_DURATION, "%" PRId64 " ns", ns);
	else if (ns < 1000000)
		snprintf(buf, REPORT_DURATION, "%.1f us", (double)ns / 1e3);
	else
		snprintf(buf, REPORT_DURATION, "%.1f ms", (double)ns / 1e6);
	return buf;
}

/* A control character would break the line. */
static void print_plain(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		putchar(c < ' ' || c == 0x7f ? '?' : c);
	}
}

static void print_value(const struct fact *f)
{
	char buf[REPORT_DURATION];

	switch (f->kind) {
	case KIND_TEXT:
		print_plain(f->text);
		break;
	case KIND_COUNT:
		printf("%" PRIu64, f->number);
		break;
	case KIND_BYTES:
		print_bytes(f->number);
		break;
	case KIND_NS:
		fputs(report_duration(buf, (int64_t)f->number), stdout);
		break;
	case KIND_NONE:
		print_plain(f->note);
		return;
	}
	if (f->note[0]) {
		printf(" (");
		print_plain(f->note);
		printf(")");
	}
}

static int label_width(void)
{
	size_t most = 0;

	for (unsigned int i = 0; i < fact_count; i++)
		if (strlen(facts[i].label) > most)
			most = strlen(facts[i].label);
	return (int)most;
}

static void print_lines(unsigned int section, int width)
{
	for (unsigned int i = 0; i < fact_count; i++) {
		if (facts[i].section != section)
			continue;
		printf("  %-*s  ", width, facts[i].label);
		print_value(&facts[i]);
		putchar('\n');
	}
}

static void print_text(void)
{
	int width = label_width();

	for (unsigned int i = 0; i < section_count; i++) {
		printf("%s%s\n", i ? "\n" : "", sections[i].headline);
		print_lines(i, width);
	}
}

/* --- JSON -------------------------------------------------------------------- */

/* The environment may hold any bytes; JSON's text is UTF-8. What is not ASCII
 * is written as the Latin-1 character of that number: no byte gets lost. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_member(const struct fact *f)
{
	printf("\n    ");
	print_string(f->key);
	printf(": ");
	if (f->kind == KIND_TEXT)
		print_string(f->text);
	else if (f->kind == KIND_NONE)
		printf("null");
	else
		printf("%" PRIu64, f->number);
	if (!f->note[0])
		return;
	printf(",\n    \"%s_note\": ", f->key);
	print_string(f->note);
}

static void print_members(unsigned int section)
{
	const char *comma = "";

	for (unsigned int i = 0; i < fact_count; i++) {
		if (facts[i].section != section)
			continue;
		printf("%s", comma);
		print_member(&facts[i]);
		comma = ",";
	}
}

static void print_json(void)
{
	printf("{");
	for (unsigned int i = 0; i < section_count; i++) {
		printf("%s\n  \"%s\": {", i ? "," : "", sections[i].key);
		print_members(i);
		printf("\n  }");
	}
	printf("\n}\n");
}

bool report_print(bool json)
{
	if (json)
		print_json();
	else
		print_text();
	return fflush(stdout) == 0 && !ferror(stdout);
}
