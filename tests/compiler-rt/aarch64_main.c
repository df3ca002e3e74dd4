/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aarch64_main.c - what aarch64_test.sh runs under an emulator: the layer's
 * CPU-specific parts, in C alone because the cross tools may lack C++.
 * Prints "ok NAME" or "bad NAME" for each case; exits with the number of bad.
 */
#include "compiler-rt/atomic.h"
#include "compiler-rt/clock.h"
#include "compiler-rt/ctx.h"
#include "compiler-rt/membarrier.h"
#include "compiler-rt/syscall.h"
#include "tests/compiler-rt/regs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#define STACK_SIZE 65536
#define RING 1000

static int bad_count;
static char stack[STACK_SIZE] __attribute__((aligned(16)));
static struct wend__ctx main_ctx, other_ctx;

static void report(const char *name, int ok)
{
	printf("%s %s\n", ok ? "ok" : "bad", name);
	bad_count += !ok;
}

static void *new_stack(void (*entry)(void *))
{
	return wend__ctx_make(stack + STACK_SIZE - 3, entry);
}

/* ---- arguments, alignment ---- */

static void *seen[2];
static int aligned;

static void args_entry(void *arg)
{
	seen[0] = arg;
	aligned = (uintptr_t)__builtin_frame_address(0) % 16 == 0;
	seen[1] = wend__ctx_switch(&other_ctx, main_ctx.sp, (void *)2);
	wend__ctx_switch(&other_ctx, main_ctx.sp, (void *)4);
}

static void test_args(void)
{
	void *got[2];

	got[0] = wend__ctx_switch(&main_ctx, new_stack(args_entry), (void *)1);
	got[1] = wend__ctx_switch(&main_ctx, other_ctx.sp, (void *)3);
	report("arguments", seen[0] == (void *)1 && seen[1] == (void *)3 &&
				    got[0] == (void *)2 && got[1] == (void *)4);
	report("alignment", aligned);
}

/* ---- registers ---- */

static long lost;

static void regs_entry(void *arg)
{
	unsigned long n = (unsigned long)arg;

	for (;; n++)
		lost += test_regs_switch(&other_ctx, main_ctx.sp, NULL,
					 0x5555000000000000ul + n);
}

static void test_regs(void)
{
	unsigned long n;

	other_ctx.sp = new_stack(regs_entry);
	for (n = 0; n < 100; n++)
		lost += test_regs_switch(&main_ctx, other_ctx.sp, (void *)n,
					 0xaaaa000000000000ul + n);
	report("callee-saved registers", lost == 0);
}

/* ---- fpcr ---- */

#define TOWARDS_ZERO (3ul << 22)
#define FLUSH_TO_ZERO (1ul << 24)

static unsigned long fp_start, fp_kept;

static void fp_entry(void *arg)
{
	(void)arg;
	fp_start = test_fp_control();
	test_fp_set_control(FLUSH_TO_ZERO);
	wend__ctx_switch(&other_ctx, main_ctx.sp, NULL);
	fp_kept = test_fp_control();
	wend__ctx_switch(&other_ctx, main_ctx.sp, NULL);
}

static void test_fp(void)
{
	unsigned long first, second;

	test_fp_set_control(TOWARDS_ZERO);
	wend__ctx_switch(&main_ctx, new_stack(fp_entry), NULL);
	first = test_fp_control();
	test_fp_set_control(0);
	wend__ctx_switch(&main_ctx, other_ctx.sp, NULL);
	second = test_fp_control();
	report("fpcr starts at default", fp_start == 0);
	report("fpcr is each context's own", fp_kept == FLUSH_TO_ZERO &&
						     first == TOWARDS_ZERO &&
						     second == 0);
}

/* ---- a ring ---- */

static struct wend__ctx ring[RING];
static long token, rounds;

static void ring_entry(void *arg)
{
	long me = (long)arg;

	for (;;) {
		struct wend__ctx *next = me + 1 < RING ? &ring[me + 1]
						       : &main_ctx;

		token += me;
		wend__ctx_switch(&ring[me], next->sp, (void *)(me + 1));
	}
}

static void test_ring(void)
{
	long i;

	for (i = 0; i < RING; i++) {
		char *s = malloc(4096);

		if (!s)
			abort();
		ring[i].sp = wend__ctx_make(s + 4096, ring_entry);
	}
	for (rounds = 0; rounds < 10; rounds++)
		wend__ctx_switch(&main_ctx, ring[0].sp, (void *)0);
	report("a ring of 1000", token == 10L * RING * (RING - 1) / 2);
}

