/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/limit.h - how long calls of the C library wait, and ending them from
 * elsewhere.
 *
 *	wend_call_limit limit = { 0 };
 *	wend_call_limit *old;
 *
 *	wend_call_limit_set(&limit, wend_after_ms(250));
 *	wend_call_limit_enter(&limit, &old);
 *	n = read(fd, buf, size);	(errno ETIMEDOUT when it passes)
 *	wend_call_limit_leave(old);
 *
 * It counts for the calls that park (docs/BLOCKING.md, Deadlines): reading,
 * writing, receiving, sending, accept(), connect(), poll() and epoll_wait(),
 * whichever library makes them. Other tasks and threads may set another
 * deadline, or end the calls, while some are under way.
 *
 * A call that need not wait may succeed whatever the limit says; ask
 * wend_call_limit_check() first where that matters. A limit costs nothing
 * unless a call waits.
 */
#ifndef WEND_LIMIT_H
#define WEND_LIMIT_H

#include <wend/base.h>
#include <wend/sync.h>

WEND_BEGIN_DECLS

/*
 * Usable when all zero: no deadline. Any number of tasks may have entered it,
 * and none waits under it, or is still in it, when its memory is given up.
 * Fields ending in '_' are the library's.
 */
typedef struct wend_call_limit {
	struct wend__waitq waiters_;
	void *sleepers_;
	int64_t deadline_;
	uint32_t ended_;
} wend_call_limit;

/*
 * wend_call_limit_set - calls under l wait until deadline (WEND_FOREVER: none).
 *
 * Past it they fail with errno ETIMEDOUT, those under way included; an
 * operation that succeeds at the same time has succeeded. A write of which a
 * part went out returns the part.
 * Context  any task or thread, also while calls are under way.
 * Cost     a lock without contention, no system call, unless a call has to
 *          learn of an earlier deadline.
 */
WEND_API void wend_call_limit_set(wend_call_limit *l, int64_t deadline);

/*
 * wend_call_limit_end - calls under l that wait fail with errno ECANCELED, now
 * and from now on. Once or more; a deadline changes nothing any more.
 */
WEND_API void wend_call_limit_end(wend_call_limit *l);

/* 0; -ETIMEDOUT: the deadline has passed; -ECANCELED: l has ended. */
WEND_API int wend_call_limit_check(wend_call_limit *l);

/*
 * wend_call_limit_enter - the calling task's calls are under l, until
 * wend_call_limit_leave(*old). Pairs nest, and only the innermost l counts; NULL
 * is no limit.
 *
 * Returns  0, and *old is for wend_call_limit_leave().
 * Errors   ENOTSUP  this thread's calls are the C library's own: it is no
 *          task, or the runtime does not replace them (WEND_INTERPOSE=0, the
 *          sim port, the child of a fork). Nothing was entered: use
 *          wend_call_limit_wait() with calls that do not wait.
 */
WEND_API WEND_MUST_CHECK int wend_call_limit_enter(wend_call_limit *l,
						   wend_call_limit **old);
WEND_API void wend_call_limit_leave(wend_call_limit *old);

/*
 * wend_call_limit_wait - wait until fd may be ready, at most as long as l says.
 *
 *   events      POLLIN, POLLOUT, as for poll(); an error or the end is ready
 *
 * Returns  0: try again what you want of fd, it may wait all the same.
 * Errors   ETIMEDOUT, ECANCELED  by l, ready or not; ECANCELED, too, for a
 *          cancelled task
 *          or another negative errno value, of poll()
 * Context  any task or thread.
 */
WEND_API WEND_MUST_CHECK int wend_call_limit_wait(wend_call_limit *l, int fd,
						  short events);

WEND_END_DECLS

#endif
