/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier.c - the heavy side of an asymmetric fence. See membarrier.h.
 */
#include "compiler-rt/membarrier.h"

#include "compiler-rt/syscall.h"

/* From linux/membarrier.h, which is younger than some systems' headers. */
#define CMD_PRIVATE_EXPEDITED          (1 << 3)
#define CMD_REGISTER_PRIVATE_EXPEDITED (1 << 4)

uint32_t wend__membarrier_on;

int wend__membarrier_init(void)
{
	int ret;

	ret = wend__membarrier(CMD_REGISTER_PRIVATE_EXPEDITED, 0);
	if (ret < 0)
		return ret;
	/* Try it once: a filter may allow the one and not the other. */
	ret = wend__membarrier(CMD_PRIVATE_EXPEDITED, 0);
	if (ret < 0)
		return ret;
	a32_store_release(&wend__membarrier_on, 1);
	return 0;
}

void wend__fence_heavy(void)
{
	static const char msg[] =
		"wend: membarrier stopped working (a seccomp filter installed "
		"after start?)\n";

	if (!a32_load_relaxed(&wend__membarrier_on)) {
		fence_full();
		return;
	}
	if (__builtin_expect(wend__membarrier(CMD_PRIVATE_EXPEDITED, 0) == 0,
			     1))
		return;
	/* The light sides rely on it and cannot be told in time. */
	(void)wend__syscall3(SYS_write, 2, (long)msg, sizeof(msg) - 1);
	__builtin_trap();
}
