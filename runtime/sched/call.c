/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - any C function as a task, by way of libffi.
 */
#include "compiler-rt/call.h"

#include <errno.h>

#include <wend/call.h>

static void run_call(void *args)
{
	wend__call_run(args);
}

static int type_of(enum wend_type type, enum wend__type *out)
{
	static const enum wend__type types[] = {
		[WEND_TYPE_I32] = WEND__I32, [WEND_TYPE_U32] = WEND__U32,
		[WEND_TYPE_I64] = WEND__I64, [WEND_TYPE_U64] = WEND__U64,
		[WEND_TYPE_F64] = WEND__F64, [WEND_TYPE_PTR] = WEND__PTR,
	};

	if ((unsigned int)type >= sizeof(types) / sizeof(types[0]))
		return -EINVAL;
	*out = types[type];
	return 0;
}

int wend_spawn_call(const wend_attr *attr, void (*fn)(void),
		    const struct wend_arg *args, size_t n)
{
	enum wend__type types[WEND__CALL_MAX];
	const void *values[WEND__CALL_MAX];
	int32_t narrow[WEND__CALL_MAX];
	struct wend__call call;
	int r;

	if (n > WEND__CALL_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		r = type_of(args[i].type, &types[i]);
		if (r)
			return r;
		values[i] = &args[i].value;
		if (types[i] == WEND__I32 || types[i] == WEND__U32) {
			narrow[i] = (int32_t)args[i].value.i;
			values[i] = &narrow[i];
		}
	}
	r = wend__call_prep(&call, fn, (int)n, types, values);
	if (r)
		return r;
	return wend_spawn(attr, run_call, &call, sizeof(call));
}
