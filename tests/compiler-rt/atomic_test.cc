/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomic_test.cc - every operation of atomic.h on every kind of object:
 * what it returns and leaves, that it keeps types, that two threads can't
 * lose an update, and that its orders order. Run under ThreadSanitizer, the
 * ordering tests also show that it sees the operations: inline assembly
 * would be a race to it.
 */
#include "compiler-rt/atomic.h"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

namespace {

/* ---- one thread: values ---- */

#define VALUE_TESTS(kind, T)                                                   \
	TEST(Atomic_##kind, LoadsWhatWasStored)                                \
	{                                                                      \
		T x = 1;                                                       \
		EXPECT_EQ(kind##_load_relaxed(&x), T(1));                      \
		kind##_store_relaxed(&x, T(2));                                \
		EXPECT_EQ(kind##_load_acquire(&x), T(2));                      \
		kind##_store_release(&x, T(-1));                               \
		EXPECT_EQ(kind##_load_relaxed(&x), T(-1));                     \
		kind##_store_full(&x, T(-2));                                  \
		EXPECT_EQ(kind##_load_relaxed(&x), T(-2));                     \
	}                                                                      \
	TEST(Atomic_##kind, SwapReturnsTheOld)                                 \
	{                                                                      \
		T x = 1;                                                       \
		EXPECT_EQ(kind##_swap_acquire(&x, T(-3)), T(1));               \
		EXPECT_EQ(kind##_swap_release(&x, T(4)), T(-3));               \
		EXPECT_EQ(kind##_swap_full(&x, T(5)), T(4));                   \
		EXPECT_EQ(x, T(5));                                            \
	}                                                                      \
	TEST(Atomic_##kind, CasChangesOnlyOnAMatch)                            \
	{                                                                      \
		T x = T(-1);                                                   \
		EXPECT_FALSE(kind##_cas_acquire(&x, T(1), T(2)));              \
		EXPECT_FALSE(kind##_cas_release(&x, T(1), T(2)));              \
		EXPECT_FALSE(kind##_cas_full(&x, T(1), T(2)));                 \
		EXPECT_EQ(x, T(-1));                                           \
		EXPECT_TRUE(kind##_cas_acquire(&x, T(-1), T(1)));              \
		EXPECT_TRUE(kind##_cas_release(&x, T(1), T(2)));               \
		EXPECT_TRUE(kind##_cas_full(&x, T(2), T(3)));                  \
		EXPECT_EQ(x, T(3));                                            \
	}                                                                      \
	TEST(Atomic_##kind, CasFetchReturnsWhatWasThere)                       \
	{                                                                      \
		T x = 1;                                                       \
		EXPECT_EQ(kind##_cas_fetch_acquire(&x, T(9), T(2)), T(1));     \
		EXPECT_EQ(kind##_cas_fetch_release(&x, T(9), T(2)), T(1));     \
		EXPECT_EQ(kind##_cas_fetch_full(&x, T(9), T(2)), T(1));        \
		EXPECT_EQ(x, T(1));                                            \
		EXPECT_EQ(kind##_cas_fetch_acquire(&x, T(1), T(2)), T(1));     \
		EXPECT_EQ(kind##_cas_fetch_release(&x, T(2), T(3)), T(2));     \
		EXPECT_EQ(kind##_cas_fetch_full(&x, T(3), T(-4)), T(3));       \
		EXPECT_EQ(x, T(-4));                                           \
	}                                                                      \
	TEST(Atomic_##kind, ArithmeticReturnsTheOldAndWraps)                   \
	{                                                                      \
		T x = 1;                                                       \
		EXPECT_EQ(kind##_fetch_add_relaxed(&x, T(2)), T(1));           \
		EXPECT_EQ(kind##_fetch_add_acquire(&x, T(-4)), T(3));          \
		EXPECT_EQ(kind##_fetch_add_release(&x, -1), T(-1));            \
		EXPECT_EQ(kind##_fetch_add_full(&x, 5), T(-2));                \
		EXPECT_EQ(x, T(3));                                            \
		EXPECT_EQ(kind##_fetch_or_full(&x, T(8)), T(3));               \
		EXPECT_EQ(kind##_fetch_and_full(&x, T(-2)), T(11));            \
		EXPECT_EQ(x, T(10));                                           \
	}

VALUE_TESTS(a32, uint32_t)
VALUE_TESTS(aword, size_t)

TEST(Atomic_aword, WordsAreTheSame)
{
	uintptr_t a = 1;
	uint64_t b = UINT64_MAX;

	EXPECT_EQ(aword_fetch_add_full(&a, 1), 1u);
	EXPECT_EQ(aword_load_relaxed(&b), UINT64_MAX);
}

TEST(Atomic_a8, LoadsWhatWasStoredAndNothingBesideIt)
{
	uint8_t x[3] = { 1, 2, 3 };

	a8_store_relaxed(&x[1], 200);
	EXPECT_EQ(a8_load_relaxed(&x[1]), 200);
	a8_store_release(&x[1], 255);
	EXPECT_EQ(a8_load_acquire(&x[1]), 255);
	EXPECT_EQ(x[0], 1);
	EXPECT_EQ(x[2], 3);
}

struct node {
	struct node *next;
	int value;
};

TEST(Atomic_aptr, KeepsTypeAndValue)
{
	struct node a = { nullptr, 1 }, b = { &a, 2 };
	struct node *p = &a;

	static_assert(std::is_same<decltype(aptr_load_acquire(&p)),
				   struct node *>::value, "");
	static_assert(std::is_same<decltype(aptr_load_relaxed(&b.next)),
				   struct node *>::value, "");
	auto won = aptr_cas_full(&p, &a, &a);
	auto old = aptr_cas_fetch_full(&p, &a, &a);
	static_assert(std::is_same<decltype(won), bool>::value, "");
	static_assert(std::is_same<decltype(old), struct node *>::value, "");
	EXPECT_TRUE(won);
	EXPECT_EQ(old, &a);
	EXPECT_EQ(aptr_load_relaxed(&p)->value, 1);
	aptr_store_relaxed(&p, &b);
	EXPECT_EQ(aptr_load_acquire(&p), &b);
	aptr_store_release(&p, &a);
	EXPECT_EQ(p, &a);
	aptr_store_full(&p, nullptr);
	EXPECT_EQ(p, nullptr);
	EXPECT_EQ(aptr_swap_acquire(&p, &a), nullptr);
	EXPECT_EQ(aptr_swap_release(&p, &b), &a);
	EXPECT_EQ(aptr_swap_full(&p, &a)->value, 2);
	EXPECT_FALSE(aptr_cas_acquire(&p, &b, &b));
	EXPECT_TRUE(aptr_cas_acquire(&p, &a, &b));
	EXPECT_FALSE(aptr_cas_release(&p, &a, &b));
	EXPECT_TRUE(aptr_cas_release(&p, &b, &a));
	EXPECT_FALSE(aptr_cas_full(&p, &b, &b));
	EXPECT_TRUE(aptr_cas_full(&p, &a, &b));
	EXPECT_EQ(aptr_cas_fetch_acquire(&p, &a, nullptr), &b);
	EXPECT_EQ(aptr_cas_fetch_release(&p, &b, &a), &b);
	EXPECT_EQ(aptr_cas_fetch_full(&p, &a, nullptr), &a);
	EXPECT_EQ(p, nullptr);
}

/* One operation as the argument of another, and arguments with effects. */
TEST(Atomic_aptr, NestsAndEvaluatesOnce)
{
	struct node a = { nullptr, 1 }, b = { nullptr, 2 };
	struct node *from[2] = { &a, &b }, *to = nullptr;
	struct node **at = from;
	void *any = nullptr;

	aptr_store_release(&to, aptr_swap_full(at++, nullptr));
	EXPECT_EQ(to, &a);
	EXPECT_EQ(at, &from[1]);
	aptr_store_release(&to, aptr_load_acquire(at));
	EXPECT_EQ(to, &b);
	aptr_store_release(&any, aptr_load_relaxed(&to));
	EXPECT_EQ(any, &b);
	EXPECT_TRUE(aptr_cas_full(&any, aptr_load_relaxed(&to), &a));
	EXPECT_EQ(any, &a);
}

TEST(Atomic, FencesAndRelaxRun)
{
	fence_compiler();
	fence_full();
	cpu_relax();
}

/* ---- two threads ---- */

enum { ROUNDS = 20000 };

template <typename F> void together(F f)
{
	uint32_t ready = 0;
	auto start = [&](int i) {
		a32_fetch_add_full(&ready, 1);
		while (a32_load_acquire(&ready) < 2)
			cpu_relax();
		f(i);
	};
	std::thread other(start, 1);

	start(0);
	other.join();
}

TEST(AtomicThreads, NoUpdateIsLost)
{
	uint32_t n = 0, c = 0, bits = 0;
	size_t w = 0;

	together([&](int i) {
		for (int k = 0; k < ROUNDS; k++) {
			a32_fetch_add_relaxed(&n, 3);
			a32_fetch_add_full(&n, -1);
			aword_fetch_add_acquire(&w, 1);
			aword_fetch_add_release(&w, 1);
			for (;;) {
				uint32_t old = a32_load_relaxed(&c);

				if (a32_cas_full(&c, old, old + 1))
					break;
			}
			a32_fetch_or_full(&bits, 1u << (k % 16 + 16 * i));
			if (k < ROUNDS - 16)
				a32_fetch_and_full(
					&bits, ~(1u << (k % 16 + 16 * i)));
		}
	});
	EXPECT_EQ(n, 4u * ROUNDS);
	EXPECT_EQ(w, 4u * ROUNDS);
	EXPECT_EQ(c, 2u * ROUNDS);
	EXPECT_EQ(bits, UINT32_MAX);
}

/* A plain value handed over by release and acquire, there and back. */
template <typename Store, typename Load>
void hand_over(Store store, Load load)
{
	uint32_t turn = 0;
	int plain = 0;

	together([&](int me) {
		for (int k = 0; k < ROUNDS; k += 10) {
			while (load(&turn) % 2 != (uint32_t)me)
				cpu_relax();
			plain++;
			store(&turn, a32_load_relaxed(&turn) + 1);
		}
	});
	EXPECT_EQ(plain, 2 * ROUNDS / 10);
}

TEST(AtomicThreads, StoreReleaseOrdersBeforeLoadAcquire)
{
	hand_over([](uint32_t *p, uint32_t v) { a32_store_release(p, v); },
		  [](uint32_t *p) { return a32_load_acquire(p); });
}

TEST(AtomicThreads, SwapsOrder)
{
	hand_over([](uint32_t *p, uint32_t v) { a32_swap_release(p, v); },
		  [](uint32_t *p) { return a32_fetch_add_acquire(p, 0); });
	hand_over([](uint32_t *p, uint32_t v) { a32_store_full(p, v); },
		  [](uint32_t *p) { return a32_cas_fetch_acquire(p, 0, 0); });
}

TEST(AtomicThreads, CasOrders)
{
	hand_over([](uint32_t *p, uint32_t v) { a32_cas_release(p, v - 1, v); },
		  [](uint32_t *p) { return a32_fetch_or_full(p, 0); });
	hand_over([](uint32_t *p, uint32_t) { a32_fetch_add_release(p, 1); },
		  [](uint32_t *p) { return a32_cas_fetch_full(p, 0, 0); });
}

/* A pointer published by each, and what it points to. */
TEST(AtomicThreads, PointersPublish)
{
	struct node nodes[64];
	struct node *head = nullptr;
	uint32_t taken = 0;
	int sum = 0;

	together([&](int me) {
		if (me == 0) {
			for (int k = 0; k < 64; k++) {
				nodes[k].value = k;
				do {
					nodes[k].next =
						aptr_load_relaxed(&head);
				} while (!aptr_cas_release(
					&head, nodes[k].next, &nodes[k]));
			}
			return;
		}
		while (taken < 64) {
			struct node *n = aptr_swap_acquire(&head, nullptr);

			for (; n; n = n->next, taken++)
				sum += n->value;
			cpu_relax();
		}
	});
	EXPECT_EQ(sum, 63 * 64 / 2);
}

/*
 * Store mine, full, load theirs: never do both miss. Each way of being full
 * in turn. x86-64 reorders exactly this if the fence is missing.
 */
template <typename Publish> void dekker(Publish publish)
{
	alignas(64) uint32_t flag[2 * 16] = { 0 };
	alignas(64) uint32_t seen[2 * 16] = { 0 };
	alignas(64) uint32_t at[2 * 16] = { 0 };
	int both_missed = 0;

	auto meet = [&](int me, uint32_t round) {
		a32_store_release(&at[16 * me], round);
		while (a32_load_acquire(&at[16 * !me]) < round)
			cpu_relax();
	};
	together([&](int me) {
		for (uint32_t k = 1; k <= ROUNDS / 4; k++) {
			meet(me, 3 * k);
			publish(&flag[16 * me], k);
			seen[16 * me] = a32_load_relaxed(&flag[16 * !me]);
			meet(me, 3 * k + 1);
			if (me == 0 && seen[0] != k && seen[16] != k)
				both_missed++;
			meet(me, 3 * k + 2);
		}
	});
	EXPECT_EQ(both_missed, 0);
}

TEST(AtomicThreads, FullOrdersStoreBeforeLoad)
{
	dekker([](uint32_t *p, uint32_t v) {
		a32_store_relaxed(p, v);
		fence_full();
	});
	dekker([](uint32_t *p, uint32_t v) { a32_store_full(p, v); });
	dekker([](uint32_t *p, uint32_t v) { a32_cas_full(p, v - 1, v); });
	dekker([](uint32_t *p, uint32_t) { a32_fetch_add_full(p, 1); });
}

} // namespace
