/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd.h - the parts of httpd.
 *
 *	httpd.c        options, start and stop
 *	httpd_pages.c  what the server says
 *	httpd_notes.c  a small JSON API: notes, kept in memory
 *	load.c         other tasks of the same process that keep it busy
 *
 * The protocol is the library's: <wend/std/http_server.h>.
 */
#ifndef EXAMPLES_HTTPD_H
#define EXAMPLES_HTTPD_H

#include <wend/short.h>
#include <wend/std/context.h>
#include <wend/std/http_server.h>
#include <wend/std/tls.h>
#include "examples/load.h"

struct httpd {
	int64_t started;
	wend_ctx *told; /* ends when the server is to stop */
	wend_http_server *server;
	wend_http_router *router;
	wend_http_files *files; /* of --root; NULL: none */
	wend_tls_config *tls;   /* of --cert; NULL: none */
	struct notes *notes;
	struct load *load;
};

/* Fill the router: 0 or an error. */
int httpd_pages(wend_http_router *router, struct httpd *h);
int httpd_notes(wend_http_router *router, struct notes *notes);

/* NULL: no memory. */
struct notes *notes_new(void);
void notes_free(struct notes *n);

#endif
