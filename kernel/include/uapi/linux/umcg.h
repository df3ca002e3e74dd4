/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * User Managed Concurrency Groups, ABI v0.4, by way of /dev/umcg.
 *
 * The two system calls of the ABI are requests to an open /dev/umcg here, and
 * everything that kernel and userspace share lies in one mapping of it, the
 * arena: each struct umcg_task, the heads of idle workers' lists, and the
 * words that name idle servers. See umcg(4).
 */
#ifndef _UAPI_LINUX_UMCG_H
#define _UAPI_LINUX_UMCG_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UMCG_ABI_VERSION	4

/*
 * struct umcg_task.state
 *
 *	bits  0 -  7	enum umcg_task_state
 *	bits  8 - 15	UMCG_TF_*
 *	bits 16 - 23	reserved, zero
 *	bits 24 - 31	userspace's own; the kernel keeps them
 *
 *	   registers as server		    registers as worker
 *		   |				   |
 *		   v	    waits		   v
 *		RUNNING <-----------------------> IDLE
 *		   |	 runs, is woken		   ^
 *		   |				   |
 *	  a worker |				   | its wait in the
 *	  blocks   +---------> BLOCKED ------------+ kernel is over
 *
 * Who starts a transition writes the state: userspace for waits and wake-ups,
 * the kernel for blocks and their ends.
 */
enum umcg_task_state {
	UMCG_TASK_NONE		= 0,
	UMCG_TASK_RUNNING	= 1,
	UMCG_TASK_IDLE		= 2,
	UMCG_TASK_BLOCKED	= 3,
};

#define UMCG_TF_LOCKED		(1U << 8)
#define UMCG_TF_PREEMPTED	(1U << 9)

#define UMCG_TASK_STATE_MASK	0x000000ffU
#define UMCG_TASK_FLAGS_MASK	0x0000ff00U
#define UMCG_TASK_RESERVED_MASK	0x00ff0000U
#define UMCG_TASK_USER_MASK	0xff000000U

/**
 * struct umcg_task - one server or worker, shared with the kernel
 * @state: see above; both sides write it, atomically
 * @next_tid: whom to wake or to switch to in UMCG_IOC_WAIT; of a RUNNING
 *	worker its server. The kernel reads it
 * @idle_workers_ptr: of a worker: the address of the list's head. The kernel
 *	puts the next idle worker's @idle_workers_ptr's address here when it
 *	puts this worker on the list; userspace puts the head's address back
 *	before the worker may be RUNNING again. Zero in servers
 * @idle_server_tid_ptr: of a worker: the address of a __u32 with the TID of a
 *	server that waits, or zero. The kernel reads the pointer, and changes
 *	the TID to zero when it wakes that server. Zero in servers
 *
 * Aligned to 8 bytes, in the arena, until its task is unregistered.
 */
struct umcg_task {
	__u32	state;
	__u32	next_tid;
	__u64	idle_workers_ptr;
	__u64	idle_server_tid_ptr;
};

/* umcg_ctl_args.flags */
#define UMCG_CTL_REGISTER	0x00001U
#define UMCG_CTL_UNREGISTER	0x00002U
#define UMCG_CTL_WORKER		0x10000U

struct umcg_ctl_args {
	__u32	flags;
	__u32	reserved;	/* zero */
	__u64	self;		/* struct umcg_task *; NULL to unregister */
};

/* umcg_wait_args.flags */
#define UMCG_WAIT_WAKE_ONLY		1U
#define UMCG_WAIT_WF_CURRENT_CPU	2U

struct umcg_wait_args {
	__u32	flags;
	__u32	reserved;	/* zero */
	__u64	abs_timeout;	/* CLOCK_REALTIME, ns; zero: none */
};

#define UMCG_IOC_MAGIC		0xbc

/* sys_umcg_ctl() and sys_umcg_wait() */
#define UMCG_IOC_CTL		_IOW(UMCG_IOC_MAGIC, 0, struct umcg_ctl_args)
#define UMCG_IOC_WAIT		_IOW(UMCG_IOC_MAGIC, 1, struct umcg_wait_args)

/*
 * Wake the task of that TID, as WAKE_ONLY does with next_tid, from any thread;
 * and have a worker that was marked RUNNING|PREEMPTED look at its state now,
 * as a signal would, without one. The argument is the TID.
 */
#define UMCG_IOC_WAKE		_IO(UMCG_IOC_MAGIC, 2)
#define UMCG_IOC_PREEMPT	_IO(UMCG_IOC_MAGIC, 3)

/* Returns UMCG_ABI_VERSION. */
#define UMCG_IOC_VERSION	_IO(UMCG_IOC_MAGIC, 4)

#endif /* _UAPI_LINUX_UMCG_H */
