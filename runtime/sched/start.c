/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c - configuration, start and stop, and a program's main as a task.
 *
 * How many tasks live is never counted in one place, which every spawn would
 * have to write. Each server counts what it started and what it ended, both
 * only growing. Reading all `ended` first and all `started` after gives
 *
 *      ended(then) <= started(then) <= started(now)
 *
 * so when the two sums are equal, no task lived at that moment, and only a
 * thread of the program can have started one since.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <wend/runtime.h>
#include <wend/task.h>
#include <wend/time.h>

#include "compiler-rt/membarrier.h"
#include "compiler-rt/syscall.h"
#include "runtime/base/env.h"
#include "runtime/base/lone.h"
#include "runtime/sched/fork.h"
#include "runtime/sched/limits.h"
#include "runtime/sched/park_io.h"
#include "runtime/sched/preempt.h"

struct wend__runtime wend__rt;
struct wend__watchdog_ops *wend__watchdog;

/* Serialises start and stop: 0 stopped, 1 running, 2 changing. */
static uint32_t phase;
enum { STOPPED, RUNNING, CHANGING };

enum { MAIN_STACK_MAX = 64 * 1024 * 1024 };

static const int64_t SLICE_NS = 10 * WEND_MILLISECOND,
		     SLICE_MIN_NS = 100 * WEND_MICROSECOND,
		     SLICE_MAX_NS = 1000 * WEND_SECOND;

uint64_t wend__tasks_live(void)
{
	size_t started = 0, ended = 0;

	for (uint32_t i = 0; i < wend__rt.procs; i++)
		ended += aword_load_acquire(&wend__rt.servers[i].ended);
	fence_full();
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		started += aword_load_acquire(&wend__rt.servers[i].started);
	started += aword_load_acquire(&wend__rt.foreign_started);
	return started - ended;
}

/* --- configuration -------------------------------------------------------------------- */

unsigned int wend__quota_cpus(void)
{
	FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
	unsigned long long quota, period;
	unsigned int cpus = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &quota, &period) == 2 && period > 0)
		cpus = (unsigned int)((quota + period - 1) / period);
	fclose(f);
	return cpus;
}

static unsigned int default_procs(void)
{
	int n = wend__sched_getaffinity_count();
	unsigned int limit = wend__quota_cpus();

	if (n < 1)
		n = 1;
	if (limit && limit < (unsigned int)n)
		n = (int)limit;
	return n < WEND__SERVERS_MAX ? (unsigned int)n : WEND__SERVERS_MAX;
}

/* One number from the configuration, else the environment, else default. */
static int choose(uint64_t given, const char *field, const char *variable,
		  uint64_t min, uint64_t max, uint64_t fallback,
		  uint64_t *value)
{
	int r;

	if (given) {
		if (given < min || given > max) {
			wend__complain("wend_config.%s is %llu: want %llu to "
				       "%llu",
				       field, (unsigned long long)given,
				       (unsigned long long)min,
				       (unsigned long long)max);
			return -EINVAL;
		}
		*value = given;
		return 0;
	}
	*value = fallback;
	r = wend__env_number(variable, min, max, value);
	return r < 0 ? r : 0;
}

struct settings {
	uint64_t procs, stack, workers, seed;
	int64_t slice;
};

static int choose_slice(const wend_config *config, int64_t *slice)
{
	int r;

	*slice = config->slice;
	if (*slice == 0) {
		*slice = SLICE_NS;
		r = wend__env_duration("WEND_SLICE", SLICE_MIN_NS, SLICE_MAX_NS,
				       slice);
		return r < 0 ? r : 0;
	}
	if (*slice > 0 && (*slice < SLICE_MIN_NS || *slice > SLICE_MAX_NS)) {
		wend__complain("wend_config.slice is %lld ns: want 100 us to "
			       "1000 s",
			       (long long)*slice);
		return -EINVAL;
	}
	return 0;
}

static int choose_port(const wend_config *config)
{
	const char *name = config->port;
	const struct wend__port *port;

	if (!name)
		name = getenv("WEND_PORT");
	if (!name || !*name)
		name = wend__port_kernel_there() ? "kernel" : "emul";
	port = wend__port_find(name);
	if (!port) {
		wend__complain("%s=%.64s: there are kernel, emul and sim",
			       config->port ? "wend_config.port" : "WEND_PORT",
			       name);
		return -EINVAL;
	}
	if (port == &wend__port_kernel && !wend__port_kernel_there()) {
		wend__complain("port kernel: no /dev/umcg that we may open");
		return -ENODEV;
	}
	wend__port = port;
	return 0;
}

/* The default takes some reading of files: not if it is not needed. */
static int choose_workers(const wend_config *config, uint64_t *out)
{
	int r = choose(config->max_workers, "max_workers", "WEND_MAX_WORKERS",
		       1, WEND__WORKERS_MAX, 0, out);

	if (r == 0 && *out == 0)
		*out = wend__limits_workers();
	return r;
}

