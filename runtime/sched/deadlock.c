/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadlock.c - every task waits and nothing is left that could wake one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/sched/server.h"

/* Threads of this process. Ours are the workers and the one in wend_main(). */
static unsigned int thread_count(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned int n = 0;
	struct dirent *e;

	if (!d)
		return 0;
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

bool wend__deadlock_certain(void)
{
	/* A thread of the program's own may always send something yet.
	 * ThreadSanitizer's own does not count. */
	unsigned int ours = a32_load_relaxed(&wend__rt.worker_count) + 1;

	if (wend__watchdog)
		ours += a32_load_relaxed(&wend__watchdog->threads);
	return wend__sim || thread_count() == ours + WEND__TSAN;
}

/* What the program has printed is not lost, unless a waiting task holds it. */
static void flush_stdout(void)
{
	if (ftrylockfile(stdout) == 0) {
		fflush_unlocked(stdout);
		funlockfile(stdout);
	}
}

_Noreturn void wend__deadlock(void)
{
	flush_stdout();
	wend__complain("deadlock: all %llu tasks are asleep",
		       (unsigned long long)wend__tasks_live());
	if (wend__panic_hook)
		wend__panic_hook();
	_exit(2);
}

unsigned int wend__ready_count(void)
{
	unsigned int n = wend__global_count();

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];

		n += a32_load_relaxed(&s->ring.tail) -
		     a32_load_relaxed(&s->ring.head);
		n += (unsigned int)(aword_load_relaxed(&s->fresh.bottom) -
				    aword_load_relaxed(&s->fresh.top));
		n += aptr_load_relaxed(&s->next) != NULL;
	}
	return n;
}
