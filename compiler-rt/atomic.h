/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomic.h - the only way to memory that two threads share.
 *
 * A thin, typed layer over libatomic_ops: the order is the last word of each
 * name, a value keeps its type, a pointer to the wrong kind of object is a
 * compiler error.
 *
 *   a8_x     uint8_t              loads and stores only
 *   a32_x    uint32_t             AO_int_
 *   aword_x  size_t, uintptr_t, uint64_t (all of them AO_t here)
 *   aptr_x   any pointer; yields the pointer's own type
 *
 *   relaxed  this access is atomic; orders nothing
 *   acquire  what follows stays behind it
 *   release  what precedes stays before it
 *   full     both, and a full fence: a store before it is visible before a
 *            load behind it is made, whatever kinds those two are
 *
 * A failed cas_acquire or cas_full still acquires; a failed cas_release
 * orders nothing. cas never fails without cause (it is a strong one).
 *
 * What libatomic_ops 7.6.14 makes of it, read from its headers and from the
 * code that gcc 12 and clang 14 emit for x86-64 and aarch64: every operation
 * called here ends in one __atomic builtin, none in inline assembly, so
 * ThreadSanitizer sees all of them. Where it differs from what we want:
 *
 * - It has neither an exchange nor an or/and that returns the old value.
 *   Those are the same builtins, spelled here.
 * - Its store_full is a store and a fence; an exchange is one instruction.
 * - Its cas_full is "acquire and release". On x86-64 that is a full fence,
 *   on aarch64 it is not, and neither is a sequentially consistent one: a
 *   later load may still overtake the store half. fence_after_rmw() closes
 *   the gap there and is nothing on x86-64.
 *
 * ThreadSanitizer knows no fences: it takes ordering only from acquire and
 * release accesses. Publish with those and use fence_full() for store-load
 * ordering alone.
 */
#ifndef WEND_COMPILER_RT_ATOMIC_H
#define WEND_COMPILER_RT_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__SANITIZE_THREAD__)
/* gcc warns wherever AO_nop_full() is inlined; what it warns of is said
 * above. */
#pragma GCC diagnostic ignored "-Wtsan"
#endif
#include <atomic_ops.h>

#ifndef AO_GCC_ATOMIC_TEST_AND_SET
#error "libatomic_ops does not use the compiler's atomic builtins here"
#endif
#if !defined(__LP64__)
#error "wend needs 64-bit pointers"
#endif

#define WEND__AINLINE                                                          \
	static inline __attribute__((__always_inline__, __unused__))

/* ---- fences -------------------------------------------------------------- */

/* Nothing moves over it in the compiled code; no instruction. */
#define fence_compiler() AO_compiler_barrier()

#if defined(__x86_64__) && defined(__clang__) && !defined(AO_THREAD_SANITIZER)
/*
 * clang 14 makes AO_nop_full() an mfence, gcc a locked or on the stack's top,
 * which orders all ordinary memory just as well and costs 4.7 ns against 18.8
 * here. Say it ourselves for clang. Only weakly ordered (non-temporal)
 * stores would need mfence, and nothing here makes any.
 */
WEND__AINLINE void fence_full(void)
{
	__asm__ __volatile__("lock; orl $0, (%%rsp)" ::: "memory", "cc");
}
#else
WEND__AINLINE void fence_full(void)
{
	AO_nop_full();
}
#endif

#if defined(__x86_64__)
#define fence_after_rmw() ((void)0)
#define cpu_relax()       __builtin_ia32_pause()
#elif defined(__aarch64__)
#define fence_after_rmw() AO_nop_full()
#define cpu_relax()       __asm__ __volatile__("yield" ::: "memory")
#else
#error "wend runs on x86-64 and aarch64"
#endif

/* ---- uint8_t ------------------------------------------------------------- */

WEND__AINLINE uint8_t a8_load_relaxed(const volatile uint8_t *p)
{
	return AO_char_load(p);
}

WEND__AINLINE uint8_t a8_load_acquire(const volatile uint8_t *p)
{
	return AO_char_load_acquire(p);
}

WEND__AINLINE void a8_store_relaxed(volatile uint8_t *p, uint8_t v)
{
	AO_char_store(p, v);
}

