/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resp.h - requests as they arrive: RESP2 arrays of strings, or a line.
 *
 *	*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n	or	ECHO hi\r\n
 *
 * The parser keeps where it is, so a request that comes in pieces is looked
 * at once. It holds no bytes: the caller keeps them, may move them between
 * calls, and drops them when the request is done.
 */
#ifndef EXAMPLES_KV_RESP_H
#define EXAMPLES_KV_RESP_H

#include "examples/kv/kv.h"

#define KV_MAX_LINE  (64 * 1024)     /* bytes of an inline request */
#define KV_MAX_WORDS (1024L * 1024L) /* words of a request */

struct kv_resp {
	size_t limit; /* bytes of a request; set by kv_resp_init() */

	/* The request: valid when it is done, while the bytes stay put. */
	int argc;
	struct kv_arg *argv;
	size_t size; /* bytes that it takes */

	/* Private. Until the request is done, argv[].p is an offset. */
	int room;
	long left; /* words to come; -1: its first line has not been read */
	long bulk; /* bytes of the next word; -1: not known */
	size_t at;
	const char *error;
};

enum kv_resp_state {
	KV_RESP_BAD = -1, /* r->error says why; hang up */
	KV_RESP_MORE = 0, /* call again with more bytes */
	KV_RESP_DONE = 1, /* argc may be 0: an empty line */
};

void kv_resp_init(struct kv_resp *r, size_t limit);
void kv_resp_free(struct kv_resp *r);

/*
 * kv_resp_parse - go on with a request.
 *
 *   data, size  all bytes from the start of the request on; those that were
 *               there at the last call unchanged. Inline words with quotes
 *               are written back without them.
 */
enum kv_resp_state kv_resp_parse(struct kv_resp *r, char *data, size_t size);

/* Ready for the next request, whose first byte was data[r->size]. */
void kv_resp_next(struct kv_resp *r);

#endif
