/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.c - receiving, sending, connecting. What descriptors.c says of
 * trying first holds here too.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>

#include <wend/errno.h>

#include "runtime/block/announce.h"

/* Whether a try with MSG_DONTWAIT was the call itself. */
static bool final(int fd, int flags, ssize_t result)
{
	int mode;

	if (result >= 0 || errno != EAGAIN || (flags & MSG_DONTWAIT))
		return true;
	mode = fcntl(fd, F_GETFL);
	if (mode >= 0 && !(mode & O_NONBLOCK))
		return false;
	errno = EAGAIN;
	return true;
}

/* --- receiving ----------------------------------------------------------------------------- */

BLOCK_EXPORT ssize_t recvfrom(int fd, void *buf, size_t size, int flags,
			      struct sockaddr *from, socklen_t *from_size)
{
	ssize_t r;
	BLOCK_NEXT(recvfrom)

	if (!wend__block_in_task() || (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)))
		return next(fd, buf, size, flags, from, from_size);
	/* A try would return the part of a MSG_WAITALL that is there. */
	if (!(flags & MSG_WAITALL)) {
		r = next(fd, buf, size, flags | MSG_DONTWAIT, from, from_size);
		if (final(fd, flags, r))
			return r;
	}
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
	ssize_t r;
	BLOCK_NEXT(recvmsg)

	if (!wend__block_in_task() || (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)))
		return next(fd, msg, flags);
	if (!(flags & MSG_WAITALL)) {
		r = next(fd, msg, flags | MSG_DONTWAIT);
		if (final(fd, flags, r))
			return r;
	}
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

BLOCK_EXPORT ssize_t sendto(int fd, const void *buf, size_t size, int flags,
			    const struct sockaddr *to, socklen_t to_size)
{
	ssize_t part, rest;
	BLOCK_NEXT(sendto)

	if (!wend__block_in_task() || (flags & MSG_DONTWAIT))
		return next(fd, buf, size, flags, to, to_size);
	part = next(fd, buf, size, flags | MSG_DONTWAIT, to, to_size);
	if (part == (ssize_t)size)
		return part;
	if (part < 0) {
		if (final(fd, flags, part))
			return part;
		part = 0;
	} else if (fcntl(fd, F_GETFL) & O_NONBLOCK) {
		return part;
	}
	wend_block_begin();
	rest = next(fd, (const char *)buf + part, size - (size_t)part, flags,
		    to, to_size);
	wend_block_end();
	return rest < 0 && part > 0 ? part : part + rest;
}

BLOCK_EXPORT ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	return sendto(fd, buf, size, flags, NULL, 0);
}

ANNOUNCE(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
	 (fd, msg, flags))

/* --- connections --------------------------------------------------------------------------- */

/* No try here: there is no accept() that does not wait on a descriptor that
 * does, and a look with poll() proves nothing while others accept too. */
BLOCK_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *addr_size,
			 int flags)
{
	int r;
	BLOCK_NEXT(accept4)

	if (!wend__block_in_task() || (fcntl(fd, F_GETFL) & O_NONBLOCK))
		return next(fd, addr, addr_size, flags);
	wend_block_begin();
	r = next(fd, addr, addr_size, flags);
	wend_block_end();
	return r;
}

BLOCK_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *addr_size)
{
	return accept4(fd, addr, addr_size, 0);
}

ANNOUNCE(int, connect, (int fd, const struct sockaddr *addr, socklen_t size),
	 (fd, addr, size))
