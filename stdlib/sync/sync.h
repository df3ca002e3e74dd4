/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/sync.h - what is made of locks and tasks: pool, map, group, flight,
 * limiter.
 *
 * The locks themselves are in <wend/sync.h>. All of these may be used by all
 * tasks and threads at once, and are made and freed by functions; who frees one
 * must be the last to use it.
 *
 * Values are pointers. Where an object takes functions ref and unref, it calls
 * ref(value) for each reference that it hands out and unref(value) for each that
 * it gives up, as it holds one itself while it has the value. With NULL for them
 * values are plain pointers that somebody else keeps alive. unref is called
 * without a lock; ref under one, so it must not wait.
 */
#ifndef WEND_STD_SYNC_H
#define WEND_STD_SYNC_H

#include <wend/base.h>
#include <wend/std/context.h>

WEND_BEGIN_DECLS

/* --- pool -------------------------------------------------------------------- */

/*
 * wend_sync_pool - objects that are made once and used again.
 *
 * wend_sync_pool_new - Returns NULL: no memory.
 *   make        called as make(arg) when there is none left; NULL: it failed
 *   drop        called as drop(object, arg) for what is not kept
 *   keep        the most objects that are kept. So many are, but where gets
 *               and puts go on at once: the objects lie in several places,
 *               which are looked at one after the other, and a put that finds
 *               each full in its turn drops the object though there is room
 *               by now; a get, the other way round, makes one
 * wend_sync_pool_get - an object, used or new; NULL: make failed.
 * wend_sync_pool_put - give one back, as the next user is to find it.
 * wend_sync_pool_free - drop what is kept. NULL does nothing.
 *
 * A task is likely to get what it gave back last.
 */
typedef struct wend_sync_pool wend_sync_pool;
WEND_API WEND_MUST_CHECK wend_sync_pool *
wend_sync_pool_new(void *(*make)(void *arg), void (*drop)(void *obj, void *arg),
		   void *arg, size_t keep);
WEND_API WEND_MUST_CHECK void *wend_sync_pool_get(wend_sync_pool *p);
WEND_API void wend_sync_pool_put(wend_sync_pool *p, void *obj);
WEND_API void wend_sync_pool_free(wend_sync_pool *p);

/* --- map --------------------------------------------------------------------- */

/*
 * wend_sync_map - values found by keys, by many at once.
 *
 * Keys are bytes, any number of them, and are copied. Each function is atomic,
 * _range and _len are not. The hash is seeded for each map: keys that somebody
 * chose to collide do not.
 *
 * wend_sync_map_new - Returns NULL: no memory.
 * wend_sync_map_load - 0: *value is what is stored under key; -ENOENT.
 * wend_sync_map_store - put value there, in place of what there is. 0, and the
 *               caller's reference is the map's; -ENOMEM: nothing has changed.
 * wend_sync_map_load_or_store - 1: there is one, *found is it; 0: there was
 *               none, value is there now, as with store; -ENOMEM.
 * wend_sync_map_delete - 0: it is gone, *value (unless NULL) is it; -ENOENT.
 * wend_sync_map_replace - true: old was there, and value is now. false: it was
 *               not, value is still the caller's.
 * wend_sync_map_delete_if - true: old was there, and is gone.
 * wend_sync_map_len - how many there are.
 * wend_sync_map_free - give all up. NULL does nothing.
 *
 * Source  Go package sync, Map.
 */
typedef struct wend_sync_map wend_sync_map;
WEND_API WEND_MUST_CHECK wend_sync_map *
wend_sync_map_new(void (*ref)(void *value), void (*unref)(void *value));
WEND_API WEND_MUST_CHECK int
wend_sync_map_load(wend_sync_map *m, const void *key, size_t n, void **value);
WEND_API WEND_MUST_CHECK int
wend_sync_map_store(wend_sync_map *m, const void *key, size_t n, void *value);
WEND_API WEND_MUST_CHECK int wend_sync_map_load_or_store(wend_sync_map *m,
							 const void *key,
							 size_t n, void *value,
							 void **found);
WEND_API int wend_sync_map_delete(wend_sync_map *m, const void *key, size_t n,
				  void **value);
