/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c - how a task comes to be and how it ends; handles and joining.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wend/task.h>

#include "runtime/sched/local.h"
#include "runtime/sched/preempt.h"

/* --- the beginning ------------------------------------------------------------------- */

/* attr's stack size as a power of two; 0: the default; -EINVAL. */
static int64_t stack_size_of(const wend_attr *attr)
{
	size_t size = attr->stack_size, rounded = WEND__STACK_MIN;

	if (size == 0)
		return 0;
	if (size < WEND__STACK_MIN || size > WEND__STACK_MAX)
		return -EINVAL;
	while (rounded < size)
		rounded *= 2;
	return rounded == wend__stack_default_size() ? 0 : (int64_t)rounded;
}

/* The right to a stack, or the stack itself where it has a size of its own. */
static int take_stack(struct wend__server *s, size_t size,
		      struct wend__stack **stack)
{
	*stack = NULL;
	if (size == 0)
		return wend__stack_credit_get(s ? &s->stacks : NULL);
	*stack = wend__stack_get_sized(size);
	return *stack ? 0 : -ENOMEM;
}

static void give_stack_back(struct wend__server *s, struct wend__stack *stack)
{
	struct wend__stack_cache *cache = s ? &s->stacks : NULL;

	if (stack)
		wend__stack_put_slow(cache, stack); /* of its own size */
	else
		wend__stack_credit_put(cache);
}

/* Few bytes without a call: two copies that overlap, of the next lower power
 * of two, make any size. */
