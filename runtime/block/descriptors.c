/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.c - reading and writing.
 *
 * Most calls do not block: data is there, the buffer has room. So each is
 * tried without waiting first, while the task still holds its server, and the
 * server is given up only when the kernel says that it would wait. How:
 *
 *      sockets       MSG_DONTWAIT
 *      everything    preadv2/pwritev2 with RWF_NOWAIT; where the kernel cannot
 *      else          tell (a terminal), the call is announced at once
 *
 * The try must not change what the call means. A descriptor that is
 * O_NONBLOCK gets its EAGAIN; time-outs set on a socket count in the blocking
 * call; a blocking write of which a part went out writes the rest before it
 * returns.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <wend/errno.h>

#include "runtime/block/announce.h"

/* The program asked not to wait on this descriptor. */
static bool nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_NONBLOCK);
}

enum verdict { DONE, WAIT };

/* What a try without waiting came to; on DONE result and errno are the call's. */
static enum verdict judge(int fd, ssize_t result)
{
	int err = errno;

	if (result >= 0)
		return DONE;
	if (err == EAGAIN) {
		if (!nonblocking(fd))
			return WAIT;
		errno = EAGAIN;
		return DONE;
	}
	/* RWF_NOWAIT is not for this kind of file, or not for this kernel. */
	if (err == EOPNOTSUPP || err == ENOSYS || err == EINVAL)
		return WAIT;
	errno = err;
	return DONE;
}

/* --- reading ------------------------------------------------------------------------------- */

static enum verdict try_readv(int fd, const struct iovec *iov, int n,
			      off_t offset, ssize_t *result)
{
	*result = preadv2(fd, iov, n, offset, RWF_NOWAIT);
	return judge(fd, *result);
}

BLOCK_EXPORT ssize_t read(int fd, void *buf, size_t size)
{
	struct iovec iov = { buf, size };
	ssize_t result;
	BLOCK_NEXT(read)

	if (!wend__block_in_task())
		return next(fd, buf, size);
	if (try_readv(fd, &iov, 1, -1, &result) == DONE)
		return result;
	wend_block_begin();
	result = next(fd, buf, size);
	wend_block_end();
	return result;
}

BLOCK_EXPORT ssize_t readv(int fd, const struct iovec *iov, int n)
{
	ssize_t result;
	BLOCK_NEXT(readv)

	if (!wend__block_in_task())
		return next(fd, iov, n);
	if (try_readv(fd, iov, n, -1, &result) == DONE)
		return result;
	wend_block_begin();
	result = next(fd, iov, n);
	wend_block_end();
	return result;
}

BLOCK_EXPORT ssize_t pread(int fd, void *buf, size_t size, off_t offset)
{
	struct iovec iov = { buf, size };
	ssize_t result;
	BLOCK_NEXT(pread)

	if (!wend__block_in_task() || offset < 0)
		return next(fd, buf, size, offset);
	/* A short count is the part that was in memory: read the rest. */
	if (try_readv(fd, &iov, 1, offset, &result) == DONE &&
	    (result <= 0 || (size_t)result == size))
		return result;
	wend_block_begin();
	result = next(fd, buf, size, offset);
	wend_block_end();
	return result;
}

/* What _FORTIFY_SOURCE makes of them; the check is the C library's. */
extern ssize_t __read_chk(int fd, void *buf, size_t size, size_t room);
BLOCK_EXPORT ssize_t __read_chk(int fd, void *buf, size_t size, size_t room)
{
	BLOCK_NEXT(__read_chk)

	if (size > room || !wend__block_in_task())
		return next(fd, buf, size, room);
	return read(fd, buf, size);
}

extern ssize_t __pread_chk(int fd, void *buf, size_t size, off_t offset,
			   size_t room);
BLOCK_EXPORT ssize_t __pread_chk(int fd, void *buf, size_t size, off_t offset,
				 size_t room)
{
	BLOCK_NEXT(__pread_chk)

	if (size > room || !wend__block_in_task())
		return next(fd, buf, size, offset, room);
	return pread(fd, buf, size, offset);
}

/* --- writing ------------------------------------------------------------------------------- */

/* A part went out, and the rest did not: the caller learns of the part, as
 * from a blocking write that was interrupted. */
static ssize_t add_up(ssize_t part, ssize_t rest)
{
	return rest < 0 && part > 0 ? part : part + rest;
}

static enum verdict try_write(int fd, const void *buf, size_t size,
			      off_t offset, ssize_t *result)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };
	enum verdict v;

	*result = pwritev2(fd, &iov, 1, offset, RWF_NOWAIT);
	v = judge(fd, *result);
	if (v == WAIT) {
		*result = 0;
		return WAIT;
	}
	if (*result > 0 && (size_t)*result < size && !nonblocking(fd))
		return WAIT;
	return DONE;
}

BLOCK_EXPORT ssize_t write(int fd, const void *buf, size_t size)
{
	ssize_t part;
	BLOCK_NEXT(write)

	if (!wend__block_in_task())
		return next(fd, buf, size);
	if (try_write(fd, buf, size, -1, &part) == DONE)
		return part;
	wend_block_begin();
	part = add_up(part,
		      next(fd, (const char *)buf + part, size - (size_t)part));
	wend_block_end();
	return part;
}

BLOCK_EXPORT ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset)
{
	ssize_t part;
	BLOCK_NEXT(pwrite)

	if (!wend__block_in_task() || offset < 0)
		return next(fd, buf, size, offset);
	if (try_write(fd, buf, size, offset, &part) == DONE)
		return part;
	wend_block_begin();
	part = add_up(part, next(fd, (const char *)buf + part,
				 size - (size_t)part, offset + part));
	wend_block_end();
	return part;
}

/* The vectored forms give the server up without a try where a partial write
 * would have to be cut out of the caller's vector. */
ANNOUNCE(ssize_t, writev, (int fd, const struct iovec *iov, int n),
	 (fd, iov, n))
ANNOUNCE(ssize_t, preadv, (int fd, const struct iovec *iov, int n, off_t at),
	 (fd, iov, n, at))
ANNOUNCE(ssize_t, pwritev, (int fd, const struct iovec *iov, int n, off_t at),
	 (fd, iov, n, at))
ANNOUNCE(int, fsync, (int fd), (fd))
ANNOUNCE(int, fdatasync, (int fd), (fd))

/* On 64-bit machines the same functions under other names. */
BLOCK_EXPORT ssize_t pread64(int fd, void *buf, size_t size, off_t offset)
	__attribute__((alias("pread")));
BLOCK_EXPORT ssize_t pwrite64(int fd, const void *buf, size_t size,
			      off_t offset) __attribute__((alias("pwrite")));
BLOCK_EXPORT ssize_t preadv64(int fd, const struct iovec *iov, int n, off_t at)
	__attribute__((alias("preadv")));
BLOCK_EXPORT ssize_t pwritev64(int fd, const struct iovec *iov, int n, off_t at)
	__attribute__((alias("pwritev")));
