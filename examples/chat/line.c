/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.c - a line of text, shared by all who are to get it.
 *
 * Made once, and freed by who writes it last.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "examples/chat/chat.h"

struct line *line_new(const char *format, ...)
{
	char text[2 * LINE_SIZE];
	struct line *l;
	va_list args;
	size_t n;

	va_start(args, format);
	n = (size_t)vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	if (n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	l = malloc(sizeof(*l) + n);
	if (l == NULL)
		return NULL;
	atomic_init(&l->refs, 1);
	l->size = n;
	memcpy(l->text, text, n);
	return l;
}

void line_ref(struct line *l)
{
	/* Nothing is read on account of it: the caller has a reference. */
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
}

void line_unref(struct line *l)
{
	/* All that the others did with it comes before the free. */
	if (l != NULL &&
	    atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) == 1)
		free(l);
}
