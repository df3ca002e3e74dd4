/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c - SipHash, with the numbers of rounds given. See hash.h.
 */
#include "stdlib/sync/hash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void mix(struct state *s, int rounds)
{
	while (rounds-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = rotate(s->b, 13) ^ s->a;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a = rotate(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = rotate(s->b, 17) ^ s->c;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c = rotate(s->c, 32);
	}
}

static inline void absorb(struct state *s, uint64_t word, int rounds)
{
	s->d ^= word;
	mix(s, rounds);
	s->a ^= word;
}

/* Up to eight bytes, the first the lowest. */
static inline uint64_t load(const char *from, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, from, n);
	return le64toh(word);
}

uint64_t wend__hash_rounds(const uint64_t key[2], const void *data, size_t n,
			   int compress, int finish)
{
	/* "somepseudorandomlygeneratedbytes" */
	struct state s = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};
	const char *at = data;
	uint64_t last = (uint64_t)n << 56;

	for (; n >= 8; n -= 8, at += 8)
		absorb(&s, load(at, 8), compress);
	if (n > 0)
		last |= load(at, n);
	absorb(&s, last, compress);
	s.c ^= 0xff;
	mix(&s, finish);
	return s.a ^ s.b ^ s.c ^ s.d;
}
