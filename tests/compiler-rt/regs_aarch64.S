/* SPDX-License-Identifier: Apache-2.0 */
/* regs_aarch64.S - see regs.h. */
	.text

	.globl	test_regs_switch
	.type	test_regs_switch, %function
test_regs_switch:
	.cfi_startproc
	stp	x29, x30, [sp, #-176]!
	.cfi_def_cfa_offset 176
	.cfi_offset x29, -176
	.cfi_offset x30, -168
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	str	x3, [sp, #160]
	.irp	n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	add	x\n, x3, #\n
	.endr
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	add	x9, x3, #\n
	fmov	d\n, x9
	.endr
	bl	wend__ctx_switch
	ldr	x3, [sp, #160]
	mov	x0, #0
	.irp	n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	add	x9, x3, #\n
	cmp	x9, x\n
	cinc	x0, x0, ne
	.endr
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	add	x9, x3, #\n
	fmov	x10, d\n
	cmp	x9, x10
	cinc	x0, x0, ne
	.endr
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	ldp	x29, x30, [sp], #176
	.cfi_def_cfa_offset 0
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size	test_regs_switch, .-test_regs_switch

	.globl	test_fp_control
	.type	test_fp_control, %function
test_fp_control:
	.cfi_startproc
	mrs	x0, fpcr
	ret
	.cfi_endproc
	.size	test_fp_control, .-test_fp_control

	.globl	test_fp_set_control
	.type	test_fp_set_control, %function
test_fp_set_control:
	.cfi_startproc
	msr	fpcr, x0
	ret
	.cfi_endproc
	.size	test_fp_set_control, .-test_fp_set_control

	.section .note.GNU-stack, "", %progbits
