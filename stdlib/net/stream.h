/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - a connection on a stream socket: for conn.c, which has its life, and
 * sendfile.c.
 */
#ifndef WEND_STD_NET_STREAM_H
#define WEND_STD_NET_STREAM_H

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>

#include "stdlib/net/socket.h"

struct wend__net_stream {
	wend_conn conn;
	wend_call_limit rd, wr;
	_Atomic bool closed; /* set before either limit ends */
	int fd;
	wend_mutex lock; /* of the texts */
	char *local, *remote;
	/* From accept(): a peer that is gone cannot be asked for it. */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer;
};

/* Whether a call may go on whose limit is l: 0, or -errno. Who has heard of the
 * close by one limit finds the other direction closed, too. */
static inline int wend__net_check(struct wend__net_stream *s,
				  wend_call_limit *l)
{
	return atomic_load_explicit(&s->closed, memory_order_acquire) ?
		       -ECANCELED :
		       wend_call_limit_check(l);
}

/* NULL: c is something else. */
struct wend__net_stream *wend__net_stream(wend_conn *c);

#endif
