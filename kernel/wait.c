// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting and waking.
 *
 * [umcg.wait]
 *	waiter				waker
 *	waiting = true			word: IDLE -> RUNNING
 *	set_current_state() (full)	smp_mb()
 *	word RUNNING? leave		waiting? wake up
 *	schedule()
 *
 * Either the waiter sees RUNNING, or the waker sees that it waits, and its
 * wake-up finds a task that is not running any more. Who does not wait is not
 * woken: it may sleep elsewhere, where spurious wake-ups cost.
 *
 * Workers sleep uninterruptibly but for what kills them, as a worker must not
 * see user mode without a server. Signals wait until it is run.
 *
 * Two tasks that switch to each other belong on one CPU. The scheduler looks for
 * an idle one for whom it wakes, and would have them hunt each other over all.
 *
 *	From 6.6 on a wake-up can ask for the waker's CPU. Most often the task
 *	that is woken there preempts the waker, which then is still runnable
 *	when it is its turn again, and needs no wake-up.
 *
 *	Before, who switches to a task of its own CPU sleeps with migration
 *	disabled, for a moment at most: such a task is woken where it was. When
 *	both are runnable, each yields to the other, and nobody sleeps. What
 *	sleeps without, or was moved, is woken by an irq_work as soon as this
 *	CPU is left, which is then an idle one (detect.c).
 */
#include <linux/cred.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "umcg.h"
#include "umcg_trace.h"

/*
 * How a wake-up asks for the waker's CPU, which it is about to leave. These are
 * the scheduler's flags, which its headers keep from modules but its exported
 * wake function takes.
 */
#define UMCG_WF_SYNC		0x10
#define UMCG_WF_CURRENT_CPU	(UMCG_HAS_CURRENT_CPU ? 0x40 : 0)
#define UMCG_WF_HERE		(UMCG_WF_SYNC | UMCG_WF_CURRENT_CPU)

/* While it sleeps for so long, changes of its affinity have to wait for it. */
#define UMCG_STAY_JIFFIES	2

#define UMCG_SERVER_SLEEP	(TASK_INTERRUPTIBLE | TASK_FREEZABLE)
#define UMCG_WORKER_SLEEP	(TASK_KILLABLE | TASK_NOLOAD | TASK_FREEZABLE)

/*
 * Before 6.6 a hint is all there is: the CPU that the task was on last, as far
 * as the scheduler remembers. It is taken if it is idle.
 */
static void umcg_hint_here(struct task_struct *task)
{
#ifdef CONFIG_SMP
	int cpu = raw_smp_processor_id();

	if (!UMCG_HAS_CURRENT_CPU && cpumask_test_cpu(cpu, task->cpus_ptr))
		WRITE_ONCE(task->wake_cpu, cpu);
#endif
}

/**
 * umcg_wake - wake a task whose state was changed
 * @c: its registration
 * @hint: where it should run
 *
 * Context: any, but with no run queue's lock held.
 */
void umcg_wake(struct umcg_ctx *c, enum umcg_wake_hint hint)
{
	struct wait_queue_entry entry = { .private = c->task };

	smp_mb(); /* [umcg.wait] */
	if (!READ_ONCE(c->waiting))
		return;
	if (hint == UMCG_WAKE_HERE)
		umcg_hint_here(c->task);
	default_wake_function(&entry, TASK_NORMAL,
			      hint == UMCG_WAKE_HERE ? UMCG_WF_HERE : 0, NULL);
}

/* The irq_work of who has just left this CPU. */
static void umcg_wake_irq(struct irq_work *work)
{
	umcg_wake(container_of(work, struct umcg_ctx, wake),
		  UMCG_HAS_CURRENT_CPU ? UMCG_WAKE_ANYWHERE : UMCG_WAKE_HERE);
}

/* --- switches --- */

/* It has slept with migration disabled for long enough. */
static void umcg_stay_over(struct timer_list *timer)
{
	struct umcg_ctx *c = container_of(timer, struct umcg_ctx, stay_timer);

	WRITE_ONCE(c->stay_over, true);
	umcg_wake(c, UMCG_WAKE_ANYWHERE);
}

