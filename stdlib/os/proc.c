/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c - child processes, each with a task that waits for its end.
 *
 * The task starts the process, too: so when there is no memory for a task there
 * is no process yet.
 *
 * A process's number is its own until it is reaped. So reaping and signalling
 * are done under the lock, and the wait for the end (a pidfd, which parks the
 * task; on kernels without them waitid(), which keeps a thread) does not reap.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wend/errno.h>
#include <wend/std/os.h>
#include <wend/sync.h>
#include <wend/task.h>
#include <wend/time.h>

#include "stdlib/os/proc.h"
#include "stdlib/os/spawn.h"

struct wend_os_proc {
	atomic_uint refs; /* its user's and its task's */
	pid_t pid;
	bool group;
	int ends[3]; /* the user's */
	wend_mutex lock;
	bool reaped;
	bool stopped; /* wend_os_proc_stop(): leave nothing of its group */
	wend_chan *done;
	struct wend_os_exit end; /* written before done is closed */

	const wend_os_cmd *cmd; /* until started */
	wend_sema started;
	int start_result;
};

static void put(wend_os_proc *p)
{
	if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
		return;
	wend_chan_free(p->done);
	free(p);
}

/* --- the task ------------------------------------------------------------------------- */

static void await_end(pid_t pid)
{
	struct pollfd fd = { .fd = -1, .events = POLLIN };
	siginfo_t info;
	int r;

#ifdef SYS_pidfd_open
	fd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
#endif
	do {
		r = fd.fd >= 0 ?
			    poll(&fd, 1, -1) :
			    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	} while (r < 0 && errno == EINTR);
	if (fd.fd >= 0)
		close(fd.fd);
}

static struct wend_os_exit exit_of(const siginfo_t *info)
{
	struct wend_os_exit end = { .code = -1 };

	if (info->si_code == CLD_EXITED) {
		end.code = info->si_status;
	} else {
		end.signal = info->si_status;
		end.core = info->si_code == CLD_DUMPED;
	}
	return end;
}

static void reap(wend_os_proc *p)
{
	siginfo_t info = { 0 };
	int r;

	wend_mutex_lock(&p->lock);
	if (p->stopped && p->group)
		(void)kill(-p->pid, SIGKILL);
	do
		r = waitid(P_PID, (id_t)p->pid, &info, WEXITED);
	while (r && errno == EINTR);
	p->end = r ? (struct wend_os_exit){ -1, -1, false } : exit_of(&info);
	p->reaped = true;
	wend_mutex_unlock(&p->lock);
}

static void mind(void *args)
{
	wend_os_proc *p = *(wend_os_proc **)args;
	int r = wend__spawn_process(p->cmd, &p->pid, p->ends);

	p->start_result = r;
	p->cmd = NULL;
	wend_sema_release(&p->started, 1);
	if (r == 0) {
		await_end(p->pid);
		reap(p);
		wend_chan_close(p->done);
	}
	put(p);
}

/* --- starting --------------------------------------------------------------------------- */

static wend_os_proc *new_proc(const wend_os_cmd *cmd)
{
	wend_os_proc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->done = wend_chan_new(0, 0);
	if (!p->done) {
		free(p);
		return NULL;
	}
	atomic_init(&p->refs, 2);
	p->cmd = cmd;
	p->group = cmd->group;
	return p;
}

int wend_os_start(const wend_os_cmd *cmd, wend_os_proc **result)
{
	wend_attr attr = { .name = "process" };
	wend_os_proc *p = new_proc(cmd);
	bool shield;
	int r;

	if (!p)
		return -ENOMEM;
	r = wend_spawn(&attr, mind, &p, sizeof(p));
	if (r) {
		put(p);
		put(p);
		return r;
	}
	/* The task reads cmd, so it is waited for. */
	shield = wend_task_shield(true);
	(void)wend_sema_acquire(&p->started);
	(void)wend_task_shield(shield);
	r = p->start_result;
	if (r)
		put(p);
	else
		*result = p;
	return r;
}

pid_t wend_os_proc_pid(const wend_os_proc *p)
{
	return p->pid;
}

/* --- its pipes -------------------------------------------------------------------------- */

int wend_os_proc_pipe(const wend_os_proc *p, int which)
{
	if (which < 0 || which > 2 || p->ends[which] < 0)
		return -EBADF;
	return p->ends[which];
}

void wend_os_proc_close(wend_os_proc *p, int which)
{
	int fd = wend_os_proc_pipe(p, which);

	if (fd < 0)
		return;
	p->ends[which] = -1;
	close(fd);
}

void wend_os_proc_free(wend_os_proc *p)
{
	if (!p)
		return;
	for (int i = 0; i < 3; i++)
		wend_os_proc_close(p, i);
	put(p);
}

/* --- its end ---------------------------------------------------------------------------- */

wend_chan *wend_os_proc_done(wend_os_proc *p)
{
	return p->done;
}

int wend_os_proc_wait_until(wend_os_proc *p, int64_t deadline,
			    struct wend_os_exit *end)
{
	int r = wend_chan_recv_until(p->done, NULL, deadline);

	if (r != -EPIPE)
		return r;
	if (end)
		*end = p->end;
	return 0;
}

int wend_os_proc_wait(wend_os_proc *p, struct wend_os_exit *end)
{
	return wend_os_proc_wait_until(p, WEND_FOREVER, end);
}

int wend_os_proc_signal(wend_os_proc *p, int sig)
{
	int r = -ESRCH;

	wend_mutex_lock(&p->lock);
	if (!p->reaped) {
		r = kill(p->group ? -p->pid : p->pid, sig);
		r = r ? -errno : 0;
	}
	wend_mutex_unlock(&p->lock);
	return r;
}

void wend__proc_stop_begin(wend_os_proc *p)
{
	wend_mutex_lock(&p->lock);
	p->stopped = true;
	wend_mutex_unlock(&p->lock);
	(void)wend_os_proc_signal(p, SIGTERM);
}

void wend__proc_stop_end(wend_os_proc *p, int64_t kill_at,
			 struct wend_os_exit *end)
{
	bool shield;

	if (wend_os_proc_wait_until(p, kill_at, end) == 0)
		return;
	(void)wend_os_proc_signal(p, SIGKILL);
	shield = wend_task_shield(true);
	(void)wend_os_proc_wait(p, end);
	(void)wend_task_shield(shield);
}

void wend_os_proc_stop(wend_os_proc *p, int64_t grace, struct wend_os_exit *end)
{
	wend__proc_stop_begin(p);
	wend__proc_stop_end(p, wend_after(grace), end);
}
