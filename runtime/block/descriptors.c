/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.c - reading and writing.
 *
 * Most calls do not block: data is there, the buffer has room. So each is
 * tried without waiting first (preadv2 and pwritev2 with RWF_NOWAIT), and only
 * when the kernel says that it would wait, the task is parked. When many tasks
 * were woken together, each is about to make such a call; then it goes to the
 * ring without a try, and one system call serves all.
 *
 *      ring       READ and WRITE do all that read() and write() do, but for two
 *                 things. They do not lock a file's position: what has one goes
 *                 there only with an offset of its own. And they wait whatever
 *                 O_NONBLOCK says: what has it never goes there
 *      epoll      the task waits until the descriptor is ready, and tries again;
 *                 what cannot be tried (terminals, and before Linux 6.4 writing
 *                 to pipes) is called as with threads then, and rarely waits
 *      threads    the server is given up, and the call blocks; also for files
 *
 * The try must not change what the call means. A descriptor that is
 * O_NONBLOCK gets its EAGAIN; time-outs set on a socket count; a blocking
 * write of which a part went out writes the rest before it returns.
 *
 * RWF_NOWAIT is not for pipes before Linux 6.4, nor for sockets before 6.5. These
 * have tries of their own: MSG_DONTWAIT, and to read a pipe, vmsplice(2), which
 * copies.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <wend/errno.h>

#include "runtime/block/park.h"

/* The kernel's own limit of one call. */
enum { RW_MAX = 0x7ffff000 };

/* CANNOT: the kernel cannot say whether it would wait. */
enum verdict { DONE, WAIT, CANNOT };

/* What a try without waiting came to; on DONE result and errno are the call's. */
static enum verdict judge(int fd, ssize_t result)
{
	int err;

	if (result >= 0)
		return DONE;
	err = errno;
	if (err == EAGAIN) {
		if (!wend__block_nonblocking(fd))
			return WAIT;
		errno = EAGAIN;
		return DONE;
	}
	/* RWF_NOWAIT is not for this kind of file, or not for this kernel. */
	if (err == EOPNOTSUPP || err == ENOSYS || err == EINVAL)
		return CANNOT;
	return DONE;
}

/* Whether the call itself says that it would wait, and does not. */
static bool says_itself(int fd, enum verdict v)
{
	return v == CANNOT && wend__block_nonblocking(fd);
}

/* A request in the ring. off: -1 for what has no position. */
static int ring(uint8_t opcode, int fd, const void *addr, size_t len, off_t off,
		const void *caller)
{
	const struct wend__io_op op = {
		.opcode = opcode,
		.fd = fd,
		.addr = addr,
		.len = len < RW_MAX ? (uint32_t)len : RW_MAX,
		.off = (uint64_t)off,
	};
	bool reads = opcode == IORING_OP_READ || opcode == IORING_OP_READV;

	return wend__block_park(&op, reads ? SO_RCVTIMEO : SO_SNDTIMEO,
				reads ? "read" : "write", caller);
}

/* --- reading ------------------------------------------------------------------------------- */

/* Of the end of a pipe that can only be read: into one that can be written,
 * vmsplice() writes. It makes one of several packets. */
static enum verdict try_read_pipe(int fd, const struct iovec *iov, int n,
				  ssize_t *result)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & (O_ACCMODE | O_DIRECT)) != O_RDONLY)
		return CANNOT;
	*result = vmsplice(fd, iov, (size_t)n, SPLICE_F_NONBLOCK);
	return *result >= 0 || errno == EAGAIN ? judge(fd, *result) : CANNOT;
}

/* RWF_NOWAIT said nothing. */
static enum verdict try_read_stream(int fd, const struct iovec *iov, int n,
				    ssize_t *result)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			      .msg_iovlen = (size_t)n };

	if (!block_stream(fd))
		return CANNOT;
	if (block_hints(fd) & BLOCK_PIPE)
		return try_read_pipe(fd, iov, n, result);
	if (!(block_hints(fd) & BLOCK_SOCKET))
		return CANNOT;
	*result = recvmsg(fd, &msg, MSG_DONTWAIT);
	return *result >= 0 || errno != ENOTSOCK ? judge(fd, *result) : CANNOT;
}

static enum verdict try_readv(int fd, const struct iovec *iov, int n,
			      off_t offset, ssize_t *result)
{
	enum verdict v;

	*result = preadv2(fd, iov, n, offset, RWF_NOWAIT);
	v = judge(fd, *result);
	/* A vector that is not one is for the kernel to refuse. */
	return v == CANNOT && offset < 0 && n > 0 && n <= IOV_MAX ?
		       try_read_stream(fd, iov, n, result) :
		       v;
}

/* One read in the ring, of what is not O_NONBLOCK. From a socket, receiving is
 * less work for the kernel than reading. As wend__io_run(). */