static void umcg_stay_begin(struct umcg_ctx *c)
{
	migrate_disable();
	WRITE_ONCE(c->stays, true);
	WRITE_ONCE(c->stay_over, false);
	mod_timer(&c->stay_timer, jiffies + UMCG_STAY_JIFFIES);
}

/*
 * If its affinity was changed meanwhile, to CPUs of which none is online by now,
 * migrate_enable() leaves the task where it is, and who changed it waits for
 * ever. Then the CPU that it is on is the one that it may use.
 */
static void umcg_stay_end(struct umcg_ctx *c)
{
	bool done = !c->stays;

	WRITE_ONCE(c->stays, false);
	while (!done) {
		/* Nobody comes in between, who would take the CPU away. */
		preempt_disable();
		migrate_enable();
		done = current->cpus_ptr == &current->cpus_mask;
		if (unlikely(!done))
			migrate_disable();
		preempt_enable();
		if (unlikely(!done))
			set_cpus_allowed_ptr(current,
					     cpumask_of(task_cpu(current)));
	}
}

/**
 * umcg_wake_init - a new registration's part in being woken
 * @c: the registration
 */
void umcg_wake_init(struct umcg_ctx *c)
{
	/* Hard, so that PREEMPT_RT, too, has no thread come in between. */
	c->wake = IRQ_WORK_INIT_HARD(umcg_wake_irq);
	timer_setup(&c->stay_timer, umcg_stay_over, 0);
}

/**
 * umcg_wake_exit - nobody is about to wake it any more
 * @c: its registration, which nobody can find
 */
void umcg_wake_exit(struct umcg_ctx *c)
{
	irq_work_sync(&c->wake);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete_sync(&c->stay_timer);
#else
	del_timer_sync(&c->stay_timer);
#endif
}

/* Before 6.6. The task will make way for the other one, on its CPU. */
static void umcg_hand_over(struct umcg_ctx *c, struct umcg_ctx *to)
{
	bool here = task_cpu(to->task) == raw_smp_processor_id();

	c->stay = here && current->nr_cpus_allowed > 1;
	if (to->task->nr_cpus_allowed > 1 && READ_ONCE(to->waiting) &&
	    !(here && READ_ONCE(to->stays))) {
		c->heir = task_pid_vnr(to->task);
		return;
	}
	umcg_wake(to, UMCG_WAKE_HERE);
	if (here) {
		get_task_struct(to->task);
		c->next = to->task;
	}
}

/* A context switch. */
static void umcg_switch_to(struct umcg_ctx *c, struct umcg_ctx *to)
{
	trace_umcg_wake(to->task, READ_ONCE(to->ut->state),
			READ_ONCE(to->ut->next_tid));
	if (UMCG_HAS_CURRENT_CPU)
		umcg_wake(to, UMCG_WAKE_HERE);
	else
		umcg_hand_over(c, to);
}

/* Let who is next run without going to sleep, if the scheduler agrees. */
static void umcg_make_way(struct umcg_ctx *c)
{
	struct task_struct *next = c->next;
	unsigned long now = jiffies;

	if (!next) {
		if (need_resched())
			schedule();
		return;
	}
	c->next = NULL;
	yield_to(next, false);
	put_task_struct(next);
	/* The other one takes its time. */
	if (time_after(jiffies, now))
		c->stay = false;
}

/* The task stays. */
static void umcg_wake_heir(struct umcg_ctx *c)
{
	struct umcg_ctx *to;

	if (!c->heir)
		return;
	preempt_disable();
	rcu_read_lock();
	to = c->heir ? umcg_find_tid(c->heir) : NULL;
	c->heir = 0;
	if (to)
		umcg_wake(to, UMCG_WAKE_ANYWHERE);
	rcu_read_unlock();
	preempt_enable();
}

