/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.c - the environment, by one task or thread at a time.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wend/errno.h>
#include <wend/std/os.h>
#include <wend/sync.h>

static wend_mutex lock;

static bool is_name(const char *name)
{
	return name && *name && !strchr(name, '=');
}

int wend_os_env_get(const char *name, char **value)
{
	const char *v;
	int r = -ENOENT;

	if (!is_name(name))
		return -EINVAL;
	wend_mutex_lock(&lock);
	v = getenv(name);
	if (v) {
		char *copy = strdup(v);

		r = copy ? 0 : -ENOMEM;
		if (copy)
			*value = copy;
	}
	wend_mutex_unlock(&lock);
	return r;
}

int wend_os_env_set(const char *name, const char *value)
{
	int r;

	if (!is_name(name))
		return -EINVAL;
	wend_mutex_lock(&lock);
	r = value ? setenv(name, value, 1) : unsetenv(name);
	if (r)
		r = -errno;
	wend_mutex_unlock(&lock);
	return r;
}

/* --- lists --------------------------------------------------------------------------- */

static size_t name_size(const char *entry)
{
	return strcspn(entry, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_size(a);

	return name_size(b) == n && memcmp(a, b, n) == 0;
}

/* Whether one of these is about the same variable. */
static bool changed(const char *entry, const char *const *changes)
{
	for (; changes && *changes; changes++)
		if (same_name(entry, *changes))
			return true;
	return false;
}

/* What the list is to have is counted first, and copied then. */
struct pass {
	char **list; /* NULL: count */
	char *at;
	size_t count, bytes;
};

static void take(struct pass *p, const char *entry)
{
	size_t n = strlen(entry) + 1;

	if (p->list) {
		p->list[p->count] = memcpy(p->at, entry, n);
		p->at += n;
	}
	p->count++;
	p->bytes += n;
}

static void take_all(struct pass *p, const char *const *changes)
{
	for (char **e = environ; e && *e; e++)
		if (!changed(*e, changes))
			take(p, *e);
	for (const char *const *c = changes; c && *c; c++)
		if (strchr(*c, '=') && !changed(*c, c + 1))
			take(p, *c);
}

static int list_locked(const char *const *changes, char ***list)
{
	struct pass count = { 0 }, copy = { 0 };
	size_t head;

	take_all(&count, changes);
	head = (count.count + 1) * sizeof(char *);
	copy.list = malloc(head + count.bytes);
	if (!copy.list)
		return -ENOMEM;
	copy.at = (char *)copy.list + head;
	take_all(&copy, changes);
	copy.list[copy.count] = NULL;
	*list = copy.list;
	return 0;
}

int wend_os_env_list(const char *const *changes, char ***list)
{
	int r;

	for (const char *const *c = changes; c && *c; c++)
		if (name_size(*c) == 0)
			return -EINVAL;
	wend_mutex_lock(&lock);
	r = list_locked(changes, list);
	wend_mutex_unlock(&lock);
	return r;
}

/* --- fork ---------------------------------------------------------------------------- */

/* Whoever held it is not there in a child. */
static void in_child(void)
{
	memset(&lock, 0, sizeof(lock));
}

__attribute__((constructor)) static void be_told_of_forks(void)
{
	/* No memory for it: then fork() has none either. */
	(void)pthread_atfork(NULL, NULL, in_child);
}
