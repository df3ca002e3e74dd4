/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events, as trace points.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM umcg

#if !defined(_UMCG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UMCG_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(umcg_task,
	TP_PROTO(struct task_struct *task, u32 state, u32 next_tid),
	TP_ARGS(task, state, next_tid),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, state)
		__field(u32, next_tid)
	),
	TP_fast_assign(
		__entry->pid = task->pid;
		__entry->state = state;
		__entry->next_tid = next_tid;
	),
	TP_printk("pid=%d state=%#x next_tid=%u",
		  __entry->pid, __entry->state, __entry->next_tid)
);

#define UMCG_EVENT(name)						\
DEFINE_EVENT(umcg_task, name,						\
	TP_PROTO(struct task_struct *task, u32 state, u32 next_tid),	\
	TP_ARGS(task, state, next_tid))

UMCG_EVENT(umcg_register);	/* a server or worker is registered */
UMCG_EVENT(umcg_end);		/* unregistered, exited, or failed */
UMCG_EVENT(umcg_wait);		/* is about to wait, or to switch */
UMCG_EVENT(umcg_run);		/* its wait is over */
UMCG_EVENT(umcg_wake);		/* is woken by another */
UMCG_EVENT(umcg_block);		/* a worker blocks in the kernel */
UMCG_EVENT(umcg_idle);		/* a worker went on the idle list */
UMCG_EVENT(umcg_preempt);	/* a worker stops as it was marked to */
UMCG_EVENT(umcg_fail);		/* the contract is broken: SIGSEGV */

#endif /* _UMCG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE umcg_trace
#include <trace/define_trace.h>
