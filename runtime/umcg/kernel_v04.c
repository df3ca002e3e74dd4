/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_v04.c - the port for kernels with UMCG, ABI v0.4, by way of /dev/umcg.
 *
 * Threads are started, parked and woken as by emul.c. What differs is that
 * the kernel says when a worker blocks and when it is back (detect.h):
 *
 *      worker      a UMCG worker. IDLE|LOCKED while it rests, RUNNING while it
 *                  runs with a server
 *      listener    a UMCG server for each of the runtime's servers; IDLE in
 *                  the kernel while that server's worker runs, woken when the
 *                  worker blocks or is preempted
 *      collector   a UMCG server that waits as the idle one, for workers that
 *                  are back
 *      nurse       a UMCG server for a worker that has just registered, until
 *                  it rests for the first time; one at a time
 *
 * A worker that blocks while its listener is not IDLE breaks the contract. So
 * a listener says IDLE as soon as it is woken, before it does anything about
 * it: an event that comes meanwhile makes its next wait return at once. And a
 * worker does not run before its listener has said so [umcg.idle]. The
 * listener needs nothing but the CPU for that.
 *
 * Rejected: a listener that picks the next worker and switches to it, as the
 * ABI means its servers to do. Tasks are switched in user mode, by the worker
 * itself; the server's loop would have to be left and entered for each task
 * that waits, which is a hundred times what it costs now. The kernel is needed
 * for what user mode cannot see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"
#include "kernel/include/uapi/linux/umcg.h"
#include "runtime/umcg/detect.h"
#include "runtime/umcg/port.h"

enum {
	ARENA = 2 * 1024 * 1024,
	RUNNING = UMCG_TASK_RUNNING,
	IDLE = UMCG_TASK_IDLE,
	LOCKED = UMCG_TF_LOCKED,
	PREEMPTED = UMCG_TF_PREEMPTED,
};

/* One in the arena for each worker, listener, collector and nurse. */
struct wend__seat {
	struct umcg_task task;
	uint32_t tid;
	uint32_t server; /* a worker's: the one it runs with */
	bool entering;   /* a worker that has not rested yet */
	void *owner;
	struct wend__seat *next; /* free, or to be nursed */
} __attribute__((aligned(64)));

/* What the kernel and all seats share; the arena's start. */
struct shared {
	uint64_t idle_workers;
	uint32_t idle_server;
} __attribute__((aligned(64)));

struct listener {
	struct wend__thread thread;
	struct wend__seat *seat;
	uint32_t server;
	uint32_t registered; /* a futex: 1, or 2: it failed */
};

static struct {
	int fd; /* and 1 more; 0: closed */
	struct shared *shared;
	struct wend__seat *seats, *free;
	uint32_t used, most;
	uint32_t lock; /* of the seats' allocation */
	const struct wend__detect_events *events;
	struct listener *listeners; /* of the servers; nurse; collector */
	uint32_t servers, started;
	uint32_t stopping;
	/* The nurse has a worker; the collector has others for it. */
	uint32_t nursing, to_nurse;
} umcg;

static __thread struct wend__seat *my_seat
	__attribute__((tls_model("initial-exec")));

/* --- requests ---------------------------------------------------------------- */

static long request(unsigned int cmd, const void *arg)
{
	return wend__syscall3(SYS_ioctl, umcg.fd - 1, (long)cmd, (long)arg);
}

static long ctl(uint32_t flags, const struct umcg_task *self)
{
	const struct umcg_ctl_args a = {
		.flags = flags,
		.self = (uint64_t)(uintptr_t)self,
	};

	return request(UMCG_IOC_CTL, &a);
}

static void wait_idle(void)
{
	const struct umcg_wait_args a = { 0 };

	/* EINTR by a debugger, say: the caller looks and waits again. */
	(void)request(UMCG_IOC_WAIT, &a);
}

static void wake(const struct wend__seat *seat)
{
	(void)request(UMCG_IOC_WAKE, (const void *)(uintptr_t)seat->tid);
}

