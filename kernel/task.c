// SPDX-License-Identifier: GPL-2.0
/*
 * Registered tasks: from registration to exit.
 *
 * A task is found by its task_struct, under RCU: the scheduler's hook does so
 * with a run queue's lock held, where nothing else would do. Only the task
 * itself registers and retires; it is freed after a grace period, in a work
 * item, when nobody can find it and its irq_work is over.
 *
 * [umcg.end] Whoever runs a worker must not wait for ever for one that is dead:
 *
 *	server, to run W		W ends
 *	W.state = RUNNING		leaves the hash
 *	smp_mb(), by a cmpxchg		smp_mb(), by umcg_ends++
 *	look W up in the hash		takes W.state, leaves NONE
 *	found: wait			it was RUNNING: wakes the server
 *
 * If the server finds W, W takes RUNNING. If it does not, it must not be told
 * later on, when it runs another one: W does all this with the hash's lock, and
 * the server awaits that.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "umcg.h"
#include "umcg_trace.h"

/* Who changes a word that often while we try breaks the contract. */
#define UMCG_TRIES 64

DEFINE_HASHTABLE(umcg_tasks, UMCG_HASH_BITS);
static DEFINE_RAW_SPINLOCK(umcg_tasks_lock);
static struct kmem_cache *umcg_cache;
static struct workqueue_struct *umcg_wq;
static atomic_t umcg_count = ATOMIC_INIT(0);
/* How many have left the hash. */
atomic_long_t umcg_ends = ATOMIC_LONG_INIT(0);

int umcg_task_count(void)
{
	return atomic_read(&umcg_count);
}

/* --- the shared words --- */

/**
 * umcg_move - change state and flags, and keep the user's bits
 * @c: whose
 * @from: only if they are this
 * @to: what they become
 *
 * Ordered as a full barrier when it succeeds.
 *
 * Return: whether they were @from.
 */
bool umcg_move(struct umcg_ctx *c, u32 from, u32 to)
{
	u32 old = READ_ONCE(c->ut->state);
	int i;

	for (i = 0; i < UMCG_TRIES; i++) {
		if ((old & ~UMCG_TASK_USER_MASK) != from)
			return false;
		if (try_cmpxchg(&c->ut->state, &old,
				(old & UMCG_TASK_USER_MASK) | to))
			return true;
	}
	return false;
}

/**
 * umcg_shared - a user address in the arena
 * @c: whose address it is
 * @addr: the address
 * @size: of what is there; its alignment, too
 *
 * Return: where the kernel has it; NULL: it is nowhere in the arena.
 */
void *umcg_shared(const struct umcg_ctx *c, u64 addr, size_t size)
{
	const struct umcg_domain *d = c->file->private_data;
	u64 off = addr - c->ubase;

	if (addr % size || off >= d->size || d->size - off < size)
		return NULL;
	return d->arena + off;
}

/* --- who is registered --- */

/**
 * umcg_find_tid - the registration of who has that TID for the caller
 * @tid: the TID
 *
 * Context: RCU.
 */
struct umcg_ctx *umcg_find_tid(u32 tid)
{
	struct task_struct *task = pid_task(find_vpid(tid), PIDTYPE_PID);

	return task ? umcg_find(task) : NULL;
}

/* As umcg_find_tid(), and it is remembered. */
struct umcg_ctx *umcg_look_for_peer(struct umcg_ctx *c, u32 tid)
{
	c->peer_ends = atomic_long_read_acquire(&umcg_ends); /* [umcg.peer] */
	c->peer = umcg_find_tid(tid);
	c->peer_tid = tid;
	return c->peer;
}

/* --- freeing --- */

static void umcg_free(struct work_struct *work)
{
	struct umcg_ctx *c = container_of(to_rcu_work(work), struct umcg_ctx,
					  free);

	umcg_wake_exit(c);
	put_task_struct(c->task);
	mmdrop(c->mm);
	fput(c->file);
	kmem_cache_free(umcg_cache, c);
	atomic_dec(&umcg_count);
}

static void umcg_last_put(struct kref *ref)
{
	struct umcg_ctx *c = container_of(ref, struct umcg_ctx, ref);

	INIT_RCU_WORK(&c->free, umcg_free);
	queue_rcu_work(umcg_wq, &c->free);
}

void umcg_put(struct umcg_ctx *c)
{
	kref_put(&c->ref, umcg_last_put);
}

