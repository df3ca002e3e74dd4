/* SPDX-License-Identifier: Apache-2.0 */
/*
 * others.c - calls that calls.tab cannot describe in a line: they have a
 * variable number of arguments, or what tells whether they wait is elsewhere.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <wend/errno.h>

#include "compiler-rt/syscall.h"
#include "runtime/block/announce.h"
#include "runtime/block/park.h"

/* --- opening ------------------------------------------------------------------------------- */

/* Opening waits for the other end of a FIFO, or for a slow file system. The
 * mode is there only with O_CREAT or O_TMPFILE; passing it on is harmless. */
static bool has_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static int plain_open(const char *path, int flags, mode_t mode)
{
	long r = wend__syscall6(SYS_openat, AT_FDCWD, (long)path, flags,
				(long)mode, 0, 0);

	if (r >= 0)
		return (int)r;
	errno = (int)-r;
	return -1;
}

/* The call itself; next is looked up here, not where a sanitizer calls. */
static int announced_open(const char *path, int flags, mode_t mode)
{
	int r;
	BLOCK_NEXT(open)

	if (!wend__block_in_task())
		return next(path, flags, mode);
	wend_block_begin();
	r = next(path, flags, mode);
	wend_block_end();
	return r;
}

BLOCK_EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = has_mode(flags) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (wend__block_by_sanitizer(__builtin_return_address(0)))
		return plain_open(path, flags, mode);
	return announced_open(path, flags, mode);
}

BLOCK_EXPORT int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;
	int r;
	BLOCK_NEXT(openat)

	va_start(args, flags);
	mode = has_mode(flags) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (!wend__block_in_task())
		return next(dir, path, flags, mode);
	wend_block_begin();
	r = next(dir, path, flags, mode);
	wend_block_end();
	return r;
}

/* On 64-bit machines the same functions under other names. */
BLOCK_EXPORT int open64(const char *path, int flags, ...)
	__attribute__((alias("open")));
BLOCK_EXPORT int openat64(int dir, const char *path, int flags, ...)
	__attribute__((alias("openat")));
extern int __open(const char *path, int flags, ...);
BLOCK_EXPORT int __open(const char *path, int flags, ...)
	__attribute__((nonnull(1), alias("open")));
extern int __open64(const char *path, int flags, ...);
BLOCK_EXPORT int __open64(const char *path, int flags, ...)
	__attribute__((nonnull(1), alias("open")));

/* What _FORTIFY_SOURCE makes of them; the C library's ends the program if the
 * mode is missing. */
extern int __open_2(const char *path, int flags);
BLOCK_EXPORT int __open_2(const char *path, int flags)
{
	BLOCK_NEXT(__open_2)

	return has_mode(flags) ? next(path, flags) : open(path, flags);
}

extern int __openat_2(int dir, const char *path, int flags);
BLOCK_EXPORT int __openat_2(int dir, const char *path, int flags)
{
	BLOCK_NEXT(__openat_2)

	return has_mode(flags) ? next(dir, path, flags) :
				 openat(dir, path, flags);
}

extern int __open64_2(const char *path, int flags);
BLOCK_EXPORT int __open64_2(const char *path, int flags)
	__attribute__((alias("__open_2")));
extern int __openat64_2(int dir, const char *path, int flags);
BLOCK_EXPORT int __openat64_2(int dir, const char *path, int flags)
	__attribute__((alias("__openat_2")));

/* --- descriptors and locks ----------------------------------------------------------------- */

/* Only the locking commands wait. Their argument, as any of fcntl()'s, is one
 * word. */
BLOCK_EXPORT int fcntl(int fd, int command, ...)
{
	bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
	va_list args;
	void *arg;
	int r;
	BLOCK_NEXT(fcntl)

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	if (!waits || !wend__block_in_task()) {
		r = next(fd, command, arg);
		if (command == F_SETFL && ((intptr_t)arg & O_NONBLOCK))
			wend__block_flags_changed();
		return r;
	}
	wend_block_begin();
	r = next(fd, command, arg);
	wend_block_end();
	return r;
}

BLOCK_EXPORT int fcntl64(int fd, int command, ...)
	__attribute__((alias("fcntl")));

extern int __fcntl(int fd, int command, ...);
BLOCK_EXPORT int __fcntl(int fd, int command, ...)
	__attribute__((alias("fcntl")));

/* Only a socket that is to linger waits, until what was sent is taken. */
static bool lingers(int fd)
{
	struct linger l = { 0 };
	socklen_t size = sizeof(l);
	int err = errno;
	bool known = getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size) == 0;

	errno = err;
	return known && l.l_onoff && l.l_linger > 0;
}

struct closing {
	int fd, result, err;
};

static void *close_in_thread(void *arg)
{
	struct closing *c = arg;

	c->result = NEXT(close)(c->fd);
	c->err = errno;
	return NULL;
}

/* Any interruption ends the lingering, and a descriptor cannot be closed again
 * (see wend__block_again()). So that is for a thread with nothing in flight. */
static int lingering_close(int fd)
{
	struct closing c = { fd, 0, 0 };
	pthread_t thread;

	if (!wend__block_disturbed() ||
	    pthread_create(&thread, NULL, close_in_thread, &c))
		return NEXT(close)(fd);
	(void)pthread_join(thread, NULL);
	if (c.result)
		errno = c.err;
	return c.result;
}

BLOCK_EXPORT int close(int fd)
{
	uint8_t hints = block_hints(fd);
	int r;
	BLOCK_NEXT(close)

	/* Before: another thread may have the number in the next moment. */
	wend__block_set_hints(fd, 0);
	if (!wend__block_in_task() || (hints && !(hints & BLOCK_SOCKET)) ||
	    !lingers(fd))
		return next(fd);
	wend_block_begin();
	r = lingering_close(fd);
	wend_block_end();
	return r;
}

/* The lock that the program takes. The one inside each call of stdio's is the
 * C library's own affair. */
BLOCK_EXPORT void flockfile(FILE *file)
{
	BLOCK_NEXT(flockfile)

	if (!wend__block_in_task()) {
		next(file);
		return;
	}
	if (ftrylockfile(file) == 0)
		return; /* counted there */
	wend_block_begin();
	next(file);
	wend_block_end();
	block_held(1);
}

BLOCK_EXPORT void funlockfile(FILE *file)
{
	BLOCK_NEXT(funlockfile)

	next(file);
	block_held(-1);
}

/* --- system calls by number ---------------------------------------------------------------- */

static bool futex_waits(long op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
		return true;
	}
	return false;
}

/* What is built on futexes without libpthread waits in this way. Other numbers
 * are left alone: mostly they are calls that do not wait, made for speed. */
BLOCK_EXPORT long syscall(long number, ...)
{
	long a, b, c, d, e, f, r;
	va_list args;
	BLOCK_NEXT(syscall)

	va_start(args, number);
	a = va_arg(args, long);
	b = va_arg(args, long);
	c = va_arg(args, long);
	d = va_arg(args, long);
	e = va_arg(args, long);
	f = va_arg(args, long);
	va_end(args);
	if (number != SYS_futex || !futex_waits(b) || !wend__block_in_task())
		return next(number, a, b, c, d, e, f);
	wend_block_begin();
	r = next(number, a, b, c, d, e, f);
	wend_block_end();
	return r;
}
