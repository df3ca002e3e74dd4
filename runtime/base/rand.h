/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rand.h - small, fast random numbers for scheduling choices (xorshift64*).
 * Not for secrets.
 */
#ifndef WEND_BASE_RAND_H
#define WEND_BASE_RAND_H

#include <stdint.h>

struct wend__rand {
	uint64_t state; /* never 0 */
};

static inline void wend__rand_seed(struct wend__rand *r, uint64_t seed)
{
	/* splitmix64's finisher, so that near seeds give far states. */
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ (seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ (seed >> 27)) * UINT64_C(0x94d049bb133111eb);
	seed ^= seed >> 31;
	r->state = seed ? seed : 1;
}

static inline uint32_t wend__rand_next(struct wend__rand *r)
{
	uint64_t x = r->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	r->state = x;
	return (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* A number below n (n > 0), by multiplication instead of division. */
static inline uint32_t wend__rand_below(struct wend__rand *r, uint32_t n)
{
	return (uint32_t)(((uint64_t)wend__rand_next(r) * n) >> 32);
}

#endif
