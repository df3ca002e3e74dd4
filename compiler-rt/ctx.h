/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx.h - switch stacks: the machine's part of a task switch.
 *
 * A context that does not run is one pointer: the stack pointer under which
 * its callee-saved registers and floating-point control words lie. Nothing
 * else is kept: no signal mask, no errno, no thread-local storage; the layer
 * above owns those, and tells the sanitizers (fiber.h).
 *
 * Invariants
 *   C1  A saved sp is switched to once; the switch consumes it.
 *   C2  Nobody switches to a context before the switch that saves it has
 *       left its stack. Who resumes it must have seen that (lock, or the
 *       commit function that the next context runs).
 *   C3  Everything saved lies at or above sp. What is below sp is free.
 *   C4  Unwinding from a context ends at the first frame above its entry.
 *
 * Only the control bits of mxcsr travel with a context; its exception flags
 * are not preserved over a call by the ABI and not here either. A thread
 * under a user shadow stack (CET SHSTK, GCS) cannot switch contexts.
 */
#ifndef WEND_COMPILER_RT_CTX_H
#define WEND_COMPILER_RT_CTX_H

#ifdef __cplusplus
extern "C" {
#endif

struct wend__ctx {
	void *sp; /* valid while the context does not run */
};

/* Bytes that wend__ctx_make() uses at the top of a stack, at most. */
#define WEND__CTX_FRAME_SIZE 192

/*
 * wend__ctx_make - lay a first frame on a new stack.
 *
 *   stack_top  one past the stack's highest byte; rounded down to 16
 *   entry      runs on the first switch, given that switch's arg; must never
 *              return (traps if it does); must not be NULL
 *
 * Returns  the sp to switch to. Touches only the frame.
 *
 * The context starts with the default floating-point control words
 * (mxcsr 0x1f80, x87 0x37f; fpcr 0), not its maker's.
 */
void *wend__ctx_make(void *stack_top, void (*entry)(void *arg));

/*
 * wend__ctx_switch - leave this stack for another.
 *
 *   from   gets this context's sp
 *   to_sp  a saved sp, or one from wend__ctx_make()
 *   arg    what the other side's wend__ctx_switch() returns, or its entry's
 *          argument
 *
 * Returns  when someone switches back here, with that switch's arg; perhaps
 *          on another thread.
 */
void *wend__ctx_switch(struct wend__ctx *from, void *to_sp, void *arg);

/*
 * wend__ctx_jump - drop everything on the running context and call
 * entry(arg) at stack_top with default control words, as a new context.
 *
 * stack_top may be the top of the running stack: that is what it is for.
 * No destructor runs. With ASan, unpoison the stack first (fiber.h).
 */
__attribute__((__noreturn__)) void
wend__ctx_jump(void *stack_top, void (*entry)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif
