/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier.h - a fence of which one side is free.
 *
 * For store-load ordering between a side that runs all the time and one that
 * runs now and then:
 *
 *      often                              seldom
 *      store mine                         store mine
 *      wend__fence_light()                wend__fence_heavy()
 *      load theirs                        load theirs
 *
 * At least one of them sees the other's store. The light side costs one
 * predictable branch: the heavy one makes the kernel run a full fence on
 * every CPU that runs a thread of this process (microseconds). Where the
 * kernel cannot, both are full fences.
 *
 * Two light fences do not order against each other.
 */
#ifndef WEND_COMPILER_RT_MEMBARRIER_H
#define WEND_COMPILER_RT_MEMBARRIER_H

#include "compiler-rt/atomic.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 1 once the process is registered; written by wend__membarrier_init(). */
extern __attribute__((__visibility__("hidden"))) uint32_t wend__membarrier_on;

/*
 * wend__membarrier_init - register this process.
 *
 * Call once before any other thread uses a fence of this pair: a heavy fence
 * from before and a light one from after would not match.
 *
 * Returns 0, or -errno (-ENOSYS, -EINVAL, -EPERM): the fences still work, as
 * full ones.
 */
int wend__membarrier_init(void);

WEND__AINLINE void wend__fence_light(void)
{
	if (__builtin_expect(a32_load_relaxed(&wend__membarrier_on) != 0, 1))
		fence_compiler();
	else
		fence_full();
}

void wend__fence_heavy(void);

#ifdef __cplusplus
}
#endif

#endif
