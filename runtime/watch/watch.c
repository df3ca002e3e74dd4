/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c - the watchdog.
 *
 * It sleeps while all servers are idle. While one runs it looks every 10 ms;
 * while tasks wait for a server whose worker runs another, several times in a
 * slice, and whenever a doorbell rings:
 *
 *      the worker blocks in the kernel         its server is passed on
 *      the same task for a slice               it is stopped, then the same
 *      lost its server and runs                it is stopped
 *
 * Where the kernel says itself who blocks and who is back (umcg/detect.h), the
 * watchdog is woken for it, and has it stop workers, too.
 *
 * Going to sleep, and the server that starts meanwhile:
 *
 *      watchdog                          gives a server to a worker
 *      asleep = 1                        takes it off the idle list
 *      full fence      [watch.sleep]     (full, idle.c)    [watch.sleep]
 *      all servers idle? sleep           asleep: wake it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include <wend/time.h>
#include <wend/watch.h>

#include "compiler-rt/membarrier.h"
#include "compiler-rt/syscall.h"
#include "runtime/base/rare.h"
#include "runtime/sched/idle.h"
#include "runtime/watch/look.h"
#include "runtime/watch/watch.h"

static const int64_t SLOW_NS = 10 * WEND_MILLISECOND,
		     FAST_MAX_NS = 1250 * WEND_MICROSECOND,
		     FAST_MIN_NS = 100 * WEND_MICROSECOND,
		     FAST_FOR_NS = 20 * WEND_MILLISECOND,
		     ALERT_NS = 100 * WEND_MILLISECOND,
		     TIMER_LATE_NS = 500 * WEND_MICROSECOND,
		     HELP_NS = 3 * WEND_MILLISECOND, NEVER = INT64_MAX;

enum {
	LOOKS_PER_SLICE = 8,
	BRISK_LOOKS_PER_SLICE = 2,
	BRISK = 64, /* tasks taken up between two looks: hardly one computes */
	IDLE_LOOKS = 3,
};

/* What was seen of a server at the last look. */
struct sight {
	uint32_t tick;
	struct wend__worker *worker;
	int64_t since; /* it has run one task at least since then */
	int64_t clock; /* its worker's, at the last look */
	bool brisk;    /* as judged at that time, at that tick */
	int64_t judged_at;
	uint32_t judged_tick;
};

static struct {
	struct wend__thread thread;
	struct wend__parker parker;
	/* Held while it looks: a worker that ends takes it to be forgotten. */
	pthread_mutex_t lock;
	bool runs;
	bool detects; /* the kernel does */
	uint32_t stopping;
	int64_t enough;  /* the time of a slice after which to ask for a stop */
	bool hasty;      /* a stop may come after the slice's end */
	uint32_t fast;   /* looks often as it is */
	uint32_t hiring; /* somebody has called for a thread */
	int64_t help_at; /* when one that has not come is given up for late */
	int64_t fast_until;
	bool took; /* a server, since the last look around */
	int64_t alert_until;
	uint32_t idle_looks;
	struct wend__worker *back; /* held by the kernel, and taken */
	struct sight *sights;
	struct wend__bell *bells;
} dog = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct wend__watchdog_ops watch_ops;
static bool go_on(struct wend__worker *w);

void wend__watch_kick(void)
{
	wend__port->unpark(&dog.parker);
}

/* --- one server ------------------------------------------------------------------------- */

static int64_t fast_period(void)
{
	int64_t p = wend__rt.slice / LOOKS_PER_SLICE;

	if (p < FAST_MIN_NS)
		return wend__rt.slice < 0 ? FAST_MAX_NS : FAST_MIN_NS;
	return p < FAST_MAX_NS ? p : FAST_MAX_NS;
}

/* Not by looks that somebody asked for: too little happens in between. */
static void judge(struct sight *seen, const struct wend__server *s, int64_t now)
{
	uint32_t tick = a32_load_relaxed(&s->tick);

	if (now - seen->judged_at < fast_period() / 2)
		return;
	seen->brisk = tick - seen->judged_tick >= BRISK;
	seen->judged_at = now;
	seen->judged_tick = tick;
}

/*
 * When all that is wanted goes from task to task briskly. Each look takes a CPU
 * from a worker and sets the clock twice: some 0.1 ms where timers are a matter
 * for a hypervisor's hypervisor.
 */
