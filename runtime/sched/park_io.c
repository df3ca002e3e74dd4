/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park_io.c - joins operations that a poller has under way to waits.
 *
 * An operation's end is one more event that may end a wait (wait.h). What is
 * special: the kernel writes into the task's memory until it has ended, so a
 * wait that was ended by something else is followed by a second one, for the
 * end of the operation, which nothing else can end.
 *
 * [io.end] all under the poller's lock
 *      task                              who takes the event
 *      lock; queue; wait = t1|WAITING    lock
 *      unlock; park                      req.done = 1, result
 *      ended by an event: return         claim(io.ticket): lost or
 *      ended otherwise: lock               won: woken_by = &io.waiter
 *        done? unlock, return            unlock
 *        cancel and send                 won: ready(task)
 *        wait = t2|WAITING|DEAF
 *        io.ticket = t2; unlock; park
 *        timed out? again from lock
 *
 * The taker reads io.ticket and the request before the unlock and, when it has
 * won, the chain of waiters before it makes the task ready: the stack that
 * they lie on is the task's again from then on. When it has lost, the task is
 * ready already, but cannot leave before it has had the lock.
 */
#define _GNU_SOURCE
#include "runtime/sched/park_io.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <wend/runtime.h>

#include "runtime/base/rare.h"
#include "runtime/sched/call_limit.h"
#include "runtime/sched/idle.h"
#include "runtime/sched/preempt.h"

enum {
	TAKE = 64,      /* events at a time */
	NEAR_MAX = 192, /* requests under way whose sockets a cache holds */
	QUEUE = 16,     /* ready tasks, when there are more */
	SHARE = 8,      /* events at a time, whatever is in the queue */
	BURST_MIN = 4,  /* tasks woken together that make batching worth it */
	/* How long a cancelled request has to come back, in nanoseconds. */
	CANCEL_AGAIN_MIN = 500 * 1000,
	CANCEL_AGAIN_MAX = 64 * 1000 * 1000,
};

/* No wait's: the states' bits do not occur together. */
#define NO_TICKET UINT32_MAX

/* One wait for one or more requests; on the waiting task's stack. */
struct wend__io_wait {
	struct wend__waiter waiter;
	struct wend_task *task;
	uint32_t ticket;
	unsigned int left;    /* requests that have not come back */
	unsigned int wake_at; /* claim when so many are left */
};

/* --- which way -------------------------------------------------------------- */

static uint32_t mode; /* enum wend__io_mode */
static uint32_t wish; /* the same, from WEND_PARK; 0: the best there is */

static const char *const mode_names[] = {
	[WEND__IO_UNKNOWN] = "unknown",
	[WEND__IO_THREADS] = "threads",
	[WEND__IO_EPOLL] = "epoll",
	[WEND__IO_URING] = "uring",
};

/* The child of a fork shares the parent's rings and must not touch them. */
static void after_fork(void)
{
	a32_store_relaxed(&mode, WEND__IO_THREADS);
	if (wend__self && wend__self->server)
		a32_store_relaxed(&wend__self->server->burst, 0);
}

static void after_fork_register(void)
{
	(void)pthread_atfork(NULL, NULL, after_fork);
}

int wend__io_start(void)
{
	const char *text = getenv("WEND_PARK");
	uint32_t i = 0;

	if (text && *text) {
		for (i = WEND__IO_URING; i; i--)
			if (strcmp(text, mode_names[i]) == 0)
				break;
		if (!i) {
			wend__complain("WEND_PARK=%.64s: want uring, epoll or "
				       "threads",
				       text);
			return -EINVAL;
		}
	}
	wish = i;
	a32_store_relaxed(&mode,
			  wend__sim ? WEND__IO_THREADS : WEND__IO_UNKNOWN);
	return 0;
}

/* A poller of the best kind that the kernel gives us now, or NULL. */
static struct wend__poller *best_poller(void)
{
	struct wend__poller *p = NULL;

