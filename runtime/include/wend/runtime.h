/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/runtime.h - starting and stopping the runtime.
 *
 * A program either hands its main over (wend_main), or embeds the runtime
 * beside threads of its own (wend_start, wend_stop). One runtime runs in a
 * process at a time; after wend_stop() it can be started again.
 */
#ifndef WEND_RUNTIME_H
#define WEND_RUNTIME_H

#include <wend/base.h>

WEND_BEGIN_DECLS

/*
 * struct wend_config - how to run; all zero means the defaults.
 *
 * A field left zero is taken from the environment, then from the machine:
 *   procs       number of servers, the tasks that run at once; 1 to 1024.
 *               WEND_PROCS; default: the CPUs this process may use, by its
 *               affinity mask and its cgroup's quota.
 *   stack_size  bytes of address space for each task's stack, 16 KiB to
 *               1 GiB, rounded up to a power of two; memory is used only
 *               for what is touched. WEND_STACK; default 256 KiB.
 *   max_workers most kernel threads to run tasks on, 1 to 4,194,304. A task in
 *               a blocking call keeps one; when all are in such calls, the
 *               tasks that are ready wait for one to come back. So they do
 *               when the system refuses a thread. WEND_MAX_WORKERS; default:
 *               what the system has room for, less an eighth and 8, by
 *               kernel.pid_max, kernel.threads-max, RLIMIT_NPROC and the
 *               cgroup's pids.max.
 *   port        what runs workers: "kernel" (where /dev/umcg is, see umcg(4)),
 *               "emul" (every stock kernel) or "sim" (one thread, virtual
 *               time, for tests). WEND_PORT; default: "kernel" where it can
 *               be had, else "emul".
 *   seed        of the random choices: where to steal first, which ready
 *               case a select takes; under "sim" every schedule. WEND_SEED;
 *               default: from the clock ("sim": 1).
 *   slice       ns that a task may run while others wait, 100 us to 1000 s:
 *               after that it is preempted. Negative: never. WEND_SLICE, as
 *               in 10ms, 500us, 1s or off; default 10 ms.
 */
typedef struct wend_config {
	int procs;
	size_t stack_size;
	unsigned int max_workers;
	const char *port;
	uint64_t seed;
	int64_t slice;
} wend_config;

/*
 * wend_main - run a program's main function as the first task.
 *
 *   app         called with argc and argv, on a stack as large as a thread's
 *               own (RLIMIT_STACK, at most 64 MiB)
 *
 * Starts the runtime with default configuration and returns what app returns.
 * As in Go, the program then ends: other tasks are not waited for and run no
 * further once main has returned from here; use a waitgroup or a nursery to
 * wait for them.
 *
 * Errors   A runtime that cannot start ends the process: one line on stderr,
 *          exit code 1.
 * Deadlock When every task waits and nothing can ever wake one, the process
 *          prints each task's name, state and where it waits, and exits with
 *          code 2.
 * Context  the program's first thread, outside any task, once at a time.
 */
WEND_API int wend_main(int (*app)(int argc, char **argv), int argc,
		       char **argv);

/*
 * wend_start - start the runtime beside the program's own threads.
 *
 *   config      NULL for the defaults; read during the call only
 *
 * Returns  0, and tasks can be started from any thread.
 * Errors   EALREADY   it runs already; nothing changed
 *          EINVAL     config or a WEND_* variable is out of range; one line
 *                     on stderr says which
 *          ENOMEM, EAGAIN  no memory or no thread; nothing is left behind
 * Context  any thread that is not a task.
 * Deadlock is not looked for: a thread may always still send something.
 */
WEND_API WEND_MUST_CHECK int wend_start(const wend_config *config);

/*
 * wend_stop - wait until every task has ended, then stop the runtime.
 *
 * All its threads have ended and all its memory is given back on return.
 * Channels and other objects stay valid; they are the caller's.
 *
 * Returns  0.
 * Errors   ESRCH      it does not run
 *          EDEADLK    called from a task, which would wait for itself
 *          ETIMEDOUT  (the _until form) tasks were left when the deadline
 *                     passed; the runtime goes on
 * Context  a thread that is not a task; no other thread may call into wend
 *          from the moment the last task ends.
 */
WEND_API int wend_stop(void);
WEND_API int wend_stop_until(int64_t deadline);

/* The number of servers: how many tasks run at once. 0: not running. */
WEND_API int wend_procs(void);

/* The name of the port that runs ("kernel", "emul", "sim"); NULL: not running. */
WEND_API const char *wend_port_name(void);

/*
 * wend_park_name - how a task waits in a call on a descriptor that blocks.
 *
 * Returns  "uring"    the kernel does the call; the task is parked
 *          "epoll"    the task is parked until the descriptor is ready
 *          "threads"  it keeps a kernel thread, as all other calls do
 *          NULL       the runtime does not run
 *
 * The first of them that the kernel allows, or what WEND_PARK says, if it
 * allows that.
 */
WEND_API const char *wend_park_name(void);

/* The version of the library, "major.minor.patch". */
WEND_API const char *wend_version(void);

WEND_END_DECLS

#endif
