// SPDX-License-Identifier: GPL-2.0
/*
 * A worker blocks in the kernel, comes back, is preempted.
 *
 *	sched_out()	with the run queue's lock: if the worker blocks, its
 *			state and its server's are changed, and the server is
 *			woken by an irq_work, which this CPU comes to as soon
 *			as it has switched. In the same way whoever the
 *			task makes way for is woken before Linux 6.6
 *	sched_in()	without the lock: queues a task_work
 *	umcg_work()	the task_work, on the way to user mode: the worker is
 *			IDLE, on the list, and sleeps until a server runs it
 *
 * Nothing here takes a lock in sched_out(), or sends a signal: who breaks the
 * contract is marked, and umcg_work() ends it.
 *
 * A signal's delivery is also on the way to user mode, and a trace point there
 * queues the task_work for a worker that was marked PREEMPTED.
 *
 * task_work_add() is not exported by every kernel. Its way to add is open
 * coded: onto the list of the calling task before it exits, which is safe as
 * only the exit closes the list; onto another's with umcg_ctx.lock, which the
 * exit's trace point takes before it comes to close it.
 */
#include <linux/atomic.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/tracepoint.h>
#include <linux/binfmts.h>

#include "umcg.h"
#include "umcg_trace.h"

#define UMCG_QUEUED 0

/* --- the task_work --- */

static void umcg_push_work(struct umcg_ctx *c)
{
	struct callback_head *head = READ_ONCE(c->task->task_works);

	do {
		c->work.next = head;
	} while (!try_cmpxchg(&c->task->task_works, &head, &c->work));
	set_notify_resume(c->task);
}

/* By the task itself, or with c->lock and not dead. */
static void umcg_queue_work(struct umcg_ctx *c)
{
	if (test_and_set_bit(UMCG_QUEUED, &c->queued))
		return;
	kref_get(&c->ref);
	umcg_push_work(c);
}

/* --- the scheduler's hooks --- */

/* Whether it leaves the run queue, rather than just the CPU. */
static bool umcg_blocks(struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return !task_is_runnable(task);
#else
	return !READ_ONCE(task->on_rq);
#endif
}

/* The server that runs the worker, made RUNNING; NULL: there is no such. */
static struct umcg_ctx *umcg_take_server(struct umcg_ctx *c)
{
	struct umcg_ctx *s = umcg_find_tid(READ_ONCE(c->ut->next_tid));

	if (!s || s->worker || s->mm != c->mm)
		return NULL;
	return umcg_move(s, UMCG_TASK_IDLE, UMCG_TASK_RUNNING) ? s : NULL;
}

/* RUNNING => BLOCKED, with or without PREEMPTED. */
static bool umcg_to_blocked(struct umcg_ctx *c)
{
	/* Twice, for who is being marked PREEMPTED just now. */
	return umcg_move(c, UMCG_TASK_RUNNING, UMCG_TASK_BLOCKED) ||
	       umcg_move(c, UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED,
			 UMCG_TASK_BLOCKED | UMCG_TF_PREEMPTED);
}

/* Whom it makes way for, on this CPU. */
static void umcg_sched_heir(struct umcg_ctx *c)
{
	struct umcg_ctx *to;

	if (!c->heir)
		return;
	rcu_read_lock();
	to = umcg_find_tid(c->heir);
	if (to)
		irq_work_queue(&to->wake);
	rcu_read_unlock();
	c->heir = 0;
}

static void umcg_sched_out(struct preempt_notifier *notifier,
			   struct task_struct *next)
{
	struct umcg_ctx *c = container_of(notifier, struct umcg_ctx, notifier);
	struct umcg_ctx *s = NULL;

	umcg_sched_heir(c);
	if (!c->worker || c->inside || c->unmanaged || !umcg_blocks(current) ||
	    current->flags & PF_EXITING)
		return;
	if (READ_ONCE(c->ut->state) & UMCG_TF_LOCKED)
		return;
	c->unmanaged = true;
	rcu_read_lock();
	if (umcg_to_blocked(c))
		s = umcg_take_server(c);
	if (!s)
		c->broken = true;
	else if (READ_ONCE(s->waiting)) /* [umcg.wait], after a cmpxchg */
		irq_work_queue(&s->wake);
	rcu_read_unlock();
	trace_umcg_block(current, READ_ONCE(c->ut->state),
			 READ_ONCE(c->ut->next_tid));
}

static void umcg_sched_in(struct preempt_notifier *notifier, int cpu)
{
	struct umcg_ctx *c = container_of(notifier, struct umcg_ctx, notifier);

	if (c->unmanaged && !(current->flags & PF_EXITING))
		umcg_queue_work(c);
}

static struct preempt_ops umcg_preempt_ops = {
	.sched_in = umcg_sched_in,
	.sched_out = umcg_sched_out,
};

/* --- idle workers --- */