	if (!wish || wish == WEND__IO_URING)
		p = wend__poller_uring.create();
	if (!p && wish != WEND__IO_THREADS)
		p = wend__poller_epoll.create();
	return p;
}

/* p, or NULL, is what the kernel gave. Returns whether that is the mode: two who
 * ask at once may get different answers of a kernel that is short of something,
 * and the first one counts. */
static bool set_mode(const struct wend__poller *p)
{
	static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
	uint32_t m = WEND__IO_THREADS;

	if (p)
		m = p->kind == &wend__poller_uring ? WEND__IO_URING :
						     WEND__IO_EPOLL;
	(void)pthread_once(&fork_once, after_fork_register);
	(void)a32_cas_full(&mode, WEND__IO_UNKNOWN, m);
	return a32_load_relaxed(&mode) == m;
}

static void drop(struct wend__poller *p)
{
	if (p)
		p->kind->destroy(p);
}

static void *try_in_thread(void *arg)
{
	struct wend__poller *p = best_poller();

	(void)arg;
	(void)set_mode(p);
	drop(p);
	return NULL;
}

/*
 * Find out by making one. A ring that goes away again interrupts the thread that
 * made it, some time later, in whatever call it is. So a worker keeps it, for its
 * server, and other threads leave it to one that is theirs for this alone.
 */
static void find_mode(void)
{
	struct wend__worker *w = wend__self;
	pthread_t thread;

	if (w && w->task) {
		wend__preempt_off();
		w = wend__self;
		if (!w->server->poller) {
			struct wend__poller *p = best_poller();

			/* One that failed half-way may have gone away. */
			w->submitted = true;
			if (set_mode(p))
				aptr_store_release(&w->server->poller, p);
			else
				drop(p);
		}
		wend__preempt_on();
	} else if (pthread_create(&thread, NULL, try_in_thread, NULL) == 0) {
		(void)pthread_join(thread, NULL);
	} else {
		(void)try_in_thread(NULL);
	}
}

enum wend__io_mode wend__io_mode(void)
{
	if (WEND__UNLIKELY(a32_load_relaxed(&mode) == WEND__IO_UNKNOWN))
		find_mode();
	return (enum wend__io_mode)a32_load_relaxed(&mode);
}

const char *wend_park_name(void)
{
	return wend_procs() ? mode_names[wend__io_mode()] : NULL;
}

/* s's poller; the calling worker owns s. NULL: none to be had. */
static struct wend__poller *poller_of(struct wend__server *s)
{
	struct wend__poller *p = s->poller;

	if (WEND__LIKELY(p != NULL))
		return p;
	p = (wend__io_mode() == WEND__IO_URING ? &wend__poller_uring :
						 &wend__poller_epoll)
		    ->create();
	aptr_store_release(&s->poller, p);
	return p;
}

void wend__io_stop(void)
{
	for (uint32_t i = 0; i < wend__rt.procs; i++)
		drop(wend__rt.servers[i].poller);
}

/* --- events ------------------------------------------------------------------ */

static void send(struct wend__worker *w, struct wend__poller *p)
{
	if (p->unsent)
		w->submitted = true;
	p->kind->send(p);
}

/* Under the lock. Returns the waiter if its task is to be made ready. */
static struct wend__waiter *note(const struct wend__io_event *ev)
{
	struct wend__io_req *req = ev->req;
	struct wend__io_wait *io = req->wait;

	req->result = ev->result;
	req->done = true;
	if (--io->left > io->wake_at || !wend__claim(io->task, io->ticket))
		return NULL;
	io->task->woken_by = &io->waiter;
	return &io->waiter;
}

/*
 * What is about to be touched of tasks that have slept: with many of them it is
 * in no near cache. One look behind the other, so that the waits overlap.
 */
static void warm_up(const struct wend__io_event *ev, uint32_t n)
{
	enum { LINE = 64, STACK_LINES = 10 };

	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(ev[i].req, 1);
	for (uint32_t i = 0; i < n; i++) {
		__builtin_prefetch(ev[i].req->wait->task, 1);
		__builtin_prefetch(&ev[i].req->wait->task->entry, 1);
	}
	for (uint32_t i = 0; i < n; i++) {
		const char *sp = ev[i].req->wait->task->ctx.sp;

		for (int j = 0; j < STACK_LINES; j++)
			__builtin_prefetch(sp + (ptrdiff_t)j * LINE, 1);
	}
}

