/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.c - receiving, sending, connecting. What descriptors.c says of
 * trying and parking holds here too, but for O_NONBLOCK: the ring's RECV, SEND
 * and CONNECT wait all the same, so it is looked at before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <wend/errno.h>

#include "runtime/block/park.h"

/* Whether a try with MSG_DONTWAIT was the call itself. */
static bool final(int fd, ssize_t result)
{
	if (result >= 0 || errno != EAGAIN)
		return true;
	if (!wend__block_nonblocking(fd))
		return false;
	errno = EAGAIN;
	return true;
}

static int ring(uint8_t opcode, int fd, const void *addr, size_t len, int flags,
		const void *caller)
{
	const struct wend__io_op op = {
		.opcode = opcode,
		.fd = fd,
		.addr = addr,
		.len = len < INT_MAX ? (uint32_t)len : INT_MAX,
		.flags = (uint32_t)flags,
	};
	bool receives = opcode == IORING_OP_RECV || opcode == IORING_OP_RECVMSG;

	return wend__block_park(&op, receives ? SO_RCVTIMEO : SO_SNDTIMEO,
				receives ? "receive" : "send", caller);
}

/*
 * A try of a call would have waited. true: the task has waited, and tries
 * again. false: *result is the call's, as wend__block_await() tells it, or
 * WEND__IO_NOT_PARKED: it is to be made in another way. deadline: 0 at first.
 */
static bool await_try(int fd, bool receives, int64_t *deadline, ssize_t *result,
		      const void *caller)
{
	*result = WEND__IO_NOT_PARKED;
	if (block_keeps() || block_mode() == WEND__IO_URING)
		return false;
	if (*deadline == 0)
		*deadline = wend__block_deadline(fd, receives ? SO_RCVTIMEO :
								SO_SNDTIMEO);
	*result = wend__block_await(fd, receives ? POLLIN : POLLOUT, *deadline,
				    receives ? "receive" : "send", caller);
	return *result == 0;
}

/* The call is about to keep its thread. false: it is not to be made, its
 * wend_call_limit has ended the wait for it, and *result is the call's. */
static bool limit_allows(int fd, bool receives, ssize_t *result,
			 const void *caller)
{
	int r = 0;

	if (wend__call_limit(wend__self->task))
		r = wend__block_await(fd, receives ? POLLIN : POLLOUT,
				      INT64_MAX, receives ? "receive" : "send",
				      caller);
	if (r < 0)
		*result = block_result(r);
	return r == 0;
}

/* recv() and send() without flags are read() and write(), which know how to
 * go to the ring without a try; but only of a socket. */
static bool as_file(int fd, size_t size, int flags)
{
	return size && !flags && a32_load_relaxed(&wend__self->server->burst) &&
	       block_stream(fd) && (block_hints(fd) & BLOCK_SOCKET);
}

/* --- receiving ----------------------------------------------------------------------------- */

static ssize_t ring_recvfrom(int fd, void *buf, size_t size, int flags,
			     struct sockaddr *from, socklen_t *from_size,
			     const void *caller)
{
	struct iovec iov = { buf, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int r;

	if (!from)
		return ring(IORING_OP_RECV, fd, buf, size, flags, caller);
	msg.msg_name = from;
	msg.msg_namelen = *from_size;
	r = ring(IORING_OP_RECVMSG, fd, &msg, 1, flags, caller);
	if (r >= 0)
		*from_size = msg.msg_namelen;
	return r;
}

BLOCK_EXPORT ssize_t recvfrom(int fd, void *buf, size_t size, int flags,
			      struct sockaddr *from, socklen_t *from_size)
{
	const void *caller = WEND__CALLER();
	int64_t deadline = 0;
	ssize_t r;
	BLOCK_NEXT(recvfrom)
	BLOCK_READS

	if (!wend__block_in_task() || (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)))
		return next(fd, buf, size, flags, from, from_size);
	if (!from && as_file(fd, size, flags))
		return read(fd, buf, size);
	/* A try would return the part of a MSG_WAITALL that is there. */
	if (flags & MSG_WAITALL) {
		if (wend__block_nonblocking(fd))
			return next(fd, buf, size, flags, from, from_size);
		r = WEND__IO_NOT_PARKED;
	} else {
		do {
			r = next(fd, buf, size, flags | MSG_DONTWAIT, from,
				 from_size);
			if (final(fd, r))
				return r;
		} while (await_try(fd, true, &deadline, &r, caller));
	}
	if (block_mode() == WEND__IO_URING && (!from || from_size))
		r = ring_recvfrom(fd, buf, size, flags, from, from_size,
				  caller);
	if (r != WEND__IO_NOT_PARKED)
		return block_result((int)r);
	if (!limit_allows(fd, true, &r, caller))
		return r;
	wend_block_begin();
	r = next(fd, buf, size, flags, from, from_size);
	wend_block_end();
	return r;
}

