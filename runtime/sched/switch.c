/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switch.c - from task to task: park, ready, yield, exit, and the loop that
 * each worker runs between tasks when no task hands on directly.
 *
 * Fast path: a task that parks picks the next one from its own server's
 * queues and switches to it, without the scheduler's stack between. The slow
 * path (timers due, nothing local, every 64th time for fairness, somebody
 * wants attention) goes through wend__serve().
 *
 * After a switch, `prev` is the task that was left: whoever arrives finishes
 * it, by clearing on_cpu, which lets others run it, or by freeing it.
 */
#define _GNU_SOURCE
#include <sched.h>

#include <wend/task.h>

#include "compiler-rt/membarrier.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/park_io.h"
#include "runtime/sched/preempt.h"

/* Powers of two: how often, in tasks taken up, a server looks ... */
enum {
	RESUMED_TICKS = 16, /* at the global queue, if tasks there have run */
	FAIR_TICKS = 64,    /* there, and at the ring, past the next slot */
	OLD_TICKS = 4096,   /* at the oldest task not started: seldom, as each
			    * adds a branch to a walk that is to stay depth
			    * first */
	TIMER_TICKS = 4,    /* at the clock, when timers are armed */
};

/* task.on_cpu besides 0 and 1: who arrives after it is to free it. */
enum { ON_CPU_DEAD = 2 };

static void task_main(void *prev);

/* --- picking --------------------------------------------------------------- */

/* Whether it is the turn of a queue that newer work would keep waiting. */
static bool fair_due(uint32_t tick)
{
	return tick % FAIR_TICKS == 0 ||
	       (tick % RESUMED_TICKS == 0 && wend__global_resumed());
}

/* Whether the slow path has something to do besides finding work. */
static bool slow_due(struct wend__server *s, uint32_t tick)
{
	int64_t timer;

	if (WEND__UNLIKELY(fair_due(tick) || a32_load_relaxed(&s->attention) ||
			   wend__io_due(s, tick)))
		return true;
	timer = wend__timers_next(&s->timers);
	return WEND__UNLIKELY(timer != INT64_MAX) && tick % TIMER_TICKS == 0 &&
	       timer <= wend__now();
}

static struct wend_task *take_next(struct wend__server *s)
{
	/* Empty as a rule when the ring is in use: look before the exchange. */
	struct wend_task *t = aptr_load_relaxed(&s->next);

	if (!t)
		return NULL;
	if (s->alone) {
		aptr_store_relaxed(&s->next, (struct wend_task *)NULL);
		return t;
	}
	/* Thieves exchange too; acquire: what the waker did to the task. */
	return aptr_swap_acquire(&s->next, (struct wend_task *)NULL);
}

static struct wend_task *take_ring(struct wend__server *s)
{
	return s->alone ? wend__ring_take_alone(&s->ring) :
			  wend__ring_take(&s->ring);
}

static struct wend_task *take_fresh(struct wend__server *s)
{
	return s->alone ? wend__fresh_pop_alone(&s->fresh) :
			  wend__fresh_pop_owner(&s->fresh);
}

/* Ring and fresh tasks take turns in being first, so that neither a crowd
 * that yields nor one that spawns keeps the other from running. */
static struct wend_task *take_queued(struct wend__server *s, uint32_t tick)
{
	struct wend_task *t;

	if (tick & 1) {
		t = take_ring(s);
		return t ? t : take_fresh(s);
	}
	t = take_fresh(s);
	return t ? t : take_ring(s);
}

static uint32_t tick_server(struct wend__server *s)
{
	uint32_t tick = s->tick + 1; /* ours */

	a32_store_relaxed(&s->tick, tick); /* a thief's hint */
	return tick;
}

/* The next task of this server, or NULL: take the slow path. */
static struct wend_task *pick(struct wend__server *s)
{
	uint32_t tick = tick_server(s);
	struct wend_task *t;

	if (slow_due(s, tick))
		return NULL;
	t = take_next(s);
	return t ? t : take_queued(s, tick);
}

/* Every so often: queues that newer work would keep waiting. One task of each
 * visit only, the rest of the line comes in its turn. */
static struct wend_task *pick_fair(struct wend__server *s, uint32_t tick)
{
	struct wend_task *t = NULL;

