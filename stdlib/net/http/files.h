/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - between files.c, which finds a file, and serve_file.c.
 */
#ifndef STDLIB_NET_HTTP_FILES_H
#define STDLIB_NET_HTTP_FILES_H

#include <sys/stat.h>
#include <wend/std/http_server.h>

struct wend_http_files {
	int root;
	char *index;
	bool symlinks, hidden;
	bool openat2; /* the kernel has it, and lets us */
};

/* name is relative to the root, "" the root itself. A descriptor of whatever
 * is there, with its status; or an error number. */
int wend__http_files_open(const struct wend_http_files *f, const char *name,
			  struct stat *st);

#endif
