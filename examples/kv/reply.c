/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c - answers in RESP2.
 *
 * Numbers are written by hand: printf() would be a third of what a small
 * command costs.
 */
#include "examples/kv/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t kv_int_text(char text[KV_INT_TEXT], int64_t n)
{
	uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	char digits[KV_INT_TEXT];
	size_t at = sizeof(digits), minus = n < 0;

	do {
		digits[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	text[0] = '-';
	memcpy(text + minus, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at + minus;
}

/* "<kind><n>\r\n" */
static void put_head(struct kv_buf *b, char kind, int64_t n)
{
	char line[KV_INT_TEXT + 3];
	size_t size;

	line[0] = kind;
	size = 1 + kv_int_text(line + 1, n);
	line[size++] = '\r';
	line[size++] = '\n';
	kv_buf_put(b, line, size);
}

void kv_reply_simple(struct kv_buf *b, const char *text)
{
	kv_buf_put(b, "+", 1);
	kv_buf_put(b, text, strlen(text));
	kv_buf_put(b, "\r\n", 2);
}

void kv_reply_error(struct kv_buf *b, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\r' || *c == '\n')
			*c = ' ';
	kv_buf_put(b, "-", 1);
	kv_buf_put(b, text, strlen(text));
	kv_buf_put(b, "\r\n", 2);
}

void kv_reply_int(struct kv_buf *b, int64_t n)
{
	put_head(b, ':', n);
}

void kv_reply_bulk(struct kv_buf *b, const void *p, size_t n)
{
	put_head(b, '$', (int64_t)n);
	kv_buf_put(b, p, n);
	kv_buf_put(b, "\r\n", 2);
}

void kv_reply_text(struct kv_buf *b, const char *text)
{
	kv_reply_bulk(b, text, strlen(text));
}

void kv_reply_nil(struct kv_buf *b)
{
	kv_buf_put(b, "$-1\r\n", 5);
}

void kv_reply_nil_array(struct kv_buf *b)
{
	kv_buf_put(b, "*-1\r\n", 5);
}

void kv_reply_array(struct kv_buf *b, size_t n)
{
	put_head(b, '*', (int64_t)n);
}

void kv_reply_words(struct kv_buf *b, int argc, const struct kv_arg *argv)
{
	kv_reply_array(b, (size_t)argc);
	for (int i = 0; i < argc; i++)
		kv_reply_bulk(b, argv[i].p, argv[i].n);
}

bool kv_arg_int(const struct kv_arg *a, int64_t *n)
{
	bool minus = a->n > 0 && a->p[0] == '-';
	uint64_t u = 0, most = (uint64_t)INT64_MAX + minus;

	if (a->n == (size_t)minus || a->n > 20)
		return false;
	if (a->p[minus] == '0' && (a->n > 1 || minus))
		return false;
	for (size_t i = minus; i < a->n; i++) {
		unsigned int digit = (unsigned char)a->p[i] - '0';

		if (digit > 9 || u > (most - digit) / 10)
			return false;
		u = u * 10 + digit;
	}
	*n = (int64_t)(minus ? 0 - u : u);
	return true;
}

bool kv_arg_is(const struct kv_arg *a, const char *word)
{
	for (size_t i = 0; i < a->n; i++) {
		char c = a->p[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != word[i] || c == '\0')
			return false;
	}
	return word[a->n] == '\0';
}