WEND_API WEND_MUST_CHECK bool wend_sync_map_replace(wend_sync_map *m,
						    const void *key, size_t n,
						    void *old, void *value);
WEND_API bool wend_sync_map_delete_if(wend_sync_map *m, const void *key,
				      size_t n, void *old);
WEND_API size_t wend_sync_map_len(wend_sync_map *m);
WEND_API void wend_sync_map_free(wend_sync_map *m);

/*
 * wend_sync_map_range - call fn for each key and value, until it returns false.
 *
 * Keys that are stored or deleted meanwhile may come or not; none comes twice.
 * fn may do anything with the map, and wait. Key and value are valid during the
 * call.
 *
 * Returns  0; -ENOMEM: not all have come.
 */
WEND_API WEND_MUST_CHECK int wend_sync_map_range(
	wend_sync_map *m,
	bool (*fn)(const void *key, size_t n, void *value, void *arg),
	void *arg);

/* --- group ------------------------------------------------------------------- */

/*
 * wend_sync_group - tasks that are one piece of work: the first that fails
 * ends it.
 *
 * wend_sync_group_new - Returns NULL: no memory.
 *   parent      the group's context ends when this does
 *   limit       the most tasks that run at once; 0: any number
 * wend_sync_group_ctx - the group's context; it lives as long as the group.
 * wend_sync_group_go, _until, _try - start fn(ctx, arg) in a task, once the
 *               limit allows. When the context ends the task is cancelled
 *               (wend_task_cancel()). A negative result is its failure.
 *     Errors    ETIMEDOUT (_until), EAGAIN (_try): the limit does not allow it
 *               ECANCELED  the calling task was cancelled while it would wait
 *               ENOMEM, ESRCH
 *               wend_ctx_err(ctx), if the context has ended
 *               In each case nothing was started; the group goes on.
 * wend_sync_group_wait, _until - wait until all have ended. If the calling task
 *               is cancelled the group's context is, and its tasks are still
 *               waited for.
 *     Returns   0: none failed; the result of the first that did, which is the
 *               context's cause, too; ECANCELED: the waiting task was cancelled
 *     Errors    ETIMEDOUT (_until): some run still
 * wend_sync_group_free - cancel the context, wait for all. NULL does nothing.
 *
 * Source  golang.org/x/sync/errgroup.
 */
typedef struct wend_sync_group wend_sync_group;
WEND_API WEND_MUST_CHECK wend_sync_group *
wend_sync_group_new(wend_ctx *parent, unsigned int limit);
WEND_API wend_ctx *wend_sync_group_ctx(wend_sync_group *g);
WEND_API WEND_MUST_CHECK int
wend_sync_group_go(wend_sync_group *g, int (*fn)(wend_ctx *ctx, void *arg),
		   void *arg);
WEND_API WEND_MUST_CHECK int
wend_sync_group_go_until(wend_sync_group *g,
			 int (*fn)(wend_ctx *ctx, void *arg), void *arg,
			 int64_t deadline);
WEND_API WEND_MUST_CHECK int
wend_sync_group_go_try(wend_sync_group *g, int (*fn)(wend_ctx *ctx, void *arg),
		       void *arg);
WEND_API int wend_sync_group_wait(wend_sync_group *g);
WEND_API WEND_MUST_CHECK int wend_sync_group_wait_until(wend_sync_group *g,
							int64_t deadline);
WEND_API void wend_sync_group_free(wend_sync_group *g);

/* --- flight ------------------------------------------------------------------ */

/*
 * wend_sync_flight - of several that want the same thing at the same time, one
 * gets it for all.
 *
 * wend_sync_flight_new - Returns NULL: no memory.
 * wend_sync_flight_do, _until - call fn(arg, &value), or wait for the one who
 *               does so for the same key just now.
 *   fn          returns 0 or more, and *value (NULL if it leaves it); or a
 *               negative error number. It runs in the first caller's task
 *   value       gets the value, or NULL; may be NULL: then it is given up
 *   deadline    for the wait for another one's call; fn itself is not limited
 *   shared      if not NULL: whether it was another one's call
 *     Returns   what fn returned.
 *     Errors    ETIMEDOUT, ECANCELED  while waiting for another one's call
 *               ENOMEM
 *               If the task that calls fn is cancelled and fn returns
 *               -ECANCELED for that, the others do not: one of them calls its
 *               own.
 * wend_sync_flight_forget - the next caller calls fn, even if one does so now.
 * wend_sync_flight_free - nobody may be in a call. NULL does nothing.
 *
 * Source  golang.org/x/sync/singleflight.
 */
