/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_load.c - from the file to the keys, when the server starts.
 *
 * A frame that is not whole, with nothing whole behind it, is what a crash
 * leaves of the last write: it was never acknowledged (with fsync=always), and
 * is cut off. With a whole frame behind it, the file is damaged, and what is
 * right is not for a program to guess.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/kv/command.h"
#include "examples/kv/log_file.h"
#include "examples/kv/resp.h"

/* What is wrong with the file, on stderr. */
static int complain(const char *path, int err)
{
	fprintf(stderr, "kv: %s: %s\n", path, strerror(-err));
	return err;
}

int kv_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[KV_PATH_ROOM];
	int fd, err = 0;

	snprintf(folder, sizeof(folder), "%.*s",
		 slash == NULL ? 1 : (int)(slash - path) + 1,
		 slash == NULL ? "." : path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		err = -errno;
	close(fd);
	return err;
}

int kv_log_lock_file(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

/* The head, into an empty file. */
static int write_head(int fd)
{
	struct kv_log_head head = { .magic = KV_LOG_MAGIC,
				    .salt = kv_log.salt };
	struct kv_buf b = { .data = (char *)&head, .size = sizeof(head) };

	return kv_write_at(fd, &b, 0);
}

int kv_log_create(const char *path, int *fd)
{
	int err;

	*fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (*fd < 0)
		return -errno;
	err = kv_log_lock_file(*fd);
	if (err == 0)
		err = write_head(*fd);
	if (err != 0) {
		close(*fd);
		unlink(path);
	}
	return err;
}

static bool run(struct kv_call *c)
{
	c->out->size = 0;
	c->command = kv_command_for(c->out, c->argc, c->argv);
	if (c->command == NULL || !(c->command->flags & KV_WRITES))
		return false;
	c->command->run(c);
	return !c->out->failed && c->out->size > 0 && c->out->data[0] != '-';
}

/* The commands of a frame; false: one is none, or fails. */
static bool replay(char *bytes, size_t size)
{
	struct kv_buf out = { 0 };
	struct kv_call c = { .out = &out, .now = INT64_MIN };
	struct kv_resp r;
	bool good = true;

	kv_resp_init(&r, SIZE_MAX / 2);
	while (good && size > 0) {
		good = kv_resp_parse(&r, bytes, size) == KV_RESP_DONE &&
		       r.argc > 0;
		if (!good)
			break;
		c.argc = r.argc;
		c.argv = r.argv;
		good = run(&c);
		bytes += r.size;
		size -= r.size;
		kv_resp_next(&r);
	}
	if (!good)
		fprintf(stderr, "kv: a command of the log fails: %.*s\n",
			(int)(out.size < 100 ? out.size : 100),
			out.data ? out.data : "");
	kv_resp_free(&r);
	kv_buf_free(&out);
	return good;
}

/* Replay whole frames; how far they go. */
static size_t replay_all(char *data, size_t size, bool *failed)
{
	size_t at = sizeof(struct kv_log_head), n;

	while ((n = kv_frame_whole(data + at, size - at)) > 0) {
		size_t head = sizeof(struct kv_log_frame);

		*failed = !replay(data + at + head, n - head);
		if (*failed)
			break;
		at += n;
	}
	return at;
}

static bool whole_frame_behind(const char *data, size_t size)
{
	for (size_t at = 1; at < size; at++)
		if (kv_frame_whole(data + at, size - at) > 0)
			return true;
	return false;
}

/* A copy of what is going to be cut off. */
static int keep(const char *path, const char *data, size_t size)
{
	char to[KV_PATH_ROOM];
	struct kv_buf b = { .data = (char *)(uintptr_t)data, .size = size };
	int fd, err;

	snprintf(to, sizeof(to), "%s.damaged", path);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain(to, -errno);
	err = kv_write_at(fd, &b, 0);
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	close(fd);
	return err ? complain(to, err) : 0;
}

static int cut(int fd, const char *path, size_t at)
{
	if (ftruncate(fd, (off_t)at) != 0 || fsync(fd) != 0)
		return complain(path, -errno);
	kv_log.size = at;
	return 0;
}

/* What to do about what is behind the last whole frame. */
static int settle(int fd, const char *path, const char *data, size_t size,
		  size_t at, bool failed)
{
	int err;

	if (at == size)
		return 0;
	if (!failed && !whole_frame_behind(data + at, size - at)) {
		fprintf(stderr,
			"kv: %s: the last record is not whole: %zu bytes from "
			"%zu on are cut off\n",
			path, size - at, at);
		return cut(fd, path, at);
	}
	if (!kv_options.repair) {
		fprintf(stderr,
			"kv: %s: damaged at byte %zu of %zu; --repair goes on "
			"with what is before that\n",
			path, at, size);
		return -EBADMSG;
	}
	fprintf(stderr,
		"kv: %s: damaged at byte %zu: the %zu bytes from there on are "
		"moved to %s.damaged\n",
		path, at, size - at, path);
	err = keep(path, data + at, size - at);
	return err ? err : cut(fd, path, at);
}

static int load(int fd, const char *path, size_t size)
{
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
			  0);
	struct kv_log_head head;
	bool failed = false;
	size_t at;
	int err;

	if (data == MAP_FAILED)
		return complain(path, -errno);
	memcpy(&head, data, sizeof(head));
	if (memcmp(head.magic, KV_LOG_MAGIC, sizeof(head.magic)) != 0) {
		fprintf(stderr, "kv: %s: not a log of kv\n", path);
		munmap(data, size);
		return -EBADMSG;
	}
	kv_log.salt = head.salt;
	at = replay_all(data, size, &failed);
	err = settle(fd, path, data, size, at, failed);
	munmap(data, size);
	return err;
}

