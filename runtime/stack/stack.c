/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.c - slabs of stacks, free lists, credits.
 *
 * A class is all stacks of one size (a power of two). Its free list is a
 * stack too: the one put last is taken first, its top still in the cache.
 *
 * Never one mapping a stack: vm.max_map_count would end it at 65,530. Slabs
 * grow with the class, so that a million stacks are some dozens of mappings.
 *
 * Lock: MEMORY, for all of it.
 */
#define _GNU_SOURCE
#include "runtime/stack/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "compiler-rt/fiber.h"
#include "runtime/base/lock.h"
#include "runtime/base/rare.h"
#include "runtime/stack/guard.h"

enum {
	CLASS_MIN = 14, /* log2 of WEND__STACK_MIN */
	CLASS_MAX = 30,
	SLAB_BYTES_MIN = 16 * 1024 * 1024,
	SLAB_STACKS_MAX = 4096,
	WARM_MAX = 2048, /* free stacks of a class that keep their memory */
	COLOURS = 8,
	COLOUR_STEP = 128,
};

struct slab {
	struct slab *next;
	char *base;
	size_t bytes;
	unsigned int class_log2;
	unsigned int count;
	struct wend__stack stacks[];
};

struct size_class {
	struct wend__stack *free;
	size_t free_count; /* these two are read without the lock */
	size_t mapped;
};

static struct {
	struct wend__lock lock;
	struct slab *slabs;
	struct size_class classes[CLASS_MAX + 1];
	uint64_t credits_given; /* held by tasks and caches */
	uint64_t slack;
	size_t page;
} pool;

uint8_t wend__stack_default_log2;

static unsigned int log2_of(size_t size)
{
	return (unsigned int)__builtin_ctzll(size);
}

/* How many stacks the class's next slab has: as many as it has already, so
 * that there are few slabs, within bounds. */
static unsigned int slab_count(unsigned int log2)
{
	uint64_t n = pool.classes[log2].mapped;
	uint64_t least = SLAB_BYTES_MIN >> log2;

	if (n < least)
		n = least;
	if (n > SLAB_STACKS_MAX)
		n = SLAB_STACKS_MAX;
	return n ? (unsigned int)n : 1;
}

static void slab_add_stacks(struct slab *slab)
{
	struct size_class *class = &pool.classes[slab->class_log2];
	size_t size = (size_t)1 << slab->class_log2;

	/* From the end, so that the lowest is taken first. */
	for (unsigned int i = slab->count; i-- > 0;) {
		struct wend__stack *s = &slab->stacks[i];

		s->bottom = slab->base + (size_t)i * size;
		s->top = s->bottom + size - (size_t)(i % COLOURS) * COLOUR_STEP;
		s->size = (uint32_t)size;
		s->class_log2 = (uint8_t)slab->class_log2;
		s->guarded = 0;
		s->fiber_uses = 0;
		s->owner = NULL;
		s->next = class->free;
		class->free = s;
	}
	aword_store_relaxed(&class->free_count,
			    class->free_count + slab->count);
	aword_store_relaxed(&class->mapped, class->mapped + slab->count);
}

/*
 * Map count more stacks; fewer when that many cannot be had. A class that has
 * some already does not scrape up the last of the address space: the program
 * needs some to go on after it was told that there is no memory.
 */
static int grow_locked(unsigned int log2, unsigned int count)
{
	unsigned int least = 1;
	struct slab *slab;
	size_t bytes;
	void *base;

	if (pool.classes[log2].mapped && SLAB_BYTES_MIN >> log2 > 1)
		least = SLAB_BYTES_MIN >> log2;
	for (;; count /= 2) {
		if (count < least)
			return -ENOMEM;
		bytes = (size_t)count << log2;
		base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (base != MAP_FAILED)
			break;
		WEND__RARE(slab_less);
	}
	if (pool.classes[log2].mapped)
		WEND__RARE(slab_more);
	slab = malloc(sizeof(*slab) + count * sizeof(slab->stacks[0]));
	if (!slab) {
		munmap(base, bytes);
		return -ENOMEM;
	}
	/* A huge page would make each small task cost 2 MiB. */
	(void)madvise(base, bytes, MADV_NOHUGEPAGE);
	wend__lsan_root_add(base, bytes);
	slab->base = base;
	slab->bytes = bytes;
	slab->class_log2 = log2;
	slab->count = count;
	slab_add_stacks(slab);
	/* [slabs] A handler that looks for an address walks the list without
	 * the lock: fill the slab before it is seen. Pairs with the
	 * load_acquire in wend__stack_find(). */
	slab->next = pool.slabs;
	aptr_store_release(&pool.slabs, slab);
	return 0;
}

int wend__stacks_start(size_t size, unsigned int caches)
{
	wend__guard_start();
	pool.page = wend__guard_size();
	wend__stack_default_log2 = (uint8_t)log2_of(size);
	pool.slack = (uint64_t)caches * STACK_CACHE_MAX;
	pool.credits_given = 0;
	return 0;
}

void wend__stacks_stop(void)
{
	struct slab *slab = pool.slabs, *next;

	for (; slab; slab = next) {
		next = slab->next;
		for (unsigned int i = 0; i < slab->count; i++)
			if (slab->stacks[i].fiber_uses)
				wend__fiber_destroy(&slab->stacks[i].fiber);
		wend__lsan_root_del(slab->base, slab->bytes);
		wend__asan_unpoison(slab->base, slab->bytes);
		munmap(slab->base, slab->bytes);
		free(slab);
	}
	pool.slabs = NULL;
	wend__guard_stop();
	for (unsigned int i = 0; i <= CLASS_MAX; i++)
		pool.classes[i] = (struct size_class){ 0 };
}

