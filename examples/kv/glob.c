/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.c - patterns.
 *
 * Only the last star is ever tried again with one byte more: what the stars
 * before it took can stay, as the last one may take the rest.
 */
#include "examples/kv/glob.h"

/* Whether c is in the set behind '['; *i moves behind its ']'. */
static bool in_set(struct kv_arg p, size_t *i, unsigned char c)
{
	bool no = *i < p.n && p.p[*i] == '^', found = false;

	for (*i += no; *i < p.n && p.p[*i] != ']'; (*i)++) {
		unsigned char low, high;

		if (p.p[*i] == '\\' && *i + 1 < p.n)
			(*i)++;
		low = high = (unsigned char)p.p[*i];
		if (*i + 2 < p.n && p.p[*i + 1] == '-' && p.p[*i + 2] != ']') {
			*i += 2;
			high = (unsigned char)p.p[*i];
		}
		if (low > high) {
			unsigned char other = low;

			low = high;
			high = other;
		}
		found |= c >= low && c <= high;
	}
	*i += *i < p.n;
	return found != no;
}

/* Whether c fits what stands at *i, which is no star; *i moves behind it. */
static bool one(struct kv_arg p, size_t *i, char c)
{
	char want = p.p[(*i)++];

	if (want == '?')
		return true;
	if (want == '[')
		return in_set(p, i, (unsigned char)c);
	if (want == '\\' && *i < p.n)
		want = p.p[(*i)++];
	return want == c;
}

bool kv_glob(struct kv_arg p, struct kv_arg text)
{
	size_t i = 0, at = 0, star = 0, star_at = 0;
	bool starred = false;

	while (at < text.n) {
		if (i < p.n && p.p[i] == '*') {
			starred = true;
			star = ++i;
			star_at = at;
		} else if (i < p.n && one(p, &i, text.p[at])) {
			at++;
		} else if (starred) {
			i = star;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}
