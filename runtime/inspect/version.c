/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c - the version, from the file VERSION.
 */
#include <wend/runtime.h>

#include "runtime/version.h"

const char *wend_version(void)
{
	return WEND_VERSION;
}
