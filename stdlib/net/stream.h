/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - a connection on a stream socket: for conn.c, which has its life, and
 * sendfile.c.
 */
#ifndef WEND_STD_NET_STREAM_H
#define WEND_STD_NET_STREAM_H

#include <netinet/in.h>
#include <stddef.h>

#include "stdlib/net/socket.h"

struct wend__net_stream {
	wend_conn conn;
	wend_call_limit rd, wr;
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

/* NULL: c is something else. */
struct wend__net_stream *wend__net_stream(wend_conn *c);

#endif