/* ---- jump ---- */

static int jumps_left = 1000;
static uintptr_t jump_low = UINTPTR_MAX, jump_high;
static unsigned long jump_fp;

static void jump_entry(void *arg)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	jump_low = here < jump_low ? here : jump_low;
	jump_high = here > jump_high ? here : jump_high;
	jump_fp |= test_fp_control();
	if (--jumps_left > 0) {
		test_fp_set_control(FLUSH_TO_ZERO);
		wend__ctx_jump(stack + STACK_SIZE - 3, jump_entry, arg);
	}
	wend__ctx_switch(&other_ctx, main_ctx.sp, arg);
}

static void test_jump(void)
{
	void *got = wend__ctx_switch(&main_ctx, new_stack(jump_entry), stack);

	report("jump", got == stack && jumps_left == 0 &&
			       jump_low == jump_high && jump_fp == 0);
}

/* ---- unwinding ---- */

struct trace {
	void *functions[32];
	int count;
	_Unwind_Reason_Code end;
};

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context,
				      void *arg)
{
	struct trace *t = arg;
	uintptr_t ip = (uintptr_t)_Unwind_GetIP(context);

	if (ip == 0)
		return _URC_NO_REASON;
	if (t->count == 32)
		return _URC_NORMAL_STOP;
	t->functions[t->count++] =
		_Unwind_FindEnclosingFunction((void *)ip);
	return _URC_NO_REASON;
}

static __attribute__((noinline)) void unwind_entry(void *arg)
{
	struct trace *t = arg;

	t->end = _Unwind_Backtrace(note_frame, t);
	wend__ctx_switch(&other_ctx, main_ctx.sp, NULL);
	t->count = 0;
	t->end = _Unwind_Backtrace(note_frame, t);
	wend__ctx_switch(&other_ctx, main_ctx.sp, NULL);
}

static int ends_above_entry(const struct trace *t)
{
	/* The entry, then where a context begins, then nothing. */
	return t->end == _URC_END_OF_STACK && t->count == 2 &&
	       t->functions[0] == (void *)unwind_entry;
}

static void test_unwind(void)
{
	struct trace t = { .count = 0 };

	wend__ctx_switch(&main_ctx, new_stack(unwind_entry), &t);
	report("unwinding ends above a new context", ends_above_entry(&t));
	wend__ctx_switch(&main_ctx, other_ctx.sp, NULL);
	report("unwinding ends after a switch", ends_above_entry(&t));
}

/* ---- the rest of the layer, as far as the CPU matters ---- */

static void test_atomics(void)
{
	uint32_t a = 1;
	size_t w = 1;
	void *p = NULL;
	int ok;

	ok = a32_fetch_add_full(&a, -1) == 1 && a32_cas_full(&a, 0, 7) &&
	     a32_swap_full(&a, 9) == 7 && a32_fetch_or_full(&a, 6) == 9 &&
	     a32_load_acquire(&a) == 15 &&
	     aword_cas_fetch_full(&w, 1, SIZE_MAX) == 1 &&
	     aword_fetch_and_full(&w, 5) == SIZE_MAX &&
	     aword_load_relaxed(&w) == 5;
	aptr_store_full(&p, &w);
	ok = ok && aptr_swap_acquire(&p, NULL) == &w;
	fence_full();
	cpu_relax();
	report("atomics", ok);
}

static void test_syscalls(void)
{
	uint32_t w = 1;
	int64_t t = wend__clock_ns();

	report("futex", wend__futex_wait(&w, 2, -1) == -EAGAIN &&
				wend__futex_wait(&w, 1, t) == -ETIMEDOUT &&
				wend__futex_wake(&w, 1) == 0);
	report("affinity", wend__sched_getaffinity_count() >= 1);
	report("gettid", wend__gettid() > 0);
	(void)wend__membarrier_init();
	wend__fence_light();
	wend__fence_heavy();
	report("fences", 1);
}

int main(void)
{
	test_args();
	test_regs();
	test_fp();
	test_ring();
	test_jump();
	test_unwind();
	test_atomics();
	test_syscalls();
	return bad_count;
}
