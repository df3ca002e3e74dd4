/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park.c - descriptors: what is known of them, and waiting for one.
 *
 * Rejected: asking the kernel at each call what kind of file it is. That is a
 * system call more, and the ring is there to save them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <wend/errno.h>

#include "compiler-rt/syscall.h"
#include "runtime/block/park.h"

uint8_t wend__block_hints[BLOCK_HINTS];

/* One more than the highest descriptor that has had a hint. */
static uint32_t hinted;

void wend__block_set_hints(int fd, uint8_t hints)
{
	uint32_t end;

	if (fd < 0 || fd >= BLOCK_HINTS)
		return;
	/* Before the hint: who goes through all hints sees it. */
	while (hints && (end = a32_load_relaxed(&hinted)) <= (uint32_t)fd)
		(void)a32_cas_full(&hinted, end, (uint32_t)fd + 1);
	a8_store_relaxed(&wend__block_hints[fd], hints);
}

/* Files and disks have a position; what seeks in another way has one, too. */
static uint8_t kind_of(int fd)
{
	struct stat st;
	int err = errno;
	uint8_t kind = 0;

	if (fstat(fd, &st) == 0) {
		kind = BLOCK_STREAM;
		if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ||
		    S_ISDIR(st.st_mode) ||
		    (S_ISCHR(st.st_mode) && lseek(fd, 0, SEEK_CUR) >= 0))
			kind = BLOCK_FILE;
		if (S_ISSOCK(st.st_mode))
			kind |= BLOCK_SOCKET;
		if (S_ISFIFO(st.st_mode))
			kind |= BLOCK_PIPE;
	}
	errno = err;
	return kind;
}

uint8_t wend__block_learn(int fd)
{
	uint8_t kind = kind_of(fd);

	wend__block_set_hints(fd, kind);
	return kind;
}

/* --- O_NONBLOCK ---------------------------------------------------------------------------- */

/* How often descriptors were made O_NONBLOCK. */
static uint32_t changes;

/*
 * [block.nonblock]
 *      looks                            sets O_NONBLOCK
 *      read changes                     F_SETFL
 *      F_GETFL: blocking                changes++ (full)
 *      hint = BLOCKING                  take BLOCKING out of all hints
 *      changes another (full)? take
 *      the hint back
 *
 * Either the looker sees the change, or the hint is there before it is taken
 * out. What another process does to a file that it shares is not seen.
 */
static void hint_blocking(int fd, uint32_t seen)
{
	uint8_t hints = block_hints(fd);

	if (!hints)
		return;
	wend__block_set_hints(fd, hints | BLOCK_BLOCKING);
	fence_full();
	if (a32_load_acquire(&changes) != seen)
		wend__block_set_hints(fd, hints & ~BLOCK_BLOCKING & 255);
}

bool wend__block_nonblocking(int fd)
{
	uint32_t seen = a32_load_acquire(&changes);
	int err = errno, flags;

	if (block_hints(fd) & BLOCK_BLOCKING)
		return false;
	flags = fcntl(fd, F_GETFL);
	errno = err;
	if (flags < 0 || (flags & O_NONBLOCK))
		return true;
	hint_blocking(fd, seen);
	return false;
}

void wend__block_flags_changed(void)
{
	uint32_t end = a32_load_relaxed(&hinted);

	(void)a32_fetch_add_full(&changes, 1);
	for (uint32_t fd = 0; fd < end; fd++) {
		uint8_t hints = a8_load_relaxed(&wend__block_hints[fd]);

		if (hints & BLOCK_BLOCKING)
			a8_store_relaxed(&wend__block_hints[fd],
					 hints & ~BLOCK_BLOCKING & 255);
	}
}

BLOCK_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int r;
	BLOCK_NEXT(ioctl)

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	r = next(fd, request, arg);
	if (request == FIONBIO)
		wend__block_flags_changed();
	return r;
}

/* --- closing ------------------------------------------------------------------------------- */

BLOCK_EXPORT int dup2(int fd, int to)
{
	BLOCK_NEXT(dup2)

	wend__block_set_hints(to, 0);
	return next(fd, to);
}