/* Those of before a fork, for wend__stack_find(). */
static struct slab *abandoned;

void wend__stacks_forked(void)
{
	if (pool.slabs)
		abandoned = pool.slabs;
	memset(&pool, 0, sizeof(pool));
	/* It is the parent's process that self_fd stands for. */
	wend__guard_stop();
}

size_t wend__stack_default_size(void)
{
	return (size_t)1 << wend__stack_default_log2;
}

/* --- credits -------------------------------------------------------------- */

/* Keep S1 true with want more credits given out; fewer than one: -ENOMEM. */
static int credits_take_locked(uint32_t want)
{
	struct size_class *class = &pool.classes[wend__stack_default_log2];
	uint64_t room;

	while (pool.credits_given + want + pool.slack > class->mapped) {
		if (grow_locked(wend__stack_default_log2,
				slab_count(wend__stack_default_log2)) == 0)
			continue;
		if (pool.credits_given + pool.slack >= class->mapped) {
			WEND__RARE(credits_none);
			return -ENOMEM;
		}
		WEND__RARE(credits_short);
		room = class->mapped - pool.credits_given - pool.slack;
		want = (uint32_t)room;
		break;
	}
	pool.credits_given += want;
	return (int)want;
}

int wend__stack_credit_slow(struct wend__stack_cache *cache)
{
	int got;

	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	got = credits_take_locked(cache ? STACK_CREDITS : 1);
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
	if (got < 0)
		return got;
	if (cache)
		cache->credits += (uint32_t)got - 1;
	return 0;
}

void wend__stack_credit_put(struct wend__stack_cache *cache)
{
	uint32_t n = cache ? STACK_CREDITS : 1;

	if (cache) {
		if (++cache->credits < 2 * STACK_CREDITS)
			return;
		cache->credits -= STACK_CREDITS;
	}
	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	pool.credits_given -= n;
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
}

/* --- stacks --------------------------------------------------------------- */

static struct wend__stack *take_locked(struct size_class *class)
{
	struct wend__stack *s = class->free;

	if (s) {
		class->free = s->next;
		aword_store_relaxed(&class->free_count, class->free_count - 1);
	}
	return s;
}

struct wend__stack *wend__stack_get_slow(struct wend__stack_cache *cache)
{
	struct size_class *class = &pool.classes[wend__stack_default_log2];
	struct wend__stack *s, *more;

	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	s = take_locked(class);
	/* A few more, warm or not, to come here less often. */
	while (cache->count < STACK_CACHE_MAX / 2 &&
	       (more = take_locked(class))) {
		more->next = cache->list;
		cache->list = more;
		cache->count++;
	}
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
	if (!s)
		wend__panic("internal: a credit without a stack");
	wend__guard_install_list(cache->list);
	wend__guard_install(s);
	return s;
}

struct wend__stack *wend__stack_get_sized(size_t size)
{
	unsigned int log2 = log2_of(size);
	struct wend__stack *s;

	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	s = take_locked(&pool.classes[log2]);
	if (!s && grow_locked(log2, slab_count(log2)) == 0)
		s = take_locked(&pool.classes[log2]);
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
	if (s)
		wend__guard_install(s);
	return s;
}

/* The memory of a stack that few will need soon: the kernel may have it. */
static void give_back(struct wend__stack *s)
{
	WEND__RARE(stack_cold);
	wend__asan_unpoison(s->bottom + pool.page, s->size - pool.page);
	(void)madvise(s->bottom + pool.page, s->size - pool.page, MADV_FREE);
}

static void put_locked(struct wend__stack *s)
{
	struct size_class *class = &pool.classes[s->class_log2];

	s->next = class->free;
	class->free = s;
	aword_store_relaxed(&class->free_count, class->free_count + 1);
}

void wend__stack_put_slow(struct wend__stack_cache *cache,
			  struct wend__stack *s)
{
	struct size_class *class = &pool.classes[s->class_log2];
	bool cold;

	/* The unlocked look at the count is only a hint for the hot case. */
	cold = s->class_log2 != wend__stack_default_log2 ||
	       aword_load_relaxed(&class->free_count) >= WARM_MAX;
	if (cold)
		give_back(s);
	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	put_locked(s);
	if (s->class_log2 == wend__stack_default_log2) {
		/* Half the cache too, to come here less often. */
		while (cache->count > STACK_CACHE_MAX / 2) {
			s = cache->list;
			cache->list = s->next;
			cache->count--;
			put_locked(s);
		}
	}
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
}

struct wend__fiber *wend__stack_fiber_slow(struct wend__stack *s)
{
	enum { USES_MAX = 1000 };

	if (WEND__ASAN || s->fiber_uses == USES_MAX) {
		if (s->fiber_uses)
			wend__fiber_destroy(&s->fiber);
		s->fiber_uses = 0;
	}
	if (s->fiber_uses++ == 0)
		wend__fiber_create(&s->fiber, s->bottom,
				   (size_t)(s->top - s->bottom));
	return &s->fiber;
}

static struct wend__stack *find_in(struct slab *slab, const char *a)
{
	for (; slab; slab = slab->next)
		if (a >= slab->base && a < slab->base + slab->bytes)
			return &slab->stacks[(size_t)(a - slab->base) >>
					     slab->class_log2];
	return NULL;
}

struct wend__stack *wend__stack_find(const void *address)
{
	struct wend__stack *s = find_in(aptr_load_acquire(&pool.slabs),
					address);

	return s ? s : find_in(abandoned, address);
}

uint64_t wend__stacks_mapped(void)
{
	uint64_t n = 0;

	for (unsigned int i = CLASS_MIN; i <= CLASS_MAX; i++)
		n += aword_load_relaxed(&pool.classes[i].mapped);
	return n;
}
