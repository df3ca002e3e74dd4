/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile.c - a file to a connection, in the kernel.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stdlib/net/stream.h"

/*
 * sendfile() cannot be told not to wait but by O_NONBLOCK. That is set behind
 * the runtime's back, on purpose: calls on this socket that others make
 * meanwhile are to wait as before.
 */
static void set_nonblock(int fd, bool on)
{
	(void)syscall(SYS_fcntl, fd, F_SETFL, O_RDWR | (on ? O_NONBLOCK : 0));
}

/* sendfile() without SIGPIPE, which no flag keeps it from. It is sent to the
 * thread that called, and the task does not leave that in between. */
static ssize_t quiet_sendfile(int fd, int file, off_t *offset, size_t n)
{
	const struct timespec now = { 0 };
	sigset_t pipe, old;
	ssize_t sent;
	int err;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, &old);
	sent = sendfile(fd, file, offset, n);
	err = errno;
	if (sent < 0 && err == EPIPE && !sigismember(&old, SIGPIPE))
		(void)sigtimedwait(&pipe, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return sent < 0 ? -err : sent;
}

/* One sendfile() that may have waited for room before. */
static ssize_t send_piece(struct wend__net_stream *s, int file, off_t *offset,
			  size_t n)
{
	ssize_t r;

	for (;;) {
		r = wend__net_check(s, &s->wr);
		if (r < 0)
			return r;
		r = quiet_sendfile(s->fd, file, offset, n);
		if (r == -EAGAIN)
			r = wend_call_limit_wait(&s->wr, s->fd, POLLOUT);
		else if (r != -EINTR)
			return r;
		if (r < 0 && r != -EINTR)
			return r;
	}
}

ssize_t wend_net_sendfile(wend_conn *c, int file, off_t offset, size_t n)
{
	struct wend__net_stream *s = wend__net_stream(c);
	size_t done = 0;
	ssize_t r = 0;

	if (!s)
		return -ENOTSUP;
	set_nonblock(s->fd, true);
	while (done < n) {
		r = send_piece(s, file, &offset, n - done);
		if (r <= 0)
			break;
		done += (size_t)r;
	}
	set_nonblock(s->fd, false);
	if (r < 0 && wend__net_check(s, &s->wr) == -ECANCELED)
		return -ECANCELED;
	return r < 0 ? r : (ssize_t)done;
}