static int64_t brisk_period(void)
{
	int64_t p = wend__rt.slice / BRISK_LOOKS_PER_SLICE;

	if (p < FAST_MIN_NS)
		return wend__rt.slice < 0 ? SLOW_NS : FAST_MIN_NS;
	return p < SLOW_NS ? p : SLOW_NS;
}

static bool stands_still(struct sight *seen, struct wend__server *s,
			 struct wend__worker *w, int64_t now)
{
	uint32_t tick = a32_load_relaxed(&s->tick);

	if (seen->worker == w && seen->tick == tick)
		return true;
	seen->worker = w;
	seen->tick = tick;
	seen->since = now;
	seen->clock = wend__thread_clock(a32_load_relaxed(&w->tid));
	return false;
}

static bool blocks(struct sight *seen, struct wend__worker *w, bool rung)
{
	uint32_t tid = a32_load_relaxed(&w->tid);
	int64_t before = seen->clock;
	struct wend__thread_look look;

	seen->clock = wend__thread_clock(tid);
	if (!rung && seen->clock != before)
		return false;
	return wend__thread_look(tid, &look) && look.blocked;
}

/* s is no longer w's: others get it. First in the queue what waits already. */
static void pass_on(struct wend__server *s, struct wend__worker *w,
		    bool preempted)
{
	size_t *count = preempted ? &s->preempts : &s->detects;

	aword_store_relaxed(count, *count + 1);
	wend__server_pass_on(s);
	wend__taken_add(w, preempted);
	dog.took = true;
}

/* Its server is passed on now: it blocks, or computes and is stopped later. */
static bool take(struct wend__worker *w, bool preempted)
{
	struct wend__server *s = wend__server_take(w);

	if (s)
		pass_on(s, w, preempted);
	return s != NULL;
}

/* It computes: a signal has it give the server up. One that was asked before
 * and did not hear, being inside the runtime, is asked again. ThreadSanitizer
 * holds signals back until the next call that blocks. */
static void preempt(struct wend__worker *w, bool cancel, int64_t now)
{
	if (wend__worker_seat(w)) {
		w->stop_cancel |= cancel;
		if (wend__worker_may_lose(w))
			wend__port->detect->preempt(wend__worker_seat(w));
		return;
	}
	if (WEND__TSAN)
		return;
	if (wend__server_stop(w)) {
		w->stop_asked_at = 0;
		w->stop_cancel = false;
	} else if (a32_load_acquire(&w->preempt->claim) !=
		   WEND__CLAIM_STOPPING) {
		return;
	}
	w->stop_cancel |= cancel;
	wend__signal_worker(w, now);
}

/* It heard, and waits in the handler. */
static void pass_on_stopped(struct wend__worker *w, struct wend__server *s)
{
	bool cancel = w->stop_cancel;

	w->stop_cancel = false;
	pass_on(s, w, true);
	/* It sleeps on: who hands it a server wakes it. */
	a32_store_release(&w->stopped, 0);
	(void)wend__taken_queue(w, cancel);
}

static void arm(struct wend__server *s)
{
	struct wend__bell *b = &dog.bells[s->id];

	a8_store_relaxed(&s->armed, 1);
	if (dog.detects)
		return;
	if (!b->started) {
		if (wend__bell_start(b))
			return;
		a32_store_relaxed(&watch_ops.threads, watch_ops.threads + 1);
	}
	wend__port->unpark(&b->parker);
}

/*
 * Whether a timer of s has waited for long enough that another server would have
 * come to it if there were one. Who slept is likely to be brief: it goes before
 * who computes, sooner than others who wait.
 */
static bool timer_late(struct wend__server *s, int64_t now)
{
	return wend__timers_next(&s->timers) < now - TIMER_LATE_NS;
}

static bool slice_over(struct wend__server *s, const struct sight *seen,
		       int64_t now)
{
	return wend__rt.slice > 0 &&
	       now - seen->since >=
		       (timer_late(s, now) ? dog.enough / 4 : dog.enough);
}

/*
 * Whether a worker that is to be stopped, which comes with the clock's next tick,
 * loses its server before. Not for those who have been preempted themselves, and
 * not so often that more workers than servers would run for a large part of the
 * time.
 */
static bool cannot_wait(struct wend__server *s, const struct sight *seen,
			int64_t now)
{
	return dog.hasty && now - seen->since >= wend__rt.slice &&
	       wend__server_wanted_soon(s, now) && !WEND__TSAN &&
	       !wend__taken_extra_used(now);
}

