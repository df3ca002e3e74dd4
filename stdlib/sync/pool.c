/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - objects kept for the next user, in several shelves.
 *
 * A task has a shelf by its number, and takes from others only what it does not
 * find there: so tasks seldom want the same lock, and get back what is still in
 * their cache.
 */
#include <stdlib.h>

#include <wend/runtime.h>
#include <wend/std/sync.h>
#include <wend/sync.h>
#include <wend/task.h>

enum { SHELVES_FOR_EACH_SERVER = 2, SHELVES_MOST = 64 };

struct shelf {
	wend_mutex lock;
	size_t count, room;
	void **objects;
} __attribute__((aligned(64)));

struct wend_sync_pool {
	void *(*make)(void *arg);
	void (*drop)(void *obj, void *arg);
	void *arg;
	size_t shelves;
	struct shelf shelf[];
};

static size_t count_shelves(size_t keep)
{
	size_t n = (size_t)wend_procs() * SHELVES_FOR_EACH_SERVER;

	if (n > SHELVES_MOST)
		n = SHELVES_MOST;
	if (n > keep)
		n = keep;
	return n ? n : 1;
}

wend_sync_pool *wend_sync_pool_new(void *(*make)(void *arg),
				   void (*drop)(void *obj, void *arg),
				   void *arg, size_t keep)
{
	size_t shelves = count_shelves(keep);
	void **objects = calloc(keep ? keep : 1, sizeof(*objects));
	wend_sync_pool *p = aligned_alloc(
		64, sizeof(*p) + (64 - sizeof(*p) % 64) +
			    shelves * sizeof(p->shelf[0]));

	if (!p || !objects) {
		free(p);
		free(objects);
		return NULL;
	}
	p->make = make;
	p->drop = drop;
	p->arg = arg;
	p->shelves = shelves;
	for (size_t i = 0; i < shelves; i++) {
		/* The first ones have what does not go into all. */
		size_t room = keep / shelves + (i < keep % shelves);

		p->shelf[i] = (struct shelf){
			.lock = WEND_MUTEX_INIT,
			.room = room,
			.objects = objects,
		};
		objects += room;
	}
	return p;
}

static void *take(struct shelf *s)
{
	void *obj = NULL;

	wend_mutex_lock(&s->lock);
	if (s->count > 0)
		obj = s->objects[--s->count];
	wend_mutex_unlock(&s->lock);
	return obj;
}

static bool give(struct shelf *s, void *obj)
{
	bool room;

	wend_mutex_lock(&s->lock);
	room = s->count < s->room;
	if (room)
		s->objects[s->count++] = obj;
	wend_mutex_unlock(&s->lock);
	return room;
}

void *wend_sync_pool_get(wend_sync_pool *p)
{
	size_t first = wend_task_id() % p->shelves;

	for (size_t i = 0; i < p->shelves; i++) {
		void *obj = take(&p->shelf[(first + i) % p->shelves]);

		if (obj)
			return obj;
	}
	return p->make(p->arg);
}

void wend_sync_pool_put(wend_sync_pool *p, void *obj)
{
	size_t first = wend_task_id() % p->shelves;

	for (size_t i = 0; i < p->shelves; i++)
		if (give(&p->shelf[(first + i) % p->shelves], obj))
			return;
	if (p->drop)
		p->drop(obj, p->arg);
}

void wend_sync_pool_free(wend_sync_pool *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->shelves; i++)
		while (p->shelf[i].count > 0) {
			void *obj = take(&p->shelf[i]);

			if (p->drop)
				p->drop(obj, p->arg);
		}
	free(p->shelf[0].objects);
	free(p);
}
