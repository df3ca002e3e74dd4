/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apart.c - a child, two pipes, and a clock.
 */
#define _GNU_SOURCE
#include "tools/wend/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wend/time.h>

/* What comes through one pipe. Beyond its size it is read and dropped. */
struct stream {
	int fd; /* -1: ended */
	char *to;
	size_t size, got;
};

static _Noreturn void be_child(void (*ask)(void *answer, const void *arg),
			       const void *arg, size_t size, int out, int err)
{
	void *answer = calloc(1, size);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(err, STDERR_FILENO);
	if (!answer)
		_exit(1);
	ask(answer, arg);
	fflush(stderr);
	/* At most a few hundred bytes: they go in one piece. */
	if (write(out, answer, size) != (ssize_t)size)
		_exit(1);
	_exit(0);
}

static void take(struct stream *s)
{
	char rest[512];
	size_t room = s->size - s->got;
	ssize_t n = read(s->fd, room ? s->to + s->got : rest,
			 room ? room : sizeof(rest));

	if (n > 0) {
		s->got += room ? (size_t)n : 0;
	} else if (n == 0 || errno != EINTR) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Until both have ended, or -ETIMEDOUT. */
static int take_all(struct stream s[2], int limit_ms)
{
	int64_t deadline = wend_after_ms(limit_ms);

	while (s[0].fd >= 0 || s[1].fd >= 0) {
		struct pollfd p[2] = { { s[0].fd, POLLIN, 0 },
				       { s[1].fd, POLLIN, 0 } };
		int64_t left = (deadline - wend_now()) / WEND_MILLISECOND;

		if (left < 0)
			return -ETIMEDOUT;
		if (poll(p, 2, (int)left + 1) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents)
				take(&s[i]);
	}
	return 0;
}

static int pipes(int out[2], int err[2])
{
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(err, O_CLOEXEC)) {
		int r = -errno;

		close(out[0]);
		close(out[1]);
		return r;
	}
	return 0;
}

int apart(void (*ask)(void *answer, const void *arg), const void *arg,
	  void *answer, size_t size, int limit_ms, char said[APART_SAID])
{
	char *got = calloc(1, size);
	struct stream s[2];
	int out[2], err[2], r;
	pid_t pid;

	memset(said, 0, APART_SAID);
	if (!got)
		return -ENOMEM;
	r = pipes(out, err);
	if (r)
		goto no_pipes;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		be_child(ask, arg, size, out[1], err[1]);
	r = pid < 0 ? -errno : 0;
	close(out[1]);
	close(err[1]);
	s[0] = (struct stream){ out[0], got, size, 0 };
	s[1] = (struct stream){ err[0], said, APART_SAID - 1, 0 };
	if (r == 0) {
		r = take_all(s, limit_ms);
		if (r)
			kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	for (int i = 0; i < 2; i++)
		if (s[i].fd >= 0)
			close(s[i].fd);
	said[strcspn(said, "\n")] = 0;
	if (r == 0 && s[0].got == size)
		memcpy(answer, got, size);
	else if (r == 0)
		r = -ECHILD;
no_pipes:
	free(got);
	return r;
}
