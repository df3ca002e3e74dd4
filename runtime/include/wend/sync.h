/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/sync.h - locks and meeting points between tasks.
 *
 * Every type is usable when all zero, needs no destruction, must not be
 * copied or moved while in use, and works between tasks and threads alike: a
 * task that waits is switched away, a thread sleeps. Fields ending in '_' are
 * the library's.
 *
 * Waits named without _until cannot fail for locks (a lock() that could be
 * cancelled would have to be checked everywhere); elsewhere they return
 * -ECANCELED for a cancelled task. The _until forms take an absolute deadline
 * (0 polls) and return -ETIMEDOUT or -ECANCELED; nothing was acquired then.
 */
#ifndef WEND_SYNC_H
#define WEND_SYNC_H

#include <wend/base.h>

WEND_BEGIN_DECLS

/* A queue of waiters: its lock, and the first and last of them. */
struct wend__waitq {
	uint32_t lock_;
	void *head_;
	void *tail_;
};

/*
 * wend_mutex - one holder at a time; not recursive.
 *
 * Fast, not fair: a running task may take the lock before one that was woken
 * for it; who has waited for more than a millisecond gets it handed over.
 * It may be unlocked by another task than the one that locked it. Its memory
 * may be freed as soon as nobody holds or wants it, also by a task that has
 * just locked and unlocked it while another's unlock has yet to return.
 * wend_mutex_try - true: it is locked now.
 * Misuse   unlocking what is not locked.
 * Order    what was written before an unlock is visible after the next lock.
 * Source   Go package sync, Mutex.
 */
typedef struct wend_mutex {
	uint32_t state_;
	uint32_t flags_;
} wend_mutex;
#define WEND_MUTEX_INIT                                                        \
	{                                                                      \
		0, 0                                                           \
	}
WEND_API void wend_mutex_lock(wend_mutex *m);
WEND_API WEND_MUST_CHECK int wend_mutex_lock_until(wend_mutex *m,
						   int64_t deadline);
WEND_API WEND_MUST_CHECK bool wend_mutex_try(wend_mutex *m);
WEND_API void wend_mutex_unlock(wend_mutex *m);

/*
 * wend_rwmutex - any number of readers, or one writer.
 *
 * A waiting writer holds new readers off, so that it is not starved; the
 * readers that wait when a writer unlocks go before the next writer. Not
 * recursive, for reading neither.
 * Source   Go package sync, RWMutex.
 */
typedef struct wend_rwmutex {
	struct wend__waitq waiters_;
	uint32_t readers_;
	uint32_t writer_;
	uint32_t writers_waiting_;
} wend_rwmutex;
WEND_API void wend_rwmutex_rlock(wend_rwmutex *m);
WEND_API WEND_MUST_CHECK int wend_rwmutex_rlock_until(wend_rwmutex *m,
						      int64_t deadline);
WEND_API WEND_MUST_CHECK bool wend_rwmutex_rtry(wend_rwmutex *m);
WEND_API void wend_rwmutex_runlock(wend_rwmutex *m);
WEND_API void wend_rwmutex_lock(wend_rwmutex *m);
WEND_API WEND_MUST_CHECK int wend_rwmutex_lock_until(wend_rwmutex *m,
						     int64_t deadline);
WEND_API WEND_MUST_CHECK bool wend_rwmutex_try(wend_rwmutex *m);
WEND_API void wend_rwmutex_unlock(wend_rwmutex *m);

/*
 * wend_cond - wait until another task says that something may have changed.
 *
 * The caller of a wait holds m; it is released while waiting and held again
 * on every return, errors included. There are no spurious returns of 0, but
 * another task may have taken m first: wait in a loop.
 * Source   Go package sync, Cond.
 */
typedef struct wend_cond {
	struct wend__waitq waiters_;
} wend_cond;
WEND_API int wend_cond_wait(wend_cond *c, wend_mutex *m);
WEND_API WEND_MUST_CHECK int wend_cond_wait_until(wend_cond *c, wend_mutex *m,
						  int64_t deadline);
WEND_API void wend_cond_signal(wend_cond *c);
WEND_API void wend_cond_broadcast(wend_cond *c);

/*
 * wend_once - call a function once; whoever comes meanwhile waits for it.
 * wend_once_do_until - Errors  ETIMEDOUT, ECANCELED while waiting for the
 *               caller that runs fn. That caller itself never waits.
 */
typedef struct wend_once {
	uint32_t state_;
	struct wend__waitq waiters_;
} wend_once;
WEND_API void wend_once_do(wend_once *o, void (*fn)(void *arg), void *arg);
WEND_API WEND_MUST_CHECK int wend_once_do_until(wend_once *o,
						void (*fn)(void *arg),
						void *arg, int64_t deadline);

/*
 * wend_waitgroup - wait until a number of things are done.
 *
 * wend_waitgroup_add - n may be negative. wend_waitgroup_done is add(-1).
 * Misuse   the count falls below 0, or passes 2^31 - 1.
 * Order    all that was done before a done() is visible after the wait.
 * Source   Go package sync, WaitGroup.
 */
typedef struct wend_waitgroup {
	uint32_t count_;
	struct wend__waitq waiters_;
} wend_waitgroup;
WEND_API void wend_waitgroup_add(wend_waitgroup *w, int n);
WEND_API void wend_waitgroup_done(wend_waitgroup *w);
WEND_API int wend_waitgroup_wait(wend_waitgroup *w);
WEND_API WEND_MUST_CHECK int wend_waitgroup_wait_until(wend_waitgroup *w,
						       int64_t deadline);

/*
 * wend_sema - a counting semaphore; first come, first served.
 *
 * wend_sema_release - n units more; misuse: the count passes 2^32 - 1.
 * wend_sema_acquire - one unit. _try: true: it has it.
 */
typedef struct wend_sema {
	uint32_t count_;
	struct wend__waitq waiters_;
} wend_sema;
#define WEND_SEMA_INIT(n)                                                      \
	{                                                                      \
		(n),                                                           \
		{                                                              \
			0, NULL, NULL                                          \
		}                                                              \
	}
WEND_API int wend_sema_acquire(wend_sema *s);
WEND_API WEND_MUST_CHECK int wend_sema_acquire_until(wend_sema *s,
						     int64_t deadline);
WEND_API WEND_MUST_CHECK bool wend_sema_try(wend_sema *s);
WEND_API void wend_sema_release(wend_sema *s, uint32_t n);

WEND_END_DECLS

#endif
