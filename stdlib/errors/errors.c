/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errors.c - chains of errors.
 *
 * An error number's own error is a place in a table: nothing is allocated for
 * it or freed, so there is always one for ENOMEM. Its number is its index, and
 * its text is looked up. All others are allocated, with the text behind them.
 *
 * A reference count is the only thing in an error that changes. Who gives back
 * the last reference must see what the others did with the error before, hence
 * release and acquire; taking one more orders nothing, as the taker has one.
 */
#define _GNU_SOURCE /* strerrordesc_np() */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wend/std/errors.h>

struct wend_error {
	uint32_t refs;
	int code;
	wend_error *cause;
	char text[];
};

/* Linux keeps numbers of errors below 4096; these are all that have a text. */
enum { CODES = 134 };

/* Not struct wend_error: that has no size. Only the addresses count. */
static char table[CODES];

static bool is_of_table(const wend_error *e)
{
	return (uintptr_t)e - (uintptr_t)table < CODES;
}

static unsigned int positive(int code)
{
	return code < 0 ? -(unsigned int)code : (unsigned int)code;
}

const char *wend_error_describe(int code)
{
	unsigned int n = positive(code);
	const char *text = n < CODES ? strerrordesc_np((int)n) : NULL;

	return text ? text : "Unknown error";
}

wend_error *wend_error_from(int code)
{
	unsigned int n = positive(code);

	if (n == 0)
		return NULL;
	if (n < CODES)
		return (wend_error *)(void *)&table[n];
	return wend_errorf(NULL, code, "Unknown error %u", n);
}

/* The error with room for a text of size bytes, the NUL included. */
static wend_error *new_error(wend_error *cause, int code, size_t size)
{
	wend_error *e = malloc(sizeof(*e) + size);

	if (!e)
		return NULL;
	e->refs = 1;
	e->code = code ? (int)positive(code) : wend_error_code(cause);
	e->cause = cause;
	return e;
}

wend_error *wend_verrorf(wend_error *cause, int code, const char *format,
			 va_list args)
{
	const char *below = cause ? wend_error_text(cause) : "";
	size_t below_size = strlen(below) + 1;
	wend_error *e = NULL;
	va_list again;
	int n, m;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	/* A wrong format: the text is the cause's alone. */
	if (n < 0)
		n = 0;
	e = new_error(cause, code, (size_t)n + 2 + below_size);
	if (!e) {
		wend_error_free(cause);
		return wend_error_from(ENOMEM);
	}
	if (n) {
		/* Strings that another task writes may be longer by now. */
		m = vsnprintf(e->text, (size_t)n + 1, format, args);
		if (m < n)
			n = m < 0 ? 0 : m;
	}
	if (n && cause) {
		memcpy(e->text + n, ": ", 2);
		n += 2;
	}
	memcpy(e->text + n, below, below_size);
	return e;
}

wend_error *wend_errorf(wend_error *cause, int code, const char *format, ...)
{
	wend_error *e;
	va_list args;

	va_start(args, format);
	e = wend_verrorf(cause, code, format, args);
	va_end(args);
	return e;
}

wend_error *wend_error_ref(wend_error *e)
{
	if (e && !is_of_table(e))
		__atomic_fetch_add(&e->refs, 1, __ATOMIC_RELAXED);
	return e;
}

void wend_error_free(wend_error *e)
{
	wend_error *cause;

	/* A loop, not a recursion: a chain may be long and a stack small. */
	for (; e && !is_of_table(e); e = cause) {
		cause = e->cause;
		if (__atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL))
			return;
		free(e);
	}
}

int wend_error_code(const wend_error *e)
{
	if (!e)
		return 0;
	return is_of_table(e) ? (int)((uintptr_t)e - (uintptr_t)table) :
				e->code;
}

bool wend_error_is(const wend_error *e, int code)
{
	int n = (int)positive(code);

	for (; e; e = wend_error_cause(e)) {
		if (n && wend_error_code(e) == n)
			return true;
	}
	return false;
}

const wend_error *wend_error_cause(const wend_error *e)
{
	return !e || is_of_table(e) ? NULL : e->cause;
}

const char *wend_error_text(const wend_error *e)
{
	if (!e)
		return "no error";
	return is_of_table(e) ? wend_error_describe(wend_error_code(e)) :
				e->text;
}