/*
 * The same for those who come next, as far as that is known: it is fetched while
 * the kernel does what is being sent. First what lies about the request, on the
 * task's stack; a batch later, when that is there, what it leads to.
 */
static void warm_up_ahead(const struct wend__poller *p)
{
	enum { LINE = 64, BELOW = 6, ABOVE = 8, NEAR = 12, FAR = 20 };
	const struct wend__io_req *req;

	for (unsigned int i = 0; i < FAR; i++) {
		req = p->kind->ahead(p, i);
		if (!req)
			return;
		if (i < NEAR) {
			__builtin_prefetch(req->wait->task, 1);
			__builtin_prefetch(&req->wait->task->entry, 1);
			continue;
		}
		for (int j = -BELOW; j < ABOVE; j++)
			__builtin_prefetch(
				(const char *)req + (ptrdiff_t)j * LINE, 1);
	}
}

/* Whether so many requests are under way that no near cache holds them all. */
static bool crowded(const struct wend__poller *p)
{
	return p->kind->whole && p->flying > NEAR_MAX;
}

/*
 * How many events s is to take, which has queued tasks that are ready. The
 * others wait in the poller, where prompt ones overtake. So the queue is kept
 * short: who has received should answer while what the kernel touched for it is
 * in a cache. With few requests under way that is so anyway, and larger batches
 * save more. However long the queue, those who wait for events get a share.
 */
static uint32_t take_count(const struct wend__poller *p, uint32_t queued)
{
	uint32_t room = WEND__RING_SIZE - queued, n = TAKE;

	if (crowded(p))
		n = queued + SHARE < QUEUE ? QUEUE - queued : SHARE;
	return n < room ? n : room;
}

/*
 * Take events, and chain whose wait they end; no more than s's ring has room
 * for: in the global queue they would wait for longer than those that come
 * after them. The lock is held.
 */
static struct wend__waiter *take(struct wend__server *s, struct wend__poller *p)
{
	struct wend__ring *ring = &s->ring;
	struct wend__waiter *first = NULL, **end = &first, *w;
	struct wend__io_event ev[TAKE];
	uint32_t n;

	n = take_count(p, ring->tail - a32_load_relaxed(&ring->head));
	n = p->kind->take(p, ev, n);
	if (n >= BURST_MIN)
		warm_up(ev, n);
	if (crowded(p))
		warm_up_ahead(p);
	for (uint32_t i = 0; i < n; i++) {
		w = note(&ev[i]);
		if (!w)
			continue;
		w->next = NULL;
		*end = w;
		end = &w->next;
	}
	return first;
}

/* Make them ready, on w's server, in order. Returns how many there were. */
static uint32_t make_ready(struct wend__worker *w, struct wend__waiter *first)
{
	struct wend__server *s = w->server;
	uint32_t n = 0;

	for (; first; n++) {
		struct wend__waiter *next = first->next; /* ends with the wait */

		wend__task_move(first->task, WEND__WAITING, WEND__READY);
		wend__ring_push_owner(&s->ring, first->task);
		first = next;
	}
	return n;
}

/* Others may be needed for them. w runs the first itself. */
static void tell(uint32_t n)
{
	if (n < 2 || wend__rt.procs == 1)
		return;
	fence_full(); /* [idle.dance] */
	wend__work_added(true);
}

bool wend__io_step(struct wend__worker *w)
{
	struct wend__server *s = w->server;
	struct wend__poller *p = s->poller;
	struct wend__waiter *first;
	uint32_t n;

	if (!p || (!wend__poller_unsent(p) &&
		   (!wend__poller_flying(p) || !p->kind->ready(p))))
		return false;
	wend__poller_lock(p);
	send(w, p);
	first = take(w->server, p);
	wend__poller_unlock(p);
	n = make_ready(w, first);
	a32_store_relaxed(&s->burst, n >= BURST_MIN && p->kind->whole ? n : 0);
	tell(n);
	return n > 0;
}

