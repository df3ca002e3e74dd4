/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.c - the port for tests: one thread, virtual time, a seed that chooses.
 *
 * Every thread of the runtime, and the program's one, is a virtual thread
 * here: a context with a stack of its own. Exactly one runs. It gives way
 *   - when it parks, or spins for another (relax): always;
 *   - at an interleaving point (wend__point): when the dice say so;
 * and the dice say to whom. Time stands still while anyone can run, but for a
 * random nanosecond or so at each step, and jumps to the nearest deadline
 * when nobody can. The same seed gives the same run, instruction by
 * instruction, as far as the program itself is deterministic.
 *
 * When nobody can run and nobody waits for a deadline, the run is stuck for
 * ever. If tasks are ready then, a wake-up was lost: that is what this port
 * is for. It says so with the seed, and aborts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "compiler-rt/ctx.h"
#include "runtime/base/rand.h"
#include "runtime/umcg/port.h"

enum { VTHREAD_STACK = 256 * 1024 };

struct vthread {
	struct vthread *next; /* all of them, in order of creation */
	struct wend__ctx ctx; /* where it is while it does not run */
	struct wend__fiber fiber;
	struct wend__fiber *fiber_now; /* wend__fiber_now, wend__self: */
	struct wend__worker *self;     /* kept while it does not run */
	struct wend__thread *thread;   /* NULL: the program's own thread */
	struct wend__parker *waits_on; /* NULL: it can run */
	int64_t deadline;              /* of the wait */
	bool done, left;
	void *stack;
};

static struct {
	uint64_t seed;
	struct wend__rand rand;
	int64_t now;
	struct vthread program;
	struct vthread *current;
	struct wend__spin_ops real_spin;
} sim;

static void plant_bug(void)
{
	static const struct {
		const char *name;
		enum wend__bug bug;
	} bugs[] = {
		{ "lost-wake", WEND__BUG_LOST_WAKE },
		{ "double-wake", WEND__BUG_DOUBLE_WAKE },
		{ "timer-order", WEND__BUG_TIMER_ORDER },
	};
	const char *name = getenv("WEND_SIM_PLANT");

	wend__bug = WEND__BUG_NONE;
	for (size_t i = 0; name && i < sizeof(bugs) / sizeof(bugs[0]); i++)
		if (strcmp(name, bugs[i].name) == 0)
			wend__bug = bugs[i].bug;
}

static bool can_run(const struct vthread *v)
{
	if (v->done)
		return false;
	return !v->waits_on || a32_load_relaxed(&v->waits_on->permit) ||
	       v->deadline <= sim.now;
}

/* One of those that can run, each as likely; NULL when none can. */
static struct vthread *draw(const struct vthread *except)
{
	struct vthread *v, *drawn = NULL;
	uint32_t n = 0;

	for (v = &sim.program; v; v = v->next)
		if (v != except && can_run(v) &&
		    wend__rand_below(&sim.rand, ++n) == 0)
			drawn = v;
	return drawn;
}

static int64_t nearest_deadline(void)
{
	int64_t nearest = INT64_MAX;

	for (struct vthread *v = &sim.program; v; v = v->next)
		if (!v->done && v->waits_on && v->deadline < nearest)
			nearest = v->deadline;
	return nearest;
}

static void stuck(void)
{
	unsigned int ready = wend__port_stuck ? wend__port_stuck() : 0;

	if (ready)
		wend__panic("sim: seed %llu: lost wake-up: %u tasks are ready "
			    "and every server sleeps for ever",
			    (unsigned long long)sim.seed, ready);
	wend__panic("sim: seed %llu: every task waits for ever",
		    (unsigned long long)sim.seed);
}

static void switch_to(struct vthread *to)
{
	struct vthread *from = sim.current;
	int err = errno; /* a kernel thread's own, and there is but one */

	if (to == from)
		return;
	from->self = wend__self;
	from->fiber_now = wend__fiber_now;
	sim.current = to;
	wend__self = to->self;
	wend__fiber_now = to->fiber_now;
	wend__fiber_switch_begin(from->done ? NULL : from->fiber_now,
				 to->fiber_now);
	(void)wend__ctx_switch(&from->ctx, to->ctx.sp, NULL);
	wend__fiber_switch_end(from->fiber_now);
	errno = err;
}

static void let_time_pass(void)
{
	sim.now += wend__rand_below(&sim.rand, 200);
}

/* The current one waits: run somebody else, or move time on until somebody can
 * run, be it the current one. */
static void give_way(void)
{
	struct vthread *to;

	let_time_pass();
	while (!(to = draw(NULL))) {
		if (nearest_deadline() == INT64_MAX)
			stuck();
		sim.now = nearest_deadline();
	}
	switch_to(to);
}

/* The current one spins: it can run, but should not before others did. Only a
 * little time passes when there is nobody else, as it would while spinning. */
