/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c - whole files.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wend/errno.h>
#include <wend/std/os.h>

#include "stdlib/os/temp.h"

enum { FIRST_SIZE = 4096 };

int wend_os_open(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* --- reading ----------------------------------------------------------------------- */

static ssize_t read_some(int fd, char *to, size_t n)
{
	ssize_t r;

	do
		r = read(fd, to, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* One byte more than the file says it has, so that its end is seen without
 * another round; and one for the 0. Pipes and /proc say 0. */
static size_t size_hint(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size < FIRST_SIZE)
		return FIRST_SIZE;
	return (size_t)st.st_size + 2;
}

static int grow(char **buf, size_t *room, size_t want)
{
	char *more = realloc(*buf, want);

	if (!more)
		return -ENOMEM;
	*buf = more;
	*room = want;
	return 0;
}

static int read_all(int fd, size_t limit, char **data, size_t *n)
{
	size_t room = 0, have = 0;
	char *buf = NULL;
	ssize_t got;
	int r;

	r = grow(&buf, &room, size_hint(fd));
	while (r == 0) {
		if (have + 1 == room && (r = grow(&buf, &room, 2 * room)))
			break;
		got = read_some(fd, buf + have, room - have - 1);
		if (got == 0)
			break;
		if (got < 0)
			r = (int)got;
		else if (limit && have + (size_t)got > limit)
			r = -EFBIG;
		else
			have += (size_t)got;
	}
	if (r) {
		free(buf);
		return r;
	}
	buf[have] = 0;
	*data = buf;
	if (n)
		*n = have;
	return 0;
}

int wend_os_read_file(const char *path, size_t limit, char **data, size_t *n)
{
	int fd = wend_os_open(path, O_RDONLY, 0);
	int r;

	if (fd < 0)
		return fd;
	r = read_all(fd, limit, data, n);
	close(fd);
	return r;
}

/* --- replacing --------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, data, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		data += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Written, on the disk, and closed: an error may come as late as that. */
static int fill(int fd, const void *data, size_t n)
{
	int r = write_all(fd, data, n);

	if (r == 0 && fsync(fd))
		r = -errno;
	if (close(fd) && r == 0)
		r = -errno;
	return r;
}

/* The directory part of path: "" for the current one. NULL: no memory. */
static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

static int sync_dir(const char *dir)
{
	int fd = wend_os_open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY, 0);
	int r = 0;

	if (fd < 0)
		return fd;
	/* Some file systems have nothing to sync in a directory. */
	if (fsync(fd) && errno != EINVAL)
		r = -errno;
	close(fd);
	return r;
}

int wend_os_write_file(const char *path, const void *data, size_t n,
		       mode_t mode)
{
	char *dir = dir_of(path), *temp = NULL;
	int r;

	if (!dir)
		return -ENOMEM;
	r = wend__temp_file(dir, ".new-", mode, &temp);
	if (r < 0)
		goto out;
	r = fill(r, data, n);
	if (r == 0 && rename(temp, path))
		r = -errno;
	if (r)
		(void)unlink(temp);
	else
		r = sync_dir(dir);
	free(temp);
out:
	free(dir);
	return r;
}