BLOCK_EXPORT int dup3(int fd, int to, int flags)
{
	BLOCK_NEXT(dup3)

	wend__block_set_hints(to, 0);
	return next(fd, to, flags);
}

BLOCK_EXPORT int fclose(FILE *f)
{
	BLOCK_NEXT(fclose)

	wend__block_set_hints(fileno(f), 0);
	return next(f);
}

BLOCK_EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	BLOCK_NEXT(close_range)

	for (unsigned int fd = first; fd <= last && fd < BLOCK_HINTS; fd++)
		a8_store_relaxed(&wend__block_hints[fd], 0);
	return next(first, last, flags);
}

/* --- time limits --------------------------------------------------------------------------- */

uint32_t wend__block_limits;

static bool limit_of(int fd, int option, struct timeval *limit)
{
	socklen_t size = sizeof(*limit);
	int err = errno;
	bool found;

	found = getsockopt(fd, SOL_SOCKET, option, limit, &size) == 0 &&
		(limit->tv_sec || limit->tv_usec);
	errno = err;
	return found;
}

BLOCK_EXPORT int setsockopt(int fd, int level, int option, const void *value,
			    socklen_t size)
{
	BLOCK_NEXT(setsockopt)

	/* Whatever the value is: it may be a bad pointer, too. */
	if (level == SOL_SOCKET &&
	    (option == SO_RCVTIMEO || option == SO_SNDTIMEO))
		a32_store_relaxed(&wend__block_limits, 1);
	return next(fd, level, option, value, size);
}

/* Sockets that the program was started with may have limits from elsewhere.
 * Looked at before anybody can have closed one and opened another. */
__attribute__((constructor)) static void look_at_inherited(void)
{
	struct timeval limit;
	struct stat st;
	DIR *d;
	struct dirent *e;

	/* Nearly always these are all there are; the directory costs more. */
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
		    (limit_of(fd, SO_RCVTIMEO, &limit) ||
		     limit_of(fd, SO_SNDTIMEO, &limit)))
			a32_store_relaxed(&wend__block_limits, 1);
	if (fcntl(3, F_GETFD) < 0 && fcntl(4, F_GETFD) < 0)
		return;
	d = opendir("/proc/self/fd");
	if (!d)
		return;
	while ((e = readdir(d))) {
		int fd = atoi(e->d_name);

		if (limit_of(fd, SO_RCVTIMEO, &limit) ||
		    limit_of(fd, SO_SNDTIMEO, &limit))
			a32_store_relaxed(&wend__block_limits, 1);
	}
	closedir(d);
}

int64_t wend__block_deadline(int fd, int option)
{
	struct timeval limit;

	if (!option || !a32_load_relaxed(&wend__block_limits) ||
	    !limit_of(fd, option, &limit))
		return INT64_MAX;
	if (limit.tv_sec > 1000000000)
		return INT64_MAX;
	return wend__now() + limit.tv_sec * 1000000000ll +
	       limit.tv_usec * 1000ll;
}

/* --- parking ------------------------------------------------------------------------------- */

#if WEND__TSAN
char wend__block_order;
#endif

/* A time limit is an EAGAIN to who set it. A wend_call_limit's deadline is not,
 * nor a peer that does not answer. */
static int outcome(int r, int64_t deadline)
{
	if (r == -ETIMEDOUT && deadline != INT64_MAX && wend__now() >= deadline)
		return -EAGAIN;
	return r;
}

int wend__block_park_slow(const struct wend__io_op *op, int option,
			  const char *why, const void *caller)
{
	int64_t deadline = wend__block_deadline(op->fd, option);

	return outcome(wend__io_run(op, deadline, why, caller), deadline);
}

int wend__block_await(int fd, short events, int64_t deadline, const char *why,
		      const void *caller)
{
	struct pollfd p = { .fd = fd, .events = events };
	wend_call_limit *l = wend__call_limit(wend__self->task);
	int r = WEND__IO_NOT_PARKED;

	if (block_mode() != WEND__IO_THREADS)
		r = wend__io_wait(&p, 1, deadline, why, caller);
	if (r == WEND__IO_NOT_PARKED && l)
		r = wend__call_limit_sleep(l, fd, events, deadline);
	return outcome(r, deadline);
}
