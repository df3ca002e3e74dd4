/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - three kinds of guard, the best that can be had.
 *
 *   1. MADV_GUARD_INSTALL (Linux 6.13): a marker in the page table; splits no
 *      mapping, so there may be millions. Several at a time by
 *      process_madvise(2): one system call for each stack is a quarter of
 *      what a new stack costs.
 *   2. mprotect: each costs two mappings, of which a process may have
 *      vm.max_map_count, by default 65,530; a quarter of that is used.
 *   3. A canary in the lowest word, looked at when the task ends. It costs a
 *      resident page for each stack, and finds an overflow late.
 */
#define _GNU_SOURCE
#include "runtime/stack/guard.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "compiler-rt/atomic.h"
#include "compiler-rt/fiber.h"
#include "compiler-rt/syscall.h"
#include "runtime/umcg/port.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum guard_kind { GUARD_MARKER = 1, GUARD_PROTECT, GUARD_CANARY };

static const uint64_t canary = UINT64_C(0x57454e4421ca4a79);
static size_t page_size;
static bool markers;
static int self_fd = -1; /* this process, for process_madvise */
static uint32_t protect_budget;

static uint32_t read_map_count(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	unsigned int n = 65530;

	if (f) {
		if (fscanf(f, "%u", &n) != 1)
			n = 65530;
		fclose(f);
	}
	return n;
}

void wend__guard_start(void)
{
	void *probe;

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	probe = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The leak checker reads whole mappings, and would run into markers,
	 * which no map shows. */
	markers = !WEND__ASAN && probe != MAP_FAILED &&
		  madvise(probe, page_size, MADV_GUARD_INSTALL) == 0;
	if (probe != MAP_FAILED)
		munmap(probe, page_size);
	protect_budget = read_map_count() / 4 / 2;
	self_fd = markers ?
			  (int)wend__syscall3(SYS_pidfd_open, getpid(), 0, 0) :
			  -1;
}

void wend__guard_stop(void)
{
	if (self_fd >= 0)
		close(self_fd);
	self_fd = -1;
}

/* Those in the list that have none yet get their markers in one call. One that
 * gets none here, for whatever reason, gets its guard when it is taken. */
void wend__guard_install_list(struct wend__stack *list)
{
	enum { BATCH = 32 };
	struct wend__stack *bare[BATCH];
	struct iovec pages[BATCH];
	long n = 0;

	for (struct wend__stack *s = list; s && n < BATCH; s = s->next) {
		if (s->guarded)
			continue;
		pages[n] = (struct iovec){ s->bottom, page_size };
		bare[n++] = s;
	}
	if (n < 2 || self_fd < 0 ||
	    wend__syscall6(SYS_process_madvise, self_fd, (long)pages, n,
			   MADV_GUARD_INSTALL, 0, 0) != n * (long)page_size)
		return;
	while (n-- > 0)
		bare[n]->guarded = GUARD_MARKER;
}

const char *wend__guard_name(void)
{
	if (markers)
		return "a marker (MADV_GUARD_INSTALL)";
	if (a32_load_relaxed(&protect_budget))
		return "a protected page, while mappings last";
	return "a canary, looked at when the task ends";
}

size_t wend__guard_size(void)
{
	return page_size;
}

static bool take_budget(void)
{
	uint32_t left = a32_load_relaxed(&protect_budget);

	while (left)
		if (a32_cas_acquire(&protect_budget, left, left - 1))
			return true;
		else
			left = a32_load_relaxed(&protect_budget);
	return false;
}

void wend__guard_install(struct wend__stack *s)
{
	bool paused;

	if (s->guarded)
		return;
	/* The process's memory map has one lock; to wait for it is no block of
	 * the task's. */
	paused = wend__seat_pause();
	if (markers && madvise(s->bottom, page_size, MADV_GUARD_INSTALL) == 0) {
		s->guarded = GUARD_MARKER;
	} else if (take_budget() &&
		   mprotect(s->bottom, page_size, PROT_NONE) == 0) {
		s->guarded = GUARD_PROTECT;
	} else {
		s->guarded = GUARD_CANARY;
		*(uint64_t *)(void *)s->bottom = canary;
	}
	wend__seat_go_on(paused);
}

int wend__stack_smashed(const struct wend__stack *s)
{
	return s->guarded == GUARD_CANARY &&
	       *(const uint64_t *)(const void *)s->bottom != canary;
}