/*
 * A thief took more events from the kernel than it could use, and the victim may
 * have become idle meanwhile. Then its watcher does not hear of the others.
 *
 * [io.late]
 *      thief                             who becomes the watcher
 *      events to the late ones           server onto the idle list (full)
 *      full fence                        permit 0 -> POLLING (full)
 *      idle? unpark its watcher          ready? does not sleep
 */
static void tell_watcher(struct wend__server *victim)
{
	fence_full();
	if (!a8_load_relaxed(&victim->idle) || !wend__io_ready(victim))
		return;
	WEND__RARE(io_late);
	wend__idle_lock();
	if (victim->watcher)
		wend__port->unpark(&victim->watcher->parker);
	wend__idle_unlock();
}

bool wend__io_steal(struct wend__worker *w, struct wend__server *victim)
{
	struct wend__poller *p = aptr_load_acquire(&victim->poller);
	struct wend__waiter *first;
	uint32_t n;

	if (!wend__io_ready(victim) || !wend__poller_trylock(p))
		return false;
	send(w, p);
	first = take(w->server, p);
	wend__poller_unlock(p);
	n = make_ready(w, first);
	tell_watcher(victim);
	tell(n);
	if (n)
		WEND__RARE(io_stolen);
	return n > 0;
}

bool wend__io_park(struct wend__worker *w, struct wend__server *s,
		   int64_t deadline)
{
	if (s && wend__io_flying(s))
		return wend__poller_park(s->poller, &w->parker, deadline);
	(void)wend__port->park(&w->parker, deadline);
	return false;
}

/* --- waiting ------------------------------------------------------------------ */

/* Cancel what is under way of n requests. Returns whether there is a wait for
 * their end; it has begun then. s need not be the caller's server. */
static bool cancel_all(struct wend__server *s, struct wend__io_wait *io,
		       struct wend__io_req *req, unsigned int n)
{
	struct wend__poller *p = s->poller;
	struct wend_task *t = io->task;
	struct wend__worker *w;
	struct wend__waiter *first = NULL;
	bool wait;

	wend__preempt_off();
	w = t->worker;
	wend__poller_lock(p);
	if (io->left) {
		for (unsigned int i = 0; i < n; i++)
			if (!req[i].done)
				p->kind->cancel(p, &req[i]);
		send(w, p);
		/* Ours among them: its claim is lost, the wait being over. */
		first = take(w->server, p);
	}
	wait = io->left > 0;
	if (wait) {
		WEND__RARE(io_called_back);
		(void)wend__wait_begin(true);
		io->ticket = t->ticket;
		io->wake_at = 0;
	}
	wend__poller_unlock(p);
	tell_watcher(s);
	tell(make_ready(w, first));
	wend__preempt_on(); /* a wait that has begun keeps it off */
	return wait;
}

/*
 * The wait was ended otherwise. Have all requests back from s, which may not be
 * the server that the task runs on by now.
 *
 * A request that the kernel is about to try again is nowhere where its cancel
 * would find it. When the try then comes to nothing (another reader was faster)
 * it waits as before, and nobody would end it: so it is cancelled until it ends.
 */
__attribute__((noinline)) static void call_back(struct wend__server *s,
						struct wend__io_wait *io,
						struct wend__io_req *req,
						unsigned int n)
{
	struct wend_task *t = io->task;
	int64_t patience = CANCEL_AGAIN_MIN;

	while (cancel_all(s, io, req, n)) {
		if (wend__wait(t, wend__now() + patience, "io cancel", NULL,
			       t->caller) != WEND__WOKEN_TIMEOUT)
			return;
		WEND__RARE(io_cancelled_again);
		if (patience < CANCEL_AGAIN_MAX)
			patience *= 2;
	}
}