/* The kernel says whether it blocks. */
static bool seat_blocked(struct wend__worker *w)
{
	return wend__port->detect->state(wend__worker_seat(w)) ==
	       WEND__SEAT_BLOCKED;
}

static bool look_at_seat(struct wend__server *s, struct sight *seen,
			 struct wend__worker *w, bool still, int64_t now)
{
	if (seat_blocked(w))
		return take(w, false);
	if (still && slice_over(s, seen, now))
		preempt(w, false, now);
	return false;
}

/* Something waits for s, which runs a task. Returns whether it was taken. */
static bool look_at_wanted(struct wend__server *s, struct sight *seen,
			   struct wend__worker *w, bool still, int64_t now)
{
	struct wend__bell *b = &dog.bells[s->id];
	bool rung = a32_load_acquire(&b->rung); /* [bell.ring] */

	if (!a8_load_relaxed(&s->armed) || !b->started)
		arm(s);
	if (wend__worker_seat(w))
		return look_at_seat(s, seen, w, still, now);
	if ((still || rung) && blocks(seen, w, rung))
		return take(w, false);
	if (!still || !slice_over(s, seen, now))
		return false;
	/* It may have blocked since the last look. */
	if (cannot_wait(s, seen, now))
		return take(w, !blocks(seen, w, true));
	preempt(w, false, now);
	return false;
}

/* Stopped by preempt(). */
static void seat_stopped(struct wend__worker *w)
{
	struct wend__server *s = wend__server_take(w);
	bool cancel = w->stop_cancel;

	if (!s) {
		/* It must not be preempted, since it was asked; or it has been
		 * let go on. */
		if (wend__port->detect->state(wend__worker_seat(w)) ==
		    WEND__SEAT_STOPPED)
			(void)go_on(w);
		return;
	}
	WEND__RARE(stop_heard);
	w->stop_cancel = false;
	pass_on(s, w, true);
	(void)wend__taken_queue(w, cancel);
}

static void answer(struct wend__bell *b, bool taken)
{
	if (a32_load_acquire(&b->rung))
		wend__bell_go_on(b, taken);
}

/* Returns whether something waits for s: if so, *brisk tells how it goes on. */
static bool look_at(struct wend__server *s, int64_t now, bool *brisk)
{
	struct sight *seen = &dog.sights[s->id];
	struct wend__worker *w = aptr_load_acquire(&s->worker);
	bool still, taken = false, wanted = false;

	judge(seen, s, now);
	if (a8_load_relaxed(&s->idle) || !w) {
		seen->worker = NULL;
	} else {
		if (a32_load_acquire(&w->stopped))
			pass_on_stopped(w, s);
		else if (wend__worker_seat(w) &&
			 wend__port->detect->state(wend__worker_seat(w)) ==
				 WEND__SEAT_STOPPED)
			seat_stopped(w);
		still = stands_still(seen, s, w, now);
		if (still && wend__limit_runs(w, seen->since, now))
			preempt(w, true, now);
		wanted = wend__server_wanted(s, now);
		if (wanted)
			taken = look_at_wanted(s, seen, w, still, now);
		else if (still && wend__limit_on_blocks() &&
			 (wend__worker_seat(w) ? seat_blocked(w) :
						 blocks(seen, w, false)))
			taken = take(w, false);
	}
	answer(&dog.bells[s->id], taken);
	if (wanted && !seen->brisk)
		*brisk = false;
	return wanted;
}

/* --- what the kernel says ----------------------------------------------------------------- */

/*
 * The threads that hear of it take no lock and wait for nobody: a worker that
 * the kernel holds may hold any of the runtime's locks, and needs them to go
 * on. So they let it go on where that is all there is to do, and leave the rest
 * to the watchdog, who may wait for locks.
 *
 * [watch.seat] Who lets a worker go on has its claim, GOING, until it runs; who
 * takes its server has it, too, CLAIMING, and looks then whether it is off the
 * CPU (wend__server_take()). So nobody's server is taken while it runs: its
 * successor would have the same listener. GOING is a word of its own, as the
 * worker, once it runs, may end a CLAIMING, and another one may follow.
 */
static bool held(const struct wend__worker *w)
{
	enum wend__seat_state state = wend__port->detect->state(
		wend__worker_seat(w));

	return state == WEND__SEAT_HELD || state == WEND__SEAT_STOPPED;
}