/* --- seats --------------------------------------------------------------------- */

static void lock_seats(void)
{
	while (!a32_cas_acquire(&umcg.lock, 0, 1))
		sched_yield();
}

static void unlock_seats(void)
{
	a32_store_release(&umcg.lock, 0);
}

static struct wend__seat *get_seat(void)
{
	struct wend__seat *seat;

	lock_seats();
	seat = umcg.free;
	if (seat)
		umcg.free = seat->next;
	else if (umcg.used < umcg.most)
		seat = &umcg.seats[umcg.used++];
	unlock_seats();
	if (seat)
		memset(seat, 0, sizeof(*seat));
	return seat;
}

static void put_seat(struct wend__seat *seat)
{
	lock_seats();
	seat->next = umcg.free;
	umcg.free = seat;
	unlock_seats();
}

static uint32_t state_of(const struct wend__seat *seat)
{
	return a32_load_acquire(&seat->task.state);
}

static bool move(struct wend__seat *seat, uint32_t from, uint32_t to)
{
	return a32_cas_full(&seat->task.state, from, to);
}

/* [umcg.idle] */
static void await_idle(const struct wend__seat *server)
{
	for (unsigned int turn = 0; state_of(server) != IDLE; turn++)
		wend__spin.relax(turn);
}

static struct wend__seat *listener_seat(uint32_t server)
{
	return umcg.listeners[server].seat;
}

static struct listener *collector(void)
{
	return &umcg.listeners[umcg.servers + 1];
}

static struct listener *nurse(void)
{
	return &umcg.listeners[umcg.servers];
}

/* --- of the calling worker ------------------------------------------------------- */

static bool kernel_rest(struct wend__seat *seat)
{
	uint32_t state;

	/* It may be marked PREEMPTED, stopped, and let go on, between. */
	do {
		state = state_of(seat);
		if ((state & ~(uint32_t)PREEMPTED) != RUNNING)
			return false;
	} while (!move(seat, state, IDLE | LOCKED));
	return true;
}

static void run_with(struct wend__seat *seat, const struct wend__seat *server)
{
	if (state_of(seat) != (IDLE | LOCKED))
		return;
	a32_store_relaxed(&seat->task.next_tid, server->tid);
	await_idle(server);
	(void)move(seat, IDLE | LOCKED, RUNNING);
}

static void kernel_run(struct wend__seat *seat, uint32_t server)
{
	seat->server = server;
	run_with(seat, listener_seat(server));
}

/* The nurse is free for the next one. */
static void nursed(struct wend__seat *seat)
{
	struct wend__seat *c = collector()->seat;

	(void)kernel_rest(seat);
	a32_store_relaxed(&seat->task.next_tid, 0);
	seat->entering = false;
	a32_store_full(&umcg.nursing, 0); /* [umcg.nurse] */
	if (a32_load_relaxed(&umcg.to_nurse) && move(c, IDLE, RUNNING))
		wake(c);
}

static struct wend__seat *kernel_enter(void *owner)
{
	struct wend__seat *seat;
	long r;

	if (!umcg.events)
		return NULL;
	seat = get_seat();
	if (!seat)
		return NULL;
	seat->owner = owner;
	seat->entering = true;
	seat->tid = (uint32_t)gettid();
	seat->task.idle_workers_ptr = (uintptr_t)&umcg.shared->idle_workers;
	seat->task.idle_server_tid_ptr = (uintptr_t)&umcg.shared->idle_server;
	a32_store_full(&seat->task.state, IDLE);
	r = ctl(UMCG_CTL_REGISTER | UMCG_CTL_WORKER, &seat->task);
	if (r) {
		put_seat(seat);
		return NULL;
	}
	nursed(seat);
	my_seat = seat;
	return seat;
}

