/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.c - how soon another task runs when the one that runs does not let
 * it, on one server.
 *
 *      the task                   the next            the rescuer, a thread
 *      began = now, block()
 *                                 ran = now
 *                                 release()
 *      back
 *                                                     200 ms after began:
 *                                                     release()
 *
 * The next task is ready before the first one blocks, so from began to ran is
 * the time in which the runtime noticed and acted. When the rescuer had to
 * help, it did not notice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wend/wend.h>

#include "compiler-rt/atomic.h"
#include "tools/wend/apart.h"
#include "tools/wend/info.h"
#include "tools/wend/probe.h"
#include "tools/wend/report.h"

enum { NOTICE_MS = 200, LIMIT_MS = 5000 };

struct answer {
	int error;   /* why it could not be measured */
	int noticed; /* runs until one was not noticed */
	int64_t took_ns[PROBE_RUNS_MAX];
};

/* Of the one probe that this process is for. */
static const struct probe *probe;
static struct answer *result;
static struct run {
	size_t began, ran; /* ns, each written once; 0: not yet */
} all[PROBE_RUNS_MAX];
static uint32_t now_running; /* number of the run */
static uint32_t rescued;

WEND_TASK(next_task, (int, i))
{
	/* Where the first task was made to wait before it blocked. */
	while (!aword_load_acquire(&all[i].began))
		wend_yield();
	aword_store_release(&all[i].ran, (size_t)wend_now());
	probe->release(i);
}

static bool run_once(int i)
{
	if (probe->prepare)
		probe->prepare(i);
	if (wend_go(next_task, i))
		return false;
	a32_store_release(&now_running, (uint32_t)i);
	aword_store_release(&all[i].began, (size_t)wend_now());
	probe->block(i);
	while (!aword_load_acquire(&all[i].ran))
		wend_yield();
	result->took_ns[i] = (int64_t)(all[i].ran - all[i].began);
	return !a32_load_acquire(&rescued);
}

WEND_TASK(first_task)
{
	while (result->noticed < probe->runs && run_once(result->noticed))
		result->noticed++;
}

/* Ends with the process. */
static void *rescue(void *unused)
{
	const struct timespec nap = { 0, 1000000 };

	for (;;) {
		uint32_t i = a32_load_acquire(&now_running);
		int64_t began = (int64_t)aword_load_acquire(&all[i].began);

		nanosleep(&nap, NULL);
		if (!began || aword_load_acquire(&all[i].ran) ||
		    wend_now() - began < NOTICE_MS * WEND_MILLISECOND)
			continue;
		a32_store_release(&rescued, 1);
		probe->release((int)i);
	}
	return unused;
}

static void measure(void *to, const void *arg)
{
	const wend_config one = { .procs = 1 };
	pthread_t id;

	probe = arg;
	result = to;
	result->error = probe->set_up();
	if (result->error == 0)
		result->error = -pthread_create(&id, NULL, rescue, NULL);
	if (result->error == 0)
		result->error = wend_start(&one);
	if (result->error)
		return;
	result->error = wend_go(first_task);
	(void)wend_stop();
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void add_times(const struct probe *p, struct answer *a)
{
	char key[64], most[REPORT_DURATION];

	qsort(a->took_ns, (size_t)a->noticed, sizeof(a->took_ns[0]), compare);
	snprintf(key, sizeof(key), "%s_ns", p->key);
	report_ns(key, p->label, a->took_ns[a->noticed / 2],
		  "the middle of %d; at most %s", a->noticed,
		  report_duration(most, a->took_ns[a->noticed - 1]));
}

static void add_probe(const struct probe *p)
{
	struct answer a = { 0 };
	char said[APART_SAID], key[64];
	int r = apart(measure, p, &a, sizeof(a), LIMIT_MS, said);

	snprintf(key, sizeof(key), "%s_ns", p->key);
	if (r == -ETIMEDOUT)
		report_none(key, p->label, "no answer within %d s",
			    LIMIT_MS / 1000);
	else if (r)
		report_none(key, p->label, "the measurement failed: %s",
			    said[0] ? said : strerror(-r));
	else if (a.error)
		report_none(key, p->label, "cannot be measured here: %s",
			    strerror(-a.error));
	else if (a.noticed < p->runs)
		report_none(key, p->label, "not detected within %d ms",
			    NOTICE_MS);
	else
		add_times(p, &a);
}

void info_measure(void)
{
	report_section("detection", "how soon another task runs if one");
	for (const struct probe *p = probes; p->key; p++)
		add_probe(p);
}
