/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the module share.
 *
 *	dev.c		/dev/umcg, the arena, the module
 *	task.c		registered tasks: from registration to exit
 *	wait.c		waiting and waking
 *	detect.c	a worker blocks, comes back, is preempted
 */
#ifndef _UMCG_H
#define _UMCG_H

#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include <uapi/linux/umcg.h>

/**
 * struct umcg_domain - an open /dev/umcg
 * @lock: guards the making of the arena
 * @arena: the kernel's mapping of it; NULL before the first mmap()
 * @pages: what it is made of
 * @size: in bytes; set before @arena, neither changes any more
 * @mm: whose locked memory it counts as
 *
 * The arena's pages are always there, so that the scheduler's hook can read
 * and write them. They stay until the file is released: mappings and
 * registered tasks hold it.
 */
struct umcg_domain {
	struct mutex lock;
	void *arena;
	struct page **pages;
	size_t size;
	struct mm_struct *mm;
};

/**
 * struct umcg_ctx - a registered task
 * @node: in the hash of all, by @task
 * @ref: one of the registration, one of the queued @work
 * @task: who it is
 * @mm: where it lives; workers and their servers live in the same one
 * @file: its domain
 * @ut: the task's structure, in the kernel's mapping
 * @ubase: where the task's process has the arena's start
 * @worker: else a server
 * @waiting: is, or is about to be, asleep in umcg_sleep(); [umcg.wait]
 * @inside: the task is in the module's own code, where sleeping is no block.
 *	Only the task itself uses this and the next ones
 * @unmanaged: blocked since it last entered the kernel: until it is about to
 *	leave, further blocks don't count
 * @broken: the contract was, by who may not be killed there and then
 * @behind: @work has let others go first
 * @heir: the TID of who is to be woken as soon as the task leaves its CPU
 * @stay: the next sleep should begin with migration disabled
 * @stays: migration is disabled
 * @stay_over: it has been for long enough
 * @next: whom to yield to before it sleeps; holds a reference
 * @peer: who was found last as @peer_tid, while @peer_ends had left the hash
 * @peer_tid: see there
 * @peer_ends: see there
 * @queued: bit 0: @work is on the task's list
 * @lock: orders queueing by others against the end
 * @dead: no further @work is queued; under @lock
 * @work: runs on the way to user mode
 * @wake: wakes the task from where no other wake-up is allowed
 * @stay_timer: ends what @stays
 * @notifier: with the scheduler, if umcg_is_hooked()
 * @free: the end, after a grace period
 */
struct umcg_ctx {
	struct hlist_node node;
	struct kref ref;
	struct task_struct *task;
	struct mm_struct *mm;
	struct file *file;
	struct umcg_task *ut;
	u64 ubase;
	bool worker;
	bool waiting;
	bool inside;
	bool unmanaged;
	bool broken;
	bool behind;
	bool stay;
	bool stays;
	bool stay_over;
	u32 heir;
	struct task_struct *next;
	struct umcg_ctx *peer;
	u32 peer_tid;
	long peer_ends;
	unsigned long queued;
	raw_spinlock_t lock;
	bool dead;
	struct callback_head work;
	struct irq_work wake;
	struct timer_list stay_timer;
	struct preempt_notifier notifier;
	struct rcu_work free;
};

/*
 * Whether the scheduler can be asked to wake a task on the waker's CPU. Where
 * it can't, a switch waits for the waker to leave it: see umcg_switch_to().
 */
#define UMCG_HAS_CURRENT_CPU (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))

/* Whom the scheduler's hooks are for. */
static inline bool umcg_is_hooked(const struct umcg_ctx *c)
{
	return c->worker || !UMCG_HAS_CURRENT_CPU;
}

/* --- the shared words --- */

/* What userspace says, without its own bits. */
static inline u32 umcg_state(const struct umcg_ctx *c)
{
	return READ_ONCE(c->ut->state) & ~UMCG_TASK_USER_MASK;
}

static inline bool umcg_is_running(const struct umcg_ctx *c)
{
	/* Pairs with who made it so, by a cmpxchg. */
	u32 state = smp_load_acquire(&c->ut->state);

	return (state & ~(UMCG_TASK_USER_MASK | UMCG_TF_PREEMPTED)) ==
	       UMCG_TASK_RUNNING;
}

bool umcg_move(struct umcg_ctx *c, u32 from, u32 to);
void *umcg_shared(const struct umcg_ctx *c, u64 addr, size_t size);

/* --- dev.c --- */

extern const struct file_operations umcg_fops;

/* --- task.c --- */

#define UMCG_HASH_BITS 12

extern struct hlist_head umcg_tasks[1 << UMCG_HASH_BITS];
extern atomic_long_t umcg_ends;

struct umcg_ctx *umcg_find_tid(u32 tid);
struct umcg_ctx *umcg_look_for_peer(struct umcg_ctx *c, u32 tid);

/* Under RCU; in any context but an NMI. */
static inline struct umcg_ctx *umcg_find(const struct task_struct *task)
{
	struct umcg_ctx *c;

	hash_for_each_possible_rcu(umcg_tasks, c, node, (unsigned long)task,
				   true)
		if (c->task == task)
			return c;
	return NULL;
}

/* The calling task's registration: it stays until the task itself ends it. */
static inline struct umcg_ctx *umcg_current(void)
{
	struct umcg_ctx *c;

	preempt_disable(); /* RCU, without calls */
	c = umcg_find(current);
	preempt_enable();
	return c;
}

/*
 * As umcg_find_tid(), of whom the calling task, whose registration is c, looks
 * for often. Under RCU.
 *
 * [umcg.peer]
 *	look up				end
 *	read umcg_ends (acquire)	leave the hash
 *	look in the hash		umcg_ends++ (full)
 *
 * Who was found after a look at the count leaves the hash before the next one.
 * So while the count is the same, who was found then is there still; or leaves
 * just now, which RCU has wait.
 */
static inline struct umcg_ctx *umcg_find_peer(struct umcg_ctx *c, u32 tid)
{
	if (c->peer && c->peer_tid == tid &&
	    c->peer_ends == atomic_long_read_acquire(&umcg_ends))
		return c->peer;
	return umcg_look_for_peer(c, tid);
}

long umcg_register(struct file *file, bool worker, u64 self);
long umcg_unregister(struct umcg_ctx *c);
void umcg_retire(struct umcg_ctx *c);
bool umcg_was_left(struct umcg_ctx *c);
void umcg_put(struct umcg_ctx *c);
int umcg_tasks_init(void);
void umcg_tasks_exit(void);
int umcg_task_count(void);

/* --- wait.c --- */

enum umcg_wake_hint { UMCG_WAKE_ANYWHERE, UMCG_WAKE_HERE };

void umcg_wake_init(struct umcg_ctx *c);
void umcg_wake_exit(struct umcg_ctx *c);
void umcg_wake(struct umcg_ctx *c, enum umcg_wake_hint hint);
int umcg_sleep(struct umcg_ctx *c, const ktime_t *until);
long umcg_wait(struct umcg_ctx *c, u32 flags, u64 abs_timeout);
long umcg_wake_tid(u32 tid);

/* --- detect.c --- */

int umcg_enlist(struct umcg_ctx *c);
int umcg_wait_running(struct umcg_ctx *c, const ktime_t *until);
void umcg_fail(struct umcg_ctx *c);
void umcg_notify_init(struct umcg_ctx *c);
long umcg_preempt_tid(u32 tid);
int umcg_detect_init(void);
void umcg_detect_exit(void);

#endif /* _UMCG_H */
