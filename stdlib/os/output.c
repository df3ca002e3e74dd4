/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c - running a process to its end, feeding it and gathering its output.
 *
 * One task does all, with poll(): three tasks that read and write would have to
 * be cancelled when somebody else keeps the pipes open, and where calls keep
 * threads (WEND_PARK=threads) they could not be. The context's end is a hook that
 * makes an eventfd readable, which poll() waits for, too.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <wend/errno.h>
#include <wend/select.h>
#include <wend/std/os.h>
#include <wend/task.h>
#include <wend/time.h>

#include "stdlib/os/proc.h"

enum { CHUNK = 16 * 1024, DEFAULT_LIMIT = 1024 * 1024, DRAIN_MOST = 64 };
#define DEFAULT_GRACE (5 * WEND_SECOND)

/* What one of its outputs has written; data NULL: not gathered. */
struct gathered {
	char *data;
	size_t size, room;
};

struct run {
	wend_ctx_hook hook; /* first: hooks are cast back */
	wend_ctx *ctx;
	int wake; /* an eventfd */
	wend_os_proc *p;
	struct wend_os_output *o;
	size_t fed;             /* bytes of the input */
	struct gathered got[3]; /* 0 is not used */
	int64_t kill_at;        /* WEND_FOREVER: it has not been told to stop */
	bool shield;            /* what it was before */
	int result;
};

static void wake(wend_ctx_hook *hook)
{
	/* Not blocking, and it never overflows. */
	(void)eventfd_write(((struct run *)hook)->wake, 1);
}

/* --- input ------------------------------------------------------------------------------ */

/*
 * write() without SIGPIPE, which would end the program because a child did not
 * read all. The signal is the thread's, and the thread is the same all through,
 * as fd does not block.
 */
