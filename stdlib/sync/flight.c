/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight.c - one call for all who want the same at the same time.
 *
 * A call is in the map from when somebody begins it until its function has
 * returned. Who finds it there has a reference, waits for it, and takes what it
 * has brought; the last reference gives the value up.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <wend/std/sync.h>
#include <wend/sync.h>
#include <wend/task.h>

struct wend_sync_flight {
	wend_sync_map *calls;
	void (*ref)(void *value);
	void (*unref)(void *value);
};

struct call {
	atomic_uint refs;
	const wend_sync_flight *flight;
	wend_waitgroup under_way;
	/* Written before under_way is done. */
	int result;
	void *value;
	bool abandoned; /* its task was cancelled: it brings nothing */
};

static void get(void *value)
{
	struct call *c = value;

	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
}

static void put(void *value)
{
	struct call *c = value;

	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
		return;
	if (c->value && c->flight->unref)
		c->flight->unref(c->value);
	free(c);
}

/* Give the caller its share of the result, and the reference up. */
static int finish(struct call *c, void **value)
{
	int r = c->result;

	if (value) {
		*value = c->value;
		if (c->value && c->flight->ref)
			c->flight->ref(c->value);
	}
	put(c);
	return r;
}

static struct call *new_call(const wend_sync_flight *f)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	atomic_init(&c->refs, 1);
	c->flight = f;
	wend_waitgroup_add(&c->under_way, 1);
	return c;
}

/* The call for the key, with a reference; *mine: it was begun here. */
static int find_call(wend_sync_flight *f, const void *key, size_t n,
		     struct call **call, bool *mine)
{
	void *found = NULL;
	struct call *c;
	int r;

	*mine = false;
	if (wend_sync_map_load(f->calls, key, n, &found) == 0) {
		*call = found;
		return 0;
	}
	c = new_call(f);
	if (!c)
		return -ENOMEM;
	get(c); /* the map's */
	r = wend_sync_map_load_or_store(f->calls, key, n, c, &found);
	*mine = r == 0;
	*call = r == 1 ? found : c;
	if (r == 0)
		return 0;
	put(c);
	put(c);
	return r < 0 ? r : 0;
}

static int make_call(wend_sync_flight *f, const void *key, size_t n,
		     struct call *c, int (*fn)(void *arg, void **value),
		     void *arg, void **value)
{
	c->result = fn(arg, &c->value);
	c->abandoned = c->result == -ECANCELED && wend_task_cancelled();
	(void)wend_sync_map_delete_if(f->calls, key, n, c);
	wend_waitgroup_done(&c->under_way);
	return finish(c, value);
}

int wend_sync_flight_do_until(wend_sync_flight *f, const void *key, size_t n,
			      int (*fn)(void *arg, void **value), void *arg,
			      void **value, bool *shared, int64_t deadline)
{
	struct call *c;
	bool mine;
	int r;

	if (value)
		*value = NULL;
	for (;;) {
		r = find_call(f, key, n, &c, &mine);
		if (r)
			return r;
		if (shared)
			*shared = !mine;
		if (mine)
			return make_call(f, key, n, c, fn, arg, value);
		r = wend_waitgroup_wait_until(&c->under_way, deadline);
		if (r == 0 && !c->abandoned)
			return finish(c, value);
		put(c);
		if (r)
			return r;
	}
}

int wend_sync_flight_do(wend_sync_flight *f, const void *key, size_t n,
			int (*fn)(void *arg, void **value), void *arg,
			void **value, bool *shared)
{
	return wend_sync_flight_do_until(f, key, n, fn, arg, value, shared,
					 WEND_FOREVER);
}

void wend_sync_flight_forget(wend_sync_flight *f, const void *key, size_t n)
{
	(void)wend_sync_map_delete(f->calls, key, n, NULL);
}

wend_sync_flight *wend_sync_flight_new(void (*ref)(void *value),
				       void (*unref)(void *value))
{
	wend_sync_flight *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->calls = wend_sync_map_new(get, put);
	if (!f->calls) {
		free(f);
		return NULL;
	}
	f->ref = ref;
	f->unref = unref;
	return f;
}

void wend_sync_flight_free(wend_sync_flight *f)
{
	if (!f)
		return;
	wend_sync_map_free(f->calls);
	free(f);
}
