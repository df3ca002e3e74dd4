/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/task.h - tasks: light threads of plain blocking code.
 *
 *	WEND_TASK(greet, (int, times), (const char *, name))
 *	{
 *		for (int i = 0; i < times; i++)
 *			printf("hello, %s\n", name);
 *	}
 *	...
 *	wend_go(greet, 3, "world");
 *
 * The arguments are converted to the parameters' types and copied at the
 * call. What a pointer points to is not copied.
 */
#ifndef WEND_TASK_H
#define WEND_TASK_H

#include <wend/base.h>
#include <wend/pp.h>

WEND_BEGIN_DECLS

/* A reference to a task; from wend_attr.handle, given back by wend_join() or
 * wend_task_release(). */
typedef struct wend_task wend_task;

/*
 * struct wend_attr - how a task is started; zero fields mean the default.
 *
 *   name        for dumps and debuggers; copied, cut to 31 bytes
 *   stack_size  bytes of stack, 16 KiB to 1 GiB, rounded up to a power of
 *               two; 0: the runtime's (wend_config.stack_size)
 *   handle      if not NULL, *handle gets a reference to the task, which the
 *               caller must give to wend_join() or wend_task_release()
 *   on_end      if not NULL, called as on_end(on_end_arg, result) in the task
 *               when its function has returned; it may wait
 */
typedef struct wend_attr {
	const char *name;
	size_t stack_size;
	wend_task **handle;
	void (*on_end)(void *arg, int result);
	void *on_end_arg;
} wend_attr;

/*
 * WEND_TASK - define a task function with up to eight typed parameters.
 *
 * Each parameter is written (type, name). A type that is not written in front
 * of its name (an array, a function pointer) needs a typedef. The function
 * that results is static, returns nothing and can be called directly too.
 */
#define WEND_TASK(...)                                                         \
	WEND__PP_CAT(WEND__TASK_, WEND__PP_MANY(__VA_ARGS__))(__VA_ARGS__)

/*
 * wend_go - start a task.
 *
 *   fn          a function defined by WEND_TASK
 *   ...         its arguments
 *
 * Returns  0, and the task will run; it may have run before the call returns.
 * Errors   ENOMEM  no memory or address space for another task
 *          ESRCH   the runtime does not run
 *          Nothing was started then.
 * Order    what the caller wrote before is visible to the task.
 * Cost     no system call, no lock, as a rule; a stack is bound to the task
 *          when it first runs.
 * Source   Go specification, "Go statements".
 */
#define wend_go(...)                                                           \
	WEND__PP_CAT(WEND__GO_, WEND__PP_MANY(__VA_ARGS__))                    \
	(NULL, __VA_ARGS__)

/* wend_go_with - wend_go() with attributes; EINVAL: stack_size out of range. */
#define wend_go_with(attr, ...)                                                \
	WEND__PP_CAT(WEND__GO_, WEND__PP_MANY(__VA_ARGS__))                    \
	(attr, __VA_ARGS__)

/*
 * wend_spawn - what wend_go() stands on: start entry(copy of the arguments).
 *
 *   attr        NULL for the defaults; read during the call only
 *   entry       called in the task with a pointer to its copy of args, which
 *               lives as long as the task and is aligned to 16 bytes
 *   args, size  size bytes, copied; NULL and 0 for none; at most 64 KiB
 *
 * Errors   as wend_go() and wend_go_with(); EINVAL: size too large
 */
WEND_API int wend_spawn(const wend_attr *attr, void (*entry)(void *args),
			const void *args, size_t size);

/*
 * wend_yield - let the other ready tasks run first.
 *
 * The task goes to the end of its server's run queue. Returns at once when
 * nothing else is ready, and in a thread that is no task (which yields to
 * the kernel's scheduler).
 */
WEND_API void wend_yield(void);

/*
 * wend_join - wait until a task has ended, and give up the reference.
 *
 *   t           from wend_attr.handle; invalid after a return of 0
 *   result      if not NULL, gets what wend_task_fail() set last in t, or 0
 *
 * Returns  0, and the reference is gone.
 * Errors   ETIMEDOUT  (the _until form) it runs still; the reference stays
 *          ECANCELED  the calling task was cancelled; the reference stays
 *          EDEADLK    t is the calling task; the reference stays
 * Order    all that t did is visible to the caller.
 */
WEND_API int wend_join(wend_task *t, int *result);
WEND_API WEND_MUST_CHECK int wend_join_until(wend_task *t, int *result,
					     int64_t deadline);

/* Give a reference up without waiting. The task runs on. */
WEND_API void wend_task_release(wend_task *t);

/* Set the calling task's result, for wend_join() and nurseries; a negative
 * errno value by custom. The task goes on. In a thread: does nothing. */
WEND_API void wend_task_fail(int result);

