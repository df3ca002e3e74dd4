/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - calls kept for later, made through libffi. See call.h.
 *
 * ffi_prep_cif() stores the address of the type array in the cif. Ours would
 * then point into the struct that it lies in, and a copy would point into
 * the original; so the array lives on the stack of each run and only codes
 * are kept. libffi works out the placement in ffi_prep_cif(), once.
 */
#include "compiler-rt/call.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Indexed by enum wend__type. */
static const struct {
	ffi_type *ffi;
	size_t size;
} type_table[WEND__TYPE_COUNT] = {
	[WEND__VOID] = { NULL, 0 },
	[WEND__BOOL] = { &ffi_type_uint8, sizeof(bool) },
	[WEND__I8] = { &ffi_type_sint8, 1 },
	[WEND__I16] = { &ffi_type_sint16, 2 },
	[WEND__I32] = { &ffi_type_sint32, 4 },
	[WEND__I64] = { &ffi_type_sint64, 8 },
	[WEND__U8] = { &ffi_type_uint8, 1 },
	[WEND__U16] = { &ffi_type_uint16, 2 },
	[WEND__U32] = { &ffi_type_uint32, 4 },
	[WEND__U64] = { &ffi_type_uint64, 8 },
	[WEND__F32] = { &ffi_type_float, 4 },
	[WEND__F64] = { &ffi_type_double, 8 },
	[WEND__PTR] = { &ffi_type_pointer, sizeof(void *) },
};

static void fill_types(const struct wend__call *call, int nargs, ffi_type **out)
{
	int i;

	for (i = 0; i < nargs; i++)
		out[i] = type_table[call->types[i]].ffi;
}

int wend__call_prep(struct wend__call *call, void (*fn)(void), int nargs,
		    const enum wend__type *types, const void *const *values)
{
	ffi_type *ffi_types[WEND__CALL_MAX];
	int i;

	if (!fn || nargs < 0 || nargs > WEND__CALL_MAX)
		return -EINVAL;
	if (nargs > 0 && (!types || !values))
		return -EINVAL;

	memset(call, 0, sizeof(*call));
	call->fn = fn;
	for (i = 0; i < nargs; i++) {
		unsigned int type = (unsigned int)types[i];

		if (type == WEND__VOID || type >= WEND__TYPE_COUNT ||
		    !values[i])
			return -EINVAL;
		call->types[i] = (uint8_t)type;
		memcpy(&call->args[i], values[i], type_table[type].size);
	}

	fill_types(call, nargs, ffi_types);
	if (ffi_prep_cif(&call->cif, FFI_DEFAULT_ABI, (unsigned int)nargs,
			 &ffi_type_void, ffi_types) != FFI_OK)
		return -EINVAL;
	call->cif.arg_types = NULL;
	return 0;
}

void wend__call_run(struct wend__call *call)
{
	ffi_type *ffi_types[WEND__CALL_MAX];
	void *values[WEND__CALL_MAX];
	int nargs = (int)call->cif.nargs;
	int i;

	fill_types(call, nargs, ffi_types);
	for (i = 0; i < nargs; i++)
		values[i] = &call->args[i];
	call->cif.arg_types = ffi_types;
	ffi_call(&call->cif, call->fn, NULL, values);
	call->cif.arg_types = NULL;
}
