/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.c - memory for tasks, their numbers, and what a task knows of itself.
 *
 * Task structures come in chunks that are kept until the runtime stops. So a
 * pointer to a task that has ended still points to a task structure: a late
 * timer may try its claim on one (the ticket, which goes on counting over
 * reuse, makes it fail), and a dump may walk all of them without a lock.
 */
#define _GNU_SOURCE
#include "runtime/sched/task.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <wend/task.h>

#include "runtime/sched/fork.h"
#include "runtime/sched/server.h"

enum {
	CHUNK_BYTES = 256 * 1024,
	CACHE_MAX = 256, /* free tasks kept by a server */
	BATCH = 64,      /* moved at a time */
	IDS = 1024,      /* numbers given to a server at a time */
};

struct chunk {
	struct chunk *next;
	uint32_t count;
	struct wend_task tasks[];
};

static struct {
	struct wend__lock lock;
	struct chunk *chunks; /* push only; walked without the lock */
	struct wend_task *free;
	uint64_t next_id;
} pool;

/* --- memory ----------------------------------------------------------------------- */

static int grow_locked(void)
{
	struct chunk *c = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (c == MAP_FAILED)
		return -1;
	wend__lsan_root_add(c, CHUNK_BYTES);
	c->count = (CHUNK_BYTES - sizeof(*c)) / sizeof(c->tasks[0]);
	for (uint32_t i = c->count; i-- > 0;) {
		c->tasks[i].link = pool.free;
		pool.free = &c->tasks[i];
	}
	c->next = pool.chunks;
	/* Who walks sees the chunk filled in; pairs with tasks_each(). */
	aptr_store_release(&pool.chunks, c);
	return 0;
}

static struct wend_task *take_locked(void)
{
	struct wend_task *t;

	if (!pool.free && grow_locked())
		return NULL;
	t = pool.free;
	pool.free = t->link;
	return t;
}

static void refill(struct wend__task_cache *cache)
{
	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	for (unsigned int i = 0; i < BATCH; i++) {
		struct wend_task *t = take_locked();

		if (!t)
			break;
		t->link = cache->list;
		cache->list = t;
		cache->count++;
	}
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
}

static void take_ids(struct wend__task_cache *cache)
{
	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	cache->id_next = pool.next_id + 1;
	pool.next_id += IDS;
	cache->id_end = pool.next_id + 1;
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
}

static struct wend_task *alloc_common(void)
{
	struct wend_task *t;

	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	t = take_locked();
	if (t)
		t->id = ++pool.next_id;
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
	return t;
}

struct wend_task *wend__task_alloc(struct wend__task_cache *cache)
{
	struct wend_task *t;

	if (!cache)
		return alloc_common();
	if (WEND__UNLIKELY(!cache->list))
		refill(cache);
	t = cache->list;
	if (WEND__UNLIKELY(!t))
		return NULL;
	if (WEND__UNLIKELY(cache->id_next == cache->id_end))
		take_ids(cache);
	cache->list = t->link;
	cache->count--;
	t->id = cache->id_next++;
	return t;
}

void wend__task_free(struct wend__task_cache *cache, struct wend_task *t)
{
	if (t->flags & WEND__TASK_BIG_ARGS)
		free(t->args);
	t->flags = 0;
	if (!cache) {
		wend__lock(&pool.lock, WEND__RANK_MEMORY);
		t->link = pool.free;
		pool.free = t;
		wend__unlock(&pool.lock, WEND__RANK_MEMORY);
		return;
	}
	t->link = cache->list;
	cache->list = t;
	if (WEND__LIKELY(++cache->count <= CACHE_MAX))
		return;
	wend__lock(&pool.lock, WEND__RANK_MEMORY);
	for (unsigned int i = 0; i < BATCH; i++) {
		t = cache->list;
		cache->list = t->link;
		t->link = pool.free;
		pool.free = t;
	}
	cache->count -= BATCH;
	wend__unlock(&pool.lock, WEND__RANK_MEMORY);
}

void wend__task_unref(struct wend__task_cache *cache, struct wend_task *t)
{
	/* The only reference is ours: nobody can make another. */
	if (a32_load_acquire(&t->refs) == 1 ||
	    a32_fetch_add_full(&t->refs, (uint32_t)-1) == 1)
		wend__task_free(cache, t);
}

void wend__tasks_stop(void)
{
	struct chunk *c = pool.chunks, *next;

	for (; c; c = next) {
		next = c->next;
		wend__lsan_root_del(c, CHUNK_BYTES);
		munmap(c, CHUNK_BYTES);
	}
	pool.chunks = NULL;
	pool.free = NULL;
	pool.next_id = 0;
}

void wend__tasks_each(void (*f)(struct wend_task *t, void *arg), void *arg)
{
	struct chunk *c = aptr_load_acquire(&pool.chunks);

	for (; c; c = c->next)
		for (uint32_t i = 0; i < c->count; i++)
			if (a8_load_relaxed(&c->tasks[i].state) != WEND__DEAD)
				f(&c->tasks[i], arg);
}

void wend__tasks_forked(void)
{
	static struct chunk *abandoned;

	abandoned = pool.chunks; /* for leak checkers; the caller's task too */
	(void)abandoned;
	memset(&pool, 0, sizeof(pool));
}

/* --- the stand-in of a thread -------------------------------------------------------- */

/* Not static: gold, a linker, gets the addresses of local "initial-exec" variables
 * wrong in a shared library. */
__thread struct wend_task wend__thread_self
	__attribute__((tls_model("initial-exec")));

struct wend_task *wend__thread_task(void)
{
	wend__thread_self.flags |= WEND__TASK_THREAD;
	return &wend__thread_self;
}

/* --- what a task knows of itself ------------------------------------------------------ */

static struct wend_task *current_task(void)
{
	struct wend__worker *w = wend__self;

	return w ? w->task : NULL;
}

uint64_t wend_task_id(void)
{
	struct wend_task *t = current_task();

	return t ? t->id : 0;
}

const char *wend_task_name(void)
{
	struct wend_task *t = current_task();

	return t ? wend__task_name(t) : "";
}

/* Dumps call it for tasks that run: see inspect/dump.c. */
__attribute__((no_sanitize("thread"))) const char *
wend__task_name(const struct wend_task *t)
{
	return t->flags & WEND__TASK_NAMED ? t->name : "";
}

void wend__task_set_name(struct wend_task *t, const char *name)
{
	size_t n = name ? strnlen(name, WEND__TASK_NAME - 1) : 0;

	/* A dump may read meanwhile: the end is always there. */
	if (n)
		memcpy(t->name, name, n);
	t->name[n] = 0;
	t->flags |= WEND__TASK_NAMED;
}

void wend_task_set_name(const char *name)
{
	struct wend_task *t = current_task();

	if (t)
		wend__task_set_name(t, name);
}

void wend_task_fail(int result)
{
	struct wend_task *t = current_task();

	if (t)
		t->result = result;
}

bool wend_task_cancelled(void)
{
	struct wend_task *t = current_task();

	return t && a8_load_acquire(&t->cancelled);
}

bool wend_task_shield(bool on)
{
	struct wend_task *t = current_task();
	bool before = t && t->shield;

	if (t)
		t->shield = on;
	return before;
}

const char *wend__task_state_name(const struct wend_task *t)
{
	static const char *const names[] = {
		[WEND__DEAD] = "dead",       [WEND__FRESH] = "not started",
		[WEND__READY] = "ready",     [WEND__RUNNING] = "running",
		[WEND__WAITING] = "waiting", [WEND__BLOCKED] = "in a call",
	};

	return names[a8_load_relaxed(&t->state)];
}
