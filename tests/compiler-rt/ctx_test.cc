/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx_test.cc - the context switch: what travels with it (arguments,
 * registers, control words), what a debugger and an exception see at every
 * instruction of it, and that a context starts, restarts and dies as ctx.h
 * says. All of it under the sanitizers as well.
 */
#include "compiler-rt/ctx.h"

#include "compiler-rt/atomic.h"
#include "tests/compiler-rt/coro.h"
#include "tests/compiler-rt/regs.h"

#include <gtest/gtest.h>

#include <fenv.h>
#include <unwind.h>

#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

/* ---- what travels ---- */

TEST(Ctx, ArgumentsTravelBothWays)
{
	std::vector<long> seen;
	Coro coro([&](Coro &self) {
		long v = (long)self.in();

		while (v >= 0) {
			seen.push_back(v);
			v = (long)self.yield((void *)(v * 10));
		}
	});

	for (long i = 0; i < 5; i++)
		EXPECT_EQ((long)coro.resume((void *)i), i * 10);
	EXPECT_FALSE(coro.done());
	coro.resume((void *)-1L);
	EXPECT_TRUE(coro.done());
	EXPECT_EQ(seen, (std::vector<long>{ 0, 1, 2, 3, 4 }));
}

/* The raw interface: what switch returns and entry receives, without help. */
struct raw_side {
	struct wend__ctx ctx, back;
	struct wend__fiber fiber, back_fiber;
	void *first, *second;
	bool aligned;
};

struct raw_side raw;

__attribute__((noinline)) bool frame_is_aligned(void)
{
	/* Between calls the stack pointer is a multiple of 16, so a caller's
	 * return address is stored 8 below one; aarch64 aligns frames. */
	return (uintptr_t)__builtin_frame_address(0) % 16 == 0;
}

void raw_entry(void *arg)
{
	wend__fiber_switch_end(&raw.fiber);
	raw.first = arg;
	raw.aligned = frame_is_aligned();
	wend__fiber_switch_begin(&raw.fiber, &raw.back_fiber);
	raw.second = wend__ctx_switch(&raw.ctx, raw.back.sp, (void *)0x22);
	wend__fiber_switch_end(&raw.fiber);
	wend__fiber_switch_begin(nullptr, &raw.back_fiber);
	wend__ctx_switch(&raw.ctx, raw.back.sp, (void *)0x44);
	abort();
}

TEST(Ctx, SwitchReturnsTheOtherSidesArg)
{
	static char stack[256 * 1024];
	void *got;

	ASSERT_EQ(wend__fiber_of_thread(&raw.back_fiber), 0);
	wend__fiber_create(&raw.fiber, stack, sizeof(stack) - 5);
	/* An odd stack top is rounded down. */
	raw.ctx.sp = wend__ctx_make(stack + sizeof(stack) - 5, raw_entry);
	EXPECT_GE((char *)raw.ctx.sp,
		  stack + sizeof(stack) - 5 - WEND__CTX_FRAME_SIZE - 16);
	wend__fiber_switch_begin(&raw.back_fiber, &raw.fiber);
	got = wend__ctx_switch(&raw.back, raw.ctx.sp, (void *)0x11);
	wend__fiber_switch_end(&raw.back_fiber);
	EXPECT_EQ(got, (void *)0x22);
	EXPECT_EQ(raw.first, (void *)0x11);
	EXPECT_TRUE(raw.aligned);
	wend__fiber_switch_begin(&raw.back_fiber, &raw.fiber);
	got = wend__ctx_switch(&raw.back, raw.ctx.sp, (void *)0x33);
	wend__fiber_switch_end(&raw.back_fiber);
	EXPECT_EQ(got, (void *)0x44);
	EXPECT_EQ(raw.second, (void *)0x33);
	wend__fiber_destroy(&raw.fiber);
}

struct regs_side {
	struct wend__ctx me, main;
	struct wend__fiber fiber, main_fiber;
	long lost;
	int left;
};

void regs_entry(void *arg)
{
	struct regs_side *s = (struct regs_side *)arg;

	wend__fiber_switch_end(&s->fiber);
	for (;;) {
		s->left--;
		wend__fiber_switch_begin(&s->fiber, &s->main_fiber);
		s->lost += test_regs_switch(&s->me, s->main.sp, nullptr,
					    0x5555000000000000ul + s->left);
		wend__fiber_switch_end(&s->fiber);
	}
}

