/* SPDX-License-Identifier: Apache-2.0 */
/*
 * others.c - calls that can wait for long and cannot be tried: names, children,
 * locks on files, signals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <wend/errno.h>

#include "compiler-rt/syscall.h"
#include "runtime/block/announce.h"
#include "runtime/block/park.h"

/* --- names --------------------------------------------------------------------------------- */

ANNOUNCE(int, getaddrinfo,
	 (const char *node, const char *service, const struct addrinfo *hints,
	  struct addrinfo **found),
	 (node, service, hints, found))
ANNOUNCE(int, getnameinfo,
	 (const struct sockaddr *addr, socklen_t size, char *host,
	  socklen_t host_size, char *service, socklen_t service_size,
	  int flags),
	 (addr, size, host, host_size, service, service_size, flags))

/* --- children ------------------------------------------------------------------------------ */

ANNOUNCE(pid_t, wait, (int *status), (status))
ANNOUNCE(pid_t, waitpid, (pid_t pid, int *status, int options),
	 (pid, status, options))
ANNOUNCE(pid_t, wait4,
	 (pid_t pid, int *status, int options, struct rusage *usage),
	 (pid, status, options, usage))
ANNOUNCE(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
	 (type, id, info, options))
ANNOUNCE(int, system, (const char *command), (command))

/* --- files --------------------------------------------------------------------------------- */

ANNOUNCE(int, flock, (int fd, int operation), (fd, operation))

/* Opening waits for the other end of a FIFO, or for a slow file system. The
 * mode is there only with O_CREAT or O_TMPFILE; passing it on is harmless. */
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
	mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ?
		       va_arg(args, mode_t) :
		       0;
	va_end(args);
	if (wend__block_by_sanitizer(__builtin_return_address(0)))
		return plain_open(path, flags, mode);
	return announced_open(path, flags, mode);
}

/* On 64-bit machines the same function under another name. */
BLOCK_EXPORT int open64(const char *path, int flags, ...)
	__attribute__((alias("open")));

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
		if (command == F_SETFL)
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

/* --- signals ------------------------------------------------------------------------------- */

ANNOUNCE(int, sigwait, (const sigset_t *set, int *sig), (set, sig))
ANNOUNCE(int, sigwaitinfo, (const sigset_t *set, siginfo_t *info), (set, info))
ANNOUNCE(int, sigtimedwait,
	 (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),
	 (set, info, timeout))
ANNOUNCE(int, sigsuspend, (const sigset_t *mask), (mask))
