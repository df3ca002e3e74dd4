/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - a function call kept for later.
 *
 * The function, copies of its arguments and what libffi needs to place them,
 * as plain data without pointers into itself: copy it with memcpy(), run it
 * on another stack, forget it. No heap.
 *
 * The result is dropped. A function whose result is a struct returned in
 * memory, a long double or a complex long double cannot be called: the first
 * wants a hidden argument, the others leave a value on the x87 stack.
 *
 * Arguments are passed as the types say, without C's default promotions. For
 * a variadic function, or one without a prototype, the caller passes a float
 * as WEND__F64. Integers narrower than int are widened here by their sign,
 * which is the promotion.
 */
#ifndef WEND_COMPILER_RT_CALL_H
#define WEND_COMPILER_RT_CALL_H

#include <ffi.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wend__type {
	WEND__VOID, /* no argument has this type */
	WEND__BOOL,
	WEND__I8,
	WEND__I16,
	WEND__I32,
	WEND__I64,
	WEND__U8,
	WEND__U16,
	WEND__U32,
	WEND__U64,
	WEND__F32,
	WEND__F64,
	WEND__PTR,
	WEND__TYPE_COUNT
};

#define WEND__CALL_MAX 8

struct wend__call {
	void (*fn)(void);
	ffi_cif cif; /* its arg_types is set anew by each run */
	uint64_t args[WEND__CALL_MAX];
	uint8_t types[WEND__CALL_MAX]; /* enum wend__type */
};

/*
 * wend__call_prep - keep fn and copies of its arguments.
 *
 *   nargs   0 to WEND__CALL_MAX; with 0 the next two may be NULL
 *   types   one for each argument
 *   values  the address of each argument, aligned for its type; a pointer
 *           argument's is that of the pointer
 *
 * Returns  0
 * Errors   -EINVAL  fn is NULL, nargs out of range, a type that is no
 *                   argument's, a NULL address; *call is then undefined
 */
int wend__call_prep(struct wend__call *call, void (*fn)(void), int nargs,
		    const enum wend__type *types, const void *const *values);

/* Make the call. call must stay in place until it returns; it may be run
 * again. */
void wend__call_run(struct wend__call *call);

#ifdef __cplusplus
}
#endif

#endif
