/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/str.h - views of bytes: a pointer and a length.
 *
 * A view owns nothing and is passed by value. There need be no NUL behind it,
 * and there may be some in it. It is valid as long as the bytes are.
 *
 *	wend_str line = WEND_STR("a=1; b=2"), part, key, value;
 *
 *	while (wend_str_next(&line, ';', &part))
 *		if (wend_str_cut(wend_str_trim(part), WEND_STR("="), &key,
 *				 &value))
 *			use(key, value);
 *
 * Letters are ASCII's: what case and space are does not depend on the locale.
 * Context: anywhere, also outside the runtime. Nothing here waits.
 */
#ifndef WEND_STD_STR_H
#define WEND_STD_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <wend/base.h>

WEND_BEGIN_DECLS

typedef struct wend_str {
	const char *ptr; /* may be NULL if len is 0 */
	size_t len;
} wend_str;

static inline wend_str wend_str_of(const void *ptr, size_t len)
{
	wend_str s = { (const char *)ptr, len };

	return s;
}

/* The bytes before the NUL; none for NULL. */
static inline wend_str wend_str_from(const char *c_string)
{
	return wend_str_of(c_string, c_string ? strlen(c_string) : 0);
}

/* The view of a string literal. */
#define WEND_STR(literal) wend_str_of("" literal, sizeof(literal) - 1)

/* For printf("%.*s"): two arguments. */
#define WEND_STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* A copy with a NUL behind it, for free(). NULL: no memory. */
WEND_API WEND_MUST_CHECK char *wend_str_dup(wend_str s);

/* --- comparing ----------------------------------------------------------- */

static inline bool wend_str_equal(wend_str a, wend_str b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

/* Equal but for the case of letters. */
WEND_API bool wend_str_equal_fold(wend_str a, wend_str b);

/* Less than 0, 0, more than 0; as memcmp(), and a beginning comes first. */
WEND_API int wend_str_compare(wend_str a, wend_str b);

WEND_API bool wend_str_has_prefix(wend_str s, wend_str prefix);
WEND_API bool wend_str_has_suffix(wend_str s, wend_str suffix);

/* --- finding ------------------------------------------------------------- */

/*
 * Where the first one begins (_find), or the last (_rfind); an empty one is
 * found at once. Errors  ENOENT: there is none.
 */
WEND_API ssize_t wend_str_find(wend_str s, wend_str what);
WEND_API ssize_t wend_str_rfind(wend_str s, wend_str what);
WEND_API ssize_t wend_str_find_byte(wend_str s, char c);
WEND_API ssize_t wend_str_rfind_byte(wend_str s, char c);

/* --- parts --------------------------------------------------------------- */

/* From begin to before end; what lies outside is left out. */
WEND_API wend_str wend_str_sub(wend_str s, size_t begin, size_t end);

/* Without space at the ends: blank, \t \n \v \f \r. */
WEND_API wend_str wend_str_trim(wend_str s);

/*
 * wend_str_cut - divide at the first separator.
 *
 * Returns  true: *before and *after are what lies on its two sides.
 *          false: there is none; *before is s, *after is empty.
 * Either may be NULL, or point to s's own variable.
 */
WEND_API bool wend_str_cut(wend_str s, wend_str separator, wend_str *before,
			   wend_str *after);

/*
 * wend_str_next - take the next part from the front of *rest, up to a byte.
 *
 * "a,,b" has the parts "a", "" and "b"; "a," has "a" and ""; "" has one, "".
 * *rest is what is left; after the last part its ptr is NULL, and that is what
 * has no parts.
 * Returns  false: there is none left; *part is empty.
 */
WEND_API bool wend_str_next(wend_str *rest, char separator, wend_str *part);

/* wend_str_next_field - the same with runs of space between the parts, which
 * are never empty; space at the ends does not count. */
WEND_API bool wend_str_next_field(wend_str *rest, wend_str *field);

/* --- numbers ------------------------------------------------------------- */

/*
 * wend_str_to_i64, wend_str_to_u64 - all of s as a number.
 *
 *   base        2 to 36; letters of either case are digits above 9
 *
 * Digits only, for the signed one with a '-' in front if need be: no space, no
 * '+', no "0x". (Protocols that say "digits" mean this.)
 * Returns  0 and *value.
 * Errors   EINVAL  s is no number, or base is out of range
 *          ERANGE  it is one, but too large or too small
 *          *value stays as it was.
 */
WEND_API WEND_MUST_CHECK int wend_str_to_i64(wend_str s, int base,
					     int64_t *value);
WEND_API WEND_MUST_CHECK int wend_str_to_u64(wend_str s, int base,
					     uint64_t *value);

WEND_END_DECLS

#endif