BLOCK_EXPORT ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	return recvfrom(fd, buf, size, flags, NULL, NULL);
}

BLOCK_EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	const void *caller = WEND__CALLER();
	int64_t deadline = 0;
	ssize_t r;
	BLOCK_NEXT(recvmsg)
	BLOCK_READS

	if (!wend__block_in_task() || (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)))
		return next(fd, msg, flags);
	if (flags & MSG_WAITALL) {
		if (wend__block_nonblocking(fd))
			return next(fd, msg, flags);
		r = WEND__IO_NOT_PARKED;
	} else {
		do {
			r = next(fd, msg, flags | MSG_DONTWAIT);
			if (final(fd, r))
				return r;
		} while (await_try(fd, true, &deadline, &r, caller));
	}
	if (block_mode() == WEND__IO_URING)
		r = ring(IORING_OP_RECVMSG, fd, msg, 1, flags, caller);
	if (r != WEND__IO_NOT_PARKED)
		return block_result((int)r);
	if (!limit_allows(fd, true, &r, caller))
		return r;
	wend_block_begin();
	r = next(fd, msg, flags);
	wend_block_end();
	return r;
}

extern ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room,
			  int flags);
BLOCK_EXPORT ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room,
				int flags)
{
	BLOCK_NEXT(__recv_chk)

	if (size > room || !wend__block_in_task())
		return next(fd, buf, size, room, flags);
	return recvfrom(fd, buf, size, flags, NULL, NULL);
}

extern ssize_t __recvfrom_chk(int fd, void *buf, size_t size, size_t room,
			      int flags, struct sockaddr *from,
			      socklen_t *from_size);
BLOCK_EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t size, size_t room,
				    int flags, struct sockaddr *from,
				    socklen_t *from_size)
{
	BLOCK_NEXT(__recvfrom_chk)

	if (size > room || !wend__block_in_task())
		return next(fd, buf, size, room, flags, from, from_size);
	return recvfrom(fd, buf, size, flags, from, from_size);
}

/* --- sending ------------------------------------------------------------------------------- */

/* What send_parts() sends: one piece of memory, to an address or to none. */
struct message {
	const void *buf;
	size_t size;
	int flags;
	const struct sockaddr *to;
	socklen_t to_size;
};