static ssize_t write_quietly(int fd, const void *data, size_t n)
{
	const struct timespec now = { 0, 0 };
	sigset_t pipe_set, before;
	ssize_t w;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	w = write(fd, data, n);
	w = w < 0 ? -errno : w;
	if (w == -EPIPE && !sigismember(&before, SIGPIPE))
		(void)sigtimedwait(&pipe_set, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w;
}

/* Until it would block; all written, or nobody reads: closed. */
static void feed(struct run *r)
{
	const struct wend_os_output *o = r->o;
	ssize_t w = 0;

	while (r->fed < o->input_size && w >= 0) {
		w = write_quietly(wend_os_proc_pipe(r->p, 0),
				  (const char *)o->input + r->fed,
				  o->input_size - r->fed);
		if (w == -EINTR)
			w = 0;
		if (w > 0)
			r->fed += (size_t)w;
	}
	if (w != -EAGAIN)
		wend_os_proc_close(r->p, 0);
}

/* --- output ----------------------------------------------------------------------------- */

/* Room for n bytes more and a 0, doubling. */
static int make_room(struct gathered *g, size_t n)
{
	size_t room = g->room ? g->room : CHUNK;
	char *data;

	if (g->size + n + 1 <= g->room)
		return 0;
	while (room < g->size + n + 1)
		room *= 2;
	data = realloc(g->data, room);
	if (!data)
		return -ENOMEM;
	data[g->size] = 0;
	g->data = data;
	g->room = room;
	return 0;
}

/* Once; at its end it is closed. 1: there may be more, 0, or the error. */
static int gather(struct run *r, int which)
{
	size_t limit = r->o->limit ? r->o->limit : DEFAULT_LIMIT;
	struct gathered *g = &r->got[which];
	ssize_t n;

	if (make_room(g, CHUNK)) {
		wend_os_proc_close(r->p, which);
		return -ENOMEM;
	}
	n = read(wend_os_proc_pipe(r->p, which), g->data + g->size, CHUNK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		wend_os_proc_close(r->p, which);
		return 0;
	}
	g->size += (size_t)n;
	if (g->size > limit) {
		r->o->truncated = true;
		g->size = limit;
	}
	g->data[g->size] = 0;
	return 1;
}

/* --- until the pipes are closed ----------------------------------------------------------- */

/* Tell it to stop, once; error is why. From here on the calling task's own
 * cancellation does not interrupt what is left to do. */
static void begin_stop(struct run *r, int error)
{
	int64_t grace = r->o->grace ? r->o->grace : DEFAULT_GRACE;

	if (r->kill_at != WEND_FOREVER)
		return;
	r->result = error;
	r->kill_at = wend_after(grace);
	r->shield = wend_task_shield(true);
	wend__proc_stop_begin(r->p);
}

/* For poll(): milliseconds, rounded up, so that it does not return early. */
static int timeout_ms(const struct run *r)
{
	int64_t left = r->kill_at - wend_now();

	if (r->kill_at == WEND_FOREVER)
		return -1;
	if (left <= 0)
		return 0;
	left = (left + WEND_MILLISECOND - 1) / WEND_MILLISECOND;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static int fill_fds(const struct run *r, struct pollfd fds[4])
{
	int open = 0;

	for (int i = 0; i < 3; i++) {
		int fd = wend_os_proc_pipe(r->p, i);

		fds[i] = (struct pollfd){ .fd = fd < 0 ? -1 : fd,
					  .events = i ? POLLIN : POLLOUT };
		open += fd >= 0;
	}
	/* Once is enough, and it stays readable. */
	fds[3] = (struct pollfd){
		.fd = r->kill_at == WEND_FOREVER ? r->wake : -1,
		.events = POLLIN,
	};
	return open;
}

static int serve_fds(struct run *r, const struct pollfd fds[4])
{
	int err = 0;

	if (fds[3].revents)
		begin_stop(r, wend_ctx_err(r->ctx));
	if (fds[0].revents)
		feed(r);
	for (int i = 1; i < 3 && err >= 0; i++)
		if (fds[i].revents)
			err = gather(r, i);
	return err < 0 ? err : 0;
}

static bool time_to_kill(const struct run *r)
{
	return r->kill_at != WEND_FOREVER && wend_now() >= r->kill_at;
}

/* Until all pipes are closed, or the time to kill has come. */
static void pump(struct run *r)
{
	struct pollfd fds[4];
	int n, err;

	while (fill_fds(r, fds) && !time_to_kill(r)) {
		n = poll(fds, 4, timeout_ms(r));
		err = n < 0 && errno != EINTR ? -errno : 0;
		if (n > 0)
			err = serve_fds(r, fds);
		if (err)
			begin_stop(r, err);
		/* Nor would it work the next time. */
		if (n < 0 && err && err != -ECANCELED)
			break;
	}
}

/* What is in the pipes still; no more than fits, as others may go on writing. */
static void drain(struct run *r)
{
	for (int i = 1; i < 3; i++)
		for (int n = 0; n < DRAIN_MOST; n++)
			if (wend_os_proc_pipe(r->p, i) < 0 || gather(r, i) <= 0)
				break;
}

/* --- until it has ended ------------------------------------------------------------------- */

static void await_end(struct run *r)
{
	struct wend_os_exit *end = &r->o->end;
	int n;

	if (r->kill_at == WEND_FOREVER) {
		n = wend_select(WEND_FOREVER,
				wend_on_recv(wend_os_proc_done(r->p), NULL),
				wend_on_recv(wend_ctx_done(r->ctx), NULL));
		if (wend_os_proc_wait_until(r->p, 0, end) == 0)
			return;
		begin_stop(r, n < 0 ? n : wend_ctx_err(r->ctx));
	}
	wend__proc_stop_end(r->p, r->kill_at, end);
	drain(r);
}

/* --- all of it ---------------------------------------------------------------------------- */

static int prepare(struct run *r, const wend_os_cmd *cmd)
{
	if (cmd->out == WEND_OS_PIPE && make_room(&r->got[1], 0))
		return -ENOMEM;
	if (cmd->err == WEND_OS_PIPE && make_room(&r->got[2], 0))
		return -ENOMEM;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->wake < 0 ? -errno : 0;
}

static void unblock_pipes(struct run *r)
{
	for (int i = 0; i < 3; i++) {
		int fd = wend_os_proc_pipe(r->p, i);

		/* Our end's flag alone: the child has its own. */
		if (fd >= 0)
			(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	/* Nothing to feed: its input ends here. */
	if (r->o->input_size == 0)
		wend_os_proc_close(r->p, 0);
}

static void run_started(struct run *r)
{
	unblock_pipes(r);
	wend_ctx_hook_add(r->ctx, &r->hook, wake);
	pump(r);
	await_end(r);
	(void)wend_ctx_hook_remove(r->ctx, &r->hook);
	if (r->kill_at != WEND_FOREVER)
		(void)wend_task_shield(r->shield);
	wend_os_proc_free(r->p);
}

int wend_os_run(wend_ctx *ctx, const wend_os_cmd *cmd, struct wend_os_output *o)
{
	struct run r = {
		.ctx = ctx,
		.wake = -1,
		.o = o,
		.kill_at = WEND_FOREVER,
	};
	int err = wend_ctx_err(ctx);

	o->end = (struct wend_os_exit){ -1, -1, false };
	o->truncated = false;
	if (err == 0)
		err = prepare(&r, cmd);
	if (err == 0)
		err = wend_os_start(cmd, &r.p);
	if (err == 0)
		run_started(&r);
	if (r.wake >= 0)
		close(r.wake);
	o->out = r.got[1].data;
	o->out_size = r.got[1].size;
	o->err = r.got[2].data;
	o->err_size = r.got[2].size;
	return err ? err : r.result;
}

void wend_os_output_free(struct wend_os_output *o)
{
	free(o->out);
	free(o->err);
	o->out = o->err = NULL;
	o->out_size = o->err_size = 0;
}
