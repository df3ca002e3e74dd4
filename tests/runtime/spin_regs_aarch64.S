/* SPDX-License-Identifier: Apache-2.0 */
/* spin_regs_aarch64.S - see spin_regs.h. x0: in, x1: out, x2: spins. */
	.text

	.globl	spin_general
	.type	spin_general, %function
spin_general:
	.cfi_startproc
	stp	x29, x30, [sp, #-112]!
	.cfi_def_cfa_offset 112
	.cfi_offset x29, -112
	.cfi_offset x30, -104
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x1, [sp, #96]
	mov	x16, x0
	mov	x17, x2
	ldp	x0, x1, [x16, #0]
	ldp	x2, x3, [x16, #16]
	ldp	x4, x5, [x16, #32]
	ldp	x6, x7, [x16, #48]
	ldp	x8, x9, [x16, #64]
	ldp	x10, x11, [x16, #80]
	ldp	x12, x13, [x16, #96]
	ldp	x14, x15, [x16, #112]
	ldp	x19, x20, [x16, #128]
	ldp	x21, x22, [x16, #144]
	ldp	x23, x24, [x16, #160]
	ldp	x25, x26, [x16, #176]
	ldp	x27, x28, [x16, #192]
	/* x - x leaves the carry set; cbnz and sub keep it. */
	cmp	x0, x0
1:	sub	x17, x17, #1
	cbnz	x17, 1b
	cset	x17, cs
	ldr	x16, [sp, #96]
	stp	x0, x1, [x16, #0]
	stp	x2, x3, [x16, #16]
	stp	x4, x5, [x16, #32]
	stp	x6, x7, [x16, #48]
	stp	x8, x9, [x16, #64]
	stp	x10, x11, [x16, #80]
	stp	x12, x13, [x16, #96]
	stp	x14, x15, [x16, #112]
	stp	x19, x20, [x16, #128]
	stp	x21, x22, [x16, #144]
	stp	x23, x24, [x16, #160]
	stp	x25, x26, [x16, #176]
	stp	x27, x28, [x16, #192]
	mov	x0, x17
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	.cfi_def_cfa_offset 0
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size	spin_general, .-spin_general

	.globl	spin_vectors_16
	.type	spin_vectors_16, %function
spin_vectors_16:
	.cfi_startproc
	stp	d8, d9, [sp, #-64]!
	.cfi_def_cfa_offset 64
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldr	q\n, [x0, #(\n * 16)]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	q\n, [x0, #(\n * 16)]
	.endr
1:	sub	x2, x2, #1
	cbnz	x2, 1b
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	q\n, [x1, #(\n * 16)]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x1, #(\n * 16)]
	.endr
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	ldp	d8, d9, [sp], #64
	.cfi_def_cfa_offset 0
	mov	x0, #512
	ret
	.cfi_endproc
	.size	spin_vectors_16, .-spin_vectors_16

	.section .note.GNU-stack, "", %progbits
