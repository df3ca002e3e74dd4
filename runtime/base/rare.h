/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rare.h - the paths that races and shortages lead to, counted.
 *
 * A protocol's argument covers what happens once in a million times. A stress
 * test that never got there shows nothing about it, so each such place says
 * that it was reached, and tests/runtime/stress_test.cc says which were.
 *
 * Release builds count too: what is tested is then the code that ships, with
 * its timing, and a program that misbehaves can be asked how it got there. It
 * is affordable because of two rules. WEND__RARE() stands only where a cache
 * miss, a lost race, a system call or a task switch has just been paid for.
 * And a counter stops at WEND__RARE_MAX: on a path that some load makes
 * frequent after all, no line is written, and fought for, for ever. What is
 * frequent as a rule is WEND__OFTEN(), and not counted where NDEBUG is defined
 * (-c opt).
 */
#ifndef WEND_BASE_RARE_H
#define WEND_BASE_RARE_H

#include "compiler-rt/atomic.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define WEND__RARE_PATHS(X)                                                    \
	/* run queues (runq.c) */                                              \
	X(ring_spill, "half of a full ring went to the global queue")          \
	X(ring_spill_lost, "a thief made room before the ring could spill")    \
	X(ring_take_lost, "a thief took what the owner was about to take")     \
	X(ring_steal_lost, "half a ring was copied, and taken by another")     \
	X(ring_steal_torn, "head and tail were looked at too far apart")       \
	X(fresh_spill, "half of a full deque went to the global queue")        \
	X(fresh_last_won, "owner and thief may want the last: owner wins")     \
	X(fresh_last_lost, "the thief got the owner's last task")              \
	X(fresh_take_lost, "a thief lost the oldest task to another")          \
	X(global_quick, "a call that hardly waited went ahead in the line")    \
	/* searching (search.c) */                                             \
	X(next_stolen, "the next slot of a server that stood still")           \
	X(search_kicked, "new work woke the napping searcher")                 \
	X(search_kick_lost, "somebody else woke it first")                     \
	X(search_raced, "a server went idle while one tried to find it one")   \
	X(search_passed_on, "the searcher found work and started another")     \
	X(nap_skipped, "work came just before the searcher's nap")             \
	X(hold_back, "stolen work was tiny: the thief waits a little")         \
	X(late_timers, "a thief fired the timers of a server that was busy")   \
	X(search_timers, "timers of the searcher's own server were due")       \
	X(idle_again, "the second look found work: the server taken back")     \
	X(idle_gone, "it did, but another had taken the server by then")       \
	X(release_unseen, "work seen after the server was given up")           \
	X(stopper_told, "the last task ended while wend_stop() waited")        \
	/* idling (keeper.c, idle.c) */                                        \
	X(keeper_appointed, "another spare is made keeper of the timers")      \
	X(keeper_missing, "no spare was left for it: a worker is started")     \
	X(keeper_hurried, "a timer earlier than the keeper would get up for")  \
	X(keeper_reminded, "the watchdog has it look at a server that runs")   \
	X(keeper_spared, "another spare was taken, to leave the keeper")       \
	X(keeper_taken, "the keeper itself was taken: the only spare")         \
	X(keeper_relieved, "a spare that gets up earlier replaced it")         \
	X(keeper_due, "the keeper took a server for timers that were due")     \
	X(keeper_idle_less, "timers were due and no server idle")              \
	/* giving a server up (release.c) */                                   \
	X(return_queued, "back from the kernel, and no server was free")       \
	X(return_stale, "woken by a permit from before, and no server yet")    \
	X(hand_over, "a server given to the thread that a task is bound to")   \
	/* how many workers there are (worker.c, hire.c, spare.c) */           \
	X(worker_capped, "no more workers allowed")                            \
	X(worker_refused, "the system gave no thread, or no memory")           \
	X(worker_vforked, "a child of vfork() must start none")                \
	X(worker_again, "a new thread for a worker that had ended its own")    \
	X(worker_trimmed, "a worker that was spare for long ended")            \
	X(server_waits, "a server waits for a worker to come back")            \
	X(server_served, "a worker that came back took the server")            \
	X(server_handed, "it was handed to a worker that waits for one")       \
	X(server_raced, "a worker came just as the server was to wait")        \
	X(timers_keeperless, "fired by a busy server: there is no keeper")     \
	X(io_late, "a thief took more events than it could use")               \
	X(io_watcherless, "taken by a busy server: there is no watcher")       \
	X(watcher_called_off, "it runs another server: no thread can be had")  \
	X(watcher_left, "it found another server that waits for a worker")     \
	/* switching (switch.c) */                                             \
	X(next_on_cpu, "the next task has not saved its registers yet")        \
	X(on_cpu_wait, "the scheduler waited for registers to be saved")       \
	X(self_wake, "a task was made ready again before it got away")         \
	X(inherit, "a task started on the stack of the one that ended")        \
	X(foreign_ready, "made ready by a thread that has no server")          \
	/* losing a server (preempt.c) */                                      \
	X(server_taken, "the watchdog took a server from one that blocked")    \
	X(claim_inside, "it wanted to, and the worker was in the runtime")     \
	X(claim_denied, "a worker that came in said no to the watchdog")       \
	X(taken_back, "a worker whose server was taken came back itself")      \
	X(taken_queued, "it was seen to run, and queued by the watchdog")      \
	X(taken_waited, "queued, it came in and waited there")                 \
	X(stop_heard, "preempted: a server given up in the handler")           \
	X(stop_inside, "the handler ran inside the runtime: not now")          \
	X(stop_blocked, "asked to stop, the task blocked before it heard")     \
	/* descriptors (park_io.c, spare.c) */                                 \
	X(io_called_back, "a wait ended before its operation: called back")    \
	X(io_cancelled_again, "an operation that cancelling had missed")       \
	X(linger_event, "an event came before a thread fell asleep for it")    \
	X(linger_permit, "it was given work before that")                      \
	X(io_stolen, "a thief took what had ended for a busy server")          \
	X(watcher_woke, "an operation's end woke an idle server's watcher")    \
	/* waiting (wait.c, chan.c, select.c) */                               \
	X(deadline_lost, "the deadline passed, the wait was claimed before")   \
	X(cancel_lost, "cancelling lost its claim")                            \
	X(cancel_early, "cancelled before the wait: it ended at once")         \
	X(cancel_early_lost, "cancelled, but claimed by a waker before")       \
	X(cancel_woke, "cancelling woke the waiting task")                     \
	X(waker_lost_deadline, "a waker lost its claim to the deadline")       \
	X(waker_lost_cancel, "a waker lost its claim to cancelling")           \
	X(select_lost_case, "a waker lost its claim to another case")          \
	X(select_lost_deadline, "a case lost its claim to the deadline")       \
	X(select_lost_cancel, "a case lost its claim to cancelling")           \
	X(select_closed, "closing a channel woke a select")                    \
	X(thread_late_claim, "a thread's deadline passed just as it was woken")\
	/* timers (timers.c) */                                                \
	X(timer_firing, "cancelled while it fired")                            \
	X(timer_overflow, "no memory for the heap: onto the list")             \
	X(timer_overflow_fired, "fired from there")                            \
	X(timer_overflow_cancelled, "cancelled there")                         \
	/* mutex (mutex.c) */                                                  \
	X(mutex_woken, "an unlock woke one waiter")                            \
	X(mutex_raced, "a woken waiter found it locked again")                 \
	X(mutex_free_late, "free, after all, when the waiter looked last")     \
	X(mutex_polled, "got by looking a few times")                          \
	X(mutex_handed, "handed over to a starving waiter")                    \
	X(mutex_handed_none, "starving, but the waiter had given up")          \
	X(mutex_gave_up, "a deadline or a cancellation ended a wait")          \
	X(mutex_wake_none, "attention, but nobody to wake for this mutex")     \
	/* stacks (stack.c) */                                                 \
	X(slab_more, "another slab of stacks was mapped")                      \
	X(slab_less, "the kernel refused; half as much was asked for")         \
	X(credits_short, "fewer credits than asked for, the last there are")   \
	X(credits_none, "no credit: no memory for another stack")              \
	X(stack_cold, "a free stack's memory was given back")                  \
	/* locks (lock.c) */                                                   \
	X(lone_ended, "a thread came to an object of the only server's tasks") \
	X(lock_slow, "a lock of the runtime's was held")                       \
	X(lock_polite, "and its holder had lost its CPU")
/* clang-format on */

#define WEND__RARE_ENUM(name, meaning) WEND__RARE_##name,
enum wend__rare { WEND__RARE_PATHS(WEND__RARE_ENUM) WEND__RARE_COUNT };
#undef WEND__RARE_ENUM

enum { WEND__RARE_MAX = 100000 };

extern uint32_t wend__rare_counts[WEND__RARE_COUNT];

static inline void wend__rare_add(enum wend__rare path)
{
	uint32_t *count = &wend__rare_counts[path];

	if (a32_load_relaxed(count) < WEND__RARE_MAX)
		(void)a32_fetch_add_relaxed(count, 1);
}

#define WEND__RARE(name) wend__rare_add(WEND__RARE_##name)

#ifdef NDEBUG
#define WEND__OFTEN(name) ((void)WEND__RARE_##name)
#else
#define WEND__OFTEN(name) WEND__RARE(name)
#endif

/* "ring_spill", and the line about it above. */
const char *wend__rare_name(enum wend__rare path);
const char *wend__rare_meaning(enum wend__rare path);

#ifdef __cplusplus
}
#endif

#endif
