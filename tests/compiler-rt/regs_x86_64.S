/* SPDX-License-Identifier: Apache-2.0 */
/* regs_x86_64.S - see regs.h. */
	.text

	.globl	test_regs_switch
	.type	test_regs_switch, @function
test_regs_switch:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	pushq	%rcx
	.cfi_adjust_cfa_offset 8
	leaq	0(%rcx), %rbx
	leaq	1(%rcx), %rbp
	leaq	2(%rcx), %r12
	leaq	3(%rcx), %r13
	leaq	4(%rcx), %r14
	leaq	5(%rcx), %r15
	call	wend__ctx_switch
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	xorl	%eax, %eax
	xorl	%edx, %edx
	.irp	reg, %rbx, %rbp, %r12, %r13, %r14, %r15
	cmpq	%rcx, \reg
	setne	%dl
	addq	%rdx, %rax
	incq	%rcx
	.endr
	popq	%r15
	.cfi_adjust_cfa_offset -8
	popq	%r14
	.cfi_adjust_cfa_offset -8
	popq	%r13
	.cfi_adjust_cfa_offset -8
	popq	%r12
	.cfi_adjust_cfa_offset -8
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	test_regs_switch, .-test_regs_switch

	.globl	test_trace_on
	.type	test_trace_on, @function
test_trace_on:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	orq	$0x100, (%rsp)
	popfq
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	test_trace_on, .-test_trace_on

	.globl	test_trace_off
	.type	test_trace_off, @function
test_trace_off:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	andq	$-0x101, (%rsp)
	popfq
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	test_trace_off, .-test_trace_off

	.globl	test_fp_control
	.type	test_fp_control, @function
test_fp_control:
	.cfi_startproc
	movq	$0, -8(%rsp)
	stmxcsr	-8(%rsp)
	andl	$0xffc0, -8(%rsp)
	fnstcw	-4(%rsp)
	movq	-8(%rsp), %rax
	ret
	.cfi_endproc
	.size	test_fp_control, .-test_fp_control

	.globl	test_fp_set_control
	.type	test_fp_set_control, @function
test_fp_set_control:
	.cfi_startproc
	movq	%rdi, -8(%rsp)
	ldmxcsr	-8(%rsp)
	fldcw	-4(%rsp)
	ret
	.cfi_endproc
	.size	test_fp_set_control, .-test_fp_set_control

	.section .note.GNU-stack, "", @progbits
