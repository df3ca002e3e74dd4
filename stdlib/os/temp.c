/* SPDX-License-Identifier: Apache-2.0 */
/*
 * temp.c - files and directories with names of their own.
 *
 * mkstemp() would do but for the mode: what wend_os_write_file() writes is to
 * have the mode that open() gives it, umask and all, from the beginning.
 */
#define _GNU_SOURCE
#include "stdlib/os/temp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <wend/errno.h>
#include <wend/std/os.h>

enum { LETTERS = 12, TRIES = 100 };

/* Somebody who may write into the directory must not guess them: else he could
 * have all names taken. 0, or a negative error number. */
static int put_letters(char *at)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char random[LETTERS];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	for (int i = 0; i < LETTERS; i++)
		at[i] = letters[random[i] % 32];
	return 0;
}

/* Room for the letters at the end; NULL: no memory. */
static char *new_path(const char *dir, const char *prefix)
{
	size_t n = strlen(dir) + strlen(prefix) + LETTERS + 2;
	char *path = calloc(1, n);

	if (path)
		snprintf(path, n, "%s%s%s", dir,
			 *dir && dir[strlen(dir) - 1] != '/' ? "/" : "",
			 prefix);
	return path;
}

static int make_file(const char *path, mode_t mode)
{
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

static int make_dir(const char *path, mode_t mode)
{
	return mkdir(path, mode);
}

static int make(const char *dir, const char *prefix, mode_t mode,
		int (*with)(const char *path, mode_t mode), char **path)
{
	char *name = new_path(dir, prefix), *letters;
	int r = -EEXIST;

	if (!name)
		return -ENOMEM;
	letters = name + strlen(name);
	for (int i = 0; i < TRIES && r == -EEXIST; i++) {
		r = put_letters(letters);
		if (r)
			break;
		r = with(name, mode);
		if (r < 0)
			r = -errno;
	}
	if (r < 0)
		free(name);
	else
		*path = name;
	return r;
}

int wend__temp_file(const char *dir, const char *prefix, mode_t mode,
		    char **path)
{
	return make(dir, prefix, mode, make_file, path);
}

static int make_in(const char *dir, const char *prefix, mode_t mode,
		   int (*with)(const char *path, mode_t mode), char **path)
{
	char *tmpdir = NULL;
	int r;

	if (!dir) {
		r = wend_os_env_get("TMPDIR", &tmpdir);
		if (r && r != -ENOENT)
			return r;
		dir = tmpdir && *tmpdir ? tmpdir : "/tmp";
	}
	r = make(dir, prefix, mode, with, path);
	free(tmpdir);
	return r;
}

int wend_os_temp_file(const char *dir, const char *prefix, char **path)
{
	return make_in(dir, prefix, 0600, make_file, path);
}

int wend_os_temp_dir(const char *dir, const char *prefix, char **path)
{
	return make_in(dir, prefix, 0700, make_dir, path);
}
