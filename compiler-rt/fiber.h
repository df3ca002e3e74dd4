/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.h - tell the sanitizers that the stack is about to change.
 *
 * AddressSanitizer keeps the bounds of the running stack and a fake stack
 * for use-after-return; ThreadSanitizer keeps a shadow call stack and a
 * vector clock. Both belong to the thread unless told. In a build without
 * them struct wend__fiber has no size and every function no code.
 *
 *      wend__fiber_switch_begin(&me->fiber, &to->fiber);
 *      arg = wend__ctx_switch(&me->ctx, to->ctx.sp, to_arg);
 *      wend__fiber_switch_end(&me->fiber);
 *
 * A new context calls wend__fiber_switch_end(own) first thing in its entry.
 * The first two lines stand side by side in one function.
 *
 * Invariants
 *   F1  The begin and end functions are inlined always: ThreadSanitizer
 *       counts a function's entry and exit on whatever fiber is current, and
 *       the fiber changes in the middle of begin.
 *   F2  A fiber is destroyed while it does not run.
 *   F3  ThreadSanitizer: a switch orders what the old fiber did before what
 *       the new one does, on the thread that switches. That is right: it is
 *       the same thread.
 *
 * A dying context passes NULL for from. So does, in effect, one that starts
 * anew on its own stack: wend__fiber_restart(own) right before
 * wend__ctx_jump(), whose entry begins with wend__fiber_switch_end(own) like
 * any other. In both, ASan has freed the fake stack when begin or restart
 * returns: the function that called it must not touch a variable of its own
 * whose address it took.
 *
 * ThreadSanitizer of gcc 12 and clang 14 has room for about 8,000 fibers and
 * threads alive at a time, and gcc's takes 2 ms to make one.
 */
#ifndef WEND_COMPILER_RT_FIBER_H
#define WEND_COMPILER_RT_FIBER_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define WEND__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEND__ASAN 1
#endif
#endif
#ifndef WEND__ASAN
#define WEND__ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define WEND__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEND__TSAN 1
#endif
#endif
#ifndef WEND__TSAN
#define WEND__TSAN 0
#endif

#define WEND__FIBER_INLINE                                                     \
	static inline __attribute__((__always_inline__, __unused__))

#if WEND__ASAN

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wend__fiber {
	void *fake;         /* ASan's fake stack while the fiber is away */
	const void *bottom; /* lowest usable byte */
	size_t size;
};

/* Fills in the calling thread's own stack. Returns 0 or -errno. Reads
 * /proc on the main thread: once a thread, not once a switch. */
int wend__fiber_of_thread(struct wend__fiber *f);

#ifdef __cplusplus
}
#endif

WEND__FIBER_INLINE void wend__fiber_create(struct wend__fiber *f,
					   const void *bottom, size_t size)
{
	f->fake = NULL;
	f->bottom = bottom;
	f->size = size;
}

WEND__FIBER_INLINE void wend__fiber_destroy(struct wend__fiber *f)
{
	f->bottom = NULL;
	f->size = 0;
}

WEND__FIBER_INLINE void wend__fiber_switch_begin(struct wend__fiber *from,
						 const struct wend__fiber *to)
{
	__sanitizer_start_switch_fiber(from ? &from->fake : NULL, to->bottom,
				       to->size);
}

WEND__FIBER_INLINE void wend__fiber_switch_end(struct wend__fiber *self)
{
	__sanitizer_finish_switch_fiber(self->fake, NULL, NULL);
}

/* What a dead frame left poisoned at p becomes plain memory again. */
WEND__FIBER_INLINE void wend__asan_unpoison(const void *p, size_t n)
{
	ASAN_UNPOISON_MEMORY_REGION(p, n);
}

/*
 * Pointers found in n readable bytes at p keep heap blocks from being called
 * leaked: for stacks, which the leak checker knows only of threads. It still
 * doesn't see the fake stacks of fibers that are away: what only a variable
 * in one points to is reported when detect_stack_use_after_return is on.
 */
