/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/pp.h - the few preprocessor tools the macros of this API need.
 *
 * Internal: programs use none of these names. Written for C11 and C++17
 * without extensions, hence the counting instead of an empty-list trick.
 */
#ifndef WEND_PP_H
#define WEND_PP_H

#define WEND__PP_CAT(a, b)  WEND__PP_CAT_(a, b)
#define WEND__PP_CAT_(a, b) a##b

/* ONE for one argument, MORE for two to nine. */
#define WEND__PP_MANY(...)                                                     \
	WEND__PP_TENTH(__VA_ARGS__, MORE, MORE, MORE, MORE, MORE, MORE, MORE,  \
		       MORE, ONE, 0)
#define WEND__PP_COUNT(...)                                                    \
	WEND__PP_TENTH(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define WEND__PP_TENTH(a, b, c, d, e, f, g, h, i, n, ...) n

/* f(a) f(b) ... and f(a), f(b), ... for one to eight arguments. */
#define WEND__PP_EACH(f, ...)                                                  \
	WEND__PP_CAT(WEND__PP_EACH_, WEND__PP_COUNT(__VA_ARGS__))              \
	(f, __VA_ARGS__)
#define WEND__PP_LIST(f, ...)                                                  \
	WEND__PP_CAT(WEND__PP_LIST_, WEND__PP_COUNT(__VA_ARGS__))              \
	(f, __VA_ARGS__)

#define WEND__PP_EACH_1(f, a)      f(a)
#define WEND__PP_EACH_2(f, a, ...) f(a) WEND__PP_EACH_1(f, __VA_ARGS__)
#define WEND__PP_EACH_3(f, a, ...) f(a) WEND__PP_EACH_2(f, __VA_ARGS__)
#define WEND__PP_EACH_4(f, a, ...) f(a) WEND__PP_EACH_3(f, __VA_ARGS__)
#define WEND__PP_EACH_5(f, a, ...) f(a) WEND__PP_EACH_4(f, __VA_ARGS__)
#define WEND__PP_EACH_6(f, a, ...) f(a) WEND__PP_EACH_5(f, __VA_ARGS__)
#define WEND__PP_EACH_7(f, a, ...) f(a) WEND__PP_EACH_6(f, __VA_ARGS__)
#define WEND__PP_EACH_8(f, a, ...) f(a) WEND__PP_EACH_7(f, __VA_ARGS__)

#define WEND__PP_LIST_1(f, a)      f(a)
#define WEND__PP_LIST_2(f, a, ...) f(a), WEND__PP_LIST_1(f, __VA_ARGS__)
#define WEND__PP_LIST_3(f, a, ...) f(a), WEND__PP_LIST_2(f, __VA_ARGS__)
#define WEND__PP_LIST_4(f, a, ...) f(a), WEND__PP_LIST_3(f, __VA_ARGS__)
#define WEND__PP_LIST_5(f, a, ...) f(a), WEND__PP_LIST_4(f, __VA_ARGS__)
#define WEND__PP_LIST_6(f, a, ...) f(a), WEND__PP_LIST_5(f, __VA_ARGS__)
#define WEND__PP_LIST_7(f, a, ...) f(a), WEND__PP_LIST_6(f, __VA_ARGS__)
#define WEND__PP_LIST_8(f, a, ...) f(a), WEND__PP_LIST_7(f, __VA_ARGS__)

#endif
