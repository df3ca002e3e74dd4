/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.c - connecting to whichever of a host's addresses answers first.
 *
 * All attempts are one task's: connect() without waiting, and one poll() for
 * all that are under way. Rejected: a task for each attempt, and a channel.
 * The losers would have to be ended and waited for, and it does not work in
 * threads of the program.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stdlib/net/socket.h"

enum {
	ADDRS = 32,
	/* As many as poll() parks a task for. Who has that many attempts under
	 * way that do not answer waits for one of them. */
	FLYING = 8,
	STAGGER_MS = 250,
	/* A Unix listener's queue is full: nothing tells when it is not. */
	FULL_MS_MIN = 1,
	FULL_MS_MAX = 50,
};

struct dial {
	const wend_net_opts *opts;
	int64_t deadline, stagger;
	int64_t next_at; /* when the next attempt starts */
	int n, next;
	int error; /* the first */
	nfds_t flying;
	struct pollfd fds[FLYING];
	int which[FLYING]; /* address of each */
	wend_net_addr addrs[ADDRS];
	wend_net_addr local;
};

static void note_error(struct dial *d, int error)
{
	if (!d->error)
		d->error = error;
}

/* The first address's family first, then by turns, each in its order. */
static void interleave(wend_net_addr *addrs, int n)
{
	for (int i = 1; i < n; i++) {
		sa_family_t before = addrs[i - 1].sa.ss_family;
		int j = i;
		wend_net_addr a;

		while (j < n && addrs[j].sa.ss_family == before)
			j++;
		if (j == n)
			return;
		a = addrs[j];
		memmove(&addrs[i + 1], &addrs[i],
			(size_t)(j - i) * sizeof(addrs[0]));
		addrs[i] = a;
	}
}

/* --- one attempt ---------------------------------------------------------------- */

/* A socket that is about to connect; or -errno. */
static int open_socket(struct dial *d, const wend_net_addr *a)
{
	int fd, r = 0;

	fd = wend__net_socket(a->sa.ss_family, SOCK_STREAM, SOCK_NONBLOCK,
			      d->opts);
	if (fd < 0)
		return fd;
	if (d->opts->local) {
		if (d->local.sa.ss_family != a->sa.ss_family)
			r = -EAFNOSUPPORT;
		else if (bind(fd, (struct sockaddr *)&d->local.sa,
			      d->local.size) < 0)
			r = -errno;
	}
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* 0: connected. -EINPROGRESS: under way. Or what is wrong. */
static int try_connect(int fd, const wend_net_addr *a)
{
	if (connect(fd, (const struct sockaddr *)&a->sa, a->size) == 0)
		return 0;
	return errno == EINTR ? -EINPROGRESS : -errno;
}

/* Start the next one. fd if it is connected already, -1 if not. */
static int start_next(struct dial *d)
{
	int i = d->next++;
	int fd = open_socket(d, &d->addrs[i]);
	int r = fd < 0 ? fd : try_connect(fd, &d->addrs[i]);

	if (r == 0)
		return fd;
	if (r == -EINPROGRESS) {
		d->fds[d->flying] = (struct pollfd){ .fd = fd,
						     .events = POLLOUT };
		d->which[d->flying++] = i;
		d->next_at = wend_after(d->stagger);
		return -1;
	}
	if (fd >= 0)
		(void)close(fd);
	note_error(d, r);
	d->next_at = 0;
	return -1;
}

/* Look at those that poll() named. fd if one is connected, -1 if not. */
static int look(struct dial *d)
{
	for (nfds_t i = 0; i < d->flying;) {
		int fd = d->fds[i].fd, error = 0;
		socklen_t size = sizeof(error);

		if (!d->fds[i].revents) {
			i++;
			continue;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
		d->flying--;
		d->fds[i] = d->fds[d->flying];
		d->which[i] = d->which[d->flying];
		if (error == 0)
			return fd;
		(void)close(fd);
		note_error(d, -error);
		d->next_at = 0;
	}
	return -1;
}

/* --- all of them ------------------------------------------------------------------ */

static int timeout_ms(int64_t until)
{
	int64_t ms;

	if (until == WEND_FOREVER)
		return -1;
	ms = (until - wend_now() + WEND_MILLISECOND - 1) / WEND_MILLISECOND;
	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static bool may_start(const struct dial *d)
{
	return d->next < d->n && d->flying < FLYING;
}

/* A connected socket, or -errno. */
static int race(struct dial *d)
{
	int64_t until;
	int fd;

	for (;;) {
		while (may_start(d) &&
		       (!d->flying || wend_now() >= d->next_at)) {
			fd = start_next(d);
			if (fd >= 0)
				return fd;
		}
		if (!d->flying)
			return d->error;
		until = d->deadline;
		if (may_start(d) && d->next_at < until)
			until = d->next_at;
		if (poll(d->fds, d->flying, timeout_ms(until)) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		fd = look(d);
		if (fd >= 0)
			return fd;
		if (d->deadline != WEND_FOREVER && wend_now() >= d->deadline)
			return -ETIMEDOUT;
	}
}

static int connect_unix(struct dial *d)
{
	int64_t pause = FULL_MS_MIN * WEND_MILLISECOND;
	int fd = open_socket(d, &d->addrs[0]);
	int r;

	if (fd < 0)
		return fd;
	for (;;) {
		r = try_connect(fd, &d->addrs[0]);
		if (r != -EAGAIN && r != -EINPROGRESS)
			break;
		if (wend_now() >= d->deadline) {
			r = -ETIMEDOUT;
			break;
		}
		r = wend_sleep(pause);
		if (r < 0)
			break;
		if (pause < FULL_MS_MAX * WEND_MILLISECOND)
			pause *= 2;
	}
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* The socket becomes a connection. */
static int finish(int fd, wend_conn **c)
{
	int r = wend_net_from_fd(c, fd);

	if (r < 0)
		(void)close(fd);
	return r;
}

static int dial(struct dial *d, wend_conn **c, const char *address)
{
	int r = wend_net_resolve(address, d->addrs, ADDRS, d->deadline);

	if (r < 0)
		return r;
	d->n = r;
	if (d->opts->local) {
		r = wend__net_resolve_one(d->opts->local, &d->local,
					  d->deadline);
		if (r < 0)
			return r;
	}
	if (d->addrs[0].sa.ss_family == AF_UNIX) {
		r = connect_unix(d);
	} else {
		interleave(d->addrs, d->n);
		r = race(d);
	}
	for (nfds_t i = 0; i < d->flying; i++)
		(void)close(d->fds[i].fd);
	return r < 0 ? r : finish(r, c);
}

int wend_net_dial(wend_conn **c, const char *address, int64_t deadline,
		  const wend_net_opts *opts)
{
	struct dial *d;
	int r;

	*c = NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->opts = wend__net_opts(opts);
	d->deadline = deadline;
	d->stagger = d->opts->stagger ? d->opts->stagger :
					STAGGER_MS * WEND_MILLISECOND;
	r = dial(d, c, address);
	free(d);
	return r;
}
