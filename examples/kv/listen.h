/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.h - sockets to accept clients from.
 */
#ifndef EXAMPLES_KV_LISTEN_H
#define EXAMPLES_KV_LISTEN_H

/* On 127.0.0.1; 0 finds a free port. Sets *port. Returns the descriptor, or a
 * negative error number. */
int kv_listen_tcp(long *port);

/* A socket file. One that nobody listens at any more is replaced. */
int kv_listen_unix(const char *path);

#endif