/* false: its claim is another's. */
static bool go_on(struct wend__worker *w)
{
	uint32_t *claim = &w->preempt->claim;

	if (!a32_cas_full(claim, WEND__CLAIM_NONE, WEND__CLAIM_GOING))
		return false;
	/* Unless another was quicker, who had the claim before. */
	if (held(w))
		wend__port->detect->resume(wend__worker_seat(w), w->server->id);
	a32_store_release(claim, WEND__CLAIM_NONE);
	return true;
}

/* Its count stands still while the kernel holds it. */
static bool inside(const struct wend__worker *w)
{
	return a32_load_acquire(&w->preempt->count) > 0;
}

/* The worker of that server is off the CPU. A block that nobody minds now is
 * looked at again with the next tick, if it lasts that long. */
static void on_off(uint32_t server)
{
	struct wend__server *s = &wend__rt.servers[server];
	struct wend__worker *w = aptr_load_acquire(&s->worker);
	enum wend__seat_state state;

	if (!w || !wend__worker_seat(w))
		return;
	state = wend__port->detect->state(wend__worker_seat(w));
	if (state == WEND__SEAT_STOPPED && inside(w) && go_on(w))
		WEND__RARE(stop_inside);
	else if (state == WEND__SEAT_STOPPED ||
		 (state == WEND__SEAT_BLOCKED &&
		  (wend__server_wanted(s, wend__now()) ||
		   wend__limit_on_blocks())))
		wend__watch_kick();
}

/* It goes on at once, or, if its server is gone, waits for another. */
static void on_back(void *owner)
{
	struct wend__worker *w = owner, *first;

	if (go_on(w))
		return;
	do {
		first = aptr_load_relaxed(&dog.back);
		w->back_next = first;
	} while (!aptr_cas_full(&dog.back, first, w));
	wend__watch_kick();
}

/* The watchdog's part of it. Whose claim came to nothing meanwhile goes on. */
static void take_back(void)
{
	struct wend__worker *w, *next;

	if (!aptr_load_relaxed(&dog.back))
		return;
	w = aptr_swap_full(&dog.back, (struct wend__worker *)NULL);
	for (; w; w = next) {
		next = w->back_next;
		while (!wend__taken_queue(w, false) && !go_on(w))
			cpu_relax();
	}
}

static const struct wend__detect_events events = {
	.off = on_off,
	.back = on_back,
};

/* --- the watchdog's loop ------------------------------------------------------------------- */

static bool all_idle(void)
{
	return a32_load_relaxed(&wend__idle.count) == wend__rt.procs;
}

/*
 * A server that waits for a thread, for longer than one takes to start, goes to
 * a worker that waits for a server. Once for each call for a thread is enough:
 * who comes back later takes an idle server by itself. Returns when to do it.
 */
static int64_t help_out(int64_t now)
{
	if (a32_swap_full(&dog.hiring, 0))
		dog.help_at = now + HELP_NS;
	if (dog.help_at > now)
		return dog.help_at;
	dog.help_at = NEVER;
	while (a32_load_relaxed(&wend__idle.wanted) &&
	       wend__idle_give_to_bound())
		;
	return NEVER;
}

/* When a timer of a server that runs will be late. */
static int64_t next_timer(void)
{
	int64_t first = NEVER;

	for (uint32_t i = 0; i < wend__rt.procs; i++) {
		struct wend__server *s = &wend__rt.servers[i];
		int64_t t = wend__timers_next(&s->timers);

		if (!a8_load_relaxed(&s->idle) && t < first)
			first = t;
	}
	return first == NEVER ? NEVER : first + TIMER_LATE_NS;
}

/* What is over already was seen just now, and must not keep us awake. */
static int64_t sooner(int64_t next, int64_t other, int64_t now)
{
	return other > now && other < next ? other : next;
}