static void kernel_leave(struct wend__seat *seat)
{
	(void)kernel_rest(seat);
	a32_store_relaxed(&seat->task.next_tid, 0);
	my_seat = NULL;
	(void)ctl(UMCG_CTL_UNREGISTER, NULL);
	put_seat(seat);
}

/* --- of another ---------------------------------------------------------------------- */

static enum wend__seat_state kernel_state(const struct wend__seat *seat)
{
	uint32_t state = state_of(seat);

	switch (state & UMCG_TASK_STATE_MASK) {
	case UMCG_TASK_RUNNING:
		return WEND__SEAT_RUNS;
	case UMCG_TASK_BLOCKED:
		return WEND__SEAT_BLOCKED;
	case UMCG_TASK_IDLE:
		if (state & LOCKED)
			return WEND__SEAT_RESTS;
		return state & PREEMPTED ? WEND__SEAT_STOPPED : WEND__SEAT_HELD;
	default:
		return WEND__SEAT_LEFT;
	}
}

static void kernel_preempt(struct wend__seat *seat)
{
	if (move(seat, RUNNING, RUNNING | PREEMPTED))
		(void)request(UMCG_IOC_PREEMPT,
			      (const void *)(uintptr_t)seat->tid);
}

static void resume_with(struct wend__seat *seat,
			const struct wend__seat *server)
{
	uint32_t state = state_of(seat);

	seat->task.idle_workers_ptr = (uintptr_t)&umcg.shared->idle_workers;
	a32_store_relaxed(&seat->task.next_tid, server->tid);
	await_idle(server);
	if (move(seat, state, RUNNING))
		wake(seat);
}

static void kernel_resume(struct wend__seat *seat, uint32_t server)
{
	seat->server = server;
	resume_with(seat, listener_seat(server));
}

/* --- the threads --------------------------------------------------------------------- */

/* Register the calling thread. Signals are for the program's threads. */
static bool serve_begin(struct listener *l)
{
	struct wend__seat *seat = l->seat;
	sigset_t all;
	long r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	seat->tid = (uint32_t)gettid();
	a32_store_full(&seat->task.state, RUNNING);
	r = ctl(UMCG_CTL_REGISTER, &seat->task);
	if (r == 0)
		a32_store_full(&seat->task.state, IDLE);
	a32_store_full(&l->registered, r ? 2 : 1);
	wend__futex_wake(&l->registered, 1);
	return r == 0;
}

static bool serve_on(struct listener *l)
{
	wait_idle();
	a32_store_full(&l->seat->task.state, IDLE); /* [umcg.idle] */
	return !a32_load_acquire(&umcg.stopping);
}

static void serve_end(struct listener *l)
{
	a32_store_full(&l->seat->task.state, RUNNING);
	(void)ctl(UMCG_CTL_UNREGISTER, NULL);
}

static void listener_main(void *arg)
{
	struct listener *l = arg;

	if (!serve_begin(l))
		return;
	while (serve_on(l))
		umcg.events->off(l->server);
	serve_end(l);
}

static void nurse_main(void *arg)
{
	struct listener *l = arg;

	if (!serve_begin(l))
		return;
	/* Its worker comes back by the collector. */
	while (serve_on(l))
		;
	serve_end(l);
}

static struct wend__seat *seat_of_node(uint64_t node)
{
	return (struct wend__seat *)(uintptr_t)(node -
						offsetof(struct umcg_task,
							 idle_workers_ptr));
}

/*
 * [umcg.nurse]
 *      collector                       worker, nursed
 *      to_nurse = 1 (full)             nursing = 0 (full)
 *      nursing? wait                   to_nurse: wake the collector
 */
static void nurse_next(struct wend__seat **waiting)
{
	struct wend__seat *seat = *waiting;

	a32_store_full(&umcg.to_nurse, seat != NULL);
	if (!seat || a32_load_acquire(&umcg.nursing))
		return;
	*waiting = seat->next;
	a32_store_full(&umcg.to_nurse, *waiting != NULL);
	a32_store_full(&umcg.nursing, seat->tid);
	resume_with(seat, nurse()->seat);
}

