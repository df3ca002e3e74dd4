/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/os.h - files, the environment, child processes, signals.
 *
 * Descriptors are plain ones: read(), write(), poll() and close() work on them
 * and let other tasks run (docs/BLOCKING.md). All that is opened here is closed
 * in programs that are executed (O_CLOEXEC).
 */
#ifndef WEND_STD_OS_H
#define WEND_STD_OS_H

#include <sys/types.h>

#include <wend/base.h>
#include <wend/chan.h>
#include <wend/std/context.h>

WEND_BEGIN_DECLS

/* --- files --------------------------------------------------------------- */

/* open(2) with O_CLOEXEC. A descriptor, or a negative error number. */
WEND_API WEND_MUST_CHECK int wend_os_open(const char *path, int flags,
					  mode_t mode);

/*
 * wend_os_read_file - read a file, pipe or device to its end.
 *
 *   limit       the most bytes it may have; 0: any number
 *   data        gets the bytes, and a 0 byte after them; the caller frees it
 *               with free(). Untouched on an error
 *   n           gets how many there are, the 0 not counted; may be NULL
 *
 * Returns  0.
 * Errors   EFBIG   there are more than limit
 *          ENOMEM, and those of open(2) and read(2)
 */
WEND_API WEND_MUST_CHECK int wend_os_read_file(const char *path, size_t limit,
					       char **data, size_t *n);

/*
 * wend_os_write_file - replace a file's contents, all or nothing.
 *
 *   mode        of the file, less the umask, whether it was there or not
 *
 * The bytes are written to a new file in the same directory, which is synced,
 * gets the name, and the directory is synced: after a crash the name stands for
 * the old contents or the new ones, and after a return of 0 for the new ones.
 * A symbolic link is replaced, not followed.
 *
 * Returns  0.
 * Errors   those of open(2), write(2), fsync(2) and rename(2). The old file is
 *          as it was, unless only the sync of the directory failed; no new file
 *          is left behind.
 */
WEND_API WEND_MUST_CHECK int
wend_os_write_file(const char *path, const void *data, size_t n, mode_t mode);

/* mkdir(2) of path and of each directory above it that is missing. 0 also if
 * it is there already; -ENOTDIR, and those of mkdir(2). */
WEND_API WEND_MUST_CHECK int wend_os_mkdir_all(const char *path, mode_t mode);

/*
 * wend_os_remove_all - remove a file, or a directory with all that is in it.
 *
 * Symbolic links are removed, not followed, also if somebody puts one in the
 * way meanwhile. What cannot be removed is left, and the rest removed all the
 * same.
 *
 * Returns  0; also if there is no such file.
 * Errors   the first one of unlinkat(2), openat(2). EMFILE, too, if directories
 *          are nested deeper than there are descriptors to be had
 */
WEND_API WEND_MUST_CHECK int wend_os_remove_all(const char *path);

/*
 * wend_os_temp_file, wend_os_temp_dir - make something with a name of its own.
 *
 *   dir         where; NULL: the directory that TMPDIR names, or /tmp
 *   prefix      of the name
 *   path        gets the whole path; the caller frees it with free(). Nobody
 *               removes the file but the caller
 *
 * Returns  a descriptor for reading and writing (file, mode 0600), or 0
 *          (directory, mode 0700).
 * Errors   ENOMEM, and those of open(2) and mkdir(2)
 */
WEND_API WEND_MUST_CHECK int wend_os_temp_file(const char *dir,
					       const char *prefix, char **path);
WEND_API WEND_MUST_CHECK int wend_os_temp_dir(const char *dir,
					      const char *prefix, char **path);

/*
 * wend_os_read_dir - what is in a directory, without "." and "..".
 *
 *   list        gets the entries in the order of their names' bytes; the
 *               caller frees it with free(), the names included
 *
 * Returns  how many there are.
 * Errors   ENOMEM, and those of open(2) and readdir(3)
 */
struct wend_os_entry {
	const char *name;
	unsigned char type; /* DT_REG, DT_DIR, DT_LNK ... of readdir(3) */
};
WEND_API WEND_MUST_CHECK ssize_t wend_os_read_dir(const char *path,
						  struct wend_os_entry **list);

/* --- the environment ------------------------------------------------------- */

/*
 * getenv() and setenv() must not be used by two threads at once; these may, as
 * far as all use these.
 *
 * wend_os_env_get - *value gets a copy, which the caller frees with free().
 * wend_os_env_set - value NULL: the variable is removed.
 * wend_os_env_list - "NAME=VALUE" strings and a NULL at the end, in one piece
 *               for free(): the environment with changes. A change that has
 *               no '=' leaves that variable out.
 *   changes     NULL: none; else ends with a NULL. The last one of a name
 *               counts
 *
 * Returns  0.
 * Errors   ENOENT  no such variable (get)
 *          EINVAL  name is empty or has a '='
 *          ENOMEM
 */
