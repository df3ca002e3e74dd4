/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.c - task-local values: a small array that a task gets at its first.
 */
#include "runtime/sched/local.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <wend/task.h>

#include "runtime/sched/server.h"

enum { KEYS_MAX = 64 };

static struct {
	struct wend__lock lock;
	uint32_t count;
	void (*drop[KEYS_MAX])(void *value);
} keys;

/* Drops the values of threads that are no tasks, at their end. */
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void drop_thread(void *stand_in)
{
	wend__locals_drop(stand_in);
}

static void make_thread_end(void)
{
	(void)pthread_key_create(&thread_end, drop_thread);
}

int wend_local_new(wend_local *key, void (*drop)(void *value))
{
	int r = -ENOSPC;

	wend__lock(&keys.lock, WEND__RANK_MEMORY);
	if (keys.count < KEYS_MAX) {
		keys.drop[keys.count] = drop;
		*key = keys.count;
		a32_store_release(&keys.count, keys.count + 1);
		r = 0;
	}
	wend__unlock(&keys.lock, WEND__RANK_MEMORY);
	return r;
}

static int make_room(struct wend_task *t)
{
	t->locals = calloc(KEYS_MAX, sizeof(*t->locals));
	if (!t->locals)
		return -ENOMEM;
	if (t->flags & WEND__TASK_THREAD) {
		pthread_once(&thread_end_once, make_thread_end);
		if (pthread_setspecific(thread_end, t)) {
			free(t->locals);
			t->locals = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

int wend_local_set(wend_local key, void *value)
{
	struct wend_task *t = wend__current();

	if (key >= a32_load_acquire(&keys.count))
		return -EINVAL;
	if (!t->locals) {
		int r = value ? make_room(t) : 0;

		if (r || !value)
			return r;
	}
	t->locals[key] = value;
	return 0;
}

void *wend_local_get(wend_local key)
{
	struct wend_task *t = wend__current();

	return t->locals && key < KEYS_MAX ? t->locals[key] : NULL;
}

/* A drop function may set values again: a few rounds, as POSIX has it. */
void wend__locals_drop(struct wend_task *t)
{
	bool again = true;

	for (int round = 0; again && round < 4; round++) {
		again = false;
		for (uint32_t k = 0; k < keys.count; k++) {
			void *value = t->locals[k];

			t->locals[k] = NULL;
			if (!value || !keys.drop[k])
				continue;
			keys.drop[k](value);
			again = true;
		}
	}
	free(t->locals);
	t->locals = NULL;
}
