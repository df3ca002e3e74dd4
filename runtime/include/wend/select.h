/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/select.h - wait for the first of several channel operations.
 *
 *	switch (wend_select(wend_after(100 * WEND_MILLISECOND),
 *			    wend_on_recv(c, &v),
 *			    wend_on_send(d, &x))) {
 *	case 0: ...          received v from c
 *	case 1: ...          x went to d
 *	case -ETIMEDOUT: ...
 *	}
 */
#ifndef WEND_SELECT_H
#define WEND_SELECT_H

#include <wend/base.h>
#include <wend/chan.h>

WEND_BEGIN_DECLS

enum wend_op { WEND_OP_RECV, WEND_OP_SEND };

/*
 * struct wend_case - one operation of a select.
 *
 *   chan    NULL: this case is never taken
 *   elem    as for wend_chan_send() or wend_chan_recv()
 *   status  if not NULL and this case is taken: 0, or -EPIPE because chan
 *           is closed (elem is zeroed for a receive)
 */
struct wend_case {
	wend_chan *chan;
	void *elem;
	int *status;
	enum wend_op op;
};

/*
 * wend_select_cases - perform exactly one of the operations.
 *
 *   cases, n    n cases, at most 65536; not kept. 0 cases wait for the
 *               deadline alone
 *   deadline    absolute; WEND_FOREVER; 0: do not wait (Go's default case)
 *
 * When several can go on, one is taken at random, each as likely. A closed
 * channel can always go on: a case on it is taken with status -EPIPE.
 *
 * Returns  the index of the case that was taken.
 * Errors   ETIMEDOUT  deadline passed; no operation was performed
 *          ECANCELED  the calling task was cancelled; none was performed
 *          EINVAL     n too large
 *          ENOMEM     no memory (n above 16 only); none was performed
 * Context  a channel may stand in several cases.
 * Cost     O(n log n), no allocation up to 16 cases.
 * Source   Go specification, "Select statements".
 */
WEND_API int wend_select_cases(const struct wend_case *cases, size_t n,
			       int64_t deadline);

static inline struct wend_case wend__case_recv(void *chan, void *elem,
					       int *status)
{
	struct wend_case c;

	c.chan = (wend_chan *)chan;
	c.elem = elem;
	c.status = status;
	c.op = WEND_OP_RECV;
	return c;
}

static inline struct wend_case wend__case_send(void *chan, const void *elem,
					       int *status)
{
	struct wend_case c;

	c.chan = (wend_chan *)chan;
	c.elem = (void *)(uintptr_t)elem;
	c.status = status;
	c.op = WEND_OP_SEND;
	return c;
}

/* Cases; the second forms tell -EPIPE through an int. The channel may be
 * typed or not; <wend/short.h> has forms that check the element's type. */
#define wend_on_recv(c, p)            wend__case_recv((c), (p), NULL)
#define wend_on_send(c, p)            wend__case_send((c), (p), NULL)
#define wend_on_recv_status(c, p, st) wend__case_recv((c), (p), (st))
#define wend_on_send_status(c, p, st) wend__case_send((c), (p), (st))

WEND_END_DECLS

/* wend_select(deadline, case, ...): wend_select_cases() on a list. */
#ifdef __cplusplus
#include <initializer_list>
static inline int wend__select_list(int64_t deadline,
				    std::initializer_list<wend_case> cases)
{
	return wend_select_cases(cases.begin(), cases.size(), deadline);
}
#define wend_select(deadline, ...)                                             \
	wend__select_list((deadline), { __VA_ARGS__ })
#else
#define wend_select(deadline, ...)                                             \
	wend_select_cases((struct wend_case[]){ __VA_ARGS__ },                 \
			  sizeof((struct wend_case[]){ __VA_ARGS__ }) /        \
				  sizeof(struct wend_case),                    \
			  (deadline))
#endif

#endif