	if (tick % OLD_TICKS == 0)
		t = wend__fresh_take(&s->fresh);
	if (!t)
		t = wend__global_take_owner(&s->ring, &s->fresh, 1);
	if (!t)
		t = take_ring(s);
	return t;
}

/* The server's share of the global queue: one task to run, the others are in
 * its own queues now. On the way there nobody saw them. */
static struct wend_task *take_share(struct wend__server *s)
{
	struct wend_task *t = wend__global_take_owner(
		&s->ring, &s->fresh, wend__global_count() / wend__rt.procs + 1);

	if (t && !s->alone &&
	    !(wend__ring_empty(&s->ring) && wend__fresh_empty(&s->fresh))) {
		fence_full(); /* [idle.dance] */
		wend__work_added(true);
	}
	return t;
}

/* All queues of the server, and its share of the global one. */
static struct wend_task *pick_any(struct wend__server *s)
{
	struct wend_task *t = take_next(s);

	if (!t)
		t = take_queued(s, s->tick);
	if (!t)
		t = take_share(s);
	return t;
}

/* --- switching -------------------------------------------------------------- */

/* Only in builds with sanitizers; nothing otherwise. */
static inline void fiber_now_set(struct wend__fiber *f)
{
	if (WEND__ASAN || WEND__TSAN)
		wend__fiber_now = f;
}

static void free_dead(struct wend__worker *w, struct wend_task *t)
{
	struct wend__server *s = w->server;

	if (t->stack) {
		t->stack->owner = NULL;
		wend__stack_put(&s->stacks, t->stack);
		t->stack = NULL;
	}
	wend__task_unref(&s->tasks, t);
}

/* The task that was left is off its stack now. */
static inline void finish(struct wend__worker *w, struct wend_task *prev)
{
	if (!prev)
		return;
	if (prev->on_cpu == ON_CPU_DEAD)
		free_dead(w, prev);
	else
		/* [task.on_cpu] Pairs with the acquire in ready_to_run(). */
		a32_store_release(&prev->on_cpu, 0);
}

static inline bool ready_to_run(const struct wend_task *t)
{
	return a32_load_acquire(&t->on_cpu) == 0; /* [task.on_cpu] */
}

/* Make t what w runs: the last step before the switch to it. */
static inline void take_up(struct wend__worker *w, struct wend_task *t)
{
	wend__assert(t->state == WEND__READY || t->state == WEND__FRESH);
	if (t->state == WEND__FRESH) {
		if (!t->stack)
			t->stack = wend__stack_get(&w->server->stacks);
		t->stack->owner = t;
		t->fiber = wend__stack_fiber(t->stack);
		t->ctx.sp = wend__ctx_make(t->stack->top, task_main);
	}
	a8_store_relaxed(&t->state, WEND__RUNNING);
	t->worker = w;
	t->on_cpu = 1;
	aptr_store_relaxed(&w->task, t);
}

/* From the task `from` to the task `to`; returns when `from` runs again. */
static inline void switch_tasks(struct wend__worker *w, struct wend_task *from,
				struct wend_task *to)
{
	bool dying = from->on_cpu == ON_CPU_DEAD;
	struct wend_task *prev;

	take_up(w, to);
	fiber_now_set(to->fiber);
	wend__fiber_switch_begin(dying ? NULL : from->fiber, to->fiber);
	prev = wend__ctx_switch(&from->ctx, to->ctx.sp, from);
	wend__fiber_switch_end(from->fiber);
	finish(from->worker, prev);
}

/* From a task to its worker's scheduler; returns when the task runs again. */
static inline void switch_to_scheduler(struct wend__worker *w,
				       struct wend_task *from)
{
	bool dying = from->on_cpu == ON_CPU_DEAD;
	struct wend_task *prev;

	aptr_store_relaxed(&w->task, (struct wend_task *)NULL);
	fiber_now_set(w->fiber);
	wend__fiber_switch_begin(dying ? NULL : from->fiber, w->fiber);
	prev = wend__ctx_switch(&from->ctx, w->ctx.sp, from);
	wend__fiber_switch_end(from->fiber);
	finish(from->worker, prev);
}

