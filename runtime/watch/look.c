/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c - the clock of a thread, and its line in /proc.
 */
#define _GNU_SOURCE
#include "runtime/watch/look.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "compiler-rt/syscall.h"

clockid_t wend__thread_clock_id(uint32_t tid)
{
	/* How the kernel writes it. */
	enum { THREAD_CPU_TIME = 6 };

	return (clockid_t)((~tid << 3) | THREAD_CPU_TIME);
}

int64_t wend__thread_clock(uint32_t tid)
{
	struct timespec t;

	if (clock_gettime(wend__thread_clock_id(tid), &t))
		return -1;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* System calls without the C library's wrappers, which are our own. */
static bool read_file(const char *path, char *buf, size_t size)
{
	long fd = wend__syscall6(SYS_openat, AT_FDCWD, (long)path,
				 O_RDONLY | O_CLOEXEC, 0, 0, 0);
	long n;

	if (fd < 0)
		return false;
	n = wend__syscall3(SYS_read, fd, (long)buf, (long)size - 1);
	(void)wend__syscall3(SYS_close, fd, 0, 0);
	if (n <= 0)
		return false;
	buf[n] = 0;
	return true;
}

/* The field of that number in proc(5)'s count; fields is the text from the
 * third one on, as the second may hold spaces. */
static const char *field(const char *fields, int number)
{
	for (int i = 3; i < number && fields; i++) {
		fields = strchr(fields, ' ');
		if (fields)
			fields++;
	}
	return fields;
}

bool wend__thread_look(uint32_t tid, struct wend__thread_look *out)
{
	enum { STATE = 3, PROCESSOR = 39 };
	char path[64], text[512];
	const char *rest, *cpu;

	snprintf(path, sizeof(path), "/proc/self/task/%u/stat", tid);
	if (!read_file(path, text, sizeof(text)))
		return false;
	rest = strrchr(text, ')');
	if (!rest || strlen(rest) < 3)
		return false;
	rest += 2;
	out->running = *field(rest, STATE) == 'R';
	out->blocked = strchr("SDK", *field(rest, STATE)) != NULL;
	cpu = field(rest, PROCESSOR);
	out->cpu = cpu ? atoi(cpu) : 0;
	return true;
}
