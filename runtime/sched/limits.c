/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.c - what the system says about threads. Read once, at the start: the
 * true limit is what pthread_create() says, whenever it says so.
 */
#define _GNU_SOURCE
#include "runtime/sched/limits.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COUNTED_BELOW = 8192, /* RLIMIT_NPROC */
	LEFT_SHARE = 8,       /* one part in that many is left, */
	LEFT_LEAST = 8,       /* and that many */
	CAP_ADMIN = 21,       /* CAP_SYS_ADMIN, CAP_SYS_RESOURCE */
	CAP_RESOURCE = 24,
};

static const uint64_t no_limit = UINT64_MAX;

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	if (a == no_limit)
		return a;
	return a > b ? a - b : 0;
}

/* The number in a file; otherwise when there is none ("max", say). */
static uint64_t number_in(const char *path, uint64_t otherwise)
{
	FILE *f = fopen(path, "re");
	unsigned long long n;
	bool found;

	if (!f)
		return otherwise;
	found = fscanf(f, "%llu", &n) == 1;
	fclose(f);
	return found ? n : otherwise;
}

/* --- the system ----------------------------------------------------------- */

/* All threads there are: /proc/loadavg is "0.1 0.2 0.3 running/all last". */
static uint64_t system_threads(void)
{
	FILE *f = fopen("/proc/loadavg", "re");
	unsigned long long n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*s %*s %*s %*u/%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static uint64_t system_room(void)
{
	uint64_t most = least(number_in("/proc/sys/kernel/pid_max", no_limit),
			      number_in("/proc/sys/kernel/threads-max",
					no_limit));

	return less(most, system_threads());
}

/* --- the user ------------------------------------------------------------- */

/* A field of a process's status file; 0: not there. */
static uint64_t status_field(const char *pid, const char *format)
{
	char path[64], line[256];
	unsigned long long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, format, &n) == 1)
			break;
	fclose(f);
	return n;
}

static bool is_exempt(void)
{
	uint64_t caps = status_field("self", "CapEff: %llx");

	return getuid() == 0 || (caps >> CAP_ADMIN & 1) ||
	       (caps >> CAP_RESOURCE & 1);
}

static uint64_t user_threads(void)
{
	DIR *d = opendir("/proc");
	uint64_t n = 0;
	struct dirent *e;
	struct stat st;

	if (!d)
		return 0;
	while ((e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) &&
		    fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    st.st_uid == getuid())
			n += status_field(e->d_name, "Threads: %llu");
	closedir(d);
	return n;
}

static uint64_t user_room(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NPROC, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY || is_exempt())
		return no_limit;
	if (limit.rlim_cur >= COUNTED_BELOW)
		return limit.rlim_cur;
	return less(limit.rlim_cur, user_threads());
}

/* --- the cgroup ----------------------------------------------------------- */

/* Where the pids controller's directory of this process is: version 2's
 * single tree, or version 1's for that controller. */
static bool find_cgroup(char *dir, size_t size)
{
	char line[PATH_MAX];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		char *path = strchr(line, '/');
		const char *root = NULL;

		if (strncmp(line, "0::/", 4) == 0)
			root = "/sys/fs/cgroup";
		else if (strstr(line, ":pids:/"))
			root = "/sys/fs/cgroup/pids";
		if (!root || !path)
			continue;
		path[strcspn(path, "\n")] = 0;
		found = snprintf(dir, size, "%s%s", root, path) < (int)size;
	}
	fclose(f);
	return found;
}

static uint64_t cgroup_room(void)
{
	enum { ROOT = sizeof("/sys/fs/cgroup") - 1 };
	char dir[PATH_MAX], file[PATH_MAX + 16];
	uint64_t room = no_limit, max, now;
	char *end;

	if (!find_cgroup(dir, sizeof(dir)))
		return no_limit;
	for (;;) {
		snprintf(file, sizeof(file), "%s/pids.max", dir);
		max = number_in(file, no_limit);
		snprintf(file, sizeof(file), "%s/pids.current", dir);
		now = number_in(file, 0);
		room = least(room, less(max, now));
		end = strrchr(dir, '/');
		if (!end || end < dir + ROOT)
			return room;
		*end = 0;
	}
}

uint32_t wend__limits_workers(void)
{
	uint64_t room = least(least(system_room(), user_room()), cgroup_room());

	room = less(room, room / LEFT_SHARE + LEFT_LEAST);
	room = least(room, WEND__WORKERS_MAX);
	return room ? (uint32_t)room : 1;
}