/* An empty file, or one whose head a crash has cut short. */
static int begin(int fd, const char *path)
{
	char magic[sizeof(struct kv_log_head)];
	ssize_t n = pread(fd, magic, sizeof(magic), 0);
	int err;

	if (n < 0)
		return complain(path, -errno);
	if (memcmp(magic, KV_LOG_MAGIC, n < 8 ? (size_t)n : 8) != 0) {
		fprintf(stderr, "kv: %s: not a log of kv\n", path);
		return -EBADMSG;
	}
	if (getrandom(&kv_log.salt, sizeof(kv_log.salt), 0) < 0)
		return complain(path, -errno);
	err = ftruncate(fd, 0) == 0 ? write_head(fd) : -errno;
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	if (err == 0)
		err = kv_sync_folder(path);
	kv_log.size = sizeof(struct kv_log_head);
	return err ? complain(path, err) : 0;
}

/* Whether path is still what fd was opened as: a server may put a file that it
 * has rewritten in its place. */
static bool is_at(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/*
 * The log, locked; -EWOULDBLOCK: it is another server's. One that was killed may
 * hold it for a moment after its death: the kernel ends then what it had under
 * way in io_uring. So it is tried for two seconds.
 */
static int open_locked(const char *path)
{
	enum { TRIES = 200 };
	int fd, err = -EWOULDBLOCK;

	for (int i = 0; i < TRIES; i++) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		err = kv_log_lock_file(fd);
		if (err == 0 && is_at(fd, path))
			return fd;
		close(fd);
		if (err != 0 && err != -EWOULDBLOCK)
			return err;
		wend_sleep(10 * WEND_MILLISECOND);
	}
	return -EWOULDBLOCK;
}

int kv_log_open(const char *path)
{
	struct stat st;
	int fd, err = 0;

	if (strlen(path) > KV_PATH_ROOM - sizeof(".rewrite"))
		return complain(path, -ENAMETOOLONG);
	fd = open_locked(path);
	if (fd == -EWOULDBLOCK) {
		fprintf(stderr, "kv: %s: in use by another server\n", path);
		return fd;
	}
	if (fd < 0)
		return complain(path, fd);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "kv: %s: not a file\n", path);
		err = -EINVAL;
	} else if ((size_t)st.st_size < sizeof(struct kv_log_head)) {
		err = begin(fd, path);
	} else {
		kv_log.size = (uint64_t)st.st_size;
		err = load(fd, path, (size_t)st.st_size);
	}
	if (err != 0) {
		close(fd);
		return err;
	}
	kv_log.path = path;
	kv_log.fd = fd;
	kv_log.base = kv_log.size;
	kv_log.on = true;
	return 0;
}