/* Both sides fill all callee-saved registers, differently each time. */
TEST(Ctx, CalleeSavedRegistersAreKept)
{
	static char stack[64 * 1024];
	struct regs_side s = {};

	s.left = 100;
	ASSERT_EQ(wend__fiber_of_thread(&s.main_fiber), 0);
	wend__fiber_create(&s.fiber, stack, sizeof(stack));
	s.me.sp = wend__ctx_make(stack + sizeof(stack), regs_entry);
	while (s.left > 0) {
		wend__fiber_switch_begin(&s.main_fiber, &s.fiber);
		s.lost += test_regs_switch(&s.main, s.me.sp, &s,
					   0xaaaa000000000000ul + s.left);
		wend__fiber_switch_end(&s.main_fiber);
	}
	EXPECT_EQ(s.lost, 0);
	wend__fiber_destroy(&s.fiber);
}

TEST(Ctx, ControlWordsAreEachContextsOwn)
{
	int inside_start = -1, inside_kept = -1;
	Coro coro([&](Coro &self) {
		inside_start = fegetround();
		fesetround(FE_UPWARD);
		self.yield(nullptr);
		inside_kept = fegetround();
		fesetround(FE_DOWNWARD);
	});

	/* A new context has the defaults, not its maker's or starter's. */
	fesetround(FE_TOWARDZERO);
	coro.resume(nullptr);
	EXPECT_EQ(inside_start, FE_TONEAREST);
	EXPECT_EQ(fegetround(), FE_TOWARDZERO);
	fesetround(FE_TONEAREST);
	coro.resume(nullptr);
	EXPECT_EQ(inside_kept, FE_UPWARD);
	EXPECT_EQ(fegetround(), FE_TONEAREST);
}

#if defined(__x86_64__)
enum { X87_SHIFT = 32 };
const unsigned long fp_default = 0x1f80 | 0x37ful << X87_SHIFT;
/* Each word alone: flush-to-zero; x87 precision 53 bits. */
const unsigned long fp_variants[] = { 0x9f80 | 0x37ful << X87_SHIFT,
				      0x1f80 | 0x27ful << X87_SHIFT,
				      0x1fc0 | 0xf7ful << X87_SHIFT };
#else
const unsigned long fp_default = 0;
const unsigned long fp_variants[] = { 1ul << 24, 1ul << 25, 3ul << 22 };
#endif

TEST(Ctx, EachControlWordAloneIsNoticed)
{
	for (unsigned long variant : fp_variants) {
		unsigned long start = 0, kept = 0;
		Coro coro([&](Coro &self) {
			start = test_fp_control();
			test_fp_set_control(variant);
			self.yield(nullptr);
			kept = test_fp_control();
		});

		ASSERT_EQ(test_fp_control(), fp_default);
		coro.resume(nullptr);
		EXPECT_EQ(start, fp_default);
		EXPECT_EQ(test_fp_control(), fp_default);
		/* An exception flag raised here must not confuse it. */
		feraiseexcept(FE_INEXACT);
		coro.resume(nullptr);
		EXPECT_EQ(kept, variant);
		EXPECT_EQ(test_fp_control(), fp_default);
		feclearexcept(FE_ALL_EXCEPT);
	}
}

TEST(Ctx, AThousandInARing)
{
	enum { COUNT = 1000, ROUNDS = 20 };
	std::vector<std::unique_ptr<Coro>> ring;
	long token = 0;

	for (int i = 0; i < COUNT; i++)
		ring.emplace_back(new Coro(
			[&token, i](Coro &self) {
				volatile long mine = i;

				for (int r = 0; r < ROUNDS; r++) {
					token = token * 3 + mine;
					self.yield(nullptr);
				}
			},
			WEND__ASAN || WEND__TSAN ? 65536 : 16384));
	long expect = 0;
	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < COUNT; i++) {
			ring[i]->resume(nullptr);
			expect = (long)((unsigned long)expect * 3 + i);
			/* Keep it from overflowing. */
			expect %= 1000003;
			token %= 1000003;
		}
	}
	EXPECT_EQ(token, expect);
	for (auto &c : ring) {
		EXPECT_FALSE(c->done());
		c->resume(nullptr);
		EXPECT_TRUE(c->done());
	}
}