/* Returns whether the time is over. */
static bool umcg_schedule(const ktime_t *until)
{
	ktime_t at;

	if (!until) {
		schedule();
		return false;
	}
	at = *until;
	return !schedule_hrtimeout_range_clock(&at, current->timer_slack_ns,
					       HRTIMER_MODE_ABS,
					       CLOCK_REALTIME);
}

/* Whoever is frozen is not woken: nor would the CPU be given free. */
static unsigned int umcg_sleep_mode(const struct umcg_ctx *c)
{
	unsigned int mode = c->worker ? UMCG_WORKER_SLEEP : UMCG_SERVER_SLEEP;

	return c->stays ? mode & ~TASK_FREEZABLE : mode;
}

static int umcg_wait_for_word(struct umcg_ctx *c, const ktime_t *until)
{
	bool late = false;
	unsigned int mode;
	int ret = 0;

	WRITE_ONCE(c->waiting, true);
	for (;;) {
		mode = umcg_sleep_mode(c);
		set_current_state(mode); /* [umcg.wait] */
		if (umcg_is_running(c))
			break;
		if (c->stays && READ_ONCE(c->stay_over)) {
			__set_current_state(TASK_RUNNING);
			umcg_stay_end(c);
			continue;
		}
		if (signal_pending_state(mode, current))
			ret = -EINTR;
		else if (late)
			ret = -ETIMEDOUT;
		if (ret)
			break;
		late = umcg_schedule(until);
	}
	__set_current_state(TASK_RUNNING);
	WRITE_ONCE(c->waiting, false);
	return ret;
}

/**
 * umcg_sleep - until the task's state is RUNNING, and not LOCKED
 * @c: the calling task's registration
 * @until: CLOCK_REALTIME; NULL: for ever
 *
 * Return: 0, -ETIMEDOUT, or -EINTR: a signal, of a worker one that kills.
 */
int umcg_sleep(struct umcg_ctx *c, const ktime_t *until)
{
	int ret = 0;

	trace_umcg_wait(current, READ_ONCE(c->ut->state),
			READ_ONCE(c->ut->next_tid));
	umcg_make_way(c);
	if (!umcg_is_running(c)) {
		if (c->stay && !until)
			umcg_stay_begin(c);
		ret = umcg_wait_for_word(c, until);
		umcg_stay_end(c);
	}
	c->stay = false;
	umcg_wake_heir(c);
	trace_umcg_run(current, READ_ONCE(c->ut->state),
		       READ_ONCE(c->ut->next_tid));
	return ret;
}

/* --- whom one may wake --- */

/* As for kill(2). */
static bool umcg_same_user(const struct umcg_ctx *to)
{
	const struct cred *cred = current_cred();
	const struct cred *other = __task_cred(to->task);

	return uid_eq(cred->euid, other->suid) ||
	       uid_eq(cred->euid, other->uid) ||
	       uid_eq(cred->uid, other->suid) ||
	       uid_eq(cred->uid, other->uid) ||
	       ns_capable(other->user_ns, CAP_KILL);
}

/*
 * The task that a TID names; c: the caller's registration, NULL: any. Workers
 * are seen in their own process only; and as a worker is never without its
 * server, it does not leave its process.
 */
static struct umcg_ctx *umcg_reach(struct umcg_ctx *c, u32 tid)
{
	struct umcg_ctx *to = c ? umcg_find_peer(c, tid) : umcg_find_tid(tid);

	if (!to)
		return ERR_PTR(-ESRCH);
	if (to->task == current)
		return ERR_PTR(-EINVAL);
	if (to->mm == current->mm)
		return to;
	if (to->worker || (c && c->worker))
		return ERR_PTR(-EINVAL);
	return umcg_same_user(to) ? to : ERR_PTR(-EPERM);
}

static void umcg_wake_traced(struct umcg_ctx *c, enum umcg_wake_hint hint)
{
	trace_umcg_wake(c->task, READ_ONCE(c->ut->state),
			READ_ONCE(c->ut->next_tid));
	umcg_wake(c, hint);
}

/**
 * umcg_wake_tid - UMCG_IOC_WAKE
 * @tid: whom
 *
 * Return: 0; -ESRCH: not registered; -EINVAL: a worker of another process, or
 * the caller; -EPERM: another user's server.
 */