static int settle(const wend_config *config, struct settings *out)
{
	static const wend_config none;
	int r;

	if (!config)
		config = &none;
	if (config->procs < 0) {
		wend__complain("wend_config.procs is %d: want 1 to %d",
			       config->procs, WEND__SERVERS_MAX);
		return -EINVAL;
	}
	r = choose_port(config);
	if (r == 0)
		r = choose((uint64_t)config->procs, "procs", "WEND_PROCS", 1,
			   WEND__SERVERS_MAX, default_procs(), &out->procs);
	if (r == 0)
		r = choose(config->stack_size, "stack_size", "WEND_STACK",
			   WEND__STACK_MIN, WEND__STACK_MAX, 256 * 1024,
			   &out->stack);
	if (r == 0)
		r = choose_workers(config, &out->workers);
	if (r == 0)
		r = choose(config->seed, "seed", "WEND_SEED", 0, UINT64_MAX,
			   wend__port == &wend__port_sim ?
				   1 :
				   (uint64_t)wend__clock_ns(),
			   &out->seed);
	if (r == 0)
		r = choose_slice(config, &out->slice);
	if (r)
		return r;
	while (out->stack & (out->stack - 1)) /* up to a power of two */
		out->stack += out->stack & -out->stack;
	return 0;
}

/* --- start ------------------------------------------------------------------------------ */

static void describe_task(void *owner, char *buf, size_t size)
{
	const struct wend_task *t = owner;

	snprintf(buf, size, "task %llu \"%s\"", (unsigned long long)t->id,
		 wend__task_name(t));
}

static int servers_start(uint32_t procs, uint64_t seed)
{
	struct wend__server *all = aligned_alloc(
		64, procs * sizeof(struct wend__server));

	if (!all)
		return -ENOMEM;
	memset(all, 0, procs * sizeof(*all));
	for (uint32_t i = 0; i < procs; i++) {
		all[i].id = i;
		all[i].alone = procs == 1;
		all[i].armed = 1; /* nothing to arm, until somebody watches */
		wend__timers_init(&all[i].timers);
		wend__rand_seed(&all[i].rand, seed + i);
	}
	wend__rt.servers = all;
	return 0;
}

static void servers_stop(void)
{
	wend__io_stop();
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		wend__timers_free(&wend__rt.servers[i].timers);
	free(wend__rt.servers);
}

/* The first worker takes server 0, finds nothing, and leaves it idle; the
 * others are idle from the start. */
static int workers_start(uint32_t procs)
{
	for (uint32_t i = 1; i < procs; i++)
		wend__server_put_idle(&wend__rt.servers[i]);
	return wend__worker_start_here(&wend__rt.servers[0], false);
}

static int start(const wend_config *config)
{
	struct settings set;
	int r = settle(config, &set);

	if (r)
		return r;
	r = wend__port->start(set.seed);
	if (r)
		return r;
	r = wend__block_start();
	if (r == 0)
		r = wend__io_start();
	if (r)
		goto no_stacks;
	r = wend__stacks_start(set.stack, (unsigned int)set.procs);
	if (r)
		goto no_stacks;
	r = servers_start((uint32_t)set.procs, set.seed);
	if (r)
		goto no_servers;
	r = wend__overflow_start(describe_task);
	if (r)
		goto no_overflow;
	if (wend__sim) /* all workers are this one thread */
		(void)wend__overflow_thread();
	(void)wend__idle_start();
	a32_store_relaxed(&wend__rt.deadlocks, WEND__DEADLOCKS_NO);
	wend__rt.stopping = 0;
	wend__rt.exiting = 0;
	wend__rt.halted = 0;
	wend__rt.foreign_started = 0;
	wend__rt.wakes = 0;
	wend__rt.slice = set.slice;
	wend__preempt_start();
	wend__rt.worker_cap = (uint32_t)set.workers;
	wend__rt.worker_most = 0;
	wend__rt.pid = getpid();
	wend__rt.worker_waits = 0;
	wend__port_stuck = wend__ready_count;
	/* The simulation's threads are all one, and look alike. */
	a32_store_full(&wend__lone,
		       set.procs == 1 && !wend__sim &&
				       a32_load_relaxed(&wend__membarrier_on) ?
			       WEND__LONE_ON :
			       WEND__LONE_OFF);
	/* From here on wend_spawn() works. */
	a32_store_release(&wend__rt.procs, (uint32_t)set.procs);
	if (wend__watchdog)
		r = wend__watchdog->start();
	if (r)
		goto no_watch;
	r = workers_start((uint32_t)set.procs);
	if (r)
		goto no_workers;
	return 0;
no_workers:
	if (wend__watchdog) {
		wend__watchdog->stop();
		wend__watchdog->release();
	}
no_watch:
	a32_store_full(&wend__lone, WEND__LONE_OFF);
	if (wend__sim)
		wend__overflow_thread_end();
	wend__overflow_stop();
no_overflow:
	servers_stop();
	wend__rt.procs = 0;
no_servers:
	wend__stacks_stop();
no_stacks:
	wend__port->stop();
	return r;
}

