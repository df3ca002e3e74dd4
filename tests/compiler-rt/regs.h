/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regs.h - for tests of the context switch: what only assembly can do.
 */
#ifndef WEND_TESTS_COMPILER_RT_REGS_H
#define WEND_TESTS_COMPILER_RT_REGS_H

#include "compiler-rt/ctx.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fill every callee-saved register with seed and its successors, switch, and
 * look at them again. Returns how many differ.
 */
long test_regs_switch(struct wend__ctx *from, void *to_sp, void *arg,
		      unsigned long seed);

/* A trap after each instruction, on or off (x86-64 only). */
void test_trace_on(void);
void test_trace_off(void);

/* The control words on arrival: mxcsr | x87 << 32, or fpcr. */
unsigned long test_fp_control(void);
void test_fp_set_control(unsigned long v);

#ifdef __cplusplus
}
#endif

#endif
