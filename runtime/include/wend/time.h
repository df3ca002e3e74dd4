/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/time.h - clock, sleep, timers and tickers.
 *
 * All times are nanoseconds of CLOCK_MONOTONIC (under the "sim" port, of its
 * virtual clock).
 */
#ifndef WEND_TIME_H
#define WEND_TIME_H

#include <wend/base.h>
#include <wend/chan.h>

WEND_BEGIN_DECLS

/* The time now. */
WEND_API int64_t wend_now(void);

/* The deadline duration nanoseconds from now; WEND_FOREVER when that is past
 * the end of time; now for a negative duration. */
WEND_API int64_t wend_after(int64_t duration);
static inline int64_t wend_after_ms(int64_t ms)
{
	if (ms <= 0)
		return wend_after(0);
	return ms > INT64_MAX / WEND_MILLISECOND ?
		       WEND_FOREVER :
		       wend_after(ms * WEND_MILLISECOND);
}

/*
 * wend_sleep, wend_sleep_until - wait for a time to pass.
 *
 *   duration    nanoseconds; 0 or less yields
 *
 * Returns  0, not before the time has passed.
 * Errors   ECANCELED  the calling task was cancelled
 */
WEND_API int wend_sleep(int64_t duration);
WEND_API int wend_sleep_until(int64_t deadline);

/*
 * A timer fires once, a ticker again and again; each time it puts the time
 * (an int64_t) into its channel of capacity 1. A receiver that is too slow
 * misses ticks; it never delays the timer.
 *
 * wend_timer_new - a timer that fires at deadline.
 * wend_timer_func - a timer that calls fn(arg) in a task of its own; its
 *               channel is NULL. A call that finds no memory for the task is
 *               tried again each millisecond: it is late, not lost.
 * wend_ticker_new - first tick one period from now; period > 0 nanoseconds.
 *               Ticks keep their phase however late one is received.
 * wend_timer_chan - to receive from and to select on; freed with the timer.
 * wend_timer_stop - true: it was armed and will not fire (any more).
 * wend_timer_reset - fire at deadline instead (a ticker: next tick then);
 *               returns whether it was armed.
 * wend_timer_free - stop and free. No task may wait on the channel. NULL does
 *               nothing.
 * Errors   the constructors return NULL: no memory, or a period of 0 or less.
 * Source   Go package time, NewTimer, AfterFunc and NewTicker.
 */
typedef struct wend_timer wend_timer;
WEND_API WEND_MUST_CHECK wend_timer *wend_timer_new(int64_t deadline);
WEND_API WEND_MUST_CHECK wend_timer *
wend_timer_func(int64_t deadline, void (*fn)(void *arg), void *arg);
WEND_API WEND_MUST_CHECK wend_timer *wend_ticker_new(int64_t period);
WEND_API wend_chan *wend_timer_chan(wend_timer *t);
WEND_API bool wend_timer_stop(wend_timer *t);
WEND_API bool wend_timer_reset(wend_timer *t, int64_t deadline);
WEND_API void wend_timer_free(wend_timer *t);

WEND_END_DECLS

#endif
