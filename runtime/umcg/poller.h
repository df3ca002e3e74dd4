/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.h - where operations on descriptors wait instead of threads.
 *
 * A server has one as soon as it needs it: an io_uring (uring.c), or an epoll
 * set where that is missing or forbidden (epoll.c). The uring takes whole
 * operations; epoll only tells when a descriptor is ready, and the operation
 * is then made directly.
 *
 * A request is queued, sent to the kernel with others, and comes back as an
 * event. It is its caller's memory, and must stay until it has come back; to
 * have it back early it is cancelled, and comes back all the same.
 *
 * Every thread may do everything: the lock guards both directions. It is the
 * owner's of the server as a rule. A thread may hold it over the system call
 * that sends.
 */
#ifndef WEND_UMCG_POLLER_H
#define WEND_UMCG_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/lock.h"
#include "runtime/umcg/port.h"

/* What to do; the fields are those of the kernel's submission entry. */
struct wend__io_op {
	uint8_t opcode; /* IORING_OP_* */
	/* Who waits for it is to go on soon after it was done, while what the
	 * kernel touched for it is near: who receives, as a rule answers on
	 * the same socket. */
	bool prompt;
	int fd;
	const void *addr;
	uint32_t len;
	uint32_t flags; /* RECV, ACCEPT, ...: of that call; POLL_ADD: events */
	uint64_t off;   /* or the second address */
};

/* One operation under way. The poller's until it has come back as an event. */
struct wend__io_req {
	bool prompt;               /* uring.c's */
	struct wend__io_req *next; /* epoll.c's */
	int fd;                    /* epoll.c's, and the events */
	uint32_t events;
	int32_t result; /* the user's from here on */
	bool done;
	struct wend__io_wait *wait;
};

struct wend__io_event {
	struct wend__io_req *req;
	int32_t result; /* of the operation, or -errno */
};

struct wend__poller {
	const struct wend__poller_kind *kind;
	struct wend__lock lock;
	int fd; /* readable when the kernel has events */
	/* Written under the lock, looked at without it as hints. */
	uint32_t flying; /* requests queued that have not come back */
	uint32_t unsent; /* entries the kernel does not know of yet */
	/* poller.c: whether it pays to stay awake. Hints. */
	uint8_t luck, short_sleeps;
};

struct wend__poller_kind {
	const char *name;
	bool whole; /* takes operations; else POLL_ADD only */

	/* A new one, or NULL: the kernel has none for us (now). */
	struct wend__poller *(*create)(void);
	void (*destroy)(struct wend__poller *p);

	/* With the lock. queue: false: it is full; after a send it is not, as
	 * long as the kernel accepts something. cancel: of a request that is
	 * under way; it may miss, and may be tried again. Both count in p. */
	bool (*queue)(struct wend__poller *p, const struct wend__io_op *op,
		      struct wend__io_req *req);
	void (*cancel)(struct wend__poller *p, struct wend__io_req *req);
	/* Tell the kernel of all that is unsent, and have it put events where
	 * take() finds them. */
	void (*send)(struct wend__poller *p);
	/* At most n events that are there, those of prompt requests first as
	 * long as the others get a share, and else in order. */
	unsigned int (*take)(struct wend__poller *p, struct wend__io_event *ev,
			     unsigned int n);

	/* With the lock, if whole: the i-th of those that take() will give
	 * after what is prompt, or NULL: not known yet. */
	const struct wend__io_req *(*ahead)(const struct wend__poller *p,
					    unsigned int i);

	/* Without the lock: whether send() and take() may find an event; and
	 * whether they will, whatever poll() says of fd. */
	bool (*ready)(const struct wend__poller *p);
	bool (*sure)(const struct wend__poller *p);
};

enum {
	WEND__POLLER_UNSENT_MAX = 256, /* entries: send before there are more */
};

extern const struct wend__poller_kind wend__poller_uring;
extern const struct wend__poller_kind wend__poller_epoll;

static inline void wend__poller_lock(struct wend__poller *p)
{
	wend__lock(&p->lock, WEND__RANK_POLLER);
}

/* For who has something else to do if another holds it. */
static inline bool wend__poller_trylock(struct wend__poller *p)
{
	wend__preempt_off(); /* as wend__lock() does; the unlock undoes it */
	if (!a32_cas_acquire(&p->lock.word, 0, 1)) {
		wend__preempt_on();
		return false;
	}
	wend__rank_enter(WEND__RANK_POLLER);
	return true;
}

static inline void wend__poller_unlock(struct wend__poller *p)
{
	wend__unlock(&p->lock, WEND__RANK_POLLER);
}

static inline uint32_t wend__poller_flying(const struct wend__poller *p)
{
	return a32_load_relaxed(&p->flying);
}

static inline uint32_t wend__poller_unsent(const struct wend__poller *p)
{
	return a32_load_relaxed(&p->unsent);
}

/*
 * wend__poller_park - as the port's park(), but events wake, too. While events
 * come fast, it does not sleep for the first 50 us.
 *
 * Returns when there is a permit (taken), an event, or deadline has passed;
 * the caller looks which. Spurious returns are possible. Whether there is an
 * event, as far as it was seen.
 */
bool wend__poller_park(struct wend__poller *p, struct wend__parker *k,
		       int64_t deadline);

/* Give back what wend__poller_park() made for the parker. */
void wend__parker_free(struct wend__parker *k);

#endif