WEND__AINLINE void a8_store_release(volatile uint8_t *p, uint8_t v)
{
	AO_char_store_release(p, v);
}

/* ---- uint32_t and words: the same functions twice ------------------------ */

/* k: our prefix; T: the object's type; ao: libatomic_ops' prefix. */
#define WEND__ATOMIC_KIND(k, T, ao)                                            \
	WEND__AINLINE T k##_load_relaxed(const volatile T *p)                  \
	{                                                                      \
		return ao##load(p);                                            \
	}                                                                      \
	WEND__AINLINE T k##_load_acquire(const volatile T *p)                  \
	{                                                                      \
		return ao##load_acquire(p);                                    \
	}                                                                      \
	WEND__AINLINE void k##_store_relaxed(volatile T *p, T v)               \
	{                                                                      \
		ao##store(p, v);                                               \
	}                                                                      \
	WEND__AINLINE void k##_store_release(volatile T *p, T v)               \
	{                                                                      \
		ao##store_release(p, v);                                       \
	}                                                                      \
	WEND__AINLINE T k##_swap_acquire(volatile T *p, T v)                   \
	{                                                                      \
		return __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE);            \
	}                                                                      \
	WEND__AINLINE T k##_swap_release(volatile T *p, T v)                   \
	{                                                                      \
		return __atomic_exchange_n(p, v, __ATOMIC_RELEASE);            \
	}                                                                      \
	WEND__AINLINE T k##_swap_full(volatile T *p, T v)                      \
	{                                                                      \
		T old = __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);           \
                                                                               \
		fence_after_rmw();                                             \
		return old;                                                    \
	}                                                                      \
	WEND__AINLINE void k##_store_full(volatile T *p, T v)                  \
	{                                                                      \
		(void)k##_swap_full(p, v);                                     \
	}                                                                      \
	WEND__AINLINE bool k##_cas_acquire(volatile T *p, T o, T n)            \
	{                                                                      \
		return ao##compare_and_swap_acquire(p, o, n) != 0;             \
	}                                                                      \
	WEND__AINLINE bool k##_cas_release(volatile T *p, T o, T n)            \
	{                                                                      \
		return ao##compare_and_swap_release(p, o, n) != 0;             \
	}                                                                      \
	WEND__AINLINE bool k##_cas_full(volatile T *p, T o, T n)               \
	{                                                                      \
		bool won = ao##compare_and_swap_full(p, o, n) != 0;            \
                                                                               \
		fence_after_rmw();                                             \
		return won;                                                    \
	}                                                                      \
	WEND__AINLINE T k##_cas_fetch_acquire(volatile T *p, T o, T n)         \
	{                                                                      \
		return ao##fetch_compare_and_swap_acquire(p, o, n);            \
	}                                                                      \
	WEND__AINLINE T k##_cas_fetch_release(volatile T *p, T o, T n)         \
	{                                                                      \
		return ao##fetch_compare_and_swap_release(p, o, n);            \
	}                                                                      \
	WEND__AINLINE T k##_cas_fetch_full(volatile T *p, T o, T n)            \
	{                                                                      \
		T old = ao##fetch_compare_and_swap_full(p, o, n);              \
                                                                               \
		fence_after_rmw();                                             \
		return old;                                                    \
	}                                                                      \
	WEND__AINLINE T k##_fetch_add_relaxed(volatile T *p, T d)              \
	{                                                                      \
		return ao##fetch_and_add(p, d);                                \
	}                                                                      \
	WEND__AINLINE T k##_fetch_add_acquire(volatile T *p, T d)              \
	{                                                                      \
		return ao##fetch_and_add_acquire(p, d);                        \
	}                                                                      \
	WEND__AINLINE T k##_fetch_add_release(volatile T *p, T d)              \
	{                                                                      \
		return ao##fetch_and_add_release(p, d);                        \
	}                                                                      \
	WEND__AINLINE T k##_fetch_add_full(volatile T *p, T d)                 \
	{                                                                      \
		T old = ao##fetch_and_add_full(p, d);                          \
                                                                               \
		fence_after_rmw();                                             \
		return old;                                                    \
	}                                                                      \
	WEND__AINLINE T k##_fetch_or_full(volatile T *p, T m)                  \
	{                                                                      \
		T old = __atomic_fetch_or(p, m, __ATOMIC_SEQ_CST);             \
                                                                               \
		fence_after_rmw();                                             \
		return old;                                                    \
	}                                                                      \
	WEND__AINLINE T k##_fetch_and_full(volatile T *p, T m)                 \
	{                                                                      \
		T old = __atomic_fetch_and(p, m, __ATOMIC_SEQ_CST);            \
                                                                               \
		fence_after_rmw();                                             \
		return old;                                                    \
	}

