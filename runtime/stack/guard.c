/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - three kinds of guard, the best that can be had.
 *
 *   1. MADV_GUARD_INSTALL (Linux 6.13): a marker in the page table; splits no
 *      mapping, so there may be millions.
 *   2. mprotect: each costs two mappings, of which a process may have
 *      vm.max_map_count, by default 65,530; a quarter of that is used.
 *   3. A canary in the lowest word, looked at when the task ends. It costs a
 *      resident page for each stack, and finds an overflow late.
 */
#define _GNU_SOURCE
#include "runtime/stack/guard.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler-rt/atomic.h"
#include "compiler-rt/fiber.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum guard_kind { GUARD_MARKER = 1, GUARD_PROTECT, GUARD_CANARY };

static const uint64_t canary = UINT64_C(0x57454e4421ca4a79);
static size_t page_size;
static bool markers;
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
	if (s->guarded)
		return;
	if (markers && madvise(s->bottom, page_size, MADV_GUARD_INSTALL) == 0) {
		s->guarded = GUARD_MARKER;
	} else if (take_budget() &&
		   mprotect(s->bottom, page_size, PROT_NONE) == 0) {
		s->guarded = GUARD_PROTECT;
	} else {
		s->guarded = GUARD_CANARY;
		*(uint64_t *)(void *)s->bottom = canary;
	}
}

int wend__stack_smashed(const struct wend__stack *s)
{
	return s->guarded == GUARD_CANARY &&
	       *(const uint64_t *)(const void *)s->bottom != canary;
}
