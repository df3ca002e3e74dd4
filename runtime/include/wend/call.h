/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/call.h - start any C function as a task (C only).
 *
 *	wend_go_call(puts, "any function");
 *
 * The arguments' types are those written at the call, after the default
 * promotions of C (float becomes double, char and short become int): they
 * must be what the function takes, as for a call without a prototype; cast
 * where they are not. Scalars and pointers only, at most eight. The result is
 * dropped. WEND_TASK with wend_go() checks types; prefer it for your own
 * functions.
 */
#ifndef WEND_CALL_H
#define WEND_CALL_H

#include <wend/base.h>
#include <wend/pp.h>
#include <wend/task.h>

WEND_BEGIN_DECLS

enum wend_type {
	WEND_TYPE_I32,
	WEND_TYPE_U32,
	WEND_TYPE_I64,
	WEND_TYPE_U64,
	WEND_TYPE_F64,
	WEND_TYPE_PTR,
};

/* One argument: its type and its value. */
struct wend_arg {
	enum wend_type type;
	union {
		int64_t i;
		uint64_t u;
		double f;
		const void *p;
	} value;
};

/*
 * wend_spawn_call - start fn(args ...) as a task; wend_go_call() is its macro.
 *
 * Errors   as wend_go_with(); EINVAL: n above eight, or a bad type
 */
WEND_API int wend_spawn_call(const wend_attr *attr, void (*fn)(void),
			     const struct wend_arg *args, size_t n);

WEND_END_DECLS

#ifndef __cplusplus

static inline struct wend_arg wend__arg_i32(int v)
{
	return (struct wend_arg){ WEND_TYPE_I32, { .i = v } };
}
static inline struct wend_arg wend__arg_u32(unsigned int v)
{
	return (struct wend_arg){ WEND_TYPE_U32, { .u = v } };
}
static inline struct wend_arg wend__arg_i64(long long v)
{
	return (struct wend_arg){ WEND_TYPE_I64, { .i = v } };
}
static inline struct wend_arg wend__arg_u64(unsigned long long v)
{
	return (struct wend_arg){ WEND_TYPE_U64, { .u = v } };
}
static inline struct wend_arg wend__arg_f64(double v)
{
	return (struct wend_arg){ WEND_TYPE_F64, { .f = v } };
}
static inline struct wend_arg wend__arg_ptr(const void *v)
{
	return (struct wend_arg){ WEND_TYPE_PTR, { .p = v } };
}

/* clang-format off */
#define WEND__ARG(x)                                                          \
	_Generic((x),                                                         \
		_Bool: wend__arg_i32, char: wend__arg_i32,                    \
		signed char: wend__arg_i32, unsigned char: wend__arg_i32,     \
		short: wend__arg_i32, unsigned short: wend__arg_i32,          \
		int: wend__arg_i32, unsigned int: wend__arg_u32,              \
		long: wend__arg_i64, unsigned long: wend__arg_u64,            \
		long long: wend__arg_i64, unsigned long long: wend__arg_u64,  \
		float: wend__arg_f64, double: wend__arg_f64,                  \
		default: wend__arg_ptr)(x)
/* clang-format on */

#define wend_go_call(...)                                                      \
	WEND__PP_CAT(WEND__CALL_, WEND__PP_MANY(__VA_ARGS__))                  \
	(NULL, __VA_ARGS__)
#define wend_go_call_with(attr, ...)                                           \
	WEND__PP_CAT(WEND__CALL_, WEND__PP_MANY(__VA_ARGS__))                  \
	(attr, __VA_ARGS__)

#define WEND__CALL_ONE(attr, fn)                                               \
	wend_spawn_call((attr), (void (*)(void))(fn), NULL, 0)
#define WEND__CALL_MORE(attr, fn, ...)                                         \
	wend_spawn_call(                                                       \
		(attr), (void (*)(void))(fn),                                  \
		(struct wend_arg[]){ WEND__PP_LIST(WEND__ARG, __VA_ARGS__) },  \
		WEND__PP_COUNT(__VA_ARGS__))

#endif
#endif
