/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - servers and the workers that hold them.
 *
 * A server is the right to run tasks on one CPU's worth of time: a token with
 * a run queue, timers and caches. There are as many as tasks may run at once.
 * A worker is a kernel thread. A worker that holds a server runs tasks; one
 * that is about to block in the kernel lets go of it first, and another goes
 * on with it.
 *
 *      server         held by a worker <------> idle, on idle.servers
 *
 *      worker         runs      holds a server
 *                     blocked   in the kernel for its task, no server
 *                     waits     back from there, its task in the global queue
 *                               (task.bound), until it is given a server
 *                     spare     nothing to do, on idle.spares
 *
 * Who writes what: a server's queues and caches belong to the worker that
 * holds it ("owner"); giving a server away is a release (the parker's permit,
 * or the idle lock), taking it an acquire.
 */
#ifndef WEND_SCHED_SERVER_H
#define WEND_SCHED_SERVER_H

#include <time.h>

#include "runtime/base/preempt.h"
#include "runtime/base/rand.h"
#include "runtime/sched/runq.h"
#include "runtime/sched/task.h"
#include "runtime/sched/timers.h"

enum { WEND__SERVERS_MAX = 1024 };

struct wend__server {
	/* the owner's */
	struct wend__worker *worker;
	uint32_t tick; /* tasks taken up; thieves look whether it moves */
	uint32_t id;
	bool alone;    /* the only server: nobody steals; never changes */
	uint8_t armed; /* its worker is watched, see wend__server_arm() */
	uint32_t tid;  /* its worker's, for who watches; a hint */
	struct wend__task_cache tasks;
	struct wend__stack_cache stacks;
	struct wend__rand rand;
	/* park_io.c: tasks woken together that have not done their next
	 * operation; since when operations are unsent */
	uint32_t burst;
	int64_t unsent_since;
	struct wend__poller *poller; /* NULL: none yet. Stays, once there */
	/* counts; only grow. Summed by others without a lock. */
	size_t started, ended, steals, blocks;
	/* the watchdog's counts */
	size_t detects, preempts;

	/* the idle lock's; idle is looked at without it, as a hint */
	uint8_t idle __attribute__((aligned(64)));
	struct wend__server *idle_next, *idle_prev;
	struct wend__worker *watcher; /* waits for its operations to end */
	uint32_t looked_at;           /* tick, at the keeper's last look */

	/* Set by others: leave the fast path once. */
	uint32_t attention;
	struct wend__timers timers;

	struct wend_task *next __attribute__((aligned(64)));
	struct wend__ring ring;
	struct wend__fresh fresh;
};

struct wend__worker {
	struct wend__server *server;   /* NULL: holds none */
	struct wend_task *task;        /* whose code it runs; NULL: its own */
	struct wend__ctx ctx;          /* the scheduler's, while a task runs */
	struct wend_task *hint;        /* to be run first, from a task's park */
	int *errno_at;                 /* this kernel thread's errno */
	struct wend__server *last;     /* held before it blocked */
	struct wend__preempt *preempt; /* this kernel thread's */
	struct wend__preempt no_preempt; /* that one, before it runs */
	uint32_t tid;            /* of the kernel's; 0: does not run yet */
	struct wend__seat *seat; /* where the kernel detects; else never set */
	unsigned int block_depth;
	int64_t released_at; /* when it gave that server up */
	bool searching;
	bool spare;
	bool hired;     /* has not been a spare yet; the idle lock's */
	bool submitted; /* operations, that end with this thread: it must not
			 * end while its task's or others' are under way */
	struct wend__server *watches; /* the idle lock's: an idle server */
	uint8_t life;      /* enum wend__worker_life; the idle lock's */
	int64_t trim_at;   /* when it may end, as spare; INT64_MAX: not */
	int64_t stole_at;  /* when it last took another server's work */
	int64_t hold_back; /* ns to wait before it steals again, see search.c */
	struct wend__fiber *fiber;
	struct wend__parker parker;
	struct wend__worker *spare_next; /* the idle lock's, as spare */
	/* runtime/watch: without a server that was taken. First what each look
	 * needs: with a thousand of them a look is a cache miss or two. */
	struct wend__worker *taken_next;
	int64_t taken_clock;
	uint32_t taken_tid;
	bool taken_preempted;
	struct wend__worker *taken_prev;
	int64_t taken_at;
	int64_t reported_at;            /* a limit that its task was over */
	struct wend__worker *back_next; /* held by the kernel, for the watchdog */
	timer_t stop_timer;
	bool has_stop_timer;
	uint32_t stopped; /* it waits in the handler, its server not passed on */
	int64_t stop_asked_at;         /* 0: not yet, since it was last heard */
	bool stop_cancel;              /* and its task is to be cancelled */
	struct wend__worker *all_next; /* never changes once published */
	struct wend__thread thread;
};