TEST(Ctx, ResumesOnAnotherThread)
{
	std::vector<std::thread::id> ids;
	Coro coro([&](Coro &self) {
		for (int i = 0; i < 3; i++)
			self.yield(nullptr);
	});
	volatile int resumed = 0;

	coro.resume(nullptr);
	for (int i = 0; i < 2; i++) {
		std::thread([&] {
			coro.resume(nullptr);
			resumed = resumed + 1;
		}).join();
	}
	coro.resume(nullptr);
	EXPECT_TRUE(coro.done());
	EXPECT_EQ(resumed, 2);
}

/* ---- ends ---- */

struct jump_state {
	Coro *coro;
	int left;
	uintptr_t lowest, highest;
	unsigned long control;
};

void jump_entry(void *arg)
{
	struct jump_state *s = (struct jump_state *)arg;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	wend__fiber_switch_end(s->coro->fiber());
	s->lowest = here < s->lowest ? here : s->lowest;
	s->highest = here > s->highest ? here : s->highest;
	s->control |= test_fp_control() ^ fp_default;
	if (--s->left == 0) {
		s->coro->yield(s);
		abort();
	}
	test_fp_set_control(fp_variants[s->left % 3]);
	wend__fiber_restart(s->coro->fiber());
	wend__ctx_jump(s->coro->top(), jump_entry, s);
}

/* A stack used over and over by jumps: it doesn't grow, each start is new. */
TEST(Ctx, JumpStartsAnewOnTheSameStack)
{
	struct jump_state s = { nullptr, 1000, UINTPTR_MAX, 0, 0 };
	Coro coro([&](Coro &self) {
		s.coro = &self;
		wend__fiber_restart(self.fiber());
		wend__ctx_jump(self.top(), jump_entry, &s);
	});

	EXPECT_EQ(coro.resume(nullptr), &s);
	EXPECT_EQ(s.left, 0);
	EXPECT_EQ(s.lowest, s.highest);
	EXPECT_EQ(s.control, 0ul);
	EXPECT_EQ(test_fp_control(), fp_default);
}

void returns(void *arg)
{
	(void)arg;
}

TEST(CtxDeathTest, EntryMayNotReturn)
{
	static char stack[256 * 1024];

	EXPECT_EXIT(
		{
			struct wend__ctx from;

			signal(SIGILL, SIG_DFL);
			signal(SIGTRAP, SIG_DFL);
			wend__ctx_switch(&from,
					 wend__ctx_make(stack + sizeof(stack),
							returns),
					 nullptr);
		},
		[](int status) {
			return WIFSIGNALED(status) &&
			       (WTERMSIG(status) == SIGILL ||
				WTERMSIG(status) == SIGTRAP);
		},
		"");
}

/* ---- unwinding ---- */

struct trace {
	void *functions[32];
	int count;
	_Unwind_Reason_Code end;
};

_Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *arg)
{
	struct trace *t = (struct trace *)arg;
	uintptr_t ip = (uintptr_t)_Unwind_GetIP(context);

	/* libgcc calls once more at the end with no address. */
	if (ip == 0)
		return _URC_NO_REASON;
	if (t->count == 32)
		return _URC_NORMAL_STOP;
	t->functions[t->count++] =
		_Unwind_FindEnclosingFunction((void *)ip);
	return _URC_NO_REASON;
}

void take_trace(struct trace *t)
{
	t->count = 0;
	t->end = _Unwind_Backtrace(note_frame, t);
}

bool holds(const struct trace *t, void *function)
{
	for (int i = 0; i < t->count; i++)
		if (t->functions[i] == function)
			return true;
	return false;
}

/* Not static, not inlined, not merged: their addresses are the test. */
extern "C" __attribute__((noinline)) void ctx_test_inner(struct trace *t)
{
	take_trace(t);
	fence_compiler();
}

TEST(CtxUnwind, EndsCleanlyAboveTheEntry)
{
	struct trace t[3];
	Coro coro([&](Coro &self) {
		ctx_test_inner(&t[0]);
		self.yield(nullptr);
		ctx_test_inner(&t[1]);
	});

	coro.resume(nullptr);
	ctx_test_inner(&t[2]);
	coro.resume(nullptr);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(t[i].end, _URC_END_OF_STACK);
		EXPECT_TRUE(holds(&t[i], (void *)ctx_test_inner));
		EXPECT_TRUE(holds(&t[i], (void *)&Coro::enter));
		/* The entry is the last but one: above it stands only where
		 * a context begins. */
		ASSERT_GE(t[i].count, 3);
		EXPECT_EQ(t[i].functions[t[i].count - 2],
			  (void *)&Coro::enter);
	}
	EXPECT_EQ(t[2].end, _URC_END_OF_STACK);
	EXPECT_FALSE(holds(&t[2], (void *)&Coro::enter));
}

