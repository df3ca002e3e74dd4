/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall_x86_64.h - the syscall instruction. Include syscall.h, not this.
 *
 * The kernel keeps every register but rax, rcx (return address) and r11
 * (flags).
 */
#ifndef WEND_COMPILER_RT_SYSCALL_X86_64_H
#define WEND_COMPILER_RT_SYSCALL_X86_64_H

static inline long wend__syscall3(long n, long a, long b, long c)
{
	long ret;

	__asm__ __volatile__("syscall"
			     : "=a"(ret)
			     : "a"(n), "D"(a), "S"(b), "d"(c)
			     : "rcx", "r11", "memory");
	return ret;
}

static inline long wend__syscall6(long n, long a, long b, long c, long d,
				  long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ __volatile__("syscall"
			     : "=a"(ret)
			     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10),
			       "r"(r8), "r"(r9)
			     : "rcx", "r11", "memory");
	return ret;
}

#endif
