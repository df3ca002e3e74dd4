/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abi.h - the conformance suite of the ABI v0.4 as /dev/umcg has it, transition
 * by transition and error by error: what its parts share. Each case names what
 * of the ABI it shows.
 */
#ifndef TESTS_KERNEL_ABI_ABI_H
#define TESTS_KERNEL_ABI_ABI_H

#include "tests/kernel/world.h"

const uint32_t RUNNING = UMCG_TASK_RUNNING, IDLE = UMCG_TASK_IDLE,
	       BLOCKED = UMCG_TASK_BLOCKED, NONE = UMCG_TASK_NONE,
	       LOCKED = UMCG_TF_LOCKED, PREEMPTED = UMCG_TF_PREEMPTED;

inline bool Fails(int r, int err)
{
	return r == -1 && errno == err;
}

/* A sleep that is over before it began is no block. */
[[noreturn]] inline void Block()
{
	for (;;)
		SleepMs(1);
}

#endif