/*
 * wend_task_cancel - ask a task to end.
 *
 * From now on every wait of t that has an error to report it returns
 * -ECANCELED, the one it is in included. A C library call in which t is parked
 * (read(), accept() ...; docs/BLOCKING.md) fails with errno ECANCELED, unless
 * it succeeds after all; a call that keeps a kernel thread is not interrupted.
 * t ends when its function returns: nothing is unwound by force. Cancelling
 * twice, or an ended task, does nothing.
 */
WEND_API void wend_task_cancel(wend_task *t);

/* Whether the calling task was cancelled. false in a thread. */
WEND_API bool wend_task_cancelled(void);

/*
 * wend_task_shield - hold cancellation off, for clean-up code that must wait.
 *
 *   on          true: waits of the calling task do not return -ECANCELED
 *               until it is called with false
 *
 * Returns what was set before, so that pairs can nest.
 */
WEND_API bool wend_task_shield(bool on);

/* The calling task's number, from 1, never used twice; 0 in a thread. */
WEND_API uint64_t wend_task_id(void);

/* The calling task's name, valid while it runs; "" without one or in a
 * thread. wend_task_set_name() copies, and cuts to 31 bytes. */
WEND_API const char *wend_task_name(void);
WEND_API void wend_task_set_name(const char *name);

/*
 * Task-local values: a key for the program, a value for each task.
 *
 * wend_local_new - make a key.
 *   drop        if not NULL, called at a task's end, in the task, for each
 *               value of it that is not NULL
 * Returns  0 and *key. Errors  ENOSPC: 64 keys are in use; they are never
 *          given back.
 * wend_local_set - Errors  ENOMEM; EINVAL: no such key.
 * wend_local_get - NULL where nothing was set.
 * In a thread that is no task the values are the thread's, and dropped at the
 * thread's end.
 */
typedef unsigned int wend_local;
WEND_API WEND_MUST_CHECK int wend_local_new(wend_local *key,
					    void (*drop)(void *value));
WEND_API WEND_MUST_CHECK int wend_local_set(wend_local key, void *value);
WEND_API void *wend_local_get(wend_local key);

/* --- what the macros above are made of ---------------------------------- */

#define WEND__GO_ONE(attr, fn)       wend__go_##fn(attr)
#define WEND__GO_MORE(attr, fn, ...) wend__go_##fn(attr, __VA_ARGS__)

#define WEND__TASK_ONE(fn)                                                     \
	static void fn(void);                                                  \
	static inline void wend__run_##fn(void *args)                          \
	{                                                                      \
		(void)args;                                                    \
		fn();                                                          \
	}                                                                      \
	__attribute__((unused)) static inline int wend__go_##fn(               \
		const wend_attr *attr)                                         \
	{                                                                      \
		return wend_spawn(attr, wend__run_##fn, NULL, 0);              \
	}                                                                      \
	static void fn(void)

#define WEND__TASK_MORE(fn, ...)                                               \
	struct wend__args_##fn {                                               \
		WEND__PP_EACH(WEND__TASK_MEMBER, __VA_ARGS__)                  \
	};                                                                     \
	static void fn(WEND__PP_LIST(WEND__TASK_PARAM, __VA_ARGS__));          \
	static inline void wend__run_##fn(void *args)                          \
	{                                                                      \
		struct wend__args_##fn *wend__a = (struct wend__args_##fn *)   \
			args;                                                  \
		fn(WEND__PP_LIST(WEND__TASK_USE, __VA_ARGS__));                \
	}                                                                      \
	__attribute__((unused)) static inline int wend__go_##fn(               \
		const wend_attr *attr,                                         \
		WEND__PP_LIST(WEND__TASK_PARAM, __VA_ARGS__))                  \
	{                                                                      \
		struct wend__args_##fn wend__a = { WEND__PP_LIST(              \
			WEND__TASK_NAME, __VA_ARGS__) };                       \
		return wend_spawn(attr, wend__run_##fn, &wend__a,              \
				  sizeof(wend__a));                            \
	}                                                                      \
	static void fn(WEND__PP_LIST(WEND__TASK_PARAM, __VA_ARGS__))

#define WEND__TASK_MEMBER(p)         WEND__TASK_MEMBER_ p
#define WEND__TASK_MEMBER_(type, id) type id;
#define WEND__TASK_PARAM(p)          WEND__TASK_PARAM_ p
#define WEND__TASK_PARAM_(type, id)  type id
#define WEND__TASK_NAME(p)           WEND__TASK_NAME_ p
#define WEND__TASK_NAME_(type, id)   id
#define WEND__TASK_USE(p)            WEND__TASK_USE_ p
#define WEND__TASK_USE_(type, id)    wend__a->id

WEND_END_DECLS

#endif
