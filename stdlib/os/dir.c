/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir.c - making, removing and listing directories.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wend/errno.h>
#include <wend/std/os.h>

/* --- making ------------------------------------------------------------------------- */

/* 0 also if there is a directory already. */
static int make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int wend_os_mkdir_all(const char *path, mode_t mode)
{
	char *copy = strdup(path), *slash;
	int r;

	if (!copy)
		return -ENOMEM;
	slash = copy + (*copy == '/'); /* the root is there */
	/* From the far end it would be fewer calls, as most of it is there; but
	 * this has no case that needs to go back. */
	for (; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		r = make_one(copy, mode);
		*slash = '/';
		if (r)
			goto out;
	}
	r = make_one(copy, mode);
out:
	free(copy);
	return r;
}

/* --- removing ----------------------------------------------------------------------- */

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int remove_in(int dir, const char *name);

/* All that is in the directory fd, which is closed. */
static int empty_dir(int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int first = 0, r;

	if (!d) {
		first = -errno;
		close(fd);
		return first;
	}
	while ((errno = 0, e = readdir(d))) {
		if (is_dot(e->d_name))
			continue;
		r = remove_in(fd, e->d_name);
		if (r && !first)
			first = r;
	}
	if (errno && !first)
		first = -errno;
	closedir(d);
	return first;
}

/*
 * First as a file, which most things are. A directory is refused with EISDIR,
 * or EPERM as POSIX has it; one that was put in place of a file since is opened
 * only if it is none of a symbolic link.
 */
static int remove_in(int dir, const char *name)
{
	int fd, r;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	r = -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		/* A file that must not be removed is no directory. */
		if (errno == ENOTDIR || errno == ELOOP)
			return r;
		r = errno == ENOENT ? 0 : -errno;
		/* One that must not be read may be empty. */
		if (r && unlinkat(dir, name, AT_REMOVEDIR) == 0)
			r = 0;
		return r;
	}
	r = empty_dir(fd);
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return r ? r : -errno;
}

int wend_os_remove_all(const char *path)
{
	return remove_in(AT_FDCWD, path);
}

/* --- listing ------------------------------------------------------------------------ */

/* Entries as they come: the names in one buffer, by their offsets in it. */
struct found {
	struct item {
		size_t name;
		unsigned char type;
	} * items;
	size_t count, items_room;
	char *names;
	size_t names_size, names_room;
};

static int reserve(void **p, size_t *room, size_t want, size_t unit)
{
	size_t n = *room ? *room : 64;
	void *more;

	if (want <= *room)
		return 0;
	while (n < want)
		n *= 2;
	more = realloc(*p, n * unit);
	if (!more)
		return -ENOMEM;
	*p = more;
	*room = n;
	return 0;
}

static int add(struct found *f, const struct dirent *e)
{
	size_t n = strlen(e->d_name) + 1;

	if (reserve((void **)&f->items, &f->items_room, f->count + 1,
		    sizeof(*f->items)) ||
	    reserve((void **)&f->names, &f->names_room, f->names_size + n, 1))
		return -ENOMEM;
	f->items[f->count++] = (struct item){ f->names_size, e->d_type };
	memcpy(f->names + f->names_size, e->d_name, n);
	f->names_size += n;
	return 0;
}

static int find_all(const char *path, struct found *f)
{
	int fd = wend_os_open(path, O_RDONLY | O_DIRECTORY, 0);
	struct dirent *e;
	int r = 0;
	DIR *d;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, e = readdir(d)))
		if (!is_dot(e->d_name))
			r = add(f, e);
	if (r == 0)
		r = -errno;
	closedir(d);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wend_os_entry *)a)->name,
		      ((const struct wend_os_entry *)b)->name);
}

/* Entries and names in one piece. */
static struct wend_os_entry *in_one(const struct found *f)
{
	size_t head = f->count * sizeof(struct wend_os_entry);
	struct wend_os_entry *list = malloc(head + f->names_size + 1);
	char *names = (char *)list + head;

	if (!list)
		return NULL;
	if (f->names_size)
		memcpy(names, f->names, f->names_size);
	for (size_t i = 0; i < f->count; i++)
		list[i] = (struct wend_os_entry){ names + f->items[i].name,
						  f->items[i].type };
	qsort(list, f->count, sizeof(*list), by_name);
	return list;
}

ssize_t wend_os_read_dir(const char *path, struct wend_os_entry **list)
{
	struct found f = { 0 };
	struct wend_os_entry *all;
	ssize_t r = find_all(path, &f);

	if (r == 0) {
		all = in_one(&f);
		r = all ? (ssize_t)f.count : -ENOMEM;
		if (all)
			*list = all;
	}
	free(f.items);
	free(f.names);
	return r;
}
