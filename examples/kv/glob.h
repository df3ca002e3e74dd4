/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.h - the patterns of KEYS, SCAN, PSUBSCRIBE and CONFIG GET.
 *
 *	?  any byte   *  any bytes   [a-z] [^a]  one of, none of   \x  x itself
 *
 * Not fnmatch(): keys may have any bytes in them, 0 too, no locale has a say,
 * and a pattern of many stars must not take for ever.
 */
#ifndef EXAMPLES_KV_GLOB_H
#define EXAMPLES_KV_GLOB_H

#include "examples/kv/kv.h"

/* Takes at most pattern.n * text.n steps. */
bool kv_glob(struct kv_arg pattern, struct kv_arg text);

#endif
