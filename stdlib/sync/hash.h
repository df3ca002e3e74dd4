/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - SipHash-1-3: a hash that nobody finds collisions of who does not know
 * its key, fast on short inputs.
 *
 * Source  J.-P. Aumasson, D. J. Bernstein: SipHash, a fast short-input PRF
 */
#ifndef STDLIB_SYNC_HASH_H
#define STDLIB_SYNC_HASH_H

#include <stddef.h>
#include <stdint.h>

/* One compression and three finalization rounds, of which the authors' own is
 * the more careful 2-4; rounds are for the test, which knows that one. */
uint64_t wend__hash_rounds(const uint64_t key[2], const void *data, size_t n,
			   int compress, int finish);

static inline uint64_t wend__hash(const uint64_t key[2], const void *data,
				  size_t n)
{
	return wend__hash_rounds(key, data, n, 1, 3);
}

#endif