static int ring_read(int fd, void *buf, size_t size, const void *caller)
{
	const struct wend__io_op op = {
		.opcode = IORING_OP_RECV,
		.prompt = true,
		.fd = fd,
		.addr = buf,
		.len = size < RW_MAX ? (uint32_t)size : RW_MAX,
	};
	int r;

	if (block_hints(fd) & BLOCK_SOCKET) {
		r = wend__block_park(&op, SO_RCVTIMEO, "read", caller);
		if (WEND__LIKELY(r != -ENOTSOCK))
			return r;
		wend__block_set_hints(fd, 0);
	}
	return ring(IORING_OP_READ, fd, buf, size, -1, caller);
}

/* The try said that it would wait. false: a thread is to wait. */
static bool park_read(int fd, const struct iovec *iov, int n, enum verdict v,
		      ssize_t *result, const void *caller)
{
	enum wend__io_mode mode = block_mode();
	int64_t deadline;
	int r;

	if (block_keeps() || !block_stream(fd) || says_itself(fd, v))
		return false;
	if (mode == WEND__IO_URING) {
		r = n == 1 ?
			    ring_read(fd, iov->iov_base, iov->iov_len, caller) :
			    ring(IORING_OP_READV, fd, iov, (size_t)n, -1,
				 caller);
		if (r != WEND__IO_NOT_PARKED) {
			*result = block_result(r);
			return true;
		}
		if (!block_awaits())
			return false;
	}
	deadline = wend__block_deadline(fd, SO_RCVTIMEO);
	while (v != DONE) {
		r = wend__block_await(fd, POLLIN, deadline, "read", caller);
		if (r == WEND__IO_NOT_PARKED)
			return false;
		if (r < 0) {
			*result = block_result(r);
			return true;
		}
		if (v == CANNOT)
			return false;
		v = try_readv(fd, iov, n, -1, result);
	}
	return true;
}

BLOCK_EXPORT ssize_t read(int fd, void *buf, size_t size)
{
	struct iovec iov = { buf, size };
	enum verdict v;
	ssize_t result;
	int r;
	BLOCK_NEXT(read)
	BLOCK_READS

	if (!wend__block_in_task())
		return next(fd, buf, size);
	if (block_batch(fd) && size && !wend__block_nonblocking(fd)) {
		r = ring_read(fd, buf, size, WEND__CALLER());
		if (r != WEND__IO_NOT_PARKED)
			return block_result(r);
	}
	v = try_readv(fd, &iov, 1, -1, &result);
	if (v == DONE || park_read(fd, &iov, 1, v, &result, WEND__CALLER()))
		return result;
	wend_block_begin();
	result = next(fd, buf, size);
	wend_block_end();
	return result;
}

BLOCK_EXPORT ssize_t readv(int fd, const struct iovec *iov, int n)
{
	enum verdict v;
	ssize_t result;
	BLOCK_NEXT(readv)
	BLOCK_READS

	if (!wend__block_in_task())
		return next(fd, iov, n);
	v = try_readv(fd, iov, n, -1, &result);
	if (v == DONE || park_read(fd, iov, n, v, &result, WEND__CALLER()))
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
	int r;
	BLOCK_NEXT(pread)

	if (!wend__block_in_task() || offset < 0)
		return next(fd, buf, size, offset);
	/* A short count is the part that was in memory: read the rest. */
	if (try_readv(fd, &iov, 1, offset, &result) == DONE &&
	    (result <= 0 || (size_t)result == size))
		return result;
	if (block_mode() == WEND__IO_URING) {
		r = ring(IORING_OP_READ, fd, buf, size, offset, WEND__CALLER());
		if (r != WEND__IO_NOT_PARKED)
			return block_result(r);
	}
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

/* RWF_NOWAIT said nothing. */
static enum verdict try_write_stream(int fd, struct iovec *iov, ssize_t *result)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 1 };

	if (!block_stream(fd) || !(block_hints(fd) & BLOCK_SOCKET))
		return CANNOT;
	*result = sendmsg(fd, &msg, MSG_DONTWAIT);
	return *result >= 0 || errno != ENOTSOCK ? judge(fd, *result) : CANNOT;
}

static enum verdict try_write(int fd, const void *buf, size_t size,
			      off_t offset, ssize_t *result)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };
	enum verdict v;

	*result = pwritev2(fd, &iov, 1, offset, RWF_NOWAIT);
	v = judge(fd, *result);
	if (v == CANNOT && offset < 0)
		v = try_write_stream(fd, &iov, result);
	if (v != DONE) {
		*result = 0;
		return v;
	}
	if (*result > 0 && (size_t)*result < size &&
	    !wend__block_nonblocking(fd))
		return WAIT;
	return DONE;
}

/* One step of a write that waits; as wend__io_run(). */
static int write_step(int fd, const char *buf, size_t size, off_t offset,
		      int64_t deadline, enum verdict *v, const void *caller)
{
	ssize_t result;
	int r;

	if (block_mode() == WEND__IO_URING) {
		r = ring(IORING_OP_WRITE, fd, buf, size, offset, caller);
		if (r != WEND__IO_NOT_PARKED || !block_awaits())
			return r;
	}
	for (;;) {
		r = wend__block_await(fd, POLLOUT, deadline, "write", caller);
		if (r < 0)
			return r;
		if (*v == CANNOT)
			return WEND__IO_NOT_PARKED;
		*v = try_write(fd, buf, size, offset, &result);
		if (result > 0)
			return (int)result;
		if (*v == DONE)
			return result < 0 ? -errno : 0;
	}
}

