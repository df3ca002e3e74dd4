/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - hash tables: uthash, set up for where memory may run out, and
 * with keys hashed by XXH3 from a seed that nobody knows, so that no client can
 * choose keys that meet in one bucket.
 */
#ifndef EXAMPLES_KV_TABLE_H
#define EXAMPLES_KV_TABLE_H

#define HASH_NONFATAL_OOM       1
#define uthash_nonfatal_oom(el) ((void)0) /* the caller looks at hh.tbl */
#include <uthash.h>

/* Chains of four at most, not ten, before a table doubles: each element of a
 * chain is a cache miss. Measured with 100,000 keys and 16 requests under way:
 * looking keys up was half of all CPU time. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 4U

#include "examples/kv/kv.h"

/* From the process's seed; at most 2^32 - 1 bytes count. */
uint64_t kv_hash(struct kv_arg key);

#define KV_TABLE_FIND(head, key, hash, out)                                    \
	HASH_FIND_BYHASHVALUE(hh, head, (key).p, (unsigned int)(key).n,        \
			      (unsigned int)(hash), out)

/* The key's bytes must stay where they are. el->hh.tbl is NULL afterwards if
 * there was no memory; nothing was added then. */
#define KV_TABLE_ADD(head, key, hash, el)                                      \
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, head, (key).p, (unsigned int)(key).n,  \
				    (unsigned int)(hash), el)

#endif
