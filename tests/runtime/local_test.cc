/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_test.cc - what each task has for itself: task-local values, errno,
 * the floating-point control state, exceptions in flight.
 *
 * Keys are never given back and there are 64 for the program, so the tests
 * share theirs.
 */
#include "tests/support/wt.h"

#include <fenv.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace
{

struct Dropped {
	uint64_t by;
	int times;
};

void Drop(void *value)
{
	Dropped *d = static_cast<Dropped *>(value);

	d->by = wend_task_id();
	d->times++;
}

wend_local PlainKey()
{
	static wend_local key = [] {
		wend_local k;

		EXPECT_EQ(0, wend_local_new(&k, nullptr));
		return k;
	}();
	return key;
}

wend_local DroppingKey()
{
	static wend_local key = [] {
		wend_local k;

		EXPECT_EQ(0, wend_local_new(&k, Drop));
		return k;
	}();
	return key;
}

} // namespace

/* Each task sees the values it set itself, however often it is switched. */
TEST(Local, EachTaskHasItsOwn)
{
	PlainKey();
	wt::Run([] {
		wt::Group g;

		for (intptr_t i = 1; i <= 20; i++)
			g.Go([i] {
				wend_local k = PlainKey();

				EXPECT_EQ(nullptr, wend_local_get(k));
				EXPECT_EQ(0, wend_local_set(k, (void *)i));
				for (int n = 0; n < 5; n++) {
					wend_yield();
					EXPECT_EQ((void *)i, wend_local_get(k));
				}
				EXPECT_EQ(0, wend_local_set(k, nullptr));
				EXPECT_EQ(nullptr, wend_local_get(k));
			});
	});
}

/* Drop is called once, at the end, in the task, with the value set last. */
TEST(Local, DropAtTheEnd)
{
	DroppingKey();
	wt::Run([] {
		Dropped first = {}, last = {}, taken_back = {};
		uint64_t id = 0;
		wt::Group g;

		g.Go([&] {
			wend_local k = DroppingKey();

			id = wend_task_id();
			EXPECT_EQ(0, wend_local_set(k, &first));
			EXPECT_EQ(0, wend_local_set(k, &last));
			EXPECT_EQ(0, last.times);
		});
		g.Go([&] {
			wend_local k = DroppingKey();

			EXPECT_EQ(0, wend_local_set(k, &taken_back));
			EXPECT_EQ(0, wend_local_set(k, nullptr));
		});
		g.Go([] { EXPECT_EQ(nullptr, wend_local_get(DroppingKey())); });
		g.Wait();
		EXPECT_EQ(0, first.times);
		EXPECT_EQ(1, last.times);
		EXPECT_EQ(id, last.by);
		EXPECT_EQ(0, taken_back.times);
	});
}

TEST(Local, AThreadsValuesAreDroppedWithIt)
{
	WT_NEEDS_THREADS();
	Dropped d = {};

	wt::Start(1);
	std::thread([&] {
		wend_local k = DroppingKey();

		EXPECT_EQ(nullptr, wend_local_get(k));
		EXPECT_EQ(0, wend_local_set(k, &d));
		EXPECT_EQ(&d, wend_local_get(k));
		EXPECT_EQ(0, d.times);
	}).join();
	EXPECT_EQ(1, d.times);
	EXPECT_EQ(0u, d.by);
	wt::Stop();
}

TEST(Local, NoSuchKey)
{
	wt::Run([] {
		EXPECT_EQ(-EINVAL, wend_local_set(64, nullptr));
		EXPECT_EQ(-EINVAL, wend_local_set(UINT32_MAX, nullptr));
		EXPECT_EQ(nullptr, wend_local_get(64));
		EXPECT_EQ(nullptr, wend_local_get(UINT32_MAX));
	});
}

namespace
{

[[noreturn]] void UseKeysUp()
{
	wend_local k;
	int n = 0, r;

	wt::Start(1);
	while ((r = wend_local_new(&k, nullptr)) == 0)
		n++;
	_exit(n == 64 && r == -ENOSPC ? 30 : 31);
}

} // namespace