TEST(CtxUnwind, ExceptionsAreCaughtInside)
{
	std::string said;
	Coro coro([&](Coro &self) {
		for (int i = 0; i < 3; i++) {
			try {
				std::vector<int> v;

				self.yield(nullptr);
				(void)v.at(5);
			} catch (const std::out_of_range &) {
				said += "x";
			}
		}
	});

	for (int i = 0; i < 4; i++) {
		try {
			coro.resume(nullptr);
			throw std::runtime_error("main");
		} catch (const std::runtime_error &e) {
			said += "m";
		}
	}
	EXPECT_TRUE(coro.done());
	EXPECT_EQ(said, "mxmxmxm");
}

TEST(CtxUnwindDeathTest, AnUncaughtExceptionTerminates)
{
	EXPECT_DEATH(
		{
			Coro coro([](Coro &) { throw 42; });

			try {
				coro.resume(nullptr);
			} catch (...) {
				/* It must not arrive here. */
				_exit(0);
			}
		},
		"terminate called");
}

#if defined(__x86_64__)
/*
 * Step through the switch one instruction at a time and unwind at each: the
 * chain must go through the side whose stack it is, and end.
 */
struct step_state {
	Coro *coro;
	int on_main, on_coro, before_entry, bad;
} steps;

extern "C" __attribute__((noinline)) void ctx_test_stepping_side(Coro &stepped)
{
	test_trace_on();
	stepped.resume(nullptr);
	test_trace_off();
}

void on_step(int, siginfo_t *, void *ucontext)
{
	greg_t *regs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t)regs[REG_RIP], sp = (uintptr_t)regs[REG_RSP];
	struct trace t;

	/* Only the switch and where a context begins; in their order. */
	if (pc < (uintptr_t)wend__ctx_switch || pc >= (uintptr_t)wend__ctx_make)
		return;
	take_trace(&t);
	bool main = holds(&t, (void *)ctx_test_stepping_side);
	bool inside = holds(&t, (void *)&Coro::enter);
	bool on_coro_stack =
		sp >= (uintptr_t)steps.coro->stack() &&
		sp <= (uintptr_t)steps.coro->top();

	if (t.end != _URC_END_OF_STACK || t.count == 32 ||
	    (on_coro_stack && main) || (!on_coro_stack && !main) ||
	    (!on_coro_stack && inside) ||
	    /* Where a context begins has unwind information as well. */
	    (on_coro_stack &&
	     (t.count == 0 || !t.functions[t.count - 1])))
		steps.bad++;
	else if (!on_coro_stack)
		steps.on_main++;
	else if (inside)
		steps.on_coro++;
	else
		steps.before_entry++;
}

TEST(CtxUnwind, EveryInstructionOfASwitch)
{
	if (WEND__TSAN)
		GTEST_SKIP() << "TSan's own calls are stepped through as well";
	struct sigaction sa = {}, old;
	Coro coro([](Coro &self) {
		self.yield(nullptr);
		/* Differing control words take the other branch. */
		test_fp_set_control(fp_variants[0]);
		self.yield(nullptr);
	});
	struct trace warm;

	take_trace(&warm);
	sa.sa_sigaction = on_step;
	sa.sa_flags = SA_SIGINFO;
	ASSERT_EQ(sigaction(SIGTRAP, &sa, &old), 0);
	steps = {};
	steps.coro = &coro;
	for (int i = 0; i < 3; i++)
		ctx_test_stepping_side(coro);
	sigaction(SIGTRAP, &old, nullptr);

	EXPECT_TRUE(coro.done());
	EXPECT_EQ(steps.bad, 0);
	/* Six switches of some thirty instructions, divided. */
	EXPECT_GT(steps.on_main, 75);
	EXPECT_GT(steps.on_coro, 50);
	EXPECT_GT(steps.before_entry, 5);
}
#endif

} // namespace