/* --- the end --- */

/* Leave the user's bits alone; returns what there was beside them. */
static u32 umcg_take_state(struct umcg_ctx *c)
{
	u32 old = READ_ONCE(c->ut->state);
	int i;

	for (i = 0; i < UMCG_TRIES; i++)
		if (try_cmpxchg(&c->ut->state, &old, old & UMCG_TASK_USER_MASK))
			return old & ~UMCG_TASK_USER_MASK;
	return xchg(&c->ut->state, UMCG_TASK_NONE) & ~UMCG_TASK_USER_MASK;
}

/*
 * A server that was left RUNNING by its worker on the way to IDLE may run
 * another one by now, and must not be told again. Who exits on that way may
 * have left nothing.
 */
static bool umcg_leaves_idle(u32 state)
{
	if (state == (UMCG_TASK_IDLE | UMCG_TF_LOCKED))
		return !(current->flags & PF_EXITING);
	return false;
}

/* Its server, if it had one, is RUNNING; NULL: it had none. Under RCU. */
static struct umcg_ctx *umcg_leave_server(struct umcg_ctx *c, u32 state)
{
	struct umcg_ctx *s;

	if ((state & ~UMCG_TF_PREEMPTED) != UMCG_TASK_RUNNING &&
	    state != (UMCG_TASK_IDLE | UMCG_TF_LOCKED))
		return NULL;
	s = umcg_find_tid(READ_ONCE(c->ut->next_tid));
	if (!s || s->worker || s->mm != c->mm)
		return NULL;
	if (!umcg_leaves_idle(state))
		umcg_move(s, UMCG_TASK_IDLE, UMCG_TASK_RUNNING);
	return s;
}

static void umcg_end(struct umcg_ctx *c)
{
	struct umcg_ctx *s = NULL;
	u32 state;

	rcu_read_lock();
	raw_spin_lock(&umcg_tasks_lock);
	hash_del_rcu(&c->node);
	atomic_long_inc_return(&umcg_ends); /* full; [umcg.end], [umcg.peer] */
	state = umcg_take_state(c);
	if (c->worker)
		s = umcg_leave_server(c, state);
	raw_spin_unlock(&umcg_tasks_lock);
	if (s)
		umcg_wake(s, UMCG_WAKE_ANYWHERE);
	rcu_read_unlock();
	trace_umcg_end(c->task, state, READ_ONCE(c->ut->next_tid));
}

/**
 * umcg_was_left - whether a server's worker, found no more, left it RUNNING
 * @c: the server's registration
 */
bool umcg_was_left(struct umcg_ctx *c)
{
	raw_spin_lock(&umcg_tasks_lock); /* [umcg.end] */
	raw_spin_unlock(&umcg_tasks_lock);
	return umcg_state(c) == UMCG_TASK_RUNNING;
}

/**
 * umcg_retire - the calling task is registered no more
 * @c: its registration; the caller's own reference, if any, stays
 *
 * Context: preemption may be disabled: does not sleep.
 */
void umcg_retire(struct umcg_ctx *c)
{
	if (umcg_is_hooked(c)) {
		preempt_disable();
		preempt_notifier_unregister(&c->notifier);
		preempt_enable();
	}
	raw_spin_lock(&c->lock);
	c->dead = true;
	raw_spin_unlock(&c->lock);
	umcg_end(c);
	umcg_put(c);
}

/**
 * umcg_unregister - the calling task asks for its end
 * @c: its registration
 *
 * Return: 0; -EINVAL: a server that is not RUNNING, a worker that is neither
 * RUNNING nor IDLE|LOCKED.
 */
long umcg_unregister(struct umcg_ctx *c)
{
	if (!umcg_is_running(c) &&
	    !(c->worker && umcg_state(c) == (UMCG_TASK_IDLE | UMCG_TF_LOCKED)))
		return -EINVAL;
	umcg_retire(c);
	return 0;
}

/* --- registration --- */