/* In a process of its own, as it uses every key up. */
TEST(Local, KeysRunOut)
{
	EXPECT_EXIT(UseKeysUp(), testing::ExitedWithCode(30), "");
}

/* A task's errno survives switches to tasks that set theirs. */
TEST(Local, Errno)
{
	wt::Run([] {
		wt::Group g;

		for (int i = 1; i <= 10; i++)
			g.Go([i] {
				for (int n = 0; n < 10; n++) {
					errno = i;
					wend_yield();
					EXPECT_EQ(i, errno);
				}
			});
	});
}

/* The same over a real call that fails, and none of wend's calls sets it. */
TEST(Local, ErrnoOfFailedCalls)
{
	wt::Run([] {
		wt::Chan c(0, 0);
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go([&] {
				char b;

				EXPECT_EQ(-1, read(-1, &b, 1));
				EXPECT_EQ(EBADF, errno);
				wend_yield();
				EXPECT_EQ(EBADF, errno);
				EXPECT_EQ(-EAGAIN,
					  wend_chan_recv_try(c, nullptr));
				EXPECT_EQ(-ETIMEDOUT,
					  wend_chan_recv_until(c, nullptr, 0));
				EXPECT_EQ(EBADF, errno);
				EXPECT_EQ(-1, close(1 << 29));
				errno = 0;
				wend_yield();
				EXPECT_EQ(0, errno);
			});
	});
}

/* A new task does not see the errno of who ran before on its worker. */
TEST(Local, ErrnoStartsAtZero)
{
	wt::Run([] {
		errno = ERANGE;
		wt::Group g;

		g.Go([] {
			EXPECT_EQ(0, errno);
			errno = EDOM;
		});
		g.Go([] { EXPECT_EQ(0, errno); });
		g.Wait();
		EXPECT_EQ(ERANGE, errno);
	});
}

namespace
{

/* volatile: computed when it is asked for, under the mode of that moment. */
double Third()
{
	volatile double a = 1, b = 3;

	return a / b;
}

} // namespace

/* A rounding mode that one task sets holds for it alone, over switches. */
TEST(Local, RoundingMode)
{
	wt::Run([] {
		wt::Group g;
		const double nearest = Third();

		g.Go([&] {
			ASSERT_EQ(0, fesetround(FE_UPWARD));
			for (int n = 0; n < 5; n++) {
				EXPECT_EQ(FE_UPWARD, fegetround());
				EXPECT_GT(Third(), nearest);
				wend_yield();
			}
		});
		g.Go([&] {
			for (int n = 0; n < 5; n++) {
				EXPECT_EQ(FE_TONEAREST, fegetround());
				EXPECT_EQ(nearest, Third());
				wend_yield();
			}
		});
		g.Wait();
		EXPECT_EQ(FE_TONEAREST, fegetround());
		/* Started after a task that left the mode changed. */
		g.Go([] { EXPECT_EQ(FE_TONEAREST, fegetround()); });
	});
}

namespace
{

int ThrowDeep(int level)
{
	if (level == 0)
		throw std::runtime_error("deep");
	wend_yield();
	return ThrowDeep(level - 1) + 1;
}

struct CountDown {
	explicit CountDown(int *n) : n_(n)
	{
	}
	~CountDown()
	{
		--*n_;
	}
	int *n_;
};

void CountUp(void *n)
{
	++*static_cast<int *>(n);
}

} // namespace

/* An exception unwinds the task's own frames, and runs their destructors and
 * what they deferred, though other tasks throw at the same time. */
TEST(Local, Exceptions)
{
	wt::Run([] {
		wt::Group g;

		for (int i = 0; i < 8; i++)
			g.Go([i] {
				int objects = 1, deferred = 0;
				bool caught = false;

				try {
					CountDown c(&objects);
					wend_defer(CountUp, &deferred);
					ThrowDeep(i);
				} catch (const std::runtime_error &e) {
					EXPECT_STREQ("deep", e.what());
					caught = true;
				}
				EXPECT_TRUE(caught);
				EXPECT_EQ(0, objects);
				EXPECT_EQ(1, deferred);
			});
	});
}