/* From the scheduler to a task; returns when some task switches back. */
static void switch_from_scheduler(struct wend__worker *w, struct wend_task *to)
{
	struct wend_task *prev;

	take_up(w, to);
	fiber_now_set(to->fiber);
	wend__fiber_switch_begin(w->fiber, to->fiber);
	prev = wend__ctx_switch(&w->ctx, to->ctx.sp, NULL);
	wend__fiber_switch_end(w->fiber);
	finish(w, prev);
}

/*
 * Leave the calling task for next, or for the scheduler if there is none or
 * its stack is not free yet (waiting for that here could be waiting in a
 * circle).
 */
static void leave(struct wend__worker *w, struct wend_task *t,
		  struct wend_task *next)
{
	int err;

	if (next == t) {
		/* Made ready again before it got away. */
		WEND__RARE(self_wake);
		a8_store_relaxed(&t->state, WEND__RUNNING);
		return;
	}
	err = *w->errno_at;
	wend__assert(!next || !next->bound); /* not in a server's queues */
	if (next && ready_to_run(next)) {
		switch_tasks(w, t, next);
	} else {
		if (next)
			WEND__RARE(next_on_cpu);
		w->hint = next;
		switch_to_scheduler(w, t);
	}
	*t->worker->errno_at = err;
}

void wend__park(struct wend_task *t)
{
	struct wend__worker *w = t->worker;

	wend__point();
	leave(w, t, pick(w->server));
}

void wend_yield(void)
{
	struct wend__worker *w = wend__self;
	struct wend__server *s;
	struct wend_task *t, *next;

	if (!w || !w->task) {
		if (!wend__sim)
			(void)sched_yield();
		return;
	}
	wend__point();
	wend__preempt_off();
	t = w->task;
	s = w->server;
	next = pick(s);
	if (!next && wend__global_count() == 0 && !slow_due(s, s->tick)) {
		wend__preempt_on();
		return;
	}
	wend__task_move(t, WEND__RUNNING, WEND__READY);
	t->why = NULL;
	wend__ring_push_owner(&s->ring, t);
	wend__server_arm(s);
	if (!s->alone) {
		/* next was out of sight already, and t not in it yet. */
		fence_full(); /* [idle.dance] */
		wend__work_added(true);
	}
	leave(w, t, next);
	wend__preempt_on_in(t);
}

/* --- ready ------------------------------------------------------------------ */

static void ready_local(struct wend__server *s, struct wend_task *t)
{
	struct wend_task *old;

	if (s->alone) {
		old = s->next;
		aptr_store_relaxed(&s->next, t);
		if (old)
			wend__ring_push_owner(&s->ring, old);
		return;
	}
	/* Release: the task, and what its waker did before. Full: for the
	 * look at the searcher in wend__work_added(). */
	old = aptr_swap_full(&s->next, t);
	if (!old) {
		wend__work_added(false);
		return;
	}
	wend__ring_push_owner(&s->ring, old);
	fence_full(); /* [idle.dance] */
	wend__work_added(true);
}

void wend__ready(struct wend_task *t)
{
	struct wend__worker *w = wend__self;
	struct wend__server *s;

	if (WEND__UNLIKELY(t->flags & WEND__TASK_THREAD)) {
		wend__port->unpark(&t->parker);
		return;
	}
	wend__task_move(t, WEND__WAITING, WEND__READY);
	wend__point();
	wend__preempt_off();
	s = WEND__LIKELY(w != NULL) ? w->server : NULL;
	if (WEND__LIKELY(s != NULL)) {
		ready_local(s, t);
		if (WEND__LIKELY(w->task != NULL))
			wend__server_arm(s);
	} else {
		WEND__RARE(foreign_ready);
		wend__global_push(t);
		fence_full(); /* [idle.dance] */
		wend__work_added(true);
	}
	wend__preempt_on();
}

/* --- the first and the last of a task ---------------------------------------- */

static void task_main(void *prev)
{
	struct wend__worker *w = wend__self;
	struct wend_task *t = w->task;

	wend__fiber_switch_end(t->fiber);
	finish(w, prev);
	*w->errno_at = 0;
	a32_store_release(&w->preempt->count, 0);
	t->entry(t->args);
	wend__task_exit(t);
}

