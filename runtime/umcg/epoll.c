/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll.c - the poller that is an epoll set: it tells when a descriptor is
 * ready, and does nothing else.
 *
 * A descriptor is in the set since it was first waited for, and armed
 * (EPOLLONESHOT) while somebody waits. The set keeps one mask for each, so the
 * requests for one descriptor are in a list and share the union of what they
 * wait for. Closing takes a descriptor out of the set by itself; so arming is
 * MOD, then ADD if it is not, or no longer, there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"
#include "runtime/umcg/poller.h"

enum { EVENTS = 64, LISTS_MIN = 64 };

struct epoll {
	struct wend__poller base;
	struct wend__io_req **lists; /* by descriptor */
	int count;                   /* of lists */
	/* Have come back and were not taken, with their results. The first is
	 * looked at without the lock, as a hint. */
	struct wend__io_req *done, **done_end;
};

static struct epoll *epoll_of(struct wend__poller *p)
{
	return (struct epoll *)p; /* base is the first member */
}

static struct wend__poller *create(void)
{
	struct epoll *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->base.kind = &wend__poller_epoll;
	/* Bare, as the close() is: no wrapper of the C library's functions,
	 * ours or a sanitizer's, is to see one without the other. */
	e->base.fd = (int)wend__syscall3(SYS_epoll_create1, EPOLL_CLOEXEC, 0,
					 0);
	e->done_end = &e->done;
	if (e->base.fd >= 0)
		return &e->base;
	free(e);
	return NULL;
}

static void destroy(struct wend__poller *p)
{
	(void)wend__syscall3(SYS_close, p->fd, 0, 0);
	free(epoll_of(p)->lists);
	free(p);
}

static void finish(struct epoll *e, struct wend__io_req *req, int32_t result)
{
	req->result = result;
	req->next = NULL;
	aptr_store_relaxed(e->done_end, req);
	e->done_end = &req->next;
}

/* Room for descriptor fd. */
static bool has_list(struct epoll *e, int fd)
{
	int count = e->count ? e->count : LISTS_MIN;
	struct wend__io_req **lists;

	if (fd < e->count)
		return true;
	while (count <= fd)
		count *= 2;
	lists = realloc(e->lists,
			(size_t)count * sizeof(struct wend__io_req *));
	if (!lists)
		return false;
	memset(lists + e->count, 0,
	       (size_t)(count - e->count) * sizeof(struct wend__io_req *));
	e->lists = lists;
	e->count = count;
	return true;
}

/* Have the kernel look for what fd's list waits for. 0 or -errno. */
static int arm(struct epoll *e, int fd)
{
	struct epoll_event ev = { .events = EPOLLONESHOT, .data.fd = fd };
	int r;

	for (struct wend__io_req *q = e->lists[fd]; q; q = q->next)
		ev.events |= q->events;
	r = (int)wend__syscall6(SYS_epoll_ctl, e->base.fd, EPOLL_CTL_MOD, fd,
				(long)&ev, 0, 0);
	if (r == -ENOENT)
		r = (int)wend__syscall6(SYS_epoll_ctl, e->base.fd,
					EPOLL_CTL_ADD, fd, (long)&ev, 0, 0);
	return r;
}

static bool queue(struct wend__poller *p, const struct wend__io_op *op,
		  struct wend__io_req *req)
{
	struct epoll *e = epoll_of(p);
	int r = 0;

	wend__assert(op->opcode == IORING_OP_POLL_ADD);
	if (op->fd >= 0 && !has_list(e, op->fd))
		return false;
	req->fd = op->fd;
	req->events = op->flags & (uint32_t) ~(EPOLLONESHOT | EPOLLET);
	if (op->fd < 0) {
		r = -EBADF;
	} else {
		req->next = e->lists[op->fd];
		e->lists[op->fd] = req;
		r = arm(e, op->fd);
		if (r)
			e->lists[op->fd] = req->next;
	}
	/* A file that is no device, or no file: poll() has an answer at once. */
	if (r == -EPERM || r == -EBADF)
		finish(e, req, r == -EPERM ? POLLIN | POLLOUT : POLLNVAL);
	else if (r)
		return false;
	a32_store_relaxed(&p->flying, p->flying + 1);
	return true;
}

static void cancel(struct wend__poller *p, struct wend__io_req *req)
{
	struct epoll *e = epoll_of(p);
	struct wend__io_req **link;

	if (req->fd < 0)
		return; /* is done already */
	for (link = &e->lists[req->fd]; *link; link = &(*link)->next) {
		if (*link != req)
			continue;
		*link = req->next;
		finish(e, req, -ECANCELED);
		return;
	}
}

static void send(struct wend__poller *p)
{
	(void)p; /* each request is the kernel's when it is queued */
}

/* Descriptor fd is ready: finish who waited for that. */
static void fire(struct epoll *e, int fd, uint32_t events)
{
	struct wend__io_req **link = &e->lists[fd], *q;

	while ((q = *link)) {
		if (!(events & (q->events | EPOLLERR | EPOLLHUP))) {
			link = &q->next;
			continue;
		}
		*link = q->next;
		finish(e, q, (int32_t)events);
	}
	if (!e->lists[fd] || arm(e, fd) == 0)
		return;
	/* Cannot be watched any longer: let them ask the kernel themselves. */
	while ((q = e->lists[fd])) {
		e->lists[fd] = q->next;
		finish(e, q, POLLNVAL);
	}
}

static void look(struct epoll *e)
{
	struct epoll_event ev[EVENTS];
	int n = (int)wend__syscall6(SYS_epoll_pwait, e->base.fd, (long)ev,
				    EVENTS, 0, 0, 0);

	for (int i = 0; i < n; i++)
		fire(e, ev[i].data.fd, ev[i].events);
}

static unsigned int take(struct wend__poller *p, struct wend__io_event *ev,
			 unsigned int n)
{
	struct epoll *e = epoll_of(p);
	struct wend__io_req *q;
	unsigned int taken = 0;

	if (!e->done)
		look(e);
	while (taken < n && (q = e->done)) {
		aptr_store_relaxed(&e->done, q->next);
		ev[taken].req = q;
		ev[taken++].result = q->result;
	}
	if (!e->done)
		e->done_end = &e->done;
	a32_store_relaxed(&p->flying, p->flying - taken);
	return taken;
}

/* Only the kernel knows. */
static bool ready(const struct wend__poller *p)
{
	return wend__poller_flying(p) > 0;
}

static bool sure(const struct wend__poller *p)
{
	return aptr_load_relaxed(&((const struct epoll *)p)->done) != NULL;
}

const struct wend__poller_kind wend__poller_epoll = {
	.name = "epoll",
	.create = create,
	.destroy = destroy,
	.queue = queue,
	.cancel = cancel,
	.send = send,
	.take = take,
	.ready = ready,
	.sure = sure,
};
