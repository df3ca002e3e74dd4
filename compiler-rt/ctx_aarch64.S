/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx_aarch64.S - context switch, AAPCS64. See ctx.h.
 *
 * A saved context, from its sp up:
 *
 *      0  x19, x20     first frame: x19 = entry
 *     16  x21, x22
 *     32  x23, x24
 *     48  x25, x26
 *     64  x27, x28
 *     80  x29, x30     x30 = where to go on; first frame: x29 = 0
 *     96  d8, d9
 *    112  d10, d11
 *    128  d12, d13
 *    144  d14, d15
 *    160  fpcr, unused
 *    176  the sp that the context goes on with
 *
 * There is no red zone on Linux: sp stands below all of it until the end.
 * ret, not br: what it lands on is no branch-target (BTI) entry.
 */
#if !defined(__aarch64__)
#error "ctx_aarch64.S is for aarch64; choose the file in compiler-rt/BUILD"
#endif

#define FRAME 176

	.text

/* void *wend__ctx_switch(struct wend__ctx *from, void *to_sp, void *arg) */
	.globl	wend__ctx_switch
	.hidden	wend__ctx_switch
	.type	wend__ctx_switch, %function
	.p2align 6
wend__ctx_switch:
	.cfi_startproc
	hint	#34			/* bti c */
	sub	sp, sp, #FRAME
	.cfi_def_cfa_offset FRAME
	mrs	x9, fpcr
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	str	x9, [sp, #160]
	.cfi_offset x19, 0-FRAME
	.cfi_offset x20, 8-FRAME
	.cfi_offset x21, 16-FRAME
	.cfi_offset x22, 24-FRAME
	.cfi_offset x23, 32-FRAME
	.cfi_offset x24, 40-FRAME
	.cfi_offset x25, 48-FRAME
	.cfi_offset x26, 56-FRAME
	.cfi_offset x27, 64-FRAME
	.cfi_offset x28, 72-FRAME
	.cfi_offset x29, 80-FRAME
	.cfi_offset x30, 88-FRAME
	.cfi_offset b8, 96-FRAME
	.cfi_offset b9, 104-FRAME
	.cfi_offset b10, 112-FRAME
	.cfi_offset b11, 120-FRAME
	.cfi_offset b12, 128-FRAME
	.cfi_offset b13, 136-FRAME
	.cfi_offset b14, 144-FRAME
	.cfi_offset b15, 152-FRAME
	mov	x10, sp
	str	x10, [x0]

	/* The frames look the same: from here on the other one unwinds. */
	mov	sp, x1
	ldr	x11, [sp, #160]
	cmp	x9, x11
	b.ne	2f			/* writing fpcr is slow */
1:	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	.cfi_remember_state
	add	sp, sp, #FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore x19
	.cfi_restore x20
	.cfi_restore x21
	.cfi_restore x22
	.cfi_restore x23
	.cfi_restore x24
	.cfi_restore x25
	.cfi_restore x26
	.cfi_restore x27
	.cfi_restore x28
	.cfi_restore x29
	.cfi_restore x30
	.cfi_restore b8
	.cfi_restore b9
	.cfi_restore b10
	.cfi_restore b11
	.cfi_restore b12
	.cfi_restore b13
	.cfi_restore b14
	.cfi_restore b15
	mov	x0, x2
	ret
	.cfi_restore_state
2:	msr	fpcr, x11
	b	1b
	.cfi_endproc
	.size	wend__ctx_switch, .-wend__ctx_switch

/*
 * Where a new context begins: x0 = arg, x19 = entry. Unwinders look up a
 * return address less one, so the entry has to stand behind the first
 * instruction that the unwind information covers.
 */
	.type	ctx_start, %function
	.p2align 4
	.cfi_startproc
	.cfi_undefined x30
	nop
ctx_start:
	hint	#36			/* bti j */
	blr	x19
	brk	#1
	.cfi_endproc
	.size	ctx_start, .-ctx_start

/* void *wend__ctx_make(void *stack_top, void (*entry)(void *)) */
	.globl	wend__ctx_make
	.hidden	wend__ctx_make
	.type	wend__ctx_make, %function
	.p2align 4
wend__ctx_make:
	.cfi_startproc
	hint	#34			/* bti c */
	and	x0, x0, #-16
	adr	x9, ctx_start
	/* Two empty words, for those who read past the last frame. */
	stp	xzr, xzr, [x0, #-16]
	sub	x0, x0, #(FRAME + 16)
	stp	x1, xzr, [x0]
	stp	xzr, xzr, [x0, #16]
	stp	xzr, xzr, [x0, #32]
	stp	xzr, xzr, [x0, #48]
	stp	xzr, xzr, [x0, #64]
	stp	xzr, x9, [x0, #80]
	stp	xzr, xzr, [x0, #96]
	stp	xzr, xzr, [x0, #112]
	stp	xzr, xzr, [x0, #128]
	stp	xzr, xzr, [x0, #144]
	stp	xzr, xzr, [x0, #160]
	ret
	.cfi_endproc
	.size	wend__ctx_make, .-wend__ctx_make

/* _Noreturn void wend__ctx_jump(void *stack_top, void (*entry)(void *),
 *				 void *arg) */
	.globl	wend__ctx_jump
	.hidden	wend__ctx_jump
	.type	wend__ctx_jump, %function
	.p2align 4
wend__ctx_jump:
	.cfi_startproc
	hint	#34			/* bti c */
	/* The frames above are about to be overwritten: no way back. */
	.cfi_undefined x30
	and	x9, x0, #-16
	sub	x9, x9, #16
	mov	sp, x9
	stp	xzr, xzr, [sp]
	mrs	x10, fpcr
	cbz	x10, 1f
	msr	fpcr, xzr
1:	mov	x19, x1
	mov	x0, x2
	mov	x29, xzr
	mov	x30, xzr
	b	ctx_start
	.cfi_endproc
	.size	wend__ctx_jump, .-wend__ctx_jump

	/* This file is ready for branch-target identification. */
	.section .note.gnu.property, "a", %note
	.p2align 3
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 1, 0

	.section .note.GNU-stack, "", %progbits
