/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber_test.cc - the sanitizer hooks: nothing in a plain build; with ASan,
 * errors on a context's stack are found and named as such, and nothing is
 * reported that is none; with TSan, a race between contexts of two threads is
 * found, and none between contexts of one.
 */
#include "compiler-rt/fiber.h"

#include "compiler-rt/atomic.h"
#include "tests/compiler-rt/coro.h"

#include <gtest/gtest.h>

#include <string.h>

#include <memory>
#include <thread>
#include <vector>

namespace
{

#if !WEND__ASAN && !WEND__TSAN
static_assert(sizeof(struct wend__fiber) == 0, "costs nothing");
#endif

__attribute__((noinline)) int use_stack(Coro &self, int depth)
{
	char here[200];

	memset(here, depth, sizeof(here));
	if (depth > 0)
		return use_stack(self, depth - 1) + here[depth];
	self.yield(here);
	return here[0];
}

/* Frames deep in both, interleaved, over several contexts' lives. */
TEST(Fiber, NothingIsReportedThatIsNoError)
{
	int shared = 0;

	for (int life = 0; life < 3; life++) {
		std::vector<std::unique_ptr<Coro>> coros;

		for (int i = 0; i < 8; i++)
			coros.emplace_back(new Coro([&](Coro &self) {
				shared++;
				for (int r = 0; r < 5; r++)
					use_stack(self, r * 3);
				shared++;
			}));
		for (int r = 0; r < 6; r++)
			for (auto &c : coros) {
				char *theirs = (char *)c->resume(nullptr);

				/* It is alive while its owner waits. */
				if (theirs)
					theirs[0] = 1;
				shared++;
			}
		for (auto &c : coros)
			EXPECT_TRUE(c->done());
	}
	EXPECT_EQ(shared, 3 * 8 * (2 + 6));
}

/* Suspended for ever, destroyed with frames on it, its memory used again. */
TEST(Fiber, DroppedFramesLeaveNothingBehind)
{
	for (int i = 0; i < 50; i++) {
		Coro coro([](Coro &self) { use_stack(self, 20); });

		ASSERT_NE(coro.resume(nullptr), nullptr);
		wend__asan_unpoison(coro.stack(), coro.size());
		memset(coro.stack(), 0, coro.size());
	}
}

#if WEND__ASAN
TEST(FiberDeathTest, OverflowOnAContextsStackIsFound)
{
	EXPECT_DEATH(
		{
			Coro coro([](Coro &) {
				char a[16];
				volatile size_t at = 16;

				memset(a, 0, sizeof(a));
				((volatile char *)a)[at] = 1;
			});

			coro.resume(nullptr);
		},
		"stack-buffer-overflow|insufficient space");
}

/*
 * A block that only a suspended context's stack points to: reported without
 * a root region, not with one.
 */
void exit_with_a_suspended_owner(bool root)
{
	Coro *coro = new Coro([](Coro &self) {
		/* In the stack's lowest word, not in a variable: that would
		 * lie in the fake stack. */
		void **word = (void **)self.stack();

		*word = malloc(12345);
		self.yield(nullptr);
		free(*word);
	});

	/* The stack itself is reached by nothing but the kernel. */
	coro->resume(nullptr);
	if (root)
		wend__lsan_root_add(coro->stack(), coro->size());
	exit(__lsan_do_recoverable_leak_check() ? 55 : 0);
}

TEST(FiberDeathTest, RootRegionsCoverSuspendedStacks)
{
	EXPECT_EXIT(
		exit_with_a_suspended_owner(false),
		[](int status) { return status != 0; }, "12345 byte");
	EXPECT_EXIT(
		exit_with_a_suspended_owner(true),
		[](int status) { return status == 0; }, "");
}
#endif

#if WEND__TSAN
void race_once(void)
{
	int shared = 0;
	uint32_t turn = 0;
	/* One after the other, but relaxed: nothing orders them. */
	Coro first([&](Coro &) {
		shared++;
		a32_store_relaxed(&turn, 1);
	});
	Coro second([&](Coro &) {
		while (a32_load_relaxed(&turn) == 0)
			cpu_relax();
		shared++;
	});
	std::thread t([&] { first.resume(nullptr); });

	second.resume(nullptr);
	t.join();
}

/* gcc 12's runtime misses the race now and then (2 times in 40 on a loaded
 * machine): give it several. */
void race(void)
{
	for (int i = 0; i < 10; i++)
		race_once();
	exit(0); /* TSan makes it another number. */
}

TEST(FiberDeathTest, ARaceBetweenContextsOfTwoThreadsIsFound)
{
	EXPECT_EXIT(
		race(), [](int status) { return status != 0; }, "data race");
}
#endif

} // namespace