long umcg_wake_tid(u32 tid)
{
	struct umcg_ctx *to;
	long ret = 0;

	rcu_read_lock();
	to = umcg_reach(NULL, tid);
	if (IS_ERR(to))
		ret = PTR_ERR(to);
	else
		umcg_wake_traced(to, UMCG_WAKE_ANYWHERE);
	rcu_read_unlock();
	return ret;
}

/* --- UMCG_IOC_WAIT --- */

static long umcg_wake_next(struct umcg_ctx *c, enum umcg_wake_hint hint)
{
	u32 tid = READ_ONCE(c->ut->next_tid);
	struct umcg_ctx *to;
	long ret = 0;

	rcu_read_lock();
	to = umcg_reach(c, tid);
	if (IS_ERR(to))
		ret = PTR_ERR(to);
	else
		umcg_wake_traced(to, hint);
	rcu_read_unlock();
	return ret;
}

/* Unlock the state, and wake who is next: all or nothing. */
static long umcg_leave(struct umcg_ctx *c)
{
	u32 tid = READ_ONCE(c->ut->next_tid);
	struct umcg_ctx *to = NULL;
	long ret = 0;

	rcu_read_lock();
	if (tid)
		to = umcg_reach(c, tid);
	if (IS_ERR(to))
		ret = PTR_ERR(to);
	else if (c->worker &&
		 !umcg_move(c, UMCG_TASK_IDLE | UMCG_TF_LOCKED, UMCG_TASK_IDLE))
		ret = -EINVAL;
	else if (to)
		umcg_switch_to(c, to);
	rcu_read_unlock();
	return ret;
}

static long umcg_wait_worker(struct umcg_ctx *c, const ktime_t *until)
{
	long ret;

	c->inside = true;
	ret = umcg_leave(c);
	if (!ret)
		ret = umcg_wait_running(c, until);
	if (ret == -EFAULT)
		umcg_fail(c);
	else
		c->inside = false;
	return ret;
}

static long umcg_wait_server(struct umcg_ctx *c, const ktime_t *until)
{
	u32 state = umcg_state(c);
	long ret;

	/* RUNNING: who was to make it so was quicker. */
	if (state != UMCG_TASK_IDLE && state != UMCG_TASK_RUNNING)
		return -EINVAL;
	ret = umcg_leave(c);
	/* And who was that may have come to its end. */
	if (ret == -ESRCH && umcg_was_left(c))
		return 0;
	return ret ? ret : umcg_sleep(c, until);
}

/**
 * umcg_wait - UMCG_IOC_WAIT
 * @c: the calling task's registration
 * @flags: UMCG_WAIT_*
 * @abs_timeout: CLOCK_REALTIME in nanoseconds; 0: none
 *
 * Return: 0; -EINVAL: flags, or a state that can't wait, or as
 * umcg_wake_tid(); -ESRCH, -EPERM: as there; nobody was woken then, and no
 * state changed. -ETIMEDOUT: a server's state is still what it was, a worker
 * has been idle and was run by a server. -EINTR: a signal, to a server.
 */
long umcg_wait(struct umcg_ctx *c, u32 flags, u64 abs_timeout)
{
	ktime_t until = min_t(u64, abs_timeout, KTIME_MAX);
	ktime_t *limit = abs_timeout ? &until : NULL;

	if (flags & ~(UMCG_WAIT_WAKE_ONLY | UMCG_WAIT_WF_CURRENT_CPU))
		return -EINVAL;
	if (flags & UMCG_WAIT_WAKE_ONLY) {
		if (!READ_ONCE(c->ut->next_tid))
			return -EINVAL;
		return umcg_wake_next(c, flags & UMCG_WAIT_WF_CURRENT_CPU ?
						 UMCG_WAKE_HERE :
						 UMCG_WAKE_ANYWHERE);
	}
	return c->worker ? umcg_wait_worker(c, limit) :
			   umcg_wait_server(c, limit);
}
