/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall.c - the system calls that want more than an instruction.
 */
#include "compiler-rt/syscall.h"

/* As large as a mask gets with the largest NR_CPUS that Linux offers
 * (8,192); the kernel refuses a smaller one than it needs. */
#define MASK_WORDS (8192 / 64)

int wend__sched_getaffinity_count(void)
{
	unsigned long mask[MASK_WORDS] = { 0 };
	long i, bytes;
	int count = 0;

	bytes = wend__syscall3(SYS_sched_getaffinity, 0, (long)sizeof(mask),
			       (long)mask);
	if (bytes < 0)
		return (int)bytes;
	/* The rest is zero from above; the sanitizers saw no kernel write. */
	for (i = 0; i < MASK_WORDS; i++)
		count += __builtin_popcountl(mask[i]);
	return count;
}
