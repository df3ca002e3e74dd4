/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall_aarch64.h - the svc instruction. Include syscall.h, not this.
 *
 * The kernel keeps every register but x0.
 */
#ifndef WEND_COMPILER_RT_SYSCALL_AARCH64_H
#define WEND_COMPILER_RT_SYSCALL_AARCH64_H

static inline long wend__syscall6(long n, long a, long b, long c, long d,
				  long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ __volatile__("svc #0"
			     : "+r"(x0)
			     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			       "r"(x5)
			     : "memory", "cc");
	return x0;
}

static inline long wend__syscall3(long n, long a, long b, long c)
{
	return wend__syscall6(n, a, b, c, 0, 0, 0);
}

#endif