int wend_start(const wend_config *config)
{
	int r;

	if (!a32_cas_full(&phase, STOPPED, CHANGING))
		return -EALREADY;
	r = start(config);
	a32_store_release(&phase, r ? STOPPED : RUNNING);
	return r;
}

void wend__start_forked(void)
{
	phase = STOPPED;
}

/* --- stop ------------------------------------------------------------------------------- */

/* Every task has ended: end the workers and free everything. */
static void stop(void)
{
	a32_store_full(&wend__rt.exiting, 1);
	if (wend__watchdog)
		wend__watchdog->stop();
	wend__spares_wake();
	wend__workers_join();
	a32_store_full(&wend__lone, WEND__LONE_OFF);
	if (wend__watchdog)
		wend__watchdog->release();
	if (wend__sim)
		wend__overflow_thread_end();
	wend__overflow_stop();
	servers_stop();
	wend__rt.procs = 0;
	wend__tasks_stop();
	wend__stacks_stop();
	wend__port->stop();
}

/*
 * [stop.dance]
 *      stopper                      worker whose server has no work
 *      stopping = 1 (full)          ended++, server idle (full)
 *      look at the counts           look at stopping, then the counts
 */
static int wait_for_tasks(int64_t deadline)
{
	wend__rt.stopper.permit = 0;
	a32_store_full(&wend__rt.stopping, 1);
	while (wend__tasks_live() > 0)
		if (wend__port->park(&wend__rt.stopper, deadline)) {
			if (wend__tasks_live() == 0)
				break;
			a32_store_full(&wend__rt.stopping, 0);
			return -ETIMEDOUT;
		}
	return 0;
}

int wend_stop_until(int64_t deadline)
{
	int r;

	if (wend_task_id())
		return -EDEADLK;
	if (!a32_cas_full(&phase, RUNNING, CHANGING))
		return -ESRCH;
	r = wait_for_tasks(deadline);
	if (r == 0)
		stop();
	a32_store_release(&phase, r ? RUNNING : STOPPED);
	return r;
}

int wend_stop(void)
{
	return wend_stop_until(WEND_FOREVER);
}

/* --- main -------------------------------------------------------------------------------- */

struct main_args {
	int (*app)(int argc, char **argv);
	int argc;
	char **argv;
	int *result;
};

static void main_task(void *args)
{
	struct main_args *a = args;
	struct wend_task *me = wend__current();
	int result = a->app(a->argc, a->argv);

	/* In a child that app forked, nobody waits for the result. */
	if (me->flags & WEND__TASK_FORKED)
		exit(result);
	*a->result = result;
	/* What the other tasks wait for is no longer anybody's concern. */
	a32_store_relaxed(&wend__rt.deadlocks, WEND__DEADLOCKS_OVER);
}

static size_t main_stack_size(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur > MAIN_STACK_MAX)
		return MAIN_STACK_MAX;
	return limit.rlim_cur < wend__stack_default_size() ?
		       wend__stack_default_size() :
		       limit.rlim_cur;
}

static _Noreturn void cannot_start(int r)
{
	if (r != -EINVAL) /* has been said, and what is wrong with what */
		wend__complain("cannot start: %s", strerror(-r));
	exit(1);
}

/* Tasks are left: stop taking them up, and let the process end around them. */
static void halt(void)
{
	a32_store_full(&wend__rt.halted, 1);
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		a32_store_relaxed(&wend__rt.servers[i].attention, 1);
}

int wend_main(int (*app)(int argc, char **argv), int argc, char **argv)
{
	int result = 0, r;
	struct main_args args = { app, argc, argv, &result };
	wend_task *task;
	wend_attr attr = { .name = "main", .handle = &task };

	if (!a32_cas_full(&phase, STOPPED, CHANGING))
		cannot_start(-EALREADY);
	r = start(NULL);
	if (r)
		cannot_start(r);
	attr.stack_size = main_stack_size();
	r = wend_spawn(&attr, main_task, &args, sizeof(args));
	if (r)
		cannot_start(r);
	/* Not before main is queued, or a worker that finds nothing to do yet
	 * would call that a deadlock. Those that sleep already look again. */
	(void)a32_cas_full(&wend__rt.deadlocks, WEND__DEADLOCKS_NO,
			   WEND__DEADLOCKS_FIND);
	wend__spares_wake();
	a32_store_release(&phase, RUNNING);
	(void)wend_join(task, NULL);
	if (wend__tasks_live() == 0)
		(void)wend_stop();
	else
		halt();
	return result;
}

int wend_procs(void)
{
	return (int)a32_load_relaxed(&wend__rt.procs);
}

const char *wend_port_name(void)
{
	return wend_procs() ? wend__port->name : NULL;
}