/* Write until all is out; part is already. false: a thread is to write the
 * rest. */
static bool park_write(int fd, const char *buf, size_t size, off_t offset,
		       enum verdict v, ssize_t *part, const void *caller)
{
	enum wend__io_mode mode = block_mode();
	int64_t deadline = INT64_MAX;
	int r;

	if (block_keeps())
		return false;
	if (offset >= 0 ? mode != WEND__IO_URING :
			  !block_stream(fd) || says_itself(fd, v))
		return false;
	if (block_awaits())
		deadline = wend__block_deadline(fd, SO_SNDTIMEO);
	while ((size_t)*part < size) {
		r = write_step(fd, buf + *part, size - (size_t)*part,
			       offset < 0 ? offset : offset + *part, deadline,
			       &v, caller);
		if (r == WEND__IO_NOT_PARKED)
			return false;
		if (r <= 0) {
			*part = add_up(*part, block_result(r));
			return true;
		}
		*part += r;
	}
	return true;
}

/* To a socket it is a try all the same: sending is less work for the kernel
 * than writing, but would wait even if O_NONBLOCK says not to. */
int wend__block_batched_write(int fd, const void *buf, size_t size,
			      const void *caller)
{
	const struct wend__io_op op = {
		.opcode = IORING_OP_SEND,
		.fd = fd,
		.addr = buf,
		.len = size < RW_MAX ? (uint32_t)size : RW_MAX,
		.flags = MSG_DONTWAIT,
	};
	int r;

	if (!(block_hints(fd) & BLOCK_SOCKET))
		return wend__block_nonblocking(fd) ?
			       WEND__IO_NOT_PARKED :
			       ring(IORING_OP_WRITE, fd, buf, size, -1, caller);
	r = wend__block_park(&op, 0, "write", caller);
	if (r == -ENOTSOCK)
		wend__block_set_hints(fd, 0);
	return r == -EAGAIN || r == -ENOTSOCK ? WEND__IO_NOT_PARKED : r;
}

BLOCK_EXPORT ssize_t write(int fd, const void *buf, size_t size)
{
	const void *caller = WEND__CALLER();
	enum verdict v = WAIT;
	ssize_t part = 0;
	int r;
	BLOCK_NEXT(write)
	BLOCK_WRITES

	if (!wend__block_in_task())
		return next(fd, buf, size);
	if (block_batch(fd) && size) {
		r = wend__block_batched_write(fd, buf, size, caller);
		if (r != WEND__IO_NOT_PARKED && (r <= 0 || (size_t)r == size ||
						 wend__block_nonblocking(fd)))
			return block_result(r);
		if (r > 0)
			part = r;
	}
	if (part == 0)
		v = try_write(fd, buf, size, -1, &part);
	if (v == DONE || park_write(fd, buf, size, -1, v, &part, caller))
		return part;
	wend_block_begin();
	part = add_up(part,
		      next(fd, (const char *)buf + part, size - (size_t)part));
	wend_block_end();
	return part;
}

BLOCK_EXPORT ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset)
{
	enum verdict v;
	ssize_t part;
	BLOCK_NEXT(pwrite)

	if (!wend__block_in_task() || offset < 0)
		return next(fd, buf, size, offset);
	v = try_write(fd, buf, size, offset, &part);
	if (v == DONE ||
	    park_write(fd, buf, size, offset, v, &part, WEND__CALLER()))
		return part;
	wend_block_begin();
	part = add_up(part, next(fd, (const char *)buf + part,
				 size - (size_t)part, offset + part));
	wend_block_end();
	return part;
}

/* Write what is left of a vector of which part is out. */
static ssize_t write_vector_rest(int fd, const struct iovec *iov, int n,
				 ssize_t part)
{
	size_t skip = (size_t)part;
	ssize_t r;

	for (; n > 0; iov++, n--) {
		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		r = write(fd, (const char *)iov->iov_base + skip,
			  iov->iov_len - skip);
		if (r < 0)
			return part;
		part += r;
		if ((size_t)r < iov->iov_len - skip)
			return part;
		skip = 0;
	}
	return part;
}

BLOCK_EXPORT ssize_t writev(int fd, const struct iovec *iov, int n)
{
	ssize_t result;
	int r;
	BLOCK_NEXT(writev)
	BLOCK_WRITES

	if (!wend__block_in_task())
		return next(fd, iov, n);
	/* A vector that is not one is for the kernel to refuse. */
	if (block_mode() == WEND__IO_URING && n > 0 && n <= IOV_MAX &&
	    block_stream(fd) && !wend__block_nonblocking(fd)) {
		r = ring(IORING_OP_WRITEV, fd, iov, (size_t)n, -1,
			 WEND__CALLER());
		if (r != WEND__IO_NOT_PARKED)
			return r > 0 ? write_vector_rest(fd, iov, n, r) :
				       block_result(r);
	}
	wend_block_begin();
	result = next(fd, iov, n);
	wend_block_end();
	return result;
}

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
