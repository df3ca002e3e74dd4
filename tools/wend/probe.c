/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c - read() and a pthread mutex, which the C library's functions
 * announce; the bare system calls, a page fault and a loop, which nobody does.
 *
 * Descriptors and memory are not given back: each probe has a process of its
 * own.
 */
#define _GNU_SOURCE
#include "tools/wend/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler-rt/atomic.h"
#include "compiler-rt/syscall.h"

/* --- a pipe -------------------------------------------------------------- */

static int ends[2];

static int pipe_set_up(void)
{
	return pipe2(ends, O_CLOEXEC) ? -errno : 0;
}

static void pipe_read(int run)
{
	char c;

	(void)run;
	while (read(ends[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void pipe_read_bare(int run)
{
	char c;

	(void)run;
	while (wend__syscall3(SYS_read, ends[0], (long)&c, 1) == -EINTR)
		;
}

static void pipe_write(int run)
{
	(void)run;
	(void)wend__syscall3(SYS_write, ends[1], (long)"", 1);
}

/* --- a pthread mutex that a thread holds --------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t take, drop;
static uint32_t held;

static void *hold(void *unused)
{
	for (;;) {
		sem_wait(&take);
		pthread_mutex_lock(&mutex);
		a32_store_release(&held, 1);
		sem_wait(&drop);
		a32_store_release(&held, 0);
		pthread_mutex_unlock(&mutex);
	}
	return unused;
}

static int mutex_set_up(void)
{
	pthread_t id;

	sem_init(&take, 0, 0);
	sem_init(&drop, 0, 0);
	return -pthread_create(&id, NULL, hold, NULL);
}

/* The holder is another thread and needs no server of ours. */
static void mutex_prepare(int run)
{
	(void)run;
	sem_post(&take);
	while (!a32_load_acquire(&held))
		sched_yield();
}

static void mutex_lock(int run)
{
	(void)run;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void mutex_drop(int run)
{
	(void)run;
	sem_post(&drop);
}

/* --- a bare futex, and a flag -------------------------------------------- */

static uint32_t words[PROBE_RUNS_MAX];

static int words_set_up(void)
{
	return 0;
}

static void futex_wait(int run)
{
	while (!a32_load_acquire(&words[run]))
		(void)wend__futex_wait(&words[run], 0, -1);
}

static void futex_wake(int run)
{
	a32_store_release(&words[run], 1);
	(void)wend__futex_wake(&words[run], 1);
}

static void spin(int run)
{
	while (!a32_load_acquire(&words[run]))
		;
}

static void end_spin(int run)
{
	a32_store_release(&words[run], 1);
}

/* --- a page that is not there -------------------------------------------- */

static int faults = -1;
static char *pages;
static size_t page_size;

static int open_userfaultfd(void)
{
#ifdef UFFD_USER_MODE_ONLY
	int fd = (int)wend__syscall3(SYS_userfaultfd,
				     O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0);

	if (fd != -EINVAL)
		return fd;
#endif
	return (int)wend__syscall3(SYS_userfaultfd, O_CLOEXEC, 0, 0);
}

static int page_set_up(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register all = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	faults = open_userfaultfd();
	if (faults < 0)
		return faults;
	if (ioctl(faults, UFFDIO_API, &api))
		return -errno;
	pages = mmap(NULL, PROBE_RUNS_MAX * page_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -errno;
	all.range.start = (uintptr_t)pages;
	all.range.len = PROBE_RUNS_MAX * page_size;
	return ioctl(faults, UFFDIO_REGISTER, &all) ? -errno : 0;
}

static void page_touch(int run)
{
	(void)*(volatile char *)(pages + (size_t)run * page_size);
}

static void page_give(int run)
{
	struct uffdio_zeropage zero = {
		.range = { (uintptr_t)(pages + (size_t)run * page_size),
			   page_size },
	};

	(void)wend__syscall3(SYS_ioctl, faults, (long)UFFDIO_ZEROPAGE,
			     (long)&zero);
}

/* ------------------------------------------------------------------------- */

const struct probe probes[] = {
	{ "read", "waits in read()", PROBE_RUNS_MAX, pipe_set_up, NULL,
	  pipe_read, pipe_write },
	{ "mutex", "waits for a pthread mutex", PROBE_RUNS_MAX, mutex_set_up,
	  mutex_prepare, mutex_lock, mutex_drop },
	{ "read_bare", "waits in read, the bare system call", PROBE_RUNS_MAX,
	  pipe_set_up, NULL, pipe_read_bare, pipe_write },
	{ "futex_bare", "waits for a futex, the bare system call",
	  PROBE_RUNS_MAX, words_set_up, NULL, futex_wait, futex_wake },
	{ "page_fault", "waits for a page of its memory", PROBE_RUNS_MAX,
	  page_set_up, NULL, page_touch, page_give },
	{ "compute", "computes and never waits", 5, words_set_up, NULL, spin,
	  end_spin },
	{ 0 },
};
