/* SPDX-License-Identifier: Apache-2.0 */
/* spin_regs_x86_64.S - see spin_regs.h. rdi: in, rsi: out, rdx: spins. */
	.text

	.globl	spin_general
	.type	spin_general, @function
spin_general:
	.cfi_startproc
	.irp	reg, rbx, rbp, r12, r13, r14, r15, rsi
	pushq	%\reg
	.cfi_adjust_cfa_offset 8
	.endr
	movq	%rdx, -8(%rsp)
	movq	%rdi, %rax
	movq	0(%rax), %rbx
	movq	8(%rax), %rcx
	movq	16(%rax), %rdx
	movq	24(%rax), %rsi
	movq	32(%rax), %rdi
	movq	40(%rax), %rbp
	movq	48(%rax), %r8
	movq	56(%rax), %r9
	movq	64(%rax), %r10
	movq	72(%rax), %r11
	movq	80(%rax), %r12
	movq	88(%rax), %r13
	movq	96(%rax), %r14
	movq	104(%rax), %r15
	/* dec keeps the carry. */
	stc
1:	decq	-8(%rsp)
	jnz	1b
	setc	-16(%rsp)
	popq	%rax
	.cfi_adjust_cfa_offset -8
	movq	%rbx, 0(%rax)
	movq	%rcx, 8(%rax)
	movq	%rdx, 16(%rax)
	movq	%rsi, 24(%rax)
	movq	%rdi, 32(%rax)
	movq	%rbp, 40(%rax)
	movq	%r8, 48(%rax)
	movq	%r9, 56(%rax)
	movq	%r10, 64(%rax)
	movq	%r11, 72(%rax)
	movq	%r12, 80(%rax)
	movq	%r13, 88(%rax)
	movq	%r14, 96(%rax)
	movq	%r15, 104(%rax)
	/* The pop moved the stack pointer: 16 bytes below is 24 now. */
	movzbl	-24(%rsp), %eax
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	popq	%\reg
	.cfi_adjust_cfa_offset -8
	.endr
	ret
	.cfi_endproc
	.size	spin_general, .-spin_general

/* name, register, width in bytes, how many, the move */
	.macro	spin_vectors name, reg, width, last, move
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	movq	%rdx, -8(%rsp)
	.set	n, 0
	.rept	\last
	spin_move \move, load, \reg, %n, \width
	.set	n, n + 1
	.endr
1:	decq	-8(%rsp)
	jnz	1b
	.set	n, 0
	.rept	\last
	spin_move \move, store, \reg, %n, \width
	.set	n, n + 1
	.endr
	spin_clean \width
	movl	$(\last * \width), %eax
	ret
	.cfi_endproc
	.size	\name, .-\name
	.endm

	.altmacro
	.macro	spin_move move, way, reg, k, width
	.ifc	\way, load
	\move	\k*\width(%rdi), %\reg\k
	.else
	\move	%\reg\k, \k*\width(%rsi)
	.endif
	.endm

	/* Upper halves left set would slow SSE code down. */
	.macro	spin_clean width
	.if	\width > 16
	vzeroupper
	.endif
	.endm

	spin_vectors spin_vectors_16, xmm, 16, 16, movups
	spin_vectors spin_vectors_32, ymm, 32, 16, vmovups
	spin_vectors spin_vectors_64, zmm, 64, 32, vmovups

	.section .note.GNU-stack, "", %progbits