/* One that is back. */
static void collect(struct wend__seat *seat, struct wend__seat **waiting)
{
	struct wend__seat **end = waiting;

	if (!seat->entering) {
		umcg.events->back(seat->owner);
	} else if (a32_load_acquire(&umcg.nursing) == seat->tid) {
		resume_with(seat, nurse()->seat);
	} else {
		while (*end)
			end = &(*end)->next;
		seat->next = NULL;
		*end = seat;
	}
}

static void collector_main(void *arg)
{
	struct shared *sh = umcg.shared;
	struct wend__seat *waiting = NULL;
	struct listener *l = arg;
	uint64_t node, next;

	if (!serve_begin(l))
		return;
	for (;;) {
		/* The kernel puts a worker on the list, then looks here. */
		a32_store_full(&sh->idle_server, l->seat->tid);
		if (aword_load_acquire((size_t *)&sh->idle_workers) == 0 &&
		    !serve_on(l))
			break;
		node = aword_swap_full((size_t *)&sh->idle_workers, 0);
		for (; node; node = next) {
			next = *(volatile uint64_t *)(uintptr_t)node;
			collect(seat_of_node(node), &waiting);
		}
		nurse_next(&waiting);
	}
	serve_end(l);
}

/* --- start and stop --------------------------------------------------------------------- */

static int start_thread(uint32_t i, void (*main)(void *))
{
	struct listener *l = &umcg.listeners[i];
	int r;

	l->seat = get_seat();
	if (!l->seat)
		return -ENOMEM;
	l->server = i;
	l->thread.main = main;
	l->thread.arg = l;
	r = wend__port->thread_start(&l->thread);
	if (r)
		return r;
	umcg.started++;
	while (!a32_load_acquire(&l->registered))
		(void)wend__futex_wait(&l->registered, 0, -1);
	return l->registered == 1 ? 0 : -EAGAIN;
}

/*
 * A thread that has been joined counts against the user's limit until the
 * kernel has let go of it, and those that come in its place may need that. Who
 * has its number may be another by now, so not for ever.
 */
static void await_gone(uint32_t tid)
{
	for (int i = 0; i < 1000; i++) {
		if (wend__syscall3(SYS_tgkill, getpid(), tid, 0))
			return;
		sched_yield();
	}
}

static void end_thread(struct listener *l)
{
	/* One that is handling an event sees it after its next wait. */
	if (l->registered == 1) {
		while (!move(l->seat, IDLE, RUNNING) &&
		       state_of(l->seat) != RUNNING)
			sched_yield();
		wake(l->seat);
	}
	wend__port->thread_join(&l->thread);
	await_gone(l->seat->tid);
}

static void kernel_detect_stop(void)
{
	if (!umcg.events)
		return;
	a32_store_full(&umcg.stopping, 1);
	for (uint32_t i = 0; i < umcg.started; i++)
		end_thread(&umcg.listeners[i]);
	free(umcg.listeners);
	umcg.listeners = NULL;
	umcg.started = 0;
	umcg.free = NULL;
	umcg.used = 0;
	umcg.events = NULL;
}

static int kernel_detect_start(uint32_t servers,
			       const struct wend__detect_events *events)
{
	int r = 0;

	umcg.listeners = calloc(servers + 2, sizeof(*umcg.listeners));
	if (!umcg.listeners)
		return -ENOMEM;
	umcg.events = events;
	umcg.servers = servers;
	umcg.started = 0;
	umcg.stopping = 0;
	umcg.nursing = umcg.to_nurse = 0;
	memset(umcg.shared, 0, sizeof(*umcg.shared));
	for (uint32_t i = 0; r == 0 && i < servers; i++)
		r = start_thread(i, listener_main);
	if (r == 0)
		r = start_thread(servers, nurse_main);
	if (r == 0)
		r = start_thread(servers + 1, collector_main);
	if (r)
		kernel_detect_stop();
	return r;
}