/*
 * Start n operations, and wait until the first of them ends or something else
 * ends the wait; then have the others back. 0, or as wend__io_wait(), or
 * WEND__CALL_AGAIN. Takes the calling task: wend__self must not be read again
 * after a switch. Inline: each frame on a waiting task's stack is cache misses
 * when it is woken, and a return that the processor predicts wrongly.
 */
static inline __attribute__((always_inline)) int
run(struct wend_task *t, const struct wend__io_op *op, struct wend__io_req *req,
    unsigned int n, int64_t deadline, const char *why, const void *caller)
{
	struct wend__server *s;
	struct wend__poller *p;
	struct wend__io_wait io;
	struct wend__waiter *by;
	unsigned int i;
	bool first;
	int r = -ETIMEDOUT;

	wend__preempt_off();
	s = t->worker->server;
	p = poller_of(s);
	if (!p) {
		wend__preempt_on();
		return WEND__IO_NOT_PARKED;
	}
	io.task = t;
	io.wake_at = 0;
	wend__poller_lock(p);
	for (i = 0; i < n; i++) {
		req[i].wait = &io;
		req[i].done = false;
		if (WEND__UNLIKELY(p->unsent == WEND__POLLER_UNSENT_MAX))
			send(t->worker, p);
		if (!p->kind->queue(p, &op[i], &req[i]))
			break;
	}
	io.left = i;
	if (i < n) {
		io.ticket = NO_TICKET;
		wend__poller_unlock(p);
		wend__preempt_on();
		call_back(s, &io, req, i);
		return WEND__IO_NOT_PARKED;
	}
	(void)wend__wait_begin(false);
	io.ticket = t->ticket;
	io.wake_at = n - 1;
	wend__waiter_init(&io.waiter, t, t->ticket);
	first = p->flying == i;
	if (p->unsent == i)
		s->unsent_since = wend__now();
	wend__poller_unlock(p);
	/* The owner looks after what is under way, unless it stands still. Then
	 * the keeper does: there has to be one. */
	if (first && !s->alone)
		wend__timer_added(s);
	wend__preempt_on(); /* a wait that has begun keeps it off */
	if (wend__call_limit(t))
		by = wend__call_limit_park(t, deadline, why, caller, &r);
	else
		by = wend__wait(t, deadline, why, NULL, caller);
	if (by != &io.waiter || n > 1)
		call_back(s, &io, req, n);
	if (by == &io.waiter)
		return 0;
	return by == WEND__WOKEN_CANCEL ? -ECANCELED : r;
}

/* Ended by nothing that the program has to know of: interrupted, in a thread of
 * the kernel's, or cancelled, and not by us (with the thread that sent it). */
static bool disturbed(int result)
{
	return result == -EINTR || result == -ECANCELED;
}

int wend__io_run(const struct wend__io_op *op, int64_t deadline,
		 const char *why, const void *caller)
{
	struct wend_task *t = wend__self->task;
	struct wend__io_req req;
	int r;

	do {
		r = run(t, op, &req, 1, deadline, why, caller);
		if (r == WEND__IO_NOT_PARKED)
			return r;
	} while ((r == 0 && disturbed(req.result)) ||
		 (r == WEND__CALL_AGAIN && req.result == -ECANCELED));
	if (r >= 0 || req.result != -ECANCELED)
		return req.result;
	return r;
}

int wend__io_wait(const struct pollfd *fds, unsigned int n, int64_t deadline,
		  const char *why, const void *caller)
{
	struct wend__io_op op[WEND__IO_POLL_MAX];
	struct wend__io_req req[WEND__IO_POLL_MAX];
	struct wend_task *t = wend__self->task;
	int r;

	for (unsigned int i = 0; i < n; i++)
		op[i] = (struct wend__io_op){
			.opcode = IORING_OP_POLL_ADD,
			.fd = fds[i].fd,
			.flags = (uint16_t)fds[i].events,
		};
	do {
		r = run(t, op, req, n, deadline, why, caller);
	} while (r == WEND__CALL_AGAIN);
	return r;
}
