/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c - a command's descriptors, and its execution by posix_spawn().
 *
 * posix_spawn() rather than fork(): the time is the same however much memory
 * the process has, no code of ours runs in the child, and errors of execve()
 * come back.
 */
#define _GNU_SOURCE
#include "stdlib/os/spawn.h"

#include <fcntl.h>
#include <features.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include <wend/block.h>
#include <wend/errno.h>

/* One of the child's standard descriptors. */
struct end {
	int child;  /* ours that becomes the child's; all are from 3 on, so that
		    * putting one in place does not overwrite another. -1: the
		    * child keeps what it inherits */
	bool owned; /* to be closed afterwards */
	int parent; /* our end of the pipe, or -1 */
};

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* A copy from 3 on. If fd was made here, it takes its place. */
static int lift(int fd, bool owned)
{
	int up, r;

	if (fd < 0 || (owned && fd > 2))
		return fd;
	up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	r = up < 0 ? -errno : up;
	if (owned)
		close(fd);
	return r;
}

static int open_pipe(struct end *e, int which)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	e->parent = ends[which == 0];
	r = lift(ends[which != 0], true);
	if (r < 0)
		return r;
	e->child = r;
	e->owned = true;
	return 0;
}

static int open_end(struct end *e, int which, int what, const struct end *out)
{
	int r;

	switch (what) {
	case WEND_OS_INHERIT:
		return 0;
	case WEND_OS_PIPE:
		return open_pipe(e, which);
	case WEND_OS_NULL:
		e->owned = true;
		r = lift(wend_os_open("/dev/null", O_RDWR, 0), true);
		break;
	case WEND_OS_STDOUT:
		if (which != 2)
			return -EINVAL;
		e->owned = true;
		/* Inherited: then the child's 1 is ours. */
		r = lift(out->child >= 0 ? out->child : 1, false);
		break;
	default:
		if (what < 0)
			return -EINVAL;
		e->owned = true;
		r = lift(what, false);
	}
	if (r < 0)
		return r;
	e->child = r;
	return 0;
}

static void close_ends(struct end e[3], bool parents)
{
	for (int i = 0; i < 3; i++) {
		if (e[i].owned)
			close_one(e[i].child);
		if (parents)
			close_one(e[i].parent);
	}
}

/* --- what is done in the child --------------------------------------------------------- */

/* 0, or a positive error number, as posix_spawn() has them. */
static int plan_actions(posix_spawn_file_actions_t *a, const wend_os_cmd *cmd,
			const struct end e[3])
{
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		if (e[i].child >= 0)
			r = posix_spawn_file_actions_adddup2(a, e[i].child, i);
	if (r == 0 && cmd->dir)
		r = posix_spawn_file_actions_addchdir_np(a, cmd->dir);
#if __GLIBC_PREREQ(2, 34)
	if (r == 0 && !cmd->keep_fds)
		r = posix_spawn_file_actions_addclosefrom_np(a, 3);
#endif
	return r;
}

static int plan_attr(posix_spawnattr_t *attr, const wend_os_cmd *cmd)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, by_default;
	int r;

	sigemptyset(&none);
	sigemptyset(&by_default);
	sigaddset(&by_default, SIGPIPE);
	if (cmd->group)
		flags |= POSIX_SPAWN_SETPGROUP;
	r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attr, &by_default);
	if (r == 0)
		r = posix_spawnattr_setflags(attr, flags);
	return r;
}

static int execute(const wend_os_cmd *cmd, const posix_spawnattr_t *attr,
		   const posix_spawn_file_actions_t *actions, char *const *env,
		   pid_t *pid)
{
	char *const *argv = (char *const *)cmd->argv;
	int r;

	/* The thread stands still until the program has been executed. */
	wend_block_begin();
	if (cmd->path)
		r = posix_spawn(pid, cmd->path, actions, attr, argv, env);
	else
		r = posix_spawnp(pid, argv[0], actions, attr, argv, env);
	wend_block_end();
	return r;
}

static int spawn(const wend_os_cmd *cmd, const struct end e[3],
		 char *const *env, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r)
		goto no_attr;
	r = plan_actions(&actions, cmd, e);
	if (r == 0)
		r = plan_attr(&attr, cmd);
	if (r == 0)
		r = execute(cmd, &attr, &actions, env, pid);
	posix_spawnattr_destroy(&attr);
no_attr:
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int wend__spawn_process(const wend_os_cmd *cmd, pid_t *pid, int ends[3])
{
	struct end e[3] = { { -1, false, -1 },
			    { -1, false, -1 },
			    { -1, false, -1 } };
	const int what[3] = { cmd->in, cmd->out, cmd->err };
	char **env = NULL;
	int r = 0;

	if (!cmd->argv || !cmd->argv[0])
		return -EINVAL;
	if (!cmd->env)
		r = wend_os_env_list(NULL, &env);
	for (int i = 0; i < 3 && r == 0; i++)
		r = open_end(&e[i], i, what[i], &e[1]);
	if (r == 0)
		r = spawn(cmd, e, cmd->env ? cmd->env : env, pid);
	close_ends(e, r != 0);
	for (int i = 0; i < 3; i++)
		ends[i] = r ? -1 : e[i].parent;
	free(env);
	return r;
}