static ssize_t ring_send(int fd, const struct message *m, size_t part,
			 const void *caller)
{
	struct iovec iov = { (char *)(uintptr_t)m->buf + part, m->size - part };
	struct msghdr msg = {
		.msg_name = (void *)(uintptr_t)m->to,
		.msg_namelen = m->to_size,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (m->to)
		return ring(IORING_OP_SENDMSG, fd, &msg, 1, m->flags, caller);
	return ring(IORING_OP_SEND, fd, iov.iov_base, iov.iov_len, m->flags,
		    caller);
}

/* Send until all is out; part is already. false: a thread is to send the
 * rest. */
static bool park_send(int fd, const struct message *m, size_t *part,
		      ssize_t *result, const void *caller)
{
	int64_t deadline = wend__block_deadline(fd, SO_SNDTIMEO);
	enum wend__io_mode mode = block_mode();
	ssize_t r;
	BLOCK_NEXT(sendto)

	if (block_keeps())
		return false;
	do {
		r = WEND__IO_NOT_PARKED;
		if (mode == WEND__IO_URING)
			r = ring_send(fd, m, *part, caller);
		if (r == WEND__IO_NOT_PARKED && block_awaits()) {
			r = wend__block_await(fd, POLLOUT, deadline, "send",
					      caller);
			if (r == 0) {
				r = next(fd, (const char *)m->buf + *part,
					 m->size - *part,
					 m->flags | MSG_DONTWAIT, m->to,
					 m->to_size);
				if (r < 0)
					r = -errno;
				if (r == -EAGAIN)
					continue;
			}
		}
		if (r == WEND__IO_NOT_PARKED)
			return false;
		if (r <= 0) {
			*result = *part ? (ssize_t)*part : block_result((int)r);
			return true;
		}
		*part += (size_t)r;
	} while (*part < m->size);
	*result = (ssize_t)*part;
	return true;
}

/* Send what part does not cover, and wait for it. */
static ssize_t send_rest(int fd, const struct message *m, size_t part,
			 const void *caller)
{
	ssize_t r;
	BLOCK_NEXT(sendto)

	if (park_send(fd, m, &part, &r, caller))
		return r;
	wend_block_begin();
	r = next(fd, (const char *)m->buf + part, m->size - part, m->flags,
		 m->to, m->to_size);
	wend_block_end();
	return r < 0 && part > 0 ? (ssize_t)part : (ssize_t)part + r;
}

/* Sending in the ring without a try; in there it makes no SIGPIPE. false: try. */
static bool batched_send(int fd, const struct message *m, ssize_t *result,
			 const void *caller)
{
	int r;

	if (!block_batch(fd))
		return false;
	r = wend__block_batched_write(fd, m->buf, m->size, caller);
	if (r == WEND__IO_NOT_PARKED)
		return false;
	if (r <= 0 || (size_t)r == m->size || wend__block_nonblocking(fd))
		*result = block_result(r);
	else
		*result = send_rest(fd, m, (size_t)r, caller);
	return true;
}

BLOCK_EXPORT ssize_t sendto(int fd, const void *buf, size_t size, int flags,
			    const struct sockaddr *to, socklen_t to_size)
{
	struct message m = { buf, size, flags, to, to_size };
	size_t part = 0;
	ssize_t r;
	BLOCK_NEXT(sendto)
	BLOCK_WRITES

	if (!wend__block_in_task() || (flags & MSG_DONTWAIT))
		return next(fd, buf, size, flags, to, to_size);
	if (!to && as_file(fd, size, flags & ~MSG_NOSIGNAL)) {
		if (!flags)
			return write(fd, buf, size);
		if (batched_send(fd, &m, &r, WEND__CALLER()))
			return r;
	}
	r = next(fd, buf, size, flags | MSG_DONTWAIT, to, to_size);
	if (r == (ssize_t)size)
		return r;
	if (r < 0) {
		if (final(fd, r))
			return r;
	} else if (wend__block_nonblocking(fd)) {
		return r;
	} else {
		part = (size_t)r;
	}
	return send_rest(fd, &m, part, WEND__CALLER());
}

BLOCK_EXPORT ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	return sendto(fd, buf, size, flags, NULL, 0);
}

/* The bytes of a message, or 0 if that is not to be had: a bad pointer is for
 * the kernel to find. */
static size_t message_size(const struct msghdr *msg)
{
	size_t sum = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		sum += msg->msg_iov[i].iov_len;
	return sum;
}

/* What a stream took only a part of goes on without its ancillary data, which
 * went with the first byte. */
static ssize_t send_vector_rest(int fd, const struct msghdr *msg, int flags,
				size_t part)
{
	size_t skip = part;
	ssize_t r;

	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		const struct iovec *iov = &msg->msg_iov[i];

		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		r = sendto(fd, (const char *)iov->iov_base + skip,
			   iov->iov_len - skip, flags, NULL, 0);
		if (r < 0)
			break;
		part += (size_t)r;
		if ((size_t)r < iov->iov_len - skip)
			break;
		skip = 0;
	}
	return (ssize_t)part;
}