/* Returns until when to sleep. */
static int64_t look_around(int64_t now)
{
	bool wanted = false, brisk = true;
	int64_t next;

	take_back();
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		wanted |= look_at(&wend__rt.servers[i], now, &brisk);
	if (wend__taken_look(now) > 0)
		brisk = false;
	wend__keeper_remind();
	if (wanted || !brisk)
		dog.fast_until = now + FAST_FOR_NS;
	dog.idle_looks = all_idle() ? dog.idle_looks + 1 : 0;
	/* Where one has just blocked or computed, the next may. */
	if (dog.took)
		dog.alert_until = now + ALERT_NS;
	dog.took = false;
	brisk = brisk && wanted && now >= dog.alert_until;
	a32_store_relaxed(&dog.fast, now < dog.fast_until && !brisk);
	if (now >= dog.fast_until)
		next = now + SLOW_NS;
	else
		next = now + (brisk ? brisk_period() : fast_period());
	if (dog.idle_looks >= IDLE_LOOKS)
		next = NEVER;
	next = sooner(next, help_out(now), now);
	next = sooner(next, wend__limit_look(now), now);
	return sooner(next, next_timer(), now);
}

static void sleep_until(int64_t deadline)
{
	if (deadline == NEVER) {
		a32_store_relaxed(&dog.fast, 0);
		/* [watch.sleep] */
		a32_store_full(&watch_ops.asleep, 1);
		if (all_idle() && !a32_load_relaxed(&dog.hiring))
			(void)wend__port->park(&dog.parker, deadline);
		a32_store_relaxed(&watch_ops.asleep, 0);
		dog.idle_looks = 0;
	} else {
		(void)wend__port->park(&dog.parker, deadline);
	}
}

/*
 * Ask the kernel for short turns: a thread that wants less at a time comes before
 * one in the middle of a long turn. Else a worker that computes would keep the
 * watchdog from its CPU until the next tick, when it is woken there. Linux 6.12
 * on; other kernels say no, or take it for granted.
 */
static void take_short_turns(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .runtime = 100000 };

	errno = 0;
	attr.nice = getpriority(PRIO_PROCESS, 0);
	if (errno == 0)
		(void)wend__syscall3(SYS_sched_setattr, 0, (long)&attr, 0);
}

static void dog_main(void *arg)
{
	(void)arg;
	take_short_turns();
	while (!a32_load_acquire(&dog.stopping)) {
		int64_t next;

		pthread_mutex_lock(&dog.lock);
		next = look_around(wend__now());
		pthread_mutex_unlock(&dog.lock);
		sleep_until(next);
	}
}

/* --- the scheduler's side -------------------------------------------------------------------- */

static void armed_by_worker(struct wend__server *s)
{
	struct wend__bell *b = &dog.bells[s->id];

	a8_store_relaxed(&s->armed, 1);
	a32_store_relaxed(&b->cpu, (uint32_t)sched_getcpu());
	if (a8_load_relaxed(&b->started))
		wend__port->unpark(&b->parker);
	if (!a32_load_relaxed(&dog.fast))
		wend__watch_kick();
}

/* The hirer may have to wait: then help_out(). */
static void hire(void)
{
	wend__hire();
	a32_store_full(&dog.hiring, 1);
	if (!a32_load_relaxed(&dog.fast))
		wend__watch_kick();
}

static void wake(void)
{
	if (a32_swap_full(&watch_ops.asleep, 0))
		wend__watch_kick();
}

static void forked(void)
{
	pthread_mutex_init(&dog.lock, NULL);
	dog.runs = false;
	dog.detects = false;
	dog.sights = NULL;
	dog.bells = NULL;
	memset(&dog.parker, 0, sizeof(dog.parker));
	wend__taken_forked();
	wend__limit_set(NULL);
	a32_store_relaxed(&watch_ops.threads, 0);
	a32_store_relaxed(&watch_ops.asleep, 0);
}

static void forget(struct wend__worker *w)
{
	if (!dog.runs)
		return;
	pthread_mutex_lock(&dog.lock);
	wend__taken_forget(w);
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		if (dog.sights[i].worker == w)
			dog.sights[i].worker = NULL;
	pthread_mutex_unlock(&dog.lock);
}

/* --- start and stop ---------------------------------------------------------------------------- */

static bool wanted_here(void)
{
	const char *v = getenv("WEND_WATCH");

	/* Without membarrier() the worker's side would need a fence in each
	 * call; virtual time has no use for any of it. */
	return !wend__sim && a32_load_relaxed(&wend__membarrier_on) &&
	       !(v && strcmp(v, "0") == 0);
}

/*
 * A stop comes with a tick: ask for it so that it comes within the slice. Not in
 * the first quarter, or a task that runs now and then would never get far. A
 * slice shorter than a tick cannot be kept that way: see cannot_wait().
 */
