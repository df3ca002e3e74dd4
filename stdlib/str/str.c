/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.c - views of bytes.
 *
 * A view of length 0 may have a NULL pointer, which memcmp() and the like do
 * not allow: each use of them is behind a look at the length.
 */
#define _GNU_SOURCE /* memmem(), memrchr() */
#include <errno.h>
#include <stdlib.h>

#include <wend/std/str.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *wend_str_dup(wend_str s)
{
	char *copy = malloc(s.len + 1);

	if (!copy)
		return NULL;
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

/* --- comparing ----------------------------------------------------------- */

bool wend_str_equal_fold(wend_str a, wend_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

int wend_str_compare(wend_str a, wend_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool wend_str_has_prefix(wend_str s, wend_str prefix)
{
	return s.len >= prefix.len &&
	       wend_str_equal(wend_str_of(s.ptr, prefix.len), prefix);
}

bool wend_str_has_suffix(wend_str s, wend_str suffix)
{
	return s.len >= suffix.len &&
	       wend_str_equal(wend_str_sub(s, s.len - suffix.len, s.len),
			      suffix);
}

/* --- finding ------------------------------------------------------------- */

static ssize_t place(wend_str s, const void *found)
{
	return found ? (const char *)found - s.ptr : -ENOENT;
}

ssize_t wend_str_find(wend_str s, wend_str what)
{
	if (what.len == 0)
		return 0;
	if (s.len < what.len)
		return -ENOENT;
	return place(s, memmem(s.ptr, s.len, what.ptr, what.len));
}

ssize_t wend_str_rfind(wend_str s, wend_str what)
{
	size_t at;

	if (s.len < what.len)
		return -ENOENT;
	for (at = s.len - what.len;; at--) {
		if (wend_str_equal(wend_str_sub(s, at, at + what.len), what))
			return (ssize_t)at;
		if (at == 0)
			return -ENOENT;
	}
}

ssize_t wend_str_find_byte(wend_str s, char c)
{
	return place(s, s.len ? memchr(s.ptr, c, s.len) : NULL);
}

ssize_t wend_str_rfind_byte(wend_str s, char c)
{
	return place(s, s.len ? memrchr(s.ptr, c, s.len) : NULL);
}

/* --- parts --------------------------------------------------------------- */

wend_str wend_str_sub(wend_str s, size_t begin, size_t end)
{
	if (end > s.len)
		end = s.len;
	if (begin > end)
		begin = end;
	return wend_str_of(begin ? s.ptr + begin : s.ptr, end - begin);
}

wend_str wend_str_trim(wend_str s)
{
	size_t begin = 0, end = s.len;

	while (begin < end && is_space(s.ptr[begin]))
		begin++;
	while (end > begin && is_space(s.ptr[end - 1]))
		end--;
	return wend_str_sub(s, begin, end);
}

bool wend_str_cut(wend_str s, wend_str separator, wend_str *before,
		  wend_str *after)
{
	ssize_t at = wend_str_find(s, separator);
	size_t end = at < 0 ? s.len : (size_t)at;

	if (before)
		*before = wend_str_sub(s, 0, end);
	if (after)
		*after = wend_str_sub(s, at < 0 ? end : end + separator.len,
				      s.len);
	return at >= 0;
}

bool wend_str_next(wend_str *rest, char separator, wend_str *part)
{
	ssize_t at;

	*part = *rest;
	if (!rest->ptr)
		return false;
	at = wend_str_find_byte(*rest, separator);
	if (at < 0) {
		*rest = wend_str_of(NULL, 0);
		return true;
	}
	part->len = (size_t)at;
	*rest = wend_str_sub(*rest, (size_t)at + 1, rest->len);
	return true;
}

bool wend_str_next_field(wend_str *rest, wend_str *field)
{
	wend_str s = wend_str_trim(*rest);
	size_t end = 0;

	while (end < s.len && !is_space(s.ptr[end]))
		end++;
	*field = wend_str_sub(s, 0, end);
	*rest = wend_str_sub(s, end, s.len);
	return end > 0;
}

/* --- numbers ------------------------------------------------------------- */

/* The value of a digit, or one that no base has. */
static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c = lower(c);
	return c >= 'a' && c <= 'z' ? (unsigned int)(c - 'a') + 10 : 36;
}

int wend_str_to_u64(wend_str s, int base, uint64_t *value)
{
	unsigned int b = (unsigned int)base;
	bool overflow = false;
	uint64_t v = 0;

	if (s.len == 0 || base < 2 || base > 36)
		return -EINVAL;
	/* To the end, however large: a letter at the end makes it no number. */
	for (size_t i = 0; i < s.len; i++) {
		unsigned int d = digit(s.ptr[i]);

		if (d >= b)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(v, b, &v);
		overflow |= __builtin_add_overflow(v, d, &v);
	}
	if (overflow)
		return -ERANGE;
	*value = v;
	return 0;
}

int wend_str_to_i64(wend_str s, int base, int64_t *value)
{
	bool minus = s.len && s.ptr[0] == '-';
	uint64_t v, most = (uint64_t)INT64_MAX + minus;
	int r;

	r = wend_str_to_u64(wend_str_sub(s, minus, s.len), base, &v);
	if (r)
		return r;
	if (v > most)
		return -ERANGE;
	*value = (int64_t)(minus ? -v : v);
	return 0;
}
