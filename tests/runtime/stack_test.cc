/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack_test.cc - tasks' stacks: their sizes, their end, their reuse.
 */
#include "tests/support/wt.h"

#include <signal.h>
#include <sys/mman.h>
#include <string.h>

#include <atomic>

namespace
{

/* Use n bytes of stack, more or less, in small frames. */
__attribute__((noinline)) int Use(size_t n)
{
	volatile char frame[256];

	frame[0] = (char)n;
	frame[255] = (char)(n >> 8);
	int below = n > 512 ? Use(n - 512) : 0;
	return below + (frame[0] == (char)n && frame[255] == (char)(n >> 8));
}

/* Endless, and the compiler can't tell. */
__attribute__((noinline)) int Overflow(volatile int *level)
{
	volatile char frame[512];

	if (++*level < 0)
		return 0;
	frame[*level % 512] = 1;
	return Overflow(level) + frame[*level % 512];
}

void OverflowIn(size_t stack_size, const char *name)
{
	wt::RunOnce(1, [&] {
		wend_attr attr = {};
		wend_task *t;

		attr.stack_size = stack_size;
		attr.name = name;
		attr.handle = &t;
		if (wt::GoWith(attr, [] {
			    volatile int level = 0;

			    Overflow(&level);
		    }) == 0)
			wend_join(t, nullptr);
	});
}

} // namespace

/* Each size from the smallest on, several tasks of each at once: their frames
 * do not touch. Half of a stack is used; sanitizers want more for theirs. */
TEST(Stack, ManySizes)
{
	wt::Run(
		[] {
			size_t least = wt::kSanitized ? 256 << 10 : 16 << 10;
			size_t part = wt::kSanitized ? 8 : 2;

			for (size_t size = least; size <= (8 << 20);
			     size *= 2) {
				wend_task *t[3];
				wend_attr attr = {};

				attr.stack_size = size > least ? size - 100 :
								 size;
				for (auto &h : t) {
					attr.handle = &h;
					ASSERT_EQ(0, wt::GoWith(attr, [&] {
							  wend_yield();
							  EXPECT_GT(Use(size /
									part),
								    0);
							  wend_yield();
							  EXPECT_GT(Use(size /
									part),
								    0);
						  }));
				}
				for (auto &h : t)
					EXPECT_EQ(0, wend_join(h, nullptr));
			}
		},
		100);
}

namespace
{

/* A kilobyte a level, checked on the way back. */
int Recurse(int level)
{
	volatile char frame[1024];

	frame[0] = (char)level;
	frame[1023] = (char)(level + 1);
	if (level % 16 == 0)
		wend_yield();
	int below = level > 0 ? Recurse(level - 1) : 0;
	EXPECT_EQ((char)level, frame[0]);
	EXPECT_EQ((char)(level + 1), frame[1023]);
	return below + 1;
}

template <size_t kSize> void LargeFrame()
{
	volatile char frame[kSize];

	for (size_t i = 0; i < kSize; i += 512)
		frame[i] = (char)(i >> 9);
	wend_yield();
	for (size_t i = 0; i < kSize; i += 512)
		ASSERT_EQ((char)(i >> 9), frame[i]);
}

} // namespace

/* The default stack holds 100 KiB of frames, with switches in between. */
TEST(Stack, DeepRecursion)
{
	wt::Run(
		[] {
			wt::Group g;

			for (int i = 0; i < 4; i++)
				g.Go([] { EXPECT_EQ(101, Recurse(100)); });
		},
		20);
}

TEST(Stack, LargeFrames)
{
	wt::Run(
		[] {
			wend_attr attr = {};
			wend_task *t[2];

			attr.handle = &t[0];
			EXPECT_EQ(0, wt::GoWith(attr, LargeFrame<192 << 10>));
			attr.stack_size = 1 << 20;
			attr.handle = &t[1];
			EXPECT_EQ(0, wt::GoWith(attr, LargeFrame<900 << 10>));
			EXPECT_EQ(0, wend_join(t[0], nullptr));
			EXPECT_EQ(0, wend_join(t[1], nullptr));
		},
		20);
}

/* A stack of the largest size that is allowed. */
TEST(Stack, TheLargest)
{
	wt::Run(
		[] {
			wend_attr attr = {};
			wend_task *t;

			attr.stack_size = (size_t)1 << 30;
			attr.handle = &t;
			int r = wt::GoWith(attr, [] {
				EXPECT_GT(Use(wt::kSanitized ? 1 << 20 :
							       16 << 20),
					  0);
			});
			ASSERT_EQ(0, r);
			EXPECT_EQ(0, wend_join(t, nullptr));
		},
		1000);
}

/* Stacks are used again: far more tasks than there are stacks. */
TEST(Stack, AreReused)
{
	wt::Run(
		[] {
			struct wend_stats s;

			for (int i = 0; i < 200; i++) {
				wt::Group g;

				for (int k = 0; k < 5; k++)
					g.Go([] { Use(4096); });
			}
			wend_stats_get(&s);
			EXPECT_EQ(1001u, s.tasks_started);
			EXPECT_LT(s.stacks, 1001u);
		},
		20);
}

/* The end of a stack is found by whoever runs over it: one line that says
 * whose and how large. */
TEST(Stack, OverflowIsReported)
{
	WT_NEEDS_THREADS();
	if (wt::kSanitized)
		GTEST_SKIP() << "the sanitizer reports it in its own words";
	EXPECT_EXIT(OverflowIn(0, "bottomless"),
		    testing::KilledBySignal(SIGABRT),
		    wt::OneLine("\"bottomless\" overflowed .*262144 bytes"));
	EXPECT_EXIT(OverflowIn(65536, "small"),
		    testing::KilledBySignal(SIGABRT),
		    wt::OneLine("\"small\" overflowed .*65536 bytes"));
	EXPECT_EXIT(OverflowIn(16384, "smallest"),
		    testing::KilledBySignal(SIGABRT),
		    wt::OneLine("\"smallest\" overflowed .*16384 bytes"));
}

/* A fault elsewhere is no stack overflow, and ends as without a runtime. */
TEST(Stack, OtherFaultsAreNotHidden)
{
	if (wt::kSanitized)
		GTEST_SKIP() << "the sanitizer reports it in its own words";
	/* A page that may not be touched: a fault, but nothing that a compiler
	 * or UBSan could call undefined. */
	void *page = mmap(nullptr, 4096, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	auto Touch = [&] { wt::RunOnce(1, [&] { *(volatile char *)page = 1; }); };
	struct sigaction before;

	sigaction(SIGSEGV, nullptr, &before);
	if (before.sa_handler == SIG_DFL)
		EXPECT_EXIT(Touch(), testing::KilledBySignal(SIGSEGV), "");
	else /* clang's UBSan has a handler: it must get to see the fault */
		EXPECT_DEATH(Touch(), "SEGV");
	munmap(page, 4096);
}