static void set_slice(int64_t slice)
{
	struct timespec tick = { 0 };
	int64_t early;

	(void)clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	/* The kernel's stop waits for no tick. */
	early = dog.detects ? slice : slice - tick.tv_nsec;
	dog.enough = early > slice / 4 ? early : slice / 4;
	dog.hasty = early < 0;
}

static int allocate(uint32_t procs)
{
	dog.sights = calloc(procs, sizeof(*dog.sights));
	dog.bells = calloc(procs, sizeof(*dog.bells));
	if (!dog.sights || !dog.bells)
		return -ENOMEM;
	for (uint32_t i = 0; i < procs; i++)
		dog.bells[i].server = &wend__rt.servers[i];
	return 0;
}

static void release(void)
{
	/* The workers have left. */
	if (dog.detects)
		wend__port->detect->stop();
	dog.detects = false;
	free(dog.sights);
	free(dog.bells);
	dog.sights = NULL;
	dog.bells = NULL;
}

static int start(void)
{
	int r;

	dog.runs = false;
	a32_store_relaxed(&watch_ops.threads, 0);
	a32_store_relaxed(&watch_ops.asleep, 0);
	watch_ops.detect_ns = watch_ops.preempt_ns = watch_ops.stalls = 0;
	if (!wanted_here())
		return 0;
	r = allocate(wend__rt.procs);
	if (r == 0)
		r = wend__signal_start();
	if (r)
		goto no_signal;
	dog.stopping = 0;
	dog.idle_looks = 0;
	dog.hiring = 0;
	dog.help_at = NEVER;
	dog.fast_until = 0;
	dog.took = false;
	dog.alert_until = 0;
	dog.back = NULL;
	dog.thread.main = dog_main;
	dog.thread.arg = NULL;
	r = wend__hire_start();
	if (r == 0) {
		/* If it can't be had, looking from outside must do. */
		dog.detects = wend__port->detect &&
			      wend__port->detect->start(wend__rt.procs,
							&events) == 0;
		set_slice(wend__rt.slice);
		r = wend__port->thread_start(&dog.thread);
		if (r)
			wend__hire_stop();
	}
	if (r == -EAGAIN) {
		/* No thread to be had: tasks come first, unwatched. */
		wend__signal_stop();
		release();
		return 0;
	}
	if (r)
		goto no_thread;
	dog.runs = true;
	a32_store_relaxed(&watch_ops.threads,
			  2 + (dog.detects ? wend__port->detect->threads() :
					     0));
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		wend__rt.servers[i].armed = 0;
	return 0;
no_thread:
	wend__signal_stop();
no_signal:
	release();
	return r;
}

static void stop(void)
{
	if (!dog.runs)
		return;
	a32_store_full(&dog.stopping, 1);
	wend__watch_kick();
	wend__port->thread_join(&dog.thread);
	wend__hire_stop();
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		wend__bell_stop(&dog.bells[i]);
	for (struct wend__worker *w = aptr_load_acquire(&wend__rt.workers); w;
	     w = w->all_next)
		wend__taken_forget(w);
	wend__limit_set(NULL);
	wend__signal_stop();
	dog.runs = false;
	a32_store_relaxed(&watch_ops.threads, 0);
}

static struct wend__watchdog_ops watch_ops = {
	.start = start,
	.stop = stop,
	.release = release,
	.arm = armed_by_worker,
	.hire = hire,
	.wake = wake,
	.stopped = wend__watch_kick,
	.forget = forget,
	.forked = forked,
};

__attribute__((constructor)) static void link_in(void)
{
	wend__watchdog = &watch_ops;
}

/* --- limits --------------------------------------------------------------------------------------- */

int wend_watch_set(const struct wend_watch *watch)
{
	int r = 0;

	if (watch &&
	    (watch->run_limit < 0 || watch->block_limit < 0 ||
	     (watch->run_limit && watch->run_limit < WEND_MILLISECOND) ||
	     (watch->block_limit && watch->block_limit < WEND_MILLISECOND)))
		return -EINVAL;
	if (!a32_load_acquire(&wend__rt.procs))
		return -ESRCH;
	/* Who is held by the kernel with that lock must be let go on. */
	wend__preempt_off();
	pthread_mutex_lock(&dog.lock);
	if (dog.runs)
		wend__limit_set(watch);
	else
		r = -ENOTSUP;
	pthread_mutex_unlock(&dog.lock);
	wend__preempt_on();
	wend__watch_kick();
	return r;
}