/*
 * Whether a worker has a thread. One that was spare for long ends its thread,
 * which frees its stack at once; the few hundred bytes of struct wend__worker
 * are kept for the next thread, and freed by wend_stop(). So the list of all
 * workers only grows, and a pointer to a worker that was read without a lock
 * never points to freed memory.
 */
enum wend__worker_life {
	WEND__WORKER_RUNS,
	WEND__WORKER_LEAVES, /* is not counted any more */
	WEND__WORKER_GONE,   /* on idle.gone, for reuse */
	WEND__WORKER_RISES,  /* off it, its next thread being started */
};

/* --- the runtime's one instance (start.c) --------------------------------- */

/* runtime.deadlocks */
enum { WEND__DEADLOCKS_NO, WEND__DEADLOCKS_FIND, WEND__DEADLOCKS_OVER };

struct wend__runtime {
	uint32_t procs; /* 0: does not run */
	struct wend__server *servers;
	struct wend__worker *workers; /* all there are: push only */
	uint32_t worker_count;        /* those that have a thread */
	uint32_t worker_cap;          /* at most that many */
	uint32_t worker_most;         /* ever */
	int32_t pid;                  /* whose threads they are */
	uint32_t worker_waits;        /* times that one was wanted in vain */
	uint32_t stopping;            /* wend_stop() waits for the last task */
	uint32_t exiting;             /* workers are to end */
	uint32_t halted;    /* wend_main() has returned: run nothing more */
	uint32_t deadlocks; /* whether to look for them */
	int64_t slice;      /* ns a task may run while others wait */
	/* Where wend_stop() waits. Its own: whoever waits as a task does counts
	 * on each permit being for the wait it is in. */
	struct wend__parker stopper;
	size_t foreign_started; /* tasks spawned outside servers */
	size_t wakes;
};
extern struct wend__runtime wend__rt;

/* Tasks started and not ended; exact when it is 0 (see start.c). */
uint64_t wend__tasks_live(void);

/* CPUs that the cgroup's quota amounts to, rounded up; 0: none known. */
unsigned int wend__quota_cpus(void);

/* --- watching (runtime/watch) --------------------------------------------- */

/* What watches the workers, if anything does: filled in by runtime/watch. */
struct wend__watchdog_ops {
	int (*start)(void);    /* with the runtime; -errno */
	void (*stop)(void);    /* no task lives */
	void (*release)(void); /* nor does a worker: frees what they call */

	/* Tasks wait behind the one that the caller runs on s. */
	void (*arm)(struct wend__server *s);
	/* Have wend__idle_hire() called, by a thread of its own. */
	void (*hire)(void);
	/* A server was given to a worker while nobody watched. */
	void (*wake)(void);
	/* The calling worker gave its server up in the signal's handler. */
	void (*stopped)(void);
	/* w, which holds no server, is about to be freed. */
	void (*forget)(struct wend__worker *w);
	/* In the child of a fork(): there is nothing to watch. */
	void (*forked)(void);

	/* Counts; only the watchdog writes them. */
	size_t detect_ns, preempt_ns, stalls;
	uint32_t threads; /* how many it has */
	uint32_t asleep;  /* wake() is wanted */
};
extern struct wend__watchdog_ops *wend__watchdog; /* NULL: not linked in */

/*
 * Something waits on s's queues, and a task runs on it: it is to be noticed
 * when that task keeps the server. Cheap: the watch stays armed until the
 * server has run out of work.
 *
 * No fence: if the watch disarms just now and neither sees the other, its next
 * tick makes up for that.
 */
static inline void wend__server_arm(struct wend__server *s)
{
	if (WEND__UNLIKELY(!a8_load_relaxed(&s->armed)))
		wend__watchdog->arm(s);
}

/* w is who runs s from now on. */
static inline void wend__server_held_by(struct wend__server *s,
					struct wend__worker *w)
{
	/* Release: who watches reads what the worker is made of. */
	aptr_store_release(&s->worker, w);
	a32_store_relaxed(&s->tid, a32_load_relaxed(&w->tid));
}