static inline void copy_few(char *to, const char *from, size_t n)
{
	if (n >= 32) {
		memcpy(to, from, 32);
		memcpy(to + n - 32, from + n - 32, 32);
	} else if (n >= 16) {
		memcpy(to, from, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else {
		while (n-- > 0)
			*to++ = *from++;
	}
}

static int copy_args(struct wend_task *t, const void *args, size_t size)
{
	if (WEND__LIKELY(size <= WEND__TASK_ARGS)) {
		t->args = t->inline_args;
		copy_few(t->inline_args, args, size);
		return 0;
	}
	t->args = malloc(size);
	if (!t->args)
		return -ENOMEM;
	t->flags |= WEND__TASK_BIG_ARGS;
	memcpy(t->args, args, size);
	return 0;
}

static void apply_attr(struct wend_task *t, const wend_attr *attr)
{
	if (attr->name)
		wend__task_set_name(t, attr->name);
	t->on_end = attr->on_end;
	t->on_end_arg = attr->on_end_arg;
	if (attr->handle) {
		t->refs = 2;
		*attr->handle = t;
	}
}

static void init_task(struct wend_task *t, struct wend__stack *stack)
{
	t->flags = stack ? WEND__TASK_SIZED : 0;
	t->stack = stack;
	t->on_cpu = 0;
	t->bound = NULL;
	t->cancelled = 0;
	t->shield = 0;
	t->nopreempt = 0;
	t->held = 0;
	t->refs = 1;
	t->result = 0;
	t->on_end = NULL;
	t->why = NULL;
	t->ended = 0;
}

/* Queue a new task where its spawner runs, or for everybody. */
static void enqueue(struct wend__server *s, struct wend_task *t)
{
	if (s) {
		aword_store_relaxed(&s->started, s->started + 1);
		a8_store_relaxed(&t->state, WEND__FRESH);
		wend__fresh_push_owner(&s->fresh, t);
		wend__server_arm(s);
		if (!s->alone) {
			fence_full(); /* [idle.dance] */
			wend__work_added(true);
		}
		return;
	}
	(void)aword_fetch_add_full(&wend__rt.foreign_started, 1);
	a8_store_relaxed(&t->state, WEND__FRESH);
	wend__global_push(t);
	fence_full(); /* [idle.dance] */
	wend__work_added(true);
}

/* Where a task may be put that the calling thread starts or frees: its server;
 * NULL: it is not a worker, or has none. Preemption is off. */
static inline struct wend__server *here(void)
{
	struct wend__worker *w = wend__self;

	return WEND__LIKELY(w != NULL) ? w->server : NULL;
}

static int spawn(struct wend__server *s, const wend_attr *attr,
		 void (*entry)(void *args), const void *args, size_t size)
{
	struct wend__stack *stack;
	struct wend_task *t;
	int64_t stack_size = 0;
	int r;

	if (WEND__UNLIKELY(!s && !a32_load_acquire(&wend__rt.procs)))
		return -ESRCH;
	if (size > WEND__TASK_ARGS_MAX || !entry)
		return -EINVAL;
	if (attr)
		stack_size = stack_size_of(attr);
	if (stack_size < 0)
		return (int)stack_size;
	r = take_stack(s, (size_t)stack_size, &stack);
	if (WEND__UNLIKELY(r))
		return r;
	t = wend__task_alloc(s ? &s->tasks : NULL);
	if (WEND__UNLIKELY(!t)) {
		r = -ENOMEM;
		goto no_task;
	}
	init_task(t, stack);
	t->entry = entry;
	r = copy_args(t, args, size);
	if (WEND__UNLIKELY(r))
		goto no_args;
	if (attr)
		apply_attr(t, attr);
	enqueue(s, t);
	return 0;
no_args:
	wend__task_free(s ? &s->tasks : NULL, t);
no_task:
	give_stack_back(s, stack);
	return r;
}

int wend_spawn(const wend_attr *attr, void (*entry)(void *args),
	       const void *args, size_t size)
{
	int r;

	wend__preempt_off();
	r = spawn(here(), attr, entry, args, size);
	wend__preempt_on();
	return r;
}

/* --- the end --------------------------------------------------------------------------- */

/* Wake all who join t; none can come after. */
static void wake_joiners(struct wend_task *t)
{
	struct wend__waiter *joiners;

	/* The only reference is the task's own: nobody can join. */
	if (a32_load_relaxed(&t->refs) == 1)
		return;
	wend__waitq_lock(&t->ends);
	t->ended = 1;
	joiners = wend__waitq_claim_chain(&t->ends, UINT32_MAX, NULL);
	wend__waitq_unlock(&t->ends);
	wend__ready_chain(joiners);
}

void wend__task_exit(struct wend_task *t)
{
	struct wend__server *s;

	if (WEND__UNLIKELY(t->flags & WEND__TASK_FORKED))
		exit(0);
	if (t->locals)
		wend__locals_drop(t);
	if (t->on_end)
		t->on_end(t->on_end_arg, t->result);
	/* Before the joiners can look, or main's would find it alive. The
	 * worker is still busy with it, and wend_stop() waits for that. */
	wend__preempt_off();
	s = t->worker->server;
	aword_store_relaxed(&s->ended, s->ended + 1);
	wake_joiners(t);
	wend__task_end(t);
}

int wend_join_until(wend_task *t, int *result, int64_t deadline)
{
	const struct wend__wait_how how = {
		.why = "join",
		.where = t,
		.caller = WEND__CALLER(),
		.deadline = deadline,
	};
	int r;

	if (t == wend__current())
		return -EDEADLK;
	wend__waitq_lock(&t->ends);
	if (!t->ended) {
		if (deadline <= 0) {
			wend__waitq_unlock(&t->ends);
			return -ETIMEDOUT;
		}
		r = wend__wait_on(&t->ends, &how);
		if (r)
			return r;
	} else {
		wend__waitq_unlock(&t->ends);
	}
	if (result)
		*result = t->result;
	wend_task_release(t);
	return 0;
}

int wend_join(wend_task *t, int *result)
{
	return wend_join_until(t, result, WEND_FOREVER);
}

void wend_task_release(wend_task *t)
{
	struct wend__server *s;

	wend__preempt_off();
	s = here();
	wend__task_unref(s ? &s->tasks : NULL, t);
	wend__preempt_on();
}
