/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - static files: from a path to an open file that lies below the root.
 *
 * Nothing depends on the text of the path alone: the kernel resolves it, held
 * to the root (openat2(), RESOLVE_BENEATH). Where that call is missing each
 * part is opened below the one before, without following links.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "stdlib/net/http/exchange.h"
#include "stdlib/net/http/files.h"

/* A fifo must not hold the open up; a file does not care. */
#define FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int try_openat2(int root, const char *name, bool symlinks)
{
	struct open_how how = {
		.flags = FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   (symlinks ? 0 : RESOLVE_NO_SYMLINKS),
	};
	int fd, tries = 8;

	/* EAGAIN: somebody renames a directory on the way meanwhile. */
	do
		fd = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
	return fd < 0 ? -errno : fd;
}

int wend_http_files_new(const wend_http_files_opts *o, wend_http_files **files)
{
	struct wend_http_files *f = calloc(1, sizeof(*f));
	int fd, err;

	if (f == NULL)
		return -ENOMEM;
	f->root = open(o->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = f->root < 0 ? -errno : 0;
	f->index = strdup(o->index != NULL ? o->index : "index.html");
	if (err == 0 && f->index == NULL)
		err = -ENOMEM;
	if (err == 0) {
		fd = try_openat2(f->root, ".", o->symlinks);
		if (fd >= 0)
			close(fd);
		/* A filter that does not know the call may say EPERM. */
		f->openat2 = fd >= 0 || (fd != -ENOSYS && fd != -EPERM);
		if (o->symlinks && !f->openat2)
			err = -ENOSYS;
	}
	f->symlinks = o->symlinks;
	f->hidden = o->hidden;
	if (err != 0) {
		wend_http_files_free(f);
		return err;
	}
	*files = f;
	return 0;
}

void wend_http_files_free(wend_http_files *f)
{
	if (f == NULL)
		return;
	if (f->root >= 0)
		close(f->root);
	free(f->index);
	free(f);
}

/* Whether a name may be looked up at all: no "..", nothing hidden, no empty
 * parts. "a/" is fine. */
static bool is_plain(const struct wend_http_files *f, const char *name)
{
	if (name[0] == '\0')
		return true;
	for (;;) {
		size_t n = strcspn(name, "/");

		if (n == 0 || n > NAME_MAX || (n == 1 && name[0] == '.') ||
		    (n == 2 && memcmp(name, "..", 2) == 0) ||
		    (name[0] == '.' && !f->hidden))
			return false;
		if (name[n] == '\0' || name[n + 1] == '\0')
			return true;
		name += n + 1;
	}
}

static int open_by_parts(int root, const char *name)
{
	int at = root, fd;

	for (;;) {
		size_t n = strcspn(name, "/");
		bool last = name[n] == '\0' || name[n + 1] == '\0';
		char part[NAME_MAX + 1];

		memcpy(part, n > 0 ? name : ".", n > 0 ? n : 1);
		part[n > 0 ? n : 1] = '\0';
		fd = openat(at, part,
			    last ? FLAGS | O_NOFOLLOW :
				   O_PATH | O_DIRECTORY | O_NOFOLLOW |
					    O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		if (at != root)
			close(at);
		if (fd < 0 || last)
			return fd;
		at = fd;
		name += n + 1;
	}
}

int wend__http_files_open(const struct wend_http_files *f, const char *name,
			  struct stat *st)
{
	int fd, err;

	if (strlen(name) >= PATH_MAX || !is_plain(f, name))
		return -ENOENT;
	if (f->openat2)
		fd = try_openat2(f->root, name[0] != '\0' ? name : ".",
				 f->symlinks);
	else
		fd = open_by_parts(f->root, name);
	if (fd < 0)
		return fd;
	if (fstat(fd, st) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