typedef struct wend_sync_flight wend_sync_flight;
WEND_API WEND_MUST_CHECK wend_sync_flight *
wend_sync_flight_new(void (*ref)(void *value), void (*unref)(void *value));
WEND_API int wend_sync_flight_do(wend_sync_flight *f, const void *key, size_t n,
				 int (*fn)(void *arg, void **value), void *arg,
				 void **value, bool *shared);
WEND_API int wend_sync_flight_do_until(wend_sync_flight *f, const void *key,
				       size_t n,
				       int (*fn)(void *arg, void **value),
				       void *arg, void **value, bool *shared,
				       int64_t deadline);
WEND_API void wend_sync_flight_forget(wend_sync_flight *f, const void *key,
				      size_t n);
WEND_API void wend_sync_flight_free(wend_sync_flight *f);

/* --- limiter ------------------------------------------------------------------- */

/*
 * wend_sync_limiter - a token bucket: so many events a second, and so many at
 * once when there were none for a while.
 *
 * wend_sync_limiter_new - a full bucket. NULL: no memory, or a rate below 0.
 *   rate        tokens a second; 0: only those of the start; INFINITY: no limit
 *   burst       the most tokens that the bucket holds
 * wend_sync_limiter_set - another rate and burst from now on; -EINVAL.
 * wend_sync_limiter_allow - true: there were n tokens, and they are taken.
 * wend_sync_limiter_wait - take n tokens as soon as there are as many. ctx is
 *               for the wait, NULL: none. First come, first served.
 *     Errors    ETIMEDOUT  they will not be there by the deadline; known, and
 *                          returned, at once
 *               ECANCELED, ETIMEDOUT  the context ended, or the calling task was
 *                          cancelled, meanwhile
 *               EINVAL     n is more than the bucket holds
 *               Nothing was taken.
 * wend_sync_limiter_reserve - take n tokens that may not be there yet: the caller
 *               must not act before r->at. Errors as for wait.
 * wend_sync_limiter_give_back - a reservation that will not be used: its tokens
 *               are there for others, less what was promised since on account of
 *               them. When its time has come it is too late, and does nothing.
 *
 * Source  golang.org/x/time/rate.
 */
typedef struct wend_sync_limiter wend_sync_limiter;
typedef struct wend_sync_reservation {
	int64_t at; /* on wend_now()'s clock */
	unsigned int n_;
} wend_sync_reservation;
WEND_API WEND_MUST_CHECK wend_sync_limiter *
wend_sync_limiter_new(double rate, unsigned int burst);
WEND_API WEND_MUST_CHECK int
wend_sync_limiter_set(wend_sync_limiter *l, double rate, unsigned int burst);
WEND_API WEND_MUST_CHECK bool wend_sync_limiter_allow(wend_sync_limiter *l,
						      unsigned int n);
WEND_API WEND_MUST_CHECK int
wend_sync_limiter_wait(wend_ctx *ctx, wend_sync_limiter *l, unsigned int n);
WEND_API WEND_MUST_CHECK int wend_sync_limiter_wait_until(wend_sync_limiter *l,
							  unsigned int n,
							  int64_t deadline);
WEND_API WEND_MUST_CHECK int
wend_sync_limiter_reserve(wend_sync_limiter *l, unsigned int n,
			  int64_t deadline, wend_sync_reservation *r);
WEND_API void wend_sync_limiter_give_back(wend_sync_limiter *l,
					  const wend_sync_reservation *r);
WEND_API void wend_sync_limiter_free(wend_sync_limiter *l);

WEND_END_DECLS

#endif