/*
 * A task that ends and one that begins need one stack between them: start the
 * next on the stack of the last, without a switch and without the caches.
 */
static bool can_inherit(const struct wend_task *t, const struct wend_task *next)
{
	return next && next->state == WEND__FRESH && !next->stack &&
	       !(t->flags & WEND__TASK_SIZED) && !WEND__ASAN && !WEND__TSAN;
}

_Noreturn static void inherit(struct wend__worker *w, struct wend_task *t,
			      struct wend_task *next)
{
	struct wend__stack *stack = t->stack;

	WEND__OFTEN(inherit);
	next->stack = stack;
	next->fiber = t->fiber;
	stack->owner = next;
	t->stack = NULL;
	a8_store_relaxed(&next->state, WEND__RUNNING);
	next->worker = w;
	next->on_cpu = 1;
	aptr_store_relaxed(&w->task, next);
	wend__task_unref(&w->server->tasks, t);
	wend__ctx_jump(stack->top, task_main, NULL);
}

_Noreturn void wend__task_end(struct wend_task *t)
{
	struct wend__worker *w = t->worker;
	struct wend__server *s = w->server;
	struct wend_task *next;

	if (wend__stack_smashed(t->stack))
		wend__panic("task %llu \"%s\" overflowed its stack of %u bytes",
			    (unsigned long long)t->id, wend__task_name(t),
			    t->stack->size);
	if (!(t->flags & WEND__TASK_SIZED))
		wend__stack_credit_put(&s->stacks);
	a8_store_relaxed(&t->state, WEND__DEAD);
	next = pick(s);
	if (can_inherit(t, next))
		inherit(w, t, next);
	t->on_cpu = ON_CPU_DEAD; /* finish() frees it */
	leave(w, t, next);
	__builtin_unreachable();
}

/* --- the scheduler's loop ---------------------------------------------------- */

static struct wend_task *find_local(struct wend__worker *w)
{
	struct wend__server *s = w->server;
	struct wend_task *t = w->hint;
	uint32_t tick, next;
	int64_t timer;

	if (t) {
		w->hint = NULL;
		return t;
	}
	a32_store_relaxed(&s->attention, 0);
	timer = wend__timers_next(&s->timers);
	if (timer != INT64_MAX) {
		int64_t now = wend__now();

		if (timer <= now)
			wend__timers_run(&s->timers, now);
	}
	if (WEND__UNLIKELY(wend__io_due(s, s->tick)))
		(void)wend__io_step(w);
	if (WEND__UNLIKELY(a32_load_relaxed(&wend__idle.keeperless)))
		wend__timers_keeperless(w);
	/* We come here from pick(), which has moved the tick, or from elsewhere:
	 * move it, and miss no turn. */
	tick = s->tick;
	next = tick_server(s);
	if (fair_due(tick))
		t = pick_fair(s, tick);
	else if (fair_due(next))
		t = pick_fair(s, next);
	if (!t)
		t = pick_any(s);
	if (!t && wend__io_step(w))
		t = pick_any(s);
	return t;
}

/* Run one task, or give the server to the thread it is bound to. */
static void run(struct wend__worker *w, struct wend_task *t)
{
	unsigned int turn = 0;

	if (w->searching)
		wend__search_end(w);
	if (t->bound) {
		wend__hand_over(w, t);
		return;
	}
	while (!ready_to_run(t)) {
		if (turn == 0)
			WEND__RARE(on_cpu_wait);
		wend__spin.relax(turn++);
	}
	if (!wend__ring_empty(&w->server->ring) ||
	    !wend__fresh_empty(&w->server->fresh))
		wend__server_arm(w->server);
	switch_from_scheduler(w, t);
}

void wend__serve(struct wend__worker *w)
{
	if (w->server)
		wend__worker_runs(w);
	while (w->server) {
		struct wend_task *t;

		if (WEND__UNLIKELY(a32_load_relaxed(&wend__rt.halted)))
			for (;;)
				(void)wend__port->park(&w->parker, INT64_MAX);
		t = find_local(w);
		if (!t)
			t = wend__find_elsewhere(w);
		if (t)
			run(w, t);
	}
}
