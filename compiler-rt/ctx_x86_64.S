/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx_x86_64.S - context switch, System V ABI. See ctx.h.
 *
 * A saved context, from its sp up:
 *
 *      0  mxcsr (4), x87 control word (2), unused (2)
 *      8  r15
 *     16  r14
 *     24  r13
 *     32  r12
 *     40  rbx      first frame: entry
 *     48  rbp      first frame: 0, the end for those who follow rbp
 *     56  where to go on
 *     64  the sp that the context goes on with
 *
 * The code uses the red zone: it fills a frame below rsp before it announces
 * it and reads one after rsp has left it, so rsp moves once and every line
 * of unwind information holds from there to the end. A signal in between
 * leaves 128 bytes below rsp alone.
 */
#if !defined(__x86_64__)
#error "ctx_x86_64.S is for x86-64; choose the file in compiler-rt/BUILD"
#endif

	.text

/* void *wend__ctx_switch(struct wend__ctx *from, void *to_sp, void *arg) */
	.globl	wend__ctx_switch
	.hidden	wend__ctx_switch
	.type	wend__ctx_switch, @function
	.p2align 6
wend__ctx_switch:
	.cfi_startproc
	endbr64
	stmxcsr	-56(%rsp)
	fnstcw	-52(%rsp)
	movq	%rbp, -8(%rsp)
	movq	%rbx, -16(%rsp)
	movq	%r12, -24(%rsp)
	movq	%r13, -32(%rsp)
	movq	%r14, -40(%rsp)
	movq	%r15, -48(%rsp)
	.cfi_offset %rbp, -16
	.cfi_offset %rbx, -24
	.cfi_offset %r12, -32
	.cfi_offset %r13, -40
	.cfi_offset %r14, -48
	.cfi_offset %r15, -56
	leaq	-56(%rsp), %rcx
	movq	%rcx, (%rdi)

	/* Loading a control word costs more than the rest together: do it
	 * only if they differ. Flags of mxcsr (its low six bits) don't count.
	 * Each word is read back as wide as it was stored; a wider load would
	 * wait for both stores to retire. */
	movl	(%rcx), %eax
	xorl	(%rsi), %eax
	movzwl	4(%rcx), %r9d
	xorw	4(%rsi), %r9w
	andl	$0xffc0, %eax
	orl	%r9d, %eax

	/* From here on the other context's frame is the one that unwinds. */
	leaq	56(%rsi), %rsp
	jnz	2f
1:	movq	48(%rsi), %rbp
	movq	40(%rsi), %rbx
	movq	32(%rsi), %r12
	movq	24(%rsi), %r13
	movq	16(%rsi), %r14
	movq	8(%rsi), %r15
	movq	%rdx, %rax
	/*
	 * ret, not pop and jmp. Contexts mostly switch at the end of the same
	 * few calls (receive, park, switch), so the return predictor, filled
	 * by the one that leaves, is right for the one that comes, as long as
	 * calls and returns stay paired. Measured, EPYC, ns a switch, two
	 * contexts and 1,000 in a ring alike:
	 *				ret	jmp
	 *	same call site		6.4	6.4
	 *	another call site	9.8	6.3
	 *	same, three calls deep	7.1	24.5
	 */
	ret

2:	ldmxcsr	(%rsi)
	fldcw	4(%rsi)
	jmp	1b
	.cfi_endproc
	.size	wend__ctx_switch, .-wend__ctx_switch

/*
 * Where a new context begins: rax = arg, rbx = entry, rsp 16-aligned.
 * Unwinders look up a return address less one, so the entry has to stand
 * behind the first byte that the unwind information covers.
 */
	.type	ctx_start, @function
	.p2align 4
	.cfi_startproc
	.cfi_undefined %rip
	nop
ctx_start:
	endbr64
	movq	%rax, %rdi
	call	*%rbx
	ud2
	.cfi_endproc
	.size	ctx_start, .-ctx_start

/* void *wend__ctx_make(void *stack_top, void (*entry)(void *)) */
	.globl	wend__ctx_make
	.hidden	wend__ctx_make
	.type	wend__ctx_make, @function
	.p2align 4
wend__ctx_make:
	.cfi_startproc
	endbr64
	andq	$-16, %rdi
	leaq	-80(%rdi), %rax
	xorl	%ecx, %ecx
	leaq	ctx_start(%rip), %rdx
	movl	$0x1f80, (%rax)
	movl	$0x37f, 4(%rax)
	movq	%rcx, 8(%rax)
	movq	%rcx, 16(%rax)
	movq	%rcx, 24(%rax)
	movq	%rcx, 32(%rax)
	movq	%rsi, 40(%rax)
	movq	%rcx, 48(%rax)
	movq	%rdx, 56(%rax)
	/* Two empty words, for those who read past the last frame. */
	movq	%rcx, 64(%rax)
	movq	%rcx, 72(%rax)
	ret
	.cfi_endproc
	.size	wend__ctx_make, .-wend__ctx_make

/* _Noreturn void wend__ctx_jump(void *stack_top, void (*entry)(void *),
 *				 void *arg) */
	.globl	wend__ctx_jump
	.hidden	wend__ctx_jump
	.type	wend__ctx_jump, @function
	.p2align 4
wend__ctx_jump:
	.cfi_startproc
	endbr64
	/* The frames above are about to be overwritten: no way back. */
	.cfi_undefined %rip
	andq	$-16, %rdi
	leaq	-16(%rdi), %rsp
	stmxcsr	-8(%rsp)
	fnstcw	-4(%rsp)
	movl	-8(%rsp), %eax
	xorl	$0x1f80, %eax
	movzwl	-4(%rsp), %ecx
	xorl	$0x37f, %ecx
	andl	$0xffc0, %eax
	orl	%ecx, %eax
	jz	1f
	movl	$0x1f80, -8(%rsp)
	movl	$0x37f, -4(%rsp)
	ldmxcsr	-8(%rsp)
	fldcw	-4(%rsp)
1:	xorl	%ebp, %ebp
	movq	%rbp, (%rsp)
	movq	%rbp, 8(%rsp)
	movq	%rsi, %rbx
	movq	%rdx, %rax
	jmp	ctx_start
	.cfi_endproc
	.size	wend__ctx_jump, .-wend__ctx_jump

	/* This file is ready for indirect-branch tracking (not for shadow
	 * stacks). Without the note the linker drops the mark for all. */
	.section .note.gnu.property, "a", @note
	.p2align 3
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4, 1, 0

	.section .note.GNU-stack, "", @progbits