BLOCK_EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const void *caller = WEND__CALLER();
	int64_t deadline = 0;
	ssize_t r;
	BLOCK_NEXT(sendmsg)
	BLOCK_WRITES

	if (!wend__block_in_task() || (flags & MSG_DONTWAIT))
		return next(fd, msg, flags);
	do {
		r = next(fd, msg, flags | MSG_DONTWAIT);
		if (r >= 0)
			goto sent;
		if (final(fd, r))
			return r;
	} while (await_try(fd, false, &deadline, &r, caller));
	if (block_mode() == WEND__IO_URING)
		r = ring(IORING_OP_SENDMSG, fd, msg, 1, flags, caller);
	if (r == WEND__IO_NOT_PARKED) {
		if (!limit_allows(fd, false, &r, caller))
			return r;
		wend_block_begin();
		r = next(fd, msg, flags);
		wend_block_end();
		return r;
	}
	if (r < 0)
		return block_result((int)r);
sent:
	if ((size_t)r == message_size(msg) || wend__block_nonblocking(fd))
		return r;
	return send_vector_rest(fd, msg, flags, (size_t)r);
}

/* --- connections --------------------------------------------------------------------------- */

/* No try here: there is no accept() that does not wait on a descriptor that
 * does, and a look with poll() proves nothing while others accept too. */
static int wait_accept(int fd, struct sockaddr *addr, socklen_t *addr_size,
		       int flags, const void *caller)
{
	const struct wend__io_op op = {
		.opcode = IORING_OP_ACCEPT,
		.fd = fd,
		.addr = addr,
		.off = (uint64_t)(uintptr_t)addr_size,
		.flags = (uint32_t)flags,
	};
	enum wend__io_mode mode = block_mode();
	int r;
	BLOCK_NEXT(accept4)

	/* block_stream(): so that the answer is kept. */
	if (!block_stream(fd) || wend__block_nonblocking(fd))
		return next(fd, addr, addr_size, flags);
	if (mode == WEND__IO_URING) {
		r = wend__block_park(&op, SO_RCVTIMEO, "accept", caller);
		if (r != WEND__IO_NOT_PARKED)
			return (int)block_result(r);
	}
	if (block_awaits()) {
		r = wend__block_await(fd, POLLIN,
				      wend__block_deadline(fd, SO_RCVTIMEO),
				      "accept", caller);
		if (r < 0 && r != WEND__IO_NOT_PARKED)
			return (int)block_result(r);
	}
	wend_block_begin();
	r = next(fd, addr, addr_size, flags);
	wend_block_end();
	return r;
}

BLOCK_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *addr_size,
			 int flags)
{
	int r;
	BLOCK_NEXT(accept4)
	BLOCK_READS

	if (!wend__block_in_task())
		return next(fd, addr, addr_size, flags);
	r = wait_accept(fd, addr, addr_size, flags, WEND__CALLER());
	if (r >= 0)
		wend__block_set_hints(r, BLOCK_STREAM | BLOCK_SOCKET |
						 (flags & SOCK_NONBLOCK ?
							  0 :
							  BLOCK_BLOCKING));
	return r;
}

BLOCK_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *addr_size)
{
	return accept4(fd, addr, addr_size, 0);
}

BLOCK_EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t size)
{
	const struct wend__io_op op = {
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = addr,
		.off = size,
	};
	int r;
	BLOCK_NEXT(connect)
	BLOCK_WRITES

	if (!wend__block_in_task() || wend__block_nonblocking(fd))
		return next(fd, addr, size);
	if (block_mode() == WEND__IO_URING) {
		r = wend__block_park(&op, SO_SNDTIMEO, "connect",
				     WEND__CALLER());
		/* A time limit: as if it were O_NONBLOCK, it goes on. */
		if (r == -EAGAIN &&
		    wend__block_deadline(fd, SO_SNDTIMEO) != INT64_MAX)
			r = -EINPROGRESS;
		if (r != WEND__IO_NOT_PARKED)
			return (int)block_result(r);
	}
	wend_block_begin();
	r = next(fd, addr, size);
	wend_block_end();
	return r;
}
