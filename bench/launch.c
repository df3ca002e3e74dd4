/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.c - start one benchmark program, pinned, and report what it used.
 *
 *	launch FD CPU[,CPU...] PROG ARG...
 *
 * Writes `pid N` to descriptor FD when the program starts and, when it ended,
 * `end STATUS MAXRSS_KB UTIME_US STIME_US` with wait4()'s figures.
 *
 * Why not from bench/run itself: the kernel folds the resident peak of the
 * image before exec into the program's ru_maxrss, and a Python interpreter
 * is larger than some of the programs.  This parent is a page or two.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int parse_cpus(const char *list, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*list) {
		char *end;
		long cpu = strtol(list, &end, 10);

		if (end == list || cpu < 0 || cpu >= CPU_SETSIZE)
			return -EINVAL;
		CPU_SET(cpu, set);
		list = *end == ',' ? end + 1 : end;
	}
	return CPU_COUNT(set) ? 0 : -EINVAL;
}

static void prefer_oom(void)
{
	/* If memory runs out, this program is the one to go. */
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) < 0)
		fprintf(stderr, "launch: oom_score_adj: %m\n");
	close(fd);
}

static void become(const cpu_set_t *cpus, char **argv)
{
	struct rlimit no_core = { 0, 0 }, files;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prefer_oom();
	if (sched_setaffinity(0, sizeof(*cpus), cpus))
		fprintf(stderr, "launch: cannot pin: %m\n");
	else
		execv(argv[0], argv);
	fprintf(stderr, "launch: %s: %m\n", argv[0]);
	_exit(127);
}

static long usec(struct timeval t)
{
	return t.tv_sec * 1000000l + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage used;
	cpu_set_t cpus;
	int status, fd;
	pid_t pid;

	if (argc < 4 || parse_cpus(argv[2], &cpus)) {
		fprintf(stderr, "usage: launch FD CPU[,CPU...] PROG ARG...\n");
		return 2;
	}
	fd = atoi(argv[1]);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		become(&cpus, argv + 3);
	if (pid < 0) {
		fprintf(stderr, "launch: fork: %m\n");
		return 1;
	}
	dprintf(fd, "pid %d\n", (int)pid);
	while (wait4(pid, &status, 0, &used) < 0) {
		if (errno != EINTR)
			return 1;
	}
	dprintf(fd, "end %d %ld %ld %ld\n", status, used.ru_maxrss,
		usec(used.ru_utime), usec(used.ru_stime));
	return 0;
}