WEND__FIBER_INLINE void wend__lsan_root_add(const void *p, size_t n)
{
	__lsan_register_root_region(p, n);
}

WEND__FIBER_INLINE void wend__lsan_root_del(const void *p, size_t n)
{
	__lsan_unregister_root_region(p, n);
}

/* A switch from a dying fiber to itself. */
WEND__FIBER_INLINE void wend__fiber_restart(struct wend__fiber *f)
{
	f->fake = NULL;
	wend__asan_unpoison(f->bottom, f->size);
	__sanitizer_start_switch_fiber(NULL, f->bottom, f->size);
}

#elif WEND__TSAN

/* Declared here: gcc 12 ships no header that has them. */
#ifdef __cplusplus
extern "C" {
#endif
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#ifdef __cplusplus
}
#endif

struct wend__fiber {
	void *tsan;
	void *dead; /* the handle of before a restart, until the next end */
	int owned;  /* we made the handle, so we destroy it */
};

WEND__FIBER_INLINE int wend__fiber_of_thread(struct wend__fiber *f)
{
	f->tsan = __tsan_get_current_fiber();
	f->dead = NULL;
	f->owned = 0;
	return 0;
}

WEND__FIBER_INLINE void wend__fiber_create(struct wend__fiber *f,
					   const void *bottom, size_t size)
{
	(void)bottom;
	(void)size;
	f->tsan = __tsan_create_fiber(0);
	f->dead = NULL;
	f->owned = 1;
}

WEND__FIBER_INLINE void wend__fiber_destroy(struct wend__fiber *f)
{
	if (f->dead)
		__tsan_destroy_fiber(f->dead);
	if (f->owned)
		__tsan_destroy_fiber(f->tsan);
	f->dead = NULL;
	f->tsan = NULL;
	f->owned = 0;
}

WEND__FIBER_INLINE void wend__fiber_switch_begin(struct wend__fiber *from,
						 const struct wend__fiber *to)
{
	(void)from;
	__tsan_switch_to_fiber(to->tsan, 0);
}

WEND__FIBER_INLINE void wend__fiber_switch_end(struct wend__fiber *self)
{
	if (self->dead) {
		__tsan_destroy_fiber(self->dead);
		self->dead = NULL;
	}
}

WEND__FIBER_INLINE void wend__asan_unpoison(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

WEND__FIBER_INLINE void wend__lsan_root_add(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

WEND__FIBER_INLINE void wend__lsan_root_del(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

/* Go on with a fresh handle; the entry's switch_end frees the old one. */
WEND__FIBER_INLINE void wend__fiber_restart(struct wend__fiber *f)
{
	f->dead = f->tsan;
	f->tsan = __tsan_create_fiber(0);
	__tsan_switch_to_fiber(f->tsan, 0);
}

#else

/* A zero-length array: no bytes in C and in C++ alike. */
struct wend__fiber {
	__extension__ char none[0];
};

WEND__FIBER_INLINE int wend__fiber_of_thread(struct wend__fiber *f)
{
	(void)f;
	return 0;
}

WEND__FIBER_INLINE void wend__fiber_create(struct wend__fiber *f,
					   const void *bottom, size_t size)
{
	(void)f;
	(void)bottom;
	(void)size;
}

WEND__FIBER_INLINE void wend__fiber_destroy(struct wend__fiber *f)
{
	(void)f;
}

WEND__FIBER_INLINE void wend__fiber_switch_begin(struct wend__fiber *from,
						 const struct wend__fiber *to)
{
	(void)from;
	(void)to;
}

WEND__FIBER_INLINE void wend__fiber_switch_end(struct wend__fiber *self)
{
	(void)self;
}

WEND__FIBER_INLINE void wend__asan_unpoison(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

WEND__FIBER_INLINE void wend__lsan_root_add(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

WEND__FIBER_INLINE void wend__lsan_root_del(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

WEND__FIBER_INLINE void wend__fiber_restart(struct wend__fiber *f)
{
	(void)f;
}

#endif

#endif
