/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.c - fields to text.
 *
 * Text is written in pieces that make sense only whole: an escape, a character
 * of UTF-8. The first piece that does not fit ends the line, and room is kept
 * for an end that leaves it in order.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <wend/std/time.h>

#include "stdlib/log/line.h"

/* The longest end: a quote, and what says that the line was cut. */
#define CUT "\" cut=true\n"

struct line {
	char *buf;
	size_t size; /* without the room for the end */
	size_t len;
	size_t want; /* len, had there been room */
	bool quoted; /* in a value with quotes */
};

static bool is_cut(const struct line *l)
{
	return l->want != l->len;
}

static void put(struct line *l, const char *piece, size_t n)
{
	if (!is_cut(l) && l->size - l->len >= n) {
		memcpy(l->buf + l->len, piece, n);
		l->len += n;
	}
	l->want += n;
}

static void put_text(struct line *l, const char *piece)
{
	put(l, piece, strlen(piece));
}

/* --- what needs quotes --------------------------------------------------- */

/* The length of the character of UTF-8 at the front; 0: that is none, or one
 * that moves a terminal's cursor. Above 127 only. */
static size_t utf8_char(wend_str s)
{
	/* The least that needs this many bytes: less is another way to write
	 * what fewer can. Below U+00A0 there are only controls. */
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	uint32_t c = *p & (0xffu >> (n + 1));

	if (*p < 0xc0 || *p >= 0xf8 || s.len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

/* The length of the printable character at the front, or 0. */
static size_t printable(wend_str s)
{
	unsigned char c = (unsigned char)*s.ptr;

	if (c < 0x80)
		return c >= ' ' && c != 0x7f;
	return utf8_char(s);
}

static bool is_plain(wend_str s)
{
	size_t n;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i += n) {
		n = printable(wend_str_sub(s, i, s.len));
		if (n == 0 || memchr(" =\"\\", s.ptr[i], 4))
			return false;
	}
	return true;
}

/* --- values -------------------------------------------------------------- */

/* One character at the front, escaped if need be; how long it was. */
static size_t put_quoted_char(struct line *l, wend_str s)
{
	static const char escaped[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
	const char *at = *s.ptr ? strchr(escaped, *s.ptr) : NULL;
	char piece[8];
	size_t n;

	if (at) {
		piece[0] = '\\';
		piece[1] = letter[at - escaped];
		put(l, piece, 2);
		return 1;
	}
	n = printable(s);
	if (n) {
		put(l, s.ptr, n);
		return n;
	}
	snprintf(piece, sizeof(piece), "\\x%02x", (unsigned char)*s.ptr);
	put_text(l, piece);
	return 1;
}

static void put_value(struct line *l, wend_str s)
{
	size_t n;

	if (is_plain(s)) {
		for (; s.len; s = wend_str_sub(s, n, s.len)) {
			n = printable(s);
			put(l, s.ptr, n);
		}
		return;
	}
	put_text(l, "\"");
	l->quoted = !is_cut(l);
	while (s.len)
		s = wend_str_sub(s, put_quoted_char(l, s), s.len);
	put_text(l, "\"");
	if (!is_cut(l))
		l->quoted = false;
}

static void put_key(struct line *l, const char *key)
{
	wend_str s = wend_str_from(key);
	size_t n;

	if (s.len == 0)
		put_text(l, "_");
	for (; s.len; s = wend_str_sub(s, n ? n : 1, s.len)) {
		n = printable(s);
		if (n == 0 || memchr(" =\"", *s.ptr, 3))
			put_text(l, "_");
		else
			put(l, s.ptr, n);
	}
}

static void put_time(struct line *l, int64_t time)
{
	char text[WEND_TIME_TEXT];
	wend_time_date d;

	wend_time_utc(time, &d);
	if (wend_time_format(text, sizeof(text), "%FT%T%6f%:Z", &d) > 0)
		put_text(l, text);
}

/* The shorter of the two forms that is read back as the same number. */
static void put_float(struct line *l, double f)
{
	char text[32];

	snprintf(text, sizeof(text), "%.15g", f);
	if (!isnan(f) && strtod(text, NULL) != f)
		snprintf(text, sizeof(text), "%.17g", f);
	put_text(l, text);
}

static void put_field(struct line *l, const wend_log_field *f)
{
	char text[WEND_TIME_DURATION_TEXT];

	put_text(l, " ");
	put_key(l, f->key);
	put_text(l, "=");
	switch (f->kind) {
	case WEND__LOG_TEXT:
		put_value(l, f->value.text);
		return;
	case WEND__LOG_FLOAT:
		put_float(l, f->value.f);
		return;
	case WEND__LOG_TIME:
		put_time(l, f->value.i);
		return;
	case WEND__LOG_BOOL:
		put_text(l, f->value.u ? "true" : "false");
		return;
	case WEND__LOG_DURATION:
		wend_time_format_duration(text, sizeof(text), f->value.i);
		break;
	case WEND__LOG_INT:
		snprintf(text, sizeof(text), "%lld", (long long)f->value.i);
		break;
	case WEND__LOG_UINT:
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)f->value.u);
		break;
	}
	put_text(l, text);
}

/* --- the line ------------------------------------------------------------ */

static void put_end(struct line *l)
{
	const char *end = "\n";

	if (is_cut(l))
		end = l->quoted ? CUT : &CUT[1];
	memcpy(l->buf + l->len, end, strlen(end));
	l->len += strlen(end);
	l->want += sizeof(CUT);
}

size_t wend__log_render(const struct wend__log_entry *e, char *buf, size_t size,
			size_t *len)
{
	static const char names[][8] = { "debug", "info", "warn", "error" };
	struct line l = { .buf = buf, .size = size - sizeof(CUT) };

	if (e->has_time) {
		put_text(&l, "time=");
		put_time(&l, e->time);
		put_text(&l, " ");
	}
	put_text(&l, "level=");
	put_text(&l, names[e->level]);
	put_text(&l, " msg=");
	put_value(&l, e->message);
	for (const wend_log_field *f = e->fields; f && f->key; f++)
		put_field(&l, f);
	put_end(&l);
	*len = l.len;
	return l.want;
}
