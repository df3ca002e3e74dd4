/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c - a line for each task.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <wend/inspect.h>

#include "compiler-rt/syscall.h"
#include "runtime/sched/server.h"

enum { PANIC_LINES = 100 };

struct dumping {
	int fd;
	unsigned int left; /* lines still allowed */
	unsigned int more; /* tasks beyond that */
};

static void put(int fd, const char *line, int n)
{
	if (n > 0)
		(void)wend__syscall3(SYS_write, fd, (long)line, n);
}

/* " in function+0x1c", where the symbol table has it. */
static int say_caller(char *buf, size_t size, const void *caller)
{
	Dl_info info;

	if (dladdr(caller, &info) && info.dli_sname)
		return snprintf(buf, size, ", called by %s+0x%zx",
				info.dli_sname,
				(size_t)((const char *)caller -
					 (const char *)info.dli_saddr));
	return snprintf(buf, size, ", called at %p", caller);
}

/* The tasks run on while they are looked at: each field is read once, and any
 * value it may have is harmless. Races by design, so not for TSan to see. */
#define LOOKS_AT_RUNNING_TASKS __attribute__((no_sanitize("thread")))

/* A name is one line's part, whatever the program put into it. */
LOOKS_AT_RUNNING_TASKS
static void clean_name(char *out, const char *name)
{
	size_t i;

	for (i = 0; i < WEND__TASK_NAME - 1 && name[i]; i++) {
		unsigned char c = (unsigned char)name[i];

		out[i] = c < ' ' || c == 0x7f || c == '"' ? '?' : (char)c;
	}
	out[i] = 0;
}

LOOKS_AT_RUNNING_TASKS
static void dump_task(struct wend_task *t, void *arg)
{
	struct dumping *d = arg;
	unsigned int state = a8_load_relaxed(&t->state);
	char line[256], name[WEND__TASK_NAME];
	size_t room = sizeof(line) - 1;
	int n;

	if (d->left == 0) {
		d->more++;
		return;
	}
	d->left--;
	clean_name(name, wend__task_name(t));
	n = snprintf(line, room, "task %llu \"%s\": %s",
		     (unsigned long long)t->id, name, wend__task_state_name(t));
	if (state == WEND__WAITING && t->why) {
		n += snprintf(line + n, room - (size_t)n, " for %s", t->why);
		if (t->where)
			n += snprintf(line + n, room - (size_t)n, " at %p",
				      t->where);
		n += say_caller(line + n, room - (size_t)n, t->caller);
	}
	if (n > (int)room - 1)
		n = (int)room - 1;
	line[n++] = '\n';
	put(d->fd, line, n);
}

static void dump(int fd, unsigned int lines)
{
	struct dumping d = { .fd = fd, .left = lines };
	char line[64];

	wend__tasks_each(dump_task, &d);
	if (d.more)
		put(fd, line,
		    snprintf(line, sizeof(line), "and %u tasks more\n",
			     d.more));
}

void wend_dump(int fd)
{
	dump(fd, UINT32_MAX);
}

static void dump_to_stderr(void)
{
	if (wend__rt.procs)
		dump(STDERR_FILENO, PANIC_LINES);
}

/* The layers below panic and find deadlocks; they know no dump. */
__attribute__((constructor)) static void offer_dump(void)
{
	wend__panic_hook = dump_to_stderr;
}
