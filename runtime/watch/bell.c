/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell.c - the doorbell of a server.
 *
 * A thread of class SCHED_IDLE, pinned to the CPU on which the server's worker
 * runs, always ready to run while something waits for that server. The kernel
 * runs it when nothing else wants the CPU: so if it runs, the worker has left,
 * by blocking or by moving to another CPU. It finds out which, and tells the
 * watchdog of the first. It takes no lock and decides nothing: a thread of its
 * class may be kept from running at any moment, for long.
 *
 * A pass costs a few microseconds when the CPU would have been idle anyway. It
 * gets some 0.3 % of a busy one.
 *
 * Rejected: looking from another CPU every 20 us (2 % of a CPU, and half the
 * throughput when tasks block often); perf events for context switches (not
 * without privilege).
 */
#define _GNU_SOURCE
#include <sched.h>

#include "runtime/watch/look.h"
#include "runtime/watch/watch.h"

enum {
	PATIENCE_NS = 20000,
	PATIENCE_MAX_NS = 1000000,
	LINGER_NS = 50000, /* stays ready when the server has run out of work */
	MOVED = 3,         /* looks at a worker that runs elsewhere */
};

static bool stopping(const struct wend__bell *b)
{
	return a32_load_relaxed(&b->stopping) != 0;
}

static void pin_to(uint32_t cpu)
{
	cpu_set_t set;

	if (cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* An error leaves us where we are: late, not wrong. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void follow(uint32_t tid)
{
	struct wend__thread_look look;

	if (wend__thread_look(tid, &look) && look.cpu >= 0)
		pin_to((uint32_t)look.cpu);
}

/* Whether there is something to watch for. */
static bool needed(struct wend__server *s)
{
	return !a8_load_relaxed(&s->idle) &&
	       wend__server_wanted(s, wend__now());
}

/* Tell the watchdog, and wait for its answer. Who rang for nothing (the worker
 * was on its way through the runtime, say) waits a little, longer each time. */
static void ring(struct wend__bell *b)
{
	int64_t until;

	a32_store_full(&b->rung, 1); /* [bell.ring] */
	wend__watch_kick();
	while (a32_load_acquire(&b->rung) && !stopping(b))
		(void)wend__port->park(&b->parker, INT64_MAX);
	if (a32_load_relaxed(&b->taken)) {
		b->patience = PATIENCE_NS;
		return;
	}
	until = wend__now() + b->patience;
	if (b->patience < PATIENCE_MAX_NS)
		b->patience *= 2;
	while (wend__now() < until && !stopping(b))
		(void)wend__port->park(&b->parker, until);
}

/* One look at the worker. Returns whether it was seen running elsewhere. */
static bool look(struct wend__bell *b, uint32_t tid)
{
	uint32_t tick = a32_load_relaxed(&b->server->tick);
	int64_t before = wend__thread_clock(tid);

	/* Let it on, if it is here and wants to. */
	sched_yield();
	if (before < 0 || tick != a32_load_relaxed(&b->server->tick))
		return false;
	if (wend__thread_clock(tid) != before)
		return true;
	ring(b);
	return false;
}

/* Until the server has been without need for a while. */
static void watch_over(struct wend__bell *b)
{
	struct wend__server *s = b->server;
	int64_t needed_at = wend__now();
	unsigned int moved = 0;

	pin_to(a32_load_relaxed(&b->cpu));
	while (!stopping(b)) {
		if (!needed(s)) {
			if (wend__now() - needed_at > LINGER_NS)
				return;
			sched_yield();
			continue;
		}
		needed_at = wend__now();
		if (!look(b, a32_load_relaxed(&s->tid)))
			moved = 0;
		else if (++moved == MOVED) {
			follow(a32_load_relaxed(&s->tid));
			moved = 0;
		}
	}
}

static void bell_main(void *arg)
{
	const struct sched_param none = { 0 };
	struct wend__bell *b = arg;

	/* Allowed to everybody. */
	(void)sched_setscheduler(0, SCHED_IDLE, &none);
	while (!stopping(b)) {
		if (!a8_load_relaxed(&b->server->armed)) {
			(void)wend__port->park(&b->parker, INT64_MAX);
			continue;
		}
		watch_over(b);
		/* Something that came just now is the watchdog's to see. */
		a8_store_relaxed(&b->server->armed, 0);
	}
}

int wend__bell_start(struct wend__bell *b)
{
	int r;

	b->patience = PATIENCE_NS;
	b->thread.main = bell_main;
	b->thread.arg = b;
	r = wend__port->thread_start(&b->thread);
	a8_store_relaxed(&b->started, r == 0);
	return r;
}

void wend__bell_stop(struct wend__bell *b)
{
	if (!b->started)
		return;
	a32_store_full(&b->stopping, 1);
	wend__port->unpark(&b->parker);
	wend__port->thread_join(&b->thread);
	a8_store_relaxed(&b->started, 0);
}

void wend__bell_go_on(struct wend__bell *b, bool taken)
{
	a32_store_relaxed(&b->taken, taken);
	a32_store_release(&b->rung, 0);
	wend__port->unpark(&b->parker);
}