static uint32_t kernel_threads(void)
{
	return umcg.started;
}

static const struct wend__detect kernel_detect = {
	.start = kernel_detect_start,
	.stop = kernel_detect_stop,
	.threads = kernel_threads,
	.enter = kernel_enter,
	.leave = kernel_leave,
	.run = kernel_run,
	.rest = kernel_rest,
	.state = kernel_state,
	.preempt = kernel_preempt,
	.resume = kernel_resume,
};

/* --- the port ---------------------------------------------------------------------------- */

static int open_device(void)
{
	long fd = wend__syscall6(SYS_openat, AT_FDCWD, (long)"/dev/umcg",
				 O_RDWR | O_CLOEXEC, 0, 0, 0);
	long version;

	if (fd < 0)
		return (int)fd;
	version = wend__syscall3(SYS_ioctl, fd, UMCG_IOC_VERSION, 0);
	if (version == UMCG_ABI_VERSION)
		return (int)fd;
	(void)wend__syscall3(SYS_close, fd, 0, 0);
	return -ENODEV;
}

bool wend__port_kernel_there(void)
{
	int fd = open_device();

	if (fd < 0)
		return false;
	(void)wend__syscall3(SYS_close, fd, 0, 0);
	return true;
}

static int kernel_start(uint64_t seed)
{
	void *arena;
	int fd = open_device(), r;

	if (fd < 0)
		return fd;
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (arena == MAP_FAILED) {
		r = -errno;
		(void)wend__syscall3(SYS_close, fd, 0, 0);
		return r;
	}
	r = wend__port_emul.start(seed);
	umcg.fd = fd + 1;
	umcg.shared = arena;
	umcg.seats = (struct wend__seat *)(umcg.shared + 1);
	umcg.most = (ARENA - sizeof(struct shared)) / sizeof(struct wend__seat);
	umcg.used = 0;
	umcg.free = NULL;
	return r;
}

static void kernel_stop(void)
{
	munmap(umcg.shared, ARENA);
	(void)wend__syscall3(SYS_close, umcg.fd - 1, 0, 0);
	umcg.fd = 0;
	wend__port_emul.stop();
}

/* The arena was not copied, and the parent's threads are its own. */
static void kernel_forked(void)
{
	if (umcg.fd)
		(void)wend__syscall3(SYS_close, umcg.fd - 1, 0, 0);
	memset(&umcg, 0, sizeof(umcg));
	my_seat = NULL;
	wend__port_emul.forked();
}

static int kernel_thread_start(struct wend__thread *t)
{
	return wend__port_emul.thread_start(t);
}

static void kernel_thread_join(struct wend__thread *t)
{
	wend__port_emul.thread_join(t);
}

static void kernel_thread_leave(struct wend__thread *t)
{
	wend__port_emul.thread_leave(t);
}

/* Waiting in the runtime is no block of the task's. */
bool wend__seat_pause(void)
{
	return my_seat && kernel_rest(my_seat);
}

void wend__seat_go_on(bool paused)
{
	if (paused)
		run_with(my_seat, listener_seat(my_seat->server));
}

static int kernel_park(struct wend__parker *p, int64_t deadline)
{
	bool paused = wend__seat_pause();
	int r = wend__port_emul.park(p, deadline);

	wend__seat_go_on(paused);
	return r;
}

static void kernel_unpark(struct wend__parker *p)
{
	wend__port_emul.unpark(p);
}

const struct wend__port wend__port_kernel = {
	.name = "kernel",
	.start = kernel_start,
	.stop = kernel_stop,
	.forked = kernel_forked,
	.thread_start = kernel_thread_start,
	.thread_join = kernel_thread_join,
	.thread_leave = kernel_thread_leave,
	.park = kernel_park,
	.unpark = kernel_unpark,
	.now = wend__clock_ns,
	.detect = &kernel_detect,
};
