/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.c - what the system lets this process have.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tools/wend/info.h"
#include "tools/wend/report.h"

/* A file's one number. false: no such file, or no number in it. */
static bool read_number(const char *path, uint64_t *n)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fscanf(f, "%" SCNu64, n) == 1;
	fclose(f);
	return ok;
}

static void add_file(const char *key, const char *label, const char *path)
{
	uint64_t n;

	if (read_number(path, &n))
		report_count(key, label, n, "%s", path);
	else
		report_none(key, label, "no %s", path);
}

static void add_rlimit(const char *key, const char *label, int which,
		       bool bytes, const char *name)
{
	struct rlimit r;

	if (getrlimit(which, &r))
		return;
	if (r.rlim_cur == RLIM_INFINITY)
		report_none(key, label, "unlimited (%s)", name);
	else if (bytes)
		report_bytes(key, label, r.rlim_cur, "%s", name);
	else
		report_count(key, label, r.rlim_cur, "%s", name);
}

/* --- the cgroup -------------------------------------------------------------- */

/* Room for a line of /proc/self/cgroup, for the folder that it names, and for
 * a file in that. */
enum {
	LINE_ROOM = 4096,
	FOLDER_ROOM = LINE_ROOM + 32,
	FILE_ROOM = FOLDER_ROOM + 32
};

/* Where the process's cgroup has its files: version 2, or version 1's folder
 * of the controller "pids". */
static bool find_cgroup(char path[FOLDER_ROOM])
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[LINE_ROOM];
	bool found = false;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) == 0 && !found)
			snprintf(path, FOLDER_ROOM, "/sys/fs/cgroup%s",
				 line + 3);
		else if (strstr(line, ":pids:"))
			snprintf(path, FOLDER_ROOM, "/sys/fs/cgroup/pids%s",
				 strstr(line, ":pids:") + 6);
		else
			continue;
		found = true;
	}
	fclose(f);
	return found;
}

/* The least pids.max from here up to the top; UINT64_MAX: none. */
static uint64_t least_pids_max(char path[FOLDER_ROOM])
{
	uint64_t least = UINT64_MAX, n;
	char file[FILE_ROOM];

	for (;;) {
		char *slash = strrchr(path, '/');

		snprintf(file, sizeof(file), "%s/pids.max", path);
		if (read_number(file, &n) && n < least)
			least = n;
		if (!slash || strcmp(path, "/sys/fs/cgroup") == 0)
			return least;
		*slash = 0;
	}
}

static void add_pids_max(void)
{
	static const char key[] = "cgroup_pids",
			  label[] = "tasks of the cgroup";
	char path[FOLDER_ROOM];
	uint64_t n = UINT64_MAX;

	if (find_cgroup(path))
		n = least_pids_max(path);
	if (n != UINT64_MAX)
		report_count(key, label, n, "pids.max");
	else
		report_none(key, label, "unlimited (pids.max)");
}

void info_limits(void)
{
	report_section("limits", "limits of the system");
	add_rlimit("user_threads", "threads of the user", RLIMIT_NPROC, false,
		   "RLIMIT_NPROC");
	add_pids_max();
	add_file("threads_max", "threads of the machine",
		 "/proc/sys/kernel/threads-max");
	add_file("pid_max", "thread numbers", "/proc/sys/kernel/pid_max");
	add_rlimit("descriptors", "descriptors", RLIMIT_NOFILE, false,
		   "RLIMIT_NOFILE");
	add_file("maps", "memory mappings", "/proc/sys/vm/max_map_count");
	add_rlimit("address_space", "address space", RLIMIT_AS, true,
		   "RLIMIT_AS");
	add_rlimit("locked_memory", "locked memory", RLIMIT_MEMLOCK, true,
		   "RLIMIT_MEMLOCK");
	add_rlimit("main_stack", "stack of main", RLIMIT_STACK, true,
		   "RLIMIT_STACK");
}
