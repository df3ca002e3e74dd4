/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - answers in RESP2, put into a buffer.
 */
#ifndef EXAMPLES_KV_REPLY_H
#define EXAMPLES_KV_REPLY_H

#include "examples/kv/buf.h"
#include "examples/kv/kv.h"

#define KV_WRONG_TYPE                                                          \
	"WRONGTYPE Operation against a key holding the wrong kind of value"
#define KV_NO_MEMORY "OOM no memory for this"

/* Text of one line: "+OK". */
void kv_reply_simple(struct kv_buf *b, const char *text);

/* "-CODE what is wrong", as by printf(); bytes that would end the line are
 * replaced, and it is cut at 256. */
void kv_reply_error(struct kv_buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void kv_reply_int(struct kv_buf *b, int64_t n);
void kv_reply_bulk(struct kv_buf *b, const void *p, size_t n);
void kv_reply_text(struct kv_buf *b, const char *text); /* as bulk */
void kv_reply_nil(struct kv_buf *b);
void kv_reply_nil_array(struct kv_buf *b);

/* An array of n; the n answers follow. */
void kv_reply_array(struct kv_buf *b, size_t n);

/* The same for a request: used for the log, too. */
void kv_reply_words(struct kv_buf *b, int argc, const struct kv_arg *argv);

#define KV_INT_TEXT 24 /* room for any number as text */
/* The decimal text of n; its length. */
size_t kv_int_text(char text[KV_INT_TEXT], int64_t n);

/* Whether all of a is a number; leading zeros and spaces make it none. */
bool kv_arg_int(const struct kv_arg *a, int64_t *n);

/* Whether a is this word, in small or large letters; `word` in small ones. */
bool kv_arg_is(const struct kv_arg *a, const char *word);

#endif