/* For others than w: NULL, or its seat as long as it holds a server. */
static inline struct wend__seat *wend__worker_seat(const struct wend__worker *w)
{
	return aptr_load_acquire(&w->seat);
}

/*
 * To the kernel that detects (runtime/umcg/detect.h): w, the calling worker, is
 * about to hold no server, and holds one. It rests before anybody else can have
 * the server, and runs after it is its own.
 */
static inline void wend__worker_rests(struct wend__worker *w)
{
	if (WEND__UNLIKELY(w->seat != NULL))
		(void)wend__port->detect->rest(w->seat);
}

static inline void wend__worker_runs(struct wend__worker *w)
{
	if (WEND__UNLIKELY(w->seat != NULL))
		wend__port->detect->run(w->seat, w->server->id);
}

/* --- switching (switch.c) ------------------------------------------------- */

/* Switch the calling task away; it was made findable by a waker. Returns when
 * it is run again. */
void wend__park(struct wend_task *t);

/* Make a task ready whose wait was claimed; and do it for many. */
void wend__ready(struct wend_task *t);

/* Run tasks until the worker holds no server. */
void wend__serve(struct wend__worker *w);

/* The end of the calling task: its locals, its joiners (spawn.c); then the
 * switch away from it for ever (switch.c). */
_Noreturn void wend__task_exit(struct wend_task *t);
_Noreturn void wend__task_end(struct wend_task *t);

/* --- looking for work (search.c) ------------------------------------------ */

/* Work was added to a queue; it is visible (full fence). more: it is not just
 * the next slot of a server that will come to it soon. */
void wend__work_added(bool more);

/* The worker's server has no work. Returns a task from elsewhere, or NULL when
 * the worker has no server any more or should look at its own again. */
struct wend_task *wend__find_elsewhere(struct wend__worker *w);

/* The worker found work while it was the searcher. */
void wend__search_end(struct wend__worker *w);

/* --- idling (idle.c, keeper.c, spare.c) ----------------------------------- */

int wend__idle_start(void);

/* A server that nobody holds, onto the idle list: at the start. */
void wend__server_put_idle(struct wend__server *s);

/* A timer was armed on s as its earliest. */
void wend__timer_added(struct wend__server *s);

/* Start the search for work at stop time: every spare worker looks up. */
void wend__spares_wake(void);

/* Wait to be given a server. false: the runtime ends. */
bool wend__spare_wait(struct wend__worker *w);

/* --- giving a server up (release.c) --------------------------------------- */

/* The worker gives its server up to block in the kernel, and gets one back. */
void wend__server_release(struct wend__worker *w);
void wend__server_acquire(struct wend__worker *w);

/* Give w's server to the worker that t is bound to. */
void wend__hand_over(struct wend__worker *w, struct wend_task *t);

/* --- blocking calls (runtime/block/announce.c) ---------------------------- */

/* Announce the C library's calls from now on, unless WEND_INTERPOSE is 0.
 * -EINVAL after a line on stderr when it is neither 0 nor 1; -ENOMEM. */
int wend__block_start(void);
/* Fire the timers of idle servers that nobody is the keeper of, and take what
 * has ended of their operations. */
void wend__timers_keeperless(struct wend__worker *w);

/* --- workers (worker.c) --------------------------------------------------- */

/* Start one more worker, holding s (or none: it becomes a spare). -EAGAIN: as
 * many as there may be; or whatever the system says. -EINPROGRESS: not by this
 * thread, wend__watchdog->hire() sees to it; _here does it all the same. */
int wend__worker_start(struct wend__server *s, bool searching);
int wend__worker_start_here(struct wend__server *s, bool searching);
/* Whether there are as many as there may be. */
bool wend__worker_capped(void);
void wend__workers_join(void);

/* deadlock.c: every worker is a spare. Can really nobody wake a task? Then say
 * so, name the tasks, and exit with code 2. */
bool wend__deadlock_certain(void);
_Noreturn void wend__deadlock(void);
/* Tasks that are ready, for the simulation's verdict. */
unsigned int wend__ready_count(void);

/* The calling task, or the calling thread's stand-in. */
static inline struct wend_task *wend__current(void)
{
	struct wend__worker *w = wend__self;

	return WEND__LIKELY(w && w->task) ? w->task : wend__thread_task();
}

#endif
