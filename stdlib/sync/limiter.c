/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limiter.c - a token bucket that may go below zero.
 *
 * Nothing puts tokens in: how many there are follows from the time since the
 * last look. Who takes more than there are has to wait until the number would be
 * zero again; who comes after him, longer. Tokens are kept as what they are since
 * the last look, not as a time: so what is rounded does not add up.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <wend/std/sync.h>
#include <wend/sync.h>
#include <wend/time.h>

struct wend_sync_limiter {
	wend_mutex lock;
	double rate; /* tokens a nanosecond */
	double burst;
	double tokens; /* at the time last */
	int64_t last;
	int64_t promised; /* the latest time that anybody was promised */
};

static void advance_locked(wend_sync_limiter *l, int64_t now)
{
	if (now <= l->last)
		return;
	if (isinf(l->rate))
		l->tokens = l->burst;
	else
		l->tokens += (double)(now - l->last) * l->rate;
	if (l->tokens > l->burst)
		l->tokens = l->burst;
	l->last = now;
}

static bool is_rate(double rate)
{
	return rate >= 0; /* not so for a NaN */
}

wend_sync_limiter *wend_sync_limiter_new(double rate, unsigned int burst)
{
	wend_sync_limiter *l;

	if (!is_rate(rate))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->rate = rate / (double)WEND_SECOND;
	l->burst = l->tokens = burst;
	l->last = wend_now();
	return l;
}

int wend_sync_limiter_set(wend_sync_limiter *l, double rate, unsigned int burst)
{
	if (!is_rate(rate))
		return -EINVAL;
	wend_mutex_lock(&l->lock);
	advance_locked(l, wend_now());
	l->rate = rate / (double)WEND_SECOND;
	l->burst = burst;
	if (l->tokens > l->burst)
		l->tokens = l->burst;
	wend_mutex_unlock(&l->lock);
	return 0;
}

void wend_sync_limiter_free(wend_sync_limiter *l)
{
	free(l);
}

/* --- taking ----------------------------------------------------------------------------- */

/* Nanoseconds until n tokens are there; INFINITY: never. */
static double delay_locked(const wend_sync_limiter *l, unsigned int n)
{
	double missing = n - l->tokens;

	if (missing <= 0)
		return 0;
	/* Rounded up, by a nanosecond more at most. */
	return l->rate > 0 ? missing / l->rate + 1 : (double)INFINITY;
}

/* deadline 0: only what is there now. */
static int take_locked(wend_sync_limiter *l, unsigned int n, int64_t now,
		       int64_t deadline, wend_sync_reservation *r)
{
	double delay;

	if (isinf(l->rate)) {
		*r = (wend_sync_reservation){ now, 0 };
		return 0;
	}
	if (n > l->burst)
		return -EINVAL;
	advance_locked(l, now);
	delay = delay_locked(l, n);
	/* Past the end of time, too. */
	if (delay > 0 && delay > (double)deadline - (double)now)
		return -ETIMEDOUT;
	if (delay >= (double)(INT64_MAX - now))
		return -ETIMEDOUT;
	l->tokens -= n;
	*r = (wend_sync_reservation){ now + (int64_t)delay, n };
	if (r->at > l->promised)
		l->promised = r->at;
	return 0;
}

int wend_sync_limiter_reserve(wend_sync_limiter *l, unsigned int n,
			      int64_t deadline, wend_sync_reservation *r)
{
	int err;

	wend_mutex_lock(&l->lock);
	err = take_locked(l, n, wend_now(), deadline, r);
	wend_mutex_unlock(&l->lock);
	return err;
}

void wend_sync_limiter_give_back(wend_sync_limiter *l,
				 const wend_sync_reservation *r)
{
	double back;
	int64_t now;

	wend_mutex_lock(&l->lock);
	now = wend_now();
	advance_locked(l, now);
	/* Those who came later were told a time that counts with ours. */
	back = r->n_ - (double)(l->promised - r->at) * l->rate;
	if (r->at > now && back > 0) {
		l->tokens += back;
		if (l->tokens > l->burst)
			l->tokens = l->burst;
		if (r->at == l->promised && l->rate > 0)
			l->promised -= (int64_t)(r->n_ / l->rate);
	}
	wend_mutex_unlock(&l->lock);
}

bool wend_sync_limiter_allow(wend_sync_limiter *l, unsigned int n)
{
	wend_sync_reservation r;

	return wend_sync_limiter_reserve(l, n, 0, &r) == 0;
}

/* --- waiting ----------------------------------------------------------------------------- */

static int wait_for(wend_ctx *ctx, wend_sync_limiter *l, unsigned int n,
		    int64_t deadline)
{
	wend_sync_reservation r;
	int err = wend_ctx_err(ctx);

	if (err == 0)
		err = wend_sync_limiter_reserve(l, n, deadline, &r);
	if (err || r.at <= wend_now())
		return err;
	err = wend_chan_recv_until(wend_ctx_done(ctx), NULL, r.at);
	if (err == -ETIMEDOUT)
		return 0;
	wend_sync_limiter_give_back(l, &r);
	return err == -EPIPE ? wend_ctx_err(ctx) : err;
}

int wend_sync_limiter_wait(wend_ctx *ctx, wend_sync_limiter *l, unsigned int n)
{
	return wait_for(ctx, l, n, wend_ctx_deadline(ctx));
}

int wend_sync_limiter_wait_until(wend_sync_limiter *l, unsigned int n,
				 int64_t deadline)
{
	return wait_for(NULL, l, n, deadline);
}