static void umcg_wake_idle_server(struct umcg_ctx *c, u32 tid)
{
	struct umcg_ctx *s;

	rcu_read_lock();
	s = umcg_find_tid(tid);
	if (s && !s->worker && s->mm == c->mm &&
	    umcg_move(s, UMCG_TASK_IDLE, UMCG_TASK_RUNNING))
		umcg_wake(s, UMCG_WAKE_ANYWHERE);
	rcu_read_unlock();
}

/**
 * umcg_enlist - put the calling worker, which is IDLE, on the list of those
 * @c: its registration
 *
 * Wakes the idle server that the worker points to, if there is one.
 *
 * Return: 0; -EFAULT: the contract is broken; -EINTR: it is being killed.
 */
int umcg_enlist(struct umcg_ctx *c)
{
	const struct umcg_domain *d = c->file->private_data;
	u64 node = c->ubase + ((void *)&c->ut->idle_workers_ptr - d->arena);
	u64 *head = umcg_shared(c, READ_ONCE(c->ut->idle_workers_ptr), 8);
	u32 *word = umcg_shared(c, READ_ONCE(c->ut->idle_server_tid_ptr), 4);
	unsigned int tries = 0;
	u64 first;
	u32 tid;

	if (!head || !word)
		return -EFAULT;
	first = READ_ONCE(*head);
	for (;;) {
		WRITE_ONCE(c->ut->idle_workers_ptr, first);
		if (try_cmpxchg64(head, &first, node))
			break;
		/*
		 * Others change it; for who does nothing else there are this
		 * task's time slice and its end.
		 */
		if (fatal_signal_pending(current))
			return -EINTR;
		if (++tries % 16 == 0)
			cond_resched();
		cpu_relax();
	}
	trace_umcg_idle(current, READ_ONCE(c->ut->state), 0);
	tid = READ_ONCE(*word) ? xchg(word, 0) : 0;
	if (tid)
		umcg_wake_idle_server(c, tid);
	return 0;
}

/* A RUNNING|PREEMPTED worker gives its server back. */
static int umcg_stop(struct umcg_ctx *c)
{
	struct umcg_ctx *s;

	if (!umcg_move(c, UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED,
		       UMCG_TASK_IDLE | UMCG_TF_PREEMPTED))
		return 0;
	trace_umcg_preempt(current, READ_ONCE(c->ut->state),
			   READ_ONCE(c->ut->next_tid));
	rcu_read_lock();
	s = umcg_take_server(c);
	if (s)
		umcg_wake(s, UMCG_WAKE_ANYWHERE);
	rcu_read_unlock();
	return s ? 0 : -EFAULT;
}

/*
 * Its time is over before anybody ran it: as if it came back from a block, so
 * that nobody runs it at the same time.
 */
static int umcg_timed_out(struct umcg_ctx *c)
{
	if (!umcg_move(c, UMCG_TASK_IDLE, UMCG_TASK_BLOCKED))
		return 0;
	if (!umcg_move(c, UMCG_TASK_BLOCKED, UMCG_TASK_IDLE))
		return -EFAULT;
	return umcg_enlist(c) ?: -ETIMEDOUT;
}

/* It is RUNNING. Returns whether it may go on so. */
static bool umcg_may_run(struct umcg_ctx *c, int *ret)
{
	u32 state = umcg_state(c);

	if (state == (UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED) &&
	    READ_ONCE(c->ut->next_tid))
		*ret = umcg_stop(c);
	else if (!umcg_is_running(c))
		*ret = 0;
	else if (READ_ONCE(c->ut->next_tid))
		return true;
	else if (umcg_move(c, state, UMCG_TASK_IDLE))
		/* Woken, but not run. */
		*ret = umcg_enlist(c);
	return *ret != 0;
}

/**
 * umcg_wait_running - sleep until the worker is RUNNING and has a server
 * @c: the calling worker's registration; its state is IDLE
 * @until: CLOCK_REALTIME; NULL: for ever
 *
 * Return: 0; -ETIMEDOUT: the time was over, and then a server ran it; -EFAULT:
 * the contract is broken; -EINTR: it is being killed.
 */
int umcg_wait_running(struct umcg_ctx *c, const ktime_t *until)
{
	int late = 0;
	int ret;

	for (;;) {
		ret = umcg_sleep(c, until);
		if (ret == -ETIMEDOUT) {
			/* If somebody is about to run it, it isn't late. */
			until = NULL;
			ret = umcg_timed_out(c);
			if (ret == -ETIMEDOUT) {
				late = ret;
				ret = 0;
			}
		} else if (!ret && umcg_may_run(c, &ret)) {
			break;
		}
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			break;
		cond_resched();
	}
	return ret ? ret : late;
}

/**
 * umcg_fail - the calling worker broke the contract
 * @c: its registration, which ends
 */
void umcg_fail(struct umcg_ctx *c)
{
	trace_umcg_fail(current, READ_ONCE(c->ut->state),
			READ_ONCE(c->ut->next_tid));
	umcg_retire(c);
	force_sig(SIGSEGV);
}

/* --- on the way to user mode --- */

