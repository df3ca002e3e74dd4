/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uring.c - the poller that is an io_uring, by way of liburing.
 *
 * The kernel finishes a request in the thread that sent it, when that thread
 * next leaves the kernel (COOP_TASKRUN: it is not interrupted for it, but a
 * system call in which it sleeps is, and starts again as a rule). Rejected:
 * DEFER_TASKRUN, which needs one thread to send all and to fetch all; ours
 * change.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

#include "runtime/umcg/poller.h"

enum {
	ENTRIES = 256,
	EVENTS = 4096, /* more are kept by the kernel until there is room */
};

#define FEATURES                                                               \
	(IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS | IORING_FEAT_FAST_POLL | \
	 IORING_FEAT_NATIVE_WORKERS)

struct uring {
	struct wend__poller base;
	struct io_uring ring;
};

static struct uring *uring_of(struct wend__poller *p)
{
	return (struct uring *)p; /* base is the first member */
}

static int set_up(struct io_uring *ring, unsigned int flags)
{
	struct io_uring_params params = {
		.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
		.cq_entries = EVENTS,
	};
	int r = io_uring_queue_init_params(ENTRIES, ring, &params);

	if (r)
		return r;
	if ((params.features & FEATURES) == FEATURES)
		return 0;
	io_uring_queue_exit(ring);
	return -ENOSYS;
}

static struct wend__poller *uring_create(void)
{
	struct uring *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return NULL;
	r = set_up(&u->ring, IORING_SETUP_COOP_TASKRUN |
				     IORING_SETUP_TASKRUN_FLAG |
				     IORING_SETUP_SUBMIT_ALL);
	if (r == -EINVAL) /* before Linux 5.19 */
		r = set_up(&u->ring, 0);
	if (r) {
		free(u);
		return NULL;
	}
	u->base.kind = &wend__poller_uring;
	u->base.fd = u->ring.ring_fd;
	return &u->base;
}

static void uring_destroy(struct wend__poller *p)
{
	io_uring_queue_exit(&uring_of(p)->ring);
	free(p);
}

static void uring_send(struct wend__poller *p)
{
	struct io_uring *ring = &uring_of(p)->ring;

	/* What is not accepted now (no memory, say) stays in the queue, and is
	 * offered again with the next. */
	(void)io_uring_submit(ring);
	a32_store_relaxed(&p->unsent, io_uring_sq_ready(ring));
}

static struct io_uring_sqe *entry(struct wend__poller *p)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring_of(p)->ring);

	if (!sqe) {
		uring_send(p);
		sqe = io_uring_get_sqe(&uring_of(p)->ring);
	}
	if (sqe)
		a32_store_relaxed(&p->unsent, p->unsent + 1);
	return sqe;
}

static bool uring_queue(struct wend__poller *p, const struct wend__io_op *op,
			struct wend__io_req *req)
{
	struct io_uring_sqe *sqe = entry(p);

	if (!sqe)
		return false;
	io_uring_prep_rw(op->opcode, sqe, op->fd, op->addr, op->len, op->off);
	sqe->rw_flags = (int)op->flags; /* one union for all of them */
	io_uring_sqe_set_data(sqe, req);
	a32_store_relaxed(&p->flying, p->flying + 1);
	return true;
}

static void uring_cancel(struct wend__poller *p, struct wend__io_req *req)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = entry(p)))
		cpu_relax();
	io_uring_prep_cancel(sqe, req, 0);
	io_uring_sqe_set_data(sqe, NULL); /* its own end is no event */
}

static unsigned int uring_take(struct wend__poller *p,
			       struct wend__io_event *ev, unsigned int n)
{
	struct io_uring *ring = &uring_of(p)->ring;
	unsigned int head, taken = 0, found = 0;
	struct io_uring_cqe *cqe;

	io_uring_for_each_cqe(ring, head, cqe)
	{
		if (found == n)
			break;
		taken++;
		ev[found].req = io_uring_cqe_get_data(cqe);
		ev[found].result = cqe->res;
		if (ev[found].req)
			found++;
	}
	io_uring_cq_advance(ring, taken);
	a32_store_relaxed(&p->flying, p->flying - found);
	return found;
}

static bool uring_ready(const struct wend__poller *p)
{
	const struct io_uring *ring = &((const struct uring *)p)->ring;
	unsigned int flags = IO_URING_READ_ONCE(*ring->sq.kflags);

	/* The flags: the kernel wants to be called to bring events. */
	return io_uring_cq_ready(ring) ||
	       (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

const struct wend__poller_kind wend__poller_uring = {
	.name = "uring",
	.whole = true,
	.create = uring_create,
	.destroy = uring_destroy,
	.queue = uring_queue,
	.cancel = uring_cancel,
	.send = uring_send,
	.take = uring_take,
	.ready = uring_ready,
};
