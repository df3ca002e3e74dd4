/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hire.c - a thread that starts workers, and does nothing else.
 *
 * Starting a thread takes the allocator's lock. A task that holds that lock may
 * wait for a server, or be preempted, so nobody may wait for it who runs a
 * server, searches for work, or watches.
 */
#include "runtime/sched/idle.h"
#include "runtime/watch/watch.h"

static struct {
	struct wend__thread thread;
	struct wend__parker parker;
	uint32_t stopping;
} hirer;

static void hirer_main(void *arg)
{
	(void)arg;
	while (!a32_load_acquire(&hirer.stopping)) {
		int64_t again = wend__idle_hire();

		(void)wend__port->park(&hirer.parker, again);
	}
}

void wend__hire(void)
{
	wend__port->unpark(&hirer.parker);
}

int wend__hire_start(void)
{
	hirer.stopping = 0;
	hirer.thread.main = hirer_main;
	hirer.thread.arg = NULL;
	return wend__port->thread_start(&hirer.thread);
}

void wend__hire_stop(void)
{
	a32_store_full(&hirer.stopping, 1);
	wend__hire();
	wend__port->thread_join(&hirer.thread);
}
