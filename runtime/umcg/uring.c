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
	ENTRIES = WEND__POLLER_UNSENT_MAX,
	EVENTS = 4096, /* more are kept by the kernel until there is room */
};

#define FEATURES                                                               \
	(IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS | IORING_FEAT_FAST_POLL | \
	 IORING_FEAT_NATIVE_WORKERS)

struct uring {
	struct wend__poller base;
	struct io_uring ring;
	/* Events that gave way to prompt ones, first in first out. */
	struct wend__io_event *late;
	uint32_t late_head, late_tail;
};

/* In the user data: the request is prompt. Requests are aligned. */
enum { PROMPT = 1 };

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
	u->late = calloc(EVENTS, sizeof(*u->late));
	if (!u->late) {
		free(u);
		return NULL;
	}
	r = set_up(&u->ring, IORING_SETUP_COOP_TASKRUN |
				     IORING_SETUP_TASKRUN_FLAG |
				     IORING_SETUP_SUBMIT_ALL);
	if (r == -EINVAL) /* before Linux 5.19 */
		r = set_up(&u->ring, 0);
	if (r) {
		free(u->late);
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
	free(uring_of(p)->late);
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

	if (sqe)
		a32_store_relaxed(&p->unsent, p->unsent + 1);
	return sqe;
}

static uint64_t user_data(const struct wend__io_req *req)
{
	return (uint64_t)(uintptr_t)req | (req->prompt ? PROMPT : 0);
}

static bool uring_queue(struct wend__poller *p, const struct wend__io_op *op,
			struct wend__io_req *req)
{
	struct io_uring_sqe *sqe = entry(p);

	if (!sqe)
		return false;
	req->prompt = op->prompt;
	io_uring_prep_rw(op->opcode, sqe, op->fd, op->addr, op->len, op->off);
	sqe->rw_flags = (int)op->flags; /* one union for all of them */
	sqe->user_data = user_data(req);
	a32_store_relaxed(&p->flying, p->flying + 1);
	return true;
}

static void uring_cancel(struct wend__poller *p, struct wend__io_req *req)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = entry(p))) {
		uring_send(p);
		cpu_relax();
	}
	io_uring_prep_cancel64(sqe, user_data(req), 0);
	io_uring_sqe_set_data(sqe, NULL); /* its own end is no event */
}

static uint32_t late_count(const struct uring *u)
{
	return u->late_tail - u->late_head;
}

static void push_late(struct uring *u, const struct wend__io_event *e)
{
	u->late[u->late_tail % EVENTS] = *e;
	a32_store_relaxed(&u->late_tail, u->late_tail + 1);
}

/* Look at each completion that is there: prompt ones into ev, up to n, the
 * others to the late ones. Returns how many were prompt. */
static unsigned int sort_out(struct uring *u, struct wend__io_event *ev,
			     unsigned int n)
{
	unsigned int head, seen = 0, found = 0;
	struct io_uring_cqe *cqe;

	io_uring_for_each_cqe(&u->ring, head, cqe)
	{
		struct wend__io_event e = {
			.req = (struct wend__io_req
					*)(uintptr_t)(cqe->user_data &
						      ~(uint64_t)PROMPT),
			.result = cqe->res,
		};

		if (found == n || late_count(u) == EVENTS)
			break;
		seen++;
		if (cqe->user_data & PROMPT)
			ev[found++] = e;
		else if (e.req)
			push_late(u, &e);
	}
	io_uring_cq_advance(&u->ring, seen);
	return found;
}

static unsigned int uring_take(struct wend__poller *p,
			       struct wend__io_event *ev, unsigned int n)
{
	struct uring *u = uring_of(p);
	unsigned int share = late_count(u), found;

	share = share < n / 4 ? share : n / 4;
	found = sort_out(u, ev, n - share);
	while (found < n && late_count(u)) {
		ev[found++] = u->late[u->late_head % EVENTS];
		a32_store_relaxed(&u->late_head, u->late_head + 1);
	}
	a32_store_relaxed(&p->flying, p->flying - found);
	return found;
}

static const struct wend__io_req *uring_ahead(const struct wend__poller *p,
					      unsigned int i)
{
	const struct uring *u = (const struct uring *)p;

	return i < late_count(u) ? u->late[(u->late_head + i) % EVENTS].req :
				   NULL;
}

static bool uring_ready(const struct wend__poller *p)
{
	const struct uring *u = (const struct uring *)p;
	const struct io_uring *ring = &u->ring;
	unsigned int flags = IO_URING_READ_ONCE(*ring->sq.kflags);

	/* The flags: the kernel wants to be called to bring events. */
	return a32_load_relaxed(ring->cq.khead) !=
		       a32_load_relaxed(ring->cq.ktail) ||
	       a32_load_relaxed(&u->late_head) !=
		       a32_load_relaxed(&u->late_tail) ||
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
	.ahead = uring_ahead,
	.ready = uring_ready,
	.sure = uring_ready,
};