static int umcg_came_back(struct umcg_ctx *c)
{
	int ret;

	if (c->broken)
		return -EFAULT;
	c->unmanaged = false;
	if (!umcg_move(c, UMCG_TASK_BLOCKED, UMCG_TASK_IDLE) &&
	    !umcg_move(c, UMCG_TASK_BLOCKED | UMCG_TF_PREEMPTED,
		       UMCG_TASK_IDLE))
		return -EFAULT;
	ret = umcg_enlist(c);
	return ret ? ret : umcg_wait_running(c, NULL);
}

static int umcg_was_marked(struct umcg_ctx *c)
{
	int ret;

	if (umcg_state(c) != (UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED))
		return 0;
	ret = umcg_stop(c);
	return ret ? ret : umcg_wait_running(c, NULL);
}

/*
 * Whether others wait behind: files to be closed, say, that somebody waits
 * for. They go first, once.
 */
static bool umcg_let_others(struct umcg_ctx *c, bool others)
{
	c->behind = others && !c->behind;
	return c->behind;
}

static void umcg_work(struct callback_head *work)
{
	struct umcg_ctx *c = container_of(work, struct umcg_ctx, work);
	bool others = work->next;
	int ret;

	clear_bit(UMCG_QUEUED, &c->queued);
	/* What changed before the bit was set counts from here on. */
	smp_mb__after_atomic();
	if (c->dead || current->flags & PF_EXITING ||
	    fatal_signal_pending(current))
		goto out;
	if (umcg_let_others(c, others)) {
		umcg_queue_work(c);
		goto out;
	}
	c->inside = true;
	ret = c->unmanaged ? umcg_came_back(c) : umcg_was_marked(c);
	c->inside = false;
	if (ret == -EFAULT)
		umcg_fail(c);
out:
	umcg_put(c);
}

/* What a new registration has to do with the scheduler. */
void umcg_notify_init(struct umcg_ctx *c)
{
	init_task_work(&c->work, umcg_work);
	preempt_notifier_init(&c->notifier, &umcg_preempt_ops);
}

/**
 * umcg_preempt_tid - UMCG_IOC_PREEMPT
 * @tid: a worker of the calling process
 *
 * Return: 0; -ESRCH: not registered; -EINVAL: no worker of this process.
 */
long umcg_preempt_tid(u32 tid)
{
	struct umcg_ctx *c;
	long ret = 0;

	rcu_read_lock();
	c = umcg_find_tid(tid);
	if (!c) {
		ret = -ESRCH;
	} else if (!c->worker || c->mm != current->mm) {
		ret = -EINVAL;
	} else {
		raw_spin_lock(&c->lock);
		if (!c->dead)
			umcg_queue_work(c);
		else
			ret = -ESRCH;
		raw_spin_unlock(&c->lock);
	}
	rcu_read_unlock();
	return ret;
}

/* --- trace points --- */

static void umcg_on_exit(void *data, struct task_struct *task)
{
	struct umcg_ctx *c = umcg_current();

	if (c)
		umcg_retire(c);
}

static void umcg_on_exec(void *data, struct task_struct *task, pid_t old_pid,
			 struct linux_binprm *bprm)
{
	umcg_on_exit(data, task);
}

static void umcg_on_signal(void *data, int sig, struct kernel_siginfo *info,
			   struct k_sigaction *ka)
{
	struct umcg_ctx *c = umcg_current();

	if (c && c->worker &&
	    umcg_state(c) == (UMCG_TASK_RUNNING | UMCG_TF_PREEMPTED))
		umcg_queue_work(c);
}

static struct umcg_probe {
	const char *name;
	void *func;
	struct tracepoint *point;
	bool on;
} umcg_probes[] = {
	{ "sched_process_exit", umcg_on_exit },
	{ "sched_process_exec", umcg_on_exec },
	{ "signal_deliver", umcg_on_signal },
};

static void umcg_match(struct tracepoint *point, void *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(umcg_probes); i++)
		if (!strcmp(point->name, umcg_probes[i].name))
			umcg_probes[i].point = point;
}

int umcg_detect_init(void)
{
	int i, ret;

	for_each_kernel_tracepoint(umcg_match, NULL);
	for (i = 0; i < ARRAY_SIZE(umcg_probes); i++) {
		struct umcg_probe *p = &umcg_probes[i];

		ret = p->point ? tracepoint_probe_register(p->point, p->func,
							   NULL) :
				 -EOPNOTSUPP;
		if (ret) {
			umcg_detect_exit();
			return ret;
		}
		p->on = true;
	}
	preempt_notifier_inc();
	return 0;
}

/* Undoes what there is; also of an init that failed. */
void umcg_detect_exit(void)
{
	bool all = true;
	int i;

	for (i = 0; i < ARRAY_SIZE(umcg_probes); i++) {
		all &= umcg_probes[i].on;
		if (umcg_probes[i].on)
			tracepoint_probe_unregister(umcg_probes[i].point,
						    umcg_probes[i].func, NULL);
		umcg_probes[i].on = false;
	}
	tracepoint_synchronize_unregister();
	if (all)
		preempt_notifier_dec();
}