WEND_API WEND_MUST_CHECK int wend_os_env_get(const char *name, char **value);
WEND_API WEND_MUST_CHECK int wend_os_env_set(const char *name,
					     const char *value);
WEND_API WEND_MUST_CHECK int wend_os_env_list(const char *const *changes,
					      char ***list);

/* --- processes --------------------------------------------------------------- */

/*
 * What a standard descriptor of a child is. Instead of one of these: the number
 * of a descriptor, from 1 on, which stays the caller's.
 */
enum {
	WEND_OS_NULL = 0,     /* /dev/null */
	WEND_OS_PIPE = -1,    /* a pipe, see wend_os_proc_pipe() */
	WEND_OS_INHERIT = -2, /* this process's own */
	WEND_OS_STDOUT = -3,  /* err only: wherever out goes */
};

/*
 * struct wend_os_cmd - what to run; all but argv may be zero.
 *
 *   argv        the arguments, argv[0] included, and a NULL
 *   path        the program's file; NULL: argv[0], looked for in PATH
 *   env         its environment; NULL: this process's
 *   dir         its working directory; NULL: this process's
 *   group       it gets a process group of its own, and signals are sent to
 *               the group: its children get them, too
 *   keep_fds    descriptors from 3 on without O_CLOEXEC stay open in it; else
 *               all are closed
 *
 * The child has no signal blocked. Those that are caught here, by wend_os_notify()
 * or otherwise, have their default effect there, and so has SIGPIPE; those that
 * are ignored stay ignored.
 */
typedef struct wend_os_cmd {
	const char *const *argv;
	const char *path;
	char *const *env;
	const char *dir;
	int in, out, err;
	bool group;
	bool keep_fds;
} wend_os_cmd;

/* How a process ended: code from 0 to 255, or by a signal. Both are -1 if
 * somebody else took the status (SIGCHLD ignored, a wait() for any child). */
struct wend_os_exit {
	int code;   /* -1: a signal */
	int signal; /* 0: none */
	bool core;
};

/*
 * wend_os_start - start a process.
 *
 *   cmd         read during the call only
 *   p           gets the process, to be given to wend_os_proc_free()
 *
 * Each process has a task that waits for it: none is left a zombie, whether
 * anybody asks for its end or not, and wend_stop() waits for all of them.
 *
 * Returns  0, and the program has been executed.
 * Errors   ENOENT, EACCES, E2BIG ... what execve(2), chdir(2) say
 *          EMFILE, ENFILE, EAGAIN, ENOMEM, ESRCH (the runtime does not run)
 *          EINVAL  no argv[0]
 */
typedef struct wend_os_proc wend_os_proc;
WEND_API WEND_MUST_CHECK int wend_os_start(const wend_os_cmd *cmd,
					   wend_os_proc **p);

/* Its number. After its end the number may be another process's. */
WEND_API pid_t wend_os_proc_pid(const wend_os_proc *p);

/*
 * wend_os_proc_pipe - our end of the pipe to its standard descriptor 0, 1 or 2;
 *               -EBADF: there is none, or it has been closed.
 * wend_os_proc_close - close that end; twice does nothing. The child reads its
 *               end of input when we close 0.
 * A write to a child that does not read any more raises SIGPIPE, as everywhere:
 * ignore it in programs that write to pipes.
 */
WEND_API int wend_os_proc_pipe(const wend_os_proc *p, int which);
WEND_API void wend_os_proc_close(wend_os_proc *p, int which);

/*
 * wend_os_proc_wait, _until - wait for its end; again and again, by anybody.
 *
 *   end         how it ended; may be NULL
 *
 * Returns  0.
 * Errors   ETIMEDOUT  (_until) it runs still
 *          ECANCELED  the calling task was cancelled
 * wend_os_proc_done - a channel that is closed at its end, for a select; it is
 *               the process's.
 */
WEND_API int wend_os_proc_wait(wend_os_proc *p, struct wend_os_exit *end);
WEND_API WEND_MUST_CHECK int wend_os_proc_wait_until(wend_os_proc *p,
						     int64_t deadline,
						     struct wend_os_exit *end);
WEND_API wend_chan *wend_os_proc_done(wend_os_proc *p);

/* Send it a signal. 0; -ESRCH: it has ended (never sent to another process
 * with the same number); -EINVAL, -EPERM. */
WEND_API int wend_os_proc_signal(wend_os_proc *p, int sig);

/*
 * wend_os_proc_stop - SIGTERM, and if it does not end within grace nanoseconds,
 *               SIGKILL; wait for its end. What is left of its group
 *               (wend_os_cmd.group) is killed then. A cancelled task waits, too,
 *               but not for the grace.
 */