static void sim_relax(unsigned int turn)
{
	enum { SPIN_NS = 100, TURNS_MAX = 10000000 };
	struct vthread *to = draw(sim.current);

	sim.now += SPIN_NS;
	if (to)
		switch_to(to);
	else if (turn > TURNS_MAX)
		stuck();
}

/* One point in four switches: runs of a few points in a row stay likely, so
 * that whole sections execute undisturbed often enough to get anywhere. */
static void sim_point(void)
{
	struct vthread *to;

	if (wend__rand_below(&sim.rand, 4))
		return;
	let_time_pass();
	to = draw(NULL);
	if (to)
		switch_to(to);
}

static void vthread_entry(void *arg)
{
	struct vthread *v = sim.current;

	(void)arg;
	wend__fiber_switch_end(&v->fiber);
	v->thread->main(v->thread->arg);
	v->done = true;
	give_way();
	abort(); /* a virtual thread that is done is never drawn */
}

static void destroy(struct vthread *v)
{
	struct vthread **link = &sim.program.next;

	while (*link != v)
		link = &(*link)->next;
	*link = v->next;
	wend__fiber_destroy(&v->fiber);
	wend__lsan_root_del(v->stack, VTHREAD_STACK);
	wend__asan_unpoison(v->stack, VTHREAD_STACK);
	munmap(v->stack, VTHREAD_STACK);
	free(v);
}

/* Those that nobody joins. They can't free the stack that they stand on. */
static void bury_left(void)
{
	struct vthread *v = sim.program.next, *next;

	for (; v; v = next) {
		next = v->next;
		if (v->left && v->done)
			destroy(v);
	}
}

static int sim_thread_start(struct wend__thread *t)
{
	struct vthread *v = calloc(1, sizeof(*v));
	struct vthread **end = &sim.program.next;

	bury_left();
	if (!v)
		return -ENOMEM;
	v->stack = mmap(NULL, VTHREAD_STACK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (v->stack == MAP_FAILED) {
		free(v);
		return -EAGAIN;
	}
	v->thread = t;
	t->sim = v;
	wend__lsan_root_add(v->stack, VTHREAD_STACK);
	wend__fiber_create(&v->fiber, v->stack, VTHREAD_STACK);
	v->fiber_now = &v->fiber;
	v->ctx.sp = wend__ctx_make((char *)v->stack + VTHREAD_STACK,
				   vthread_entry);
	while (*end)
		end = &(*end)->next;
	*end = v;
	return 0;
}

static void sim_thread_join(struct wend__thread *t)
{
	struct vthread *v = t->sim;

	for (unsigned int turn = 0; !v->done; turn++)
		sim_relax(turn);
	destroy(v);
}

static void sim_thread_leave(struct wend__thread *t)
{
	(void)t;
	sim.current->left = true;
}

static int sim_start(uint64_t seed)
{
	memset(&sim.program, 0, sizeof(sim.program));
	sim.seed = seed;
	wend__rand_seed(&sim.rand, seed);
	sim.now = 1000000000;
	sim.current = &sim.program;
	(void)wend__fiber_of_thread(&sim.program.fiber);
	wend__fiber_now = &sim.program.fiber;
	sim.real_spin = wend__spin;
	wend__spin.relax = sim_relax;
	wend__spin.point = sim_point;
	plant_bug();
	wend__sim = true;
	return 0;
}

/* The virtual threads stay where they are: one of them is who called. */
static void sim_forked(void)
{
	if (!wend__sim)
		return;
	wend__sim = false;
	wend__bug = WEND__BUG_NONE;
	wend__spin = sim.real_spin;
}

static void sim_stop(void)
{
	/* What has left runs to its end: a few instructions. */
	for (struct vthread *v = sim.program.next; v; v = v->next)
		for (unsigned int turn = 0; v->left && !v->done; turn++)
			sim_relax(turn);
	bury_left();
	wend__sim = false;
	wend__bug = WEND__BUG_NONE;
	wend__spin = sim.real_spin;
	wend__fiber_now = NULL;
}

static int sim_park(struct wend__parker *p, int64_t deadline)
{
	struct vthread *me = sim.current;

	me->waits_on = p;
	me->deadline = deadline;
	while (!a32_load_acquire(&p->permit) && deadline > sim.now)
		give_way();
	me->waits_on = NULL;
	return a32_cas_acquire(&p->permit, 1, 0) ? 0 : -ETIMEDOUT;
}

static void sim_unpark(struct wend__parker *p)
{
	a32_store_full(&p->permit, 1);
	wend__point();
}

static int64_t sim_now(void)
{
	return sim.now;
}

const struct wend__port wend__port_sim = {
	.name = "sim",
	.start = sim_start,
	.stop = sim_stop,
	.forked = sim_forked,
	.thread_start = sim_thread_start,
	.thread_join = sim_thread_join,
	.thread_leave = sim_thread_leave,
	.park = sim_park,
	.unpark = sim_unpark,
	.now = sim_now,
};
