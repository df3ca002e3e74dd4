/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resp.c - requests as they arrive.
 *
 * Memory for words grows with the words that are there, not with how many a
 * client announces: "*1000000" costs nothing yet.
 */
#include "examples/kv/resp.h"

#include <stdlib.h>
#include <string.h>

#define FEW_WORDS   8
#define NUMBER_LINE 24 /* bytes: more than any number that is allowed takes */

void kv_resp_init(struct kv_resp *r, size_t limit)
{
	*r = (struct kv_resp){ .limit = limit };
	kv_resp_next(r);
}

void kv_resp_free(struct kv_resp *r)
{
	free(r->argv);
	r->argv = NULL;
	r->room = 0;
}

void kv_resp_next(struct kv_resp *r)
{
	if (r->room > 1024)
		kv_resp_free(r);
	r->argc = 0;
	r->left = r->bulk = -1;
	r->at = r->size = 0;
}

static enum kv_resp_state bad(struct kv_resp *r, const char *why)
{
	r->error = why;
	return KV_RESP_BAD;
}

static bool add_word(struct kv_resp *r, size_t at, size_t size)
{
	if (r->argc == r->room) {
		int room = r->room ? r->room * 2 : FEW_WORDS;
		struct kv_arg *argv = realloc(r->argv,
					      (size_t)room * sizeof(*argv));

		if (argv == NULL)
			return false;
		r->argv = argv;
		r->room = room;
	}
	r->argv[r->argc++] = (struct kv_arg){ (const char *)at, size };
	return true;
}

static enum kv_resp_state done(struct kv_resp *r, const char *data)
{
	for (int i = 0; i < r->argc; i++)
		r->argv[i].p = data + (size_t)r->argv[i].p;
	r->size = r->at;
	return KV_RESP_DONE;
}

/*
 * A line with a number, behind the byte at r->at that says of what. On
 * success r->at is behind the line.
 */
static enum kv_resp_state number(struct kv_resp *r, const char *data,
				 size_t size, long *n)
{
	size_t i = r->at + 1, end = r->at + NUMBER_LINE;
	bool minus = i < size && data[i] == '-';
	size_t first = i += minus;

	for (*n = 0; i < size && i < end; i++) {
		if (data[i] < '0' || data[i] > '9')
			break;
		if (*n < INT32_MAX)
			*n = *n * 10 + (data[i] - '0');
	}
	if (i < size && (data[i] != '\r' || i == first))
		return bad(r, "invalid number");
	if (i + 1 >= size)
		return KV_RESP_MORE;
	if (data[i + 1] != '\n')
		return bad(r, "invalid number");
	if (minus)
		*n = -*n;
	r->at = i + 2;
	return KV_RESP_DONE;
}

/* One word: "$SIZE\r\n", then SIZE bytes and "\r\n". */
static enum kv_resp_state word(struct kv_resp *r, const char *data, size_t size)
{
	enum kv_resp_state state;
	size_t end;

	if (r->bulk < 0) {
		long n;

		if (r->at == size)
			return KV_RESP_MORE;
		if (data[r->at] != '$')
			return bad(r, "expected '$'");
		state = number(r, data, size, &n);
		if (state != KV_RESP_DONE)
			return state;
		if (n < 0)
			return bad(r, "invalid bulk length");
		if ((size_t)n > r->limit || r->at + (size_t)n + 2 > r->limit)
			return bad(r, "request too large");
		r->bulk = n;
	}
	end = r->at + (size_t)r->bulk;
	if (size < end + 2)
		return KV_RESP_MORE;
	if (data[end] != '\r' || data[end + 1] != '\n')
		return bad(r, "a string does not end where it should");
	if (!add_word(r, r->at, (size_t)r->bulk))
		return bad(r, "out of memory");
	r->at = end + 2;
	r->bulk = -1;
	r->left--;
	return KV_RESP_DONE;
}

static enum kv_resp_state array(struct kv_resp *r, const char *data,
				size_t size)
{
	enum kv_resp_state state;

	if (r->left < 0) {
		state = number(r, data, size, &r->left);
		if (state != KV_RESP_DONE) {
			r->left = -1;
			return state;
		}
		if (r->left > KV_MAX_WORDS)
			return bad(r, "invalid multibulk length");
		if (r->left < 0)
			r->left = 0; /* a null array asks for nothing */
	}
	while (r->left > 0) {
		state = word(r, data, size);
		if (state != KV_RESP_DONE)
			return state;
	}
	return done(r, data);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash in double quotes; *i moves on to its end. */
static char escaped(const char *line, size_t *i, size_t end)
{
	char c = line[*i];

	if (c == 'x' && end - *i > 2 && hex(line[*i + 1]) >= 0 &&
	    hex(line[*i + 2]) >= 0) {
		*i += 2;
		return (char)(hex(line[*i - 1]) * 16 + hex(line[*i]));
	}
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'a':
		return '\a';
	case 'b':
		return '\b';
	default:
		return c;
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/*
 * One word of a line, from *i on; its text is written over it, as it never
 * gets longer. false: quotes that do not match.
 */
static bool unquote(char *line, size_t *i, size_t end, size_t *size)
{
	char *out = line + *i, quote = '\0';
	char *start = out;

	for (; *i < end && (quote || !is_space(line[*i])); (*i)++) {
		char c = line[*i];

		if (quote == '"' && c == '\\' && *i + 1 < end) {
			(*i)++;
			*out++ = escaped(line, i, end);
		} else if (quote == '\'' && c == '\\' && *i + 1 < end &&
			   line[*i + 1] == '\'') {
			*out++ = line[++*i];
		} else if (quote == '\0' && (c == '"' || c == '\'')) {
			quote = c;
		} else if (quote != '\0' && c == quote) {
			quote = '\0';
			/* "a"b is an error, not a word of two parts. */
			if (*i + 1 < end && !is_space(line[*i + 1]))
				return false;
		} else {
			*out++ = c;
		}
	}
	*size = (size_t)(out - start);
	return quote == '\0';
}

static enum kv_resp_state line(struct kv_resp *r, char *data, size_t size)
{
	char *newline = memchr(data + r->at, '\n', size - r->at);
	size_t end, i = 0;

	if (newline == NULL) {
		r->at = size;
		if (size > KV_MAX_LINE || size > r->limit)
			return bad(r, "too big inline request");
		return KV_RESP_MORE;
	}
	end = (size_t)(newline - data);
	if (end > KV_MAX_LINE || end > r->limit)
		return bad(r, "too big inline request");
	while (i < end) {
		size_t start = i, n;

		if (is_space(data[i])) {
			i++;
			continue;
		}
		if (!unquote(data, &i, end, &n))
			return bad(r, "unbalanced quotes in request");
		if (!add_word(r, start, n))
			return bad(r, "out of memory");
	}
	r->at = end + 1;
	return done(r, data);
}

enum kv_resp_state kv_resp_parse(struct kv_resp *r, char *data, size_t size)
{
	if (size == 0)
		return KV_RESP_MORE;
	return data[0] == '*' ? array(r, data, size) : line(r, data, size);
}