/* fetch_add takes any delta modulo the type's size: pass -1 to take one off. */
WEND__ATOMIC_KIND(a32, uint32_t, AO_int_)
WEND__ATOMIC_KIND(aword, size_t, AO_)

/* ---- pointers ------------------------------------------------------------ */

/*
 * p is the address of a pointer object (T **), v, o and n convert to T *
 * as in an assignment, so a wrong type is diagnosed. Each argument is
 * evaluated once.
 */
#define WEND__APTR(p) ((volatile size_t *)(p))
#define WEND__APTR_CHECK(p)                                                    \
	((void)sizeof(char[sizeof(*(p)) == sizeof(void *) ? 1 : -1]))

#define aptr_load_relaxed(p)                                                   \
	(WEND__APTR_CHECK(p),                                                  \
	 (__typeof__(*(p)))aword_load_relaxed(WEND__APTR(p)))
#define aptr_load_acquire(p)                                                   \
	(WEND__APTR_CHECK(p),                                                  \
	 (__typeof__(*(p)))aword_load_acquire(WEND__APTR(p)))

#define WEND__APTR_STORE(f, p, v)                                              \
	__extension__({                                                        \
		__typeof__(*(p)) wend__v_##f = (v);                            \
		f(WEND__APTR(p), (size_t)wend__v_##f);                         \
	})
#define WEND__APTR_SWAP(f, p, v)                                               \
	__extension__({                                                        \
		__typeof__(*(p)) wend__v_##f = (v);                            \
		(__typeof__(*(p)))f(WEND__APTR(p), (size_t)wend__v_##f);       \
	})
#define WEND__APTR_CAS(f, p, o, n)                                             \
	__extension__({                                                        \
		__typeof__(*(p)) wend__o_##f = (o);                            \
		__typeof__(*(p)) wend__n_##f = (n);                            \
		f(WEND__APTR(p), (size_t)wend__o_##f, (size_t)wend__n_##f);    \
	})
#define WEND__APTR_CAS_FETCH(f, p, o, n)                                       \
	__extension__({                                                        \
		__typeof__(*(p)) wend__o_##f = (o);                            \
		__typeof__(*(p)) wend__n_##f = (n);                            \
		(__typeof__(*(p)))f(WEND__APTR(p), (size_t)wend__o_##f,        \
				    (size_t)wend__n_##f);                      \
	})

#define aptr_store_relaxed(p, v)  WEND__APTR_STORE(aword_store_relaxed, p, v)
#define aptr_store_release(p, v)  WEND__APTR_STORE(aword_store_release, p, v)
#define aptr_store_full(p, v)     WEND__APTR_STORE(aword_store_full, p, v)
#define aptr_swap_acquire(p, v)   WEND__APTR_SWAP(aword_swap_acquire, p, v)
#define aptr_swap_release(p, v)   WEND__APTR_SWAP(aword_swap_release, p, v)
#define aptr_swap_full(p, v)      WEND__APTR_SWAP(aword_swap_full, p, v)
#define aptr_cas_acquire(p, o, n) WEND__APTR_CAS(aword_cas_acquire, p, o, n)
#define aptr_cas_release(p, o, n) WEND__APTR_CAS(aword_cas_release, p, o, n)
#define aptr_cas_full(p, o, n)    WEND__APTR_CAS(aword_cas_full, p, o, n)
#define aptr_cas_fetch_acquire(p, o, n)                                        \
	WEND__APTR_CAS_FETCH(aword_cas_fetch_acquire, p, o, n)
#define aptr_cas_fetch_release(p, o, n)                                        \
	WEND__APTR_CAS_FETCH(aword_cas_fetch_release, p, o, n)
#define aptr_cas_fetch_full(p, o, n)                                           \
	WEND__APTR_CAS_FETCH(aword_cas_fetch_full, p, o, n)

#endif