WEND_API void wend_os_proc_stop(wend_os_proc *p, int64_t grace,
				struct wend_os_exit *end);

/* Close the pipes and forget the process, which may run on. NULL does
 * nothing. */
WEND_API void wend_os_proc_free(wend_os_proc *p);

/*
 * wend_os_run - run a process to its end, and gather what it writes.
 *
 *   ctx         when it ends the process is stopped, see wend_os_proc_stop();
 *               NULL: nothing of the kind
 *   cmd         out and err that are WEND_OS_PIPE are gathered. in that is
 *               WEND_OS_PIPE gets the input
 *   o           its first fields are set by the caller, all may be zero; the
 *               others by the call. To be given to wend_os_output_free(),
 *               whatever the result
 *
 * Returns  0: it ended by itself; o->end says how.
 * Errors   wend_ctx_err(ctx), or ECANCELED if the calling task was cancelled: it
 *          was stopped; o->end says how it ended, and o has what it had written
 *          those of wend_os_start(): it was not started
 *          ENOMEM, EMFILE ... it was stopped
 *
 * It has ended when the process has, and nobody has its output open for
 * writing, or ctx has ended.
 */
struct wend_os_output {
	const void *input;
	size_t input_size;
	size_t limit;  /* bytes kept of out and of err each; 0: 1 MiB */
	int64_t grace; /* ns from SIGTERM to SIGKILL; 0: 5 s */

	struct wend_os_exit end;
	char *out, *err; /* with a 0 byte after them; NULL: not gathered */
	size_t out_size, err_size;
	bool truncated; /* there was more, which was dropped */
};
WEND_API WEND_MUST_CHECK int wend_os_run(wend_ctx *ctx, const wend_os_cmd *cmd,
					 struct wend_os_output *o);
WEND_API void wend_os_output_free(struct wend_os_output *o);

/* --- signals ------------------------------------------------------------------- */

/*
 * wend_os_notify - have signals put into a channel.
 *
 *   c           its elements are ints: the signal's number. It should have room
 *               for as many as are not to be missed: what does not fit is dropped
 *   sigs, n     n of them, one at least. Called again for the same channel, they
 *               come in addition
 *
 *	int sigs[] = { SIGINT, SIGTERM };
 *	wend_chan_of(int) c = wend_chan_make(int, 1);
 *	wend_os_notify(wend_chan_raw(c), sigs, 2);
 *
 * From the first channel to the last the signal does not have its effect. A
 * signal that comes several times before it is told of may be told of once.
 * Several channels of one signal get it all. The signals must not be blocked in
 * all threads; those that are blocked when the runtime starts are in workers.
 *
 * A task waits for them meanwhile: wend_stop() does not return, nor is a deadlock
 * found, before wend_os_notify_stop().
 *
 * Children. A program that is executed has the signals with their default
 * effect. So has the child of a fork() the effect that they had before
 * wend_os_notify(): nobody is told there, and wend_os_notify() may be called anew
 * once a runtime is started.
 *
 * Returns  0.
 * Errors   EINVAL  no signal, or one that cannot be caught: SIGKILL, SIGSTOP,
 *                  SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSTKFLT
 *          ENOMEM, EMFILE, ENFILE, ESRCH (the runtime does not run): nothing
 *          has changed
 * Context  any task or thread of the program. Not under the "sim" port.
 * Source   Go package os/signal, Notify.
 */
WEND_API WEND_MUST_CHECK int wend_os_notify(wend_chan *c, const int *sigs,
					    size_t n);

/* No more signals for c: when it returns, all that came before are in c, and
 * nothing will be sent any more. A signal without a channel has the effect that
 * it had before. */
WEND_API void wend_os_notify_stop(wend_chan *c);

/*
 * wend_os_notify_ctx - cancel a context at the first of these signals, with
 *               -EINTR for its cause.
 * wend_os_notify_ctx_stop - do not, any more. It does nothing afterwards.
 *
 * When the first has come, the signals have the effect again that they had
 * before: a second ^C ends a program whose shutdown hangs. The rest is as for
 * wend_os_notify(); a reference to ctx is held meanwhile.
 */
WEND_API WEND_MUST_CHECK int wend_os_notify_ctx(wend_ctx *ctx, const int *sigs,
						size_t n);
WEND_API void wend_os_notify_ctx_stop(wend_ctx *ctx);

/*
 * wend_os_signal_reset - take signals away from all channels and contexts; n 0:
 *               all signals.
 * wend_os_signal_ignore - the same, and ignore them from now on; programs that
 *               are executed ignore them, too.
 * Errors   EINVAL, as for wend_os_notify()
 */
WEND_API int wend_os_signal_reset(const int *sigs, size_t n);
WEND_API int wend_os_signal_ignore(const int *sigs, size_t n);

WEND_END_DECLS

#endif