/* Where the process has the arena, judging by one address in it. */
static int umcg_locate(struct umcg_ctx *c, u64 self)
{
	struct vm_area_struct *vma;
	int ret = -EINVAL;

	if (self % 8)
		return ret;
	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, self);
	if (vma && vma->vm_start <= self && vma->vm_file == c->file) {
		c->ubase = vma->vm_start - ((u64)vma->vm_pgoff << PAGE_SHIFT);
		ret = 0;
	}
	mmap_read_unlock(current->mm);
	if (ret)
		return ret;
	/* Two words, as the size need not be a power of two. */
	if (!umcg_shared(c, self, 8) ||
	    !umcg_shared(c, self + sizeof(struct umcg_task) - 8, 8))
		return -EINVAL;
	c->ut = umcg_shared(c, self, 8);
	return 0;
}

static bool umcg_well_formed(const struct umcg_ctx *c)
{
	const struct umcg_task *t = c->ut;

	if (READ_ONCE(t->next_tid))
		return false;
	if (!c->worker)
		return umcg_state(c) == UMCG_TASK_RUNNING &&
		       !READ_ONCE(t->idle_workers_ptr) &&
		       !READ_ONCE(t->idle_server_tid_ptr);
	return umcg_state(c) == UMCG_TASK_IDLE &&
	       umcg_shared(c, READ_ONCE(t->idle_workers_ptr), sizeof(u64)) &&
	       umcg_shared(c, READ_ONCE(t->idle_server_tid_ptr), sizeof(u32));
}

static void umcg_init(struct umcg_ctx *c, struct file *file, bool worker)
{
	kref_init(&c->ref);
	c->worker = worker;
	c->task = current;
	c->mm = current->mm;
	c->file = file;
	raw_spin_lock_init(&c->lock);
	umcg_wake_init(c);
	umcg_notify_init(c);
}

static void umcg_publish(struct umcg_ctx *c)
{
	get_task_struct(c->task);
	mmgrab(c->mm);
	get_file(c->file);
	atomic_inc(&umcg_count);
	raw_spin_lock(&umcg_tasks_lock);
	hash_add_rcu(umcg_tasks, &c->node, (unsigned long)c->task);
	raw_spin_unlock(&umcg_tasks_lock);
	trace_umcg_register(c->task, READ_ONCE(c->ut->state), 0);
	/* What blocks from here on is no block until a server runs it. */
	c->inside = c->worker;
	if (!umcg_is_hooked(c))
		return;
	preempt_disable();
	preempt_notifier_register(&c->notifier);
	preempt_enable();
}

/* A new worker is idle, and on the list, until a server runs it. */
static int umcg_first_wait(struct umcg_ctx *c)
{
	int ret = umcg_enlist(c);

	if (!ret)
		ret = umcg_wait_running(c, NULL);
	if (ret == -EFAULT)
		umcg_fail(c);
	else
		c->inside = false;
	return ret;
}

/**
 * umcg_register - register the calling task
 * @file: the domain
 * @worker: else as a server
 * @self: its struct umcg_task, a user address in the arena
 *
 * Return: 0, for a worker when a server has run it; -EBUSY: it is registered;
 * -EINVAL: @self is not in the arena, or not as it should be; -ENOMEM;
 * -EINTR: a worker is being killed.
 */
long umcg_register(struct file *file, bool worker, u64 self)
{
	const struct umcg_domain *d = file->private_data;
	struct umcg_ctx *c;
	int ret;

	if (umcg_current())
		return -EBUSY;
	/* Pairs with the release in umcg_mmap(). */
	if (!smp_load_acquire(&d->arena))
		return -EINVAL;
	c = kmem_cache_zalloc(umcg_cache, GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	umcg_init(c, file, worker);
	ret = umcg_locate(c, self);
	if (!ret && !umcg_well_formed(c))
		ret = -EINVAL;
	if (ret) {
		kmem_cache_free(umcg_cache, c);
		return ret;
	}
	umcg_publish(c);
	return worker ? umcg_first_wait(c) : 0;
}

/* --- the module --- */

int umcg_tasks_init(void)
{
	umcg_cache = kmem_cache_create("umcg_ctx", sizeof(struct umcg_ctx), 0,
				       SLAB_ACCOUNT, NULL);
	if (!umcg_cache)
		return -ENOMEM;
	umcg_wq = alloc_workqueue("umcg", 0, 0);
	if (!umcg_wq) {
		kmem_cache_destroy(umcg_cache);
		return -ENOMEM;
	}
	return 0;
}

void umcg_tasks_exit(void)
{
	rcu_barrier();
	destroy_workqueue(umcg_wq);
	kmem_cache_destroy(umcg_cache);
}
