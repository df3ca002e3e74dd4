/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall.c - see stall.h.
 */
#define _GNU_SOURCE
#include "bench/common/stall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"

#define GUARD_STEP_MS 100

static long raw_read(int fd)
{
	char b;

	return wend__syscall3(SYS_read, fd, (long)&b, 1);
}

static void raw_write(int fd, char b)
{
	wend__syscall3(SYS_write, fd, (long)&b, 1);
}

void stall_sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	while (wend__syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&t,
			      (long)&t, 0, 0) == -EINTR)
		;
}

void stall_poll_ms(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, ms);
}

/* --- the guard ----------------------------------------------------------- */

/*
 * A plain thread. `beat` changes with each step that was made, `armed` tells
 * that one is to come; when it does not for `patience_ms`, rescue(arg).
 */
struct guard {
	pthread_t thread;
	int patience_ms;
	void (*rescue)(void *arg);
	void *arg;
	uint32_t beat, armed, quit, fired;
};

static void guard_set(uint32_t *word, uint32_t v)
{
	__atomic_store_n(word, v, __ATOMIC_SEQ_CST);
}

static uint32_t guard_get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void *guard_main(void *p)
{
	struct guard *g = p;
	uint32_t seen = 0;
	int quiet_ms = 0;

	while (!guard_get(&g->quit)) {
		uint32_t now = guard_get(&g->beat);

		quiet_ms = now == seen ? quiet_ms + GUARD_STEP_MS : 0;
		seen = now;
		if (guard_get(&g->armed) && quiet_ms > g->patience_ms) {
			guard_set(&g->fired, 1);
			g->rescue(g->arg);
			break;
		}
		stall_sleep_ms(GUARD_STEP_MS);
	}
	return NULL;
}

static int guard_start(struct guard *g, int patience_ms, void (*rescue)(void *),
		       void *arg)
{
	*g = (struct guard){ .patience_ms = patience_ms,
			     .rescue = rescue,
			     .arg = arg };
	return pthread_create(&g->thread, NULL, guard_main, g);
}

static void guard_stop(struct guard *g)
{
	guard_set(&g->quit, 1);
	pthread_join(g->thread, NULL);
}

/* --- one stall ----------------------------------------------------------- */

struct stall {
	enum stall_kind kind;
	struct guard guard;
	int pipe[2];   /* READ; MUTEX: commands to the holder */
	int answer[2]; /* MUTEX: from the holder */
	uint32_t word; /* FUTEX, LOOP: 1 when it is over */
	pthread_mutex_t mutex;
	pthread_t holder;
	int uffd;
	size_t page_size;
	volatile char *page;
};

const char *stall_name(enum stall_kind kind)
{
	static const char *const name[STALL_KINDS] = { "raw", "futex", "mutex",
						       "fault", "loop" };

	return name[kind];
}

/* Holds the mutex from an L to the next U, by order of others. */
static void *holder_main(void *p)
{
	struct stall *s = p;
	bool held = false;
	char order;

	while (wend__syscall3(SYS_read, s->pipe[0], (long)&order, 1) == 1) {
		if (order == 'L') {
			pthread_mutex_lock(&s->mutex);
			raw_write(s->answer[1], 'L');
		} else if (held) {
			/* The rescue and the program may both have ended it. */
			pthread_mutex_unlock(&s->mutex);
		}
		held = order == 'L';
	}
	return NULL;
}

static int start_holder(struct stall *s)
{
	pthread_mutex_init(&s->mutex, NULL);
	if (pipe2(s->pipe, O_CLOEXEC) || pipe2(s->answer, O_CLOEXEC))
		return -1;
	errno = pthread_create(&s->holder, NULL, holder_main, s);
	return errno ? -1 : 0;
}

static int open_page(struct stall *s)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	void *page;

	s->page_size = (size_t)sysconf(_SC_PAGESIZE);
	s->uffd = (int)syscall(SYS_userfaultfd,
			       O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (s->uffd < 0 || ioctl(s->uffd, UFFDIO_API, &api))
		return -1;
	page = mmap(NULL, s->page_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -1;
	s->page = page;
	reg.range.start = (uintptr_t)page;
	reg.range.len = s->page_size;
	return ioctl(s->uffd, UFFDIO_REGISTER, &reg);
}

static void fill_page(struct stall *s)
{
	struct uffdio_zeropage zero = {
		.range = { (uintptr_t)s->page, s->page_size },
	};

	/* EEXIST: the rescue came at the same moment. */
	(void)wend__syscall3(SYS_ioctl, s->uffd, UFFDIO_ZEROPAGE, (long)&zero);
}

static int set_up(struct stall *s)
{
	switch (s->kind) {
	case STALL_READ:
		return pipe2(s->pipe, O_CLOEXEC);
	case STALL_MUTEX:
		return start_holder(s);
	case STALL_FAULT:
		return open_page(s);
	default:
		return 0;
	}
}

static void rescue_stall(void *s)
{
	stall_end(s);
}

struct stall *stall_new(enum stall_kind kind)
{
	struct stall *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->kind = kind;
	/* What a failure leaves open goes with the process, soon. */
	if (set_up(s))
		return NULL;
	errno = guard_start(&s->guard, STALL_PATIENCE_MS, rescue_stall, s);
	return errno ? NULL : s;
}

void stall_prepare(struct stall *s)
{
	guard_set(&s->word, 0);
	if (s->kind == STALL_MUTEX) {
		raw_write(s->pipe[1], 'L');
		raw_read(s->answer[0]);
	} else if (s->kind == STALL_FAULT) {
		madvise((void *)s->page, s->page_size, MADV_DONTNEED);
	}
	guard_set(&s->guard.beat, s->guard.beat + 1);
	guard_set(&s->guard.armed, 1);
}

void stall_enter(struct stall *s)
{
	switch (s->kind) {
	case STALL_READ:
		raw_read(s->pipe[0]);
		break;
	case STALL_FUTEX:
		while (!guard_get(&s->word))
			wend__futex_wait(&s->word, 0, -1);
		break;
	case STALL_MUTEX:
		pthread_mutex_lock(&s->mutex);
		pthread_mutex_unlock(&s->mutex);
		break;
	case STALL_FAULT:
		(void)*s->page;
		break;
	default:
		while (!__atomic_load_n(&s->word, __ATOMIC_RELAXED))
			;
	}
	guard_set(&s->guard.armed, 0);
}

void stall_end(struct stall *s)
{
	guard_set(&s->word, 1);
	if (s->kind == STALL_READ)
		raw_write(s->pipe[1], 'x');
	else if (s->kind == STALL_FUTEX)
		wend__futex_wake(&s->word, 1);
	else if (s->kind == STALL_MUTEX)
		raw_write(s->pipe[1], 'U');
	else if (s->kind == STALL_FAULT)
		fill_page(s);
}

int stall_fd(const struct stall *s)
{
	return s->pipe[0];
}

bool stall_rescued(const struct stall *s)
{
	return guard_get(&s->guard.fired);
}

static void close_both(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

void stall_free(struct stall *s)
{
	guard_stop(&s->guard);
	if (s->kind == STALL_MUTEX) {
		close(s->pipe[1]);
		pthread_join(s->holder, NULL);
		close(s->pipe[0]);
		close_both(s->answer);
	} else if (s->kind == STALL_READ) {
		close_both(s->pipe);
	} else if (s->kind == STALL_FAULT) {
		munmap((void *)s->page, s->page_size);
		close(s->uffd);
	}
	free(s);
}

/* --- a crowd ------------------------------------------------------------- */

struct crowd {
	struct guard guard;
	size_t count;
	size_t joined;
	uint32_t home;
	int (*pipe)[2];
};

/* Whoever comes first closes: the guard, or the program. */
void crowd_send_home(struct crowd *c)
{
	if (__atomic_exchange_n(&c->home, 1, __ATOMIC_SEQ_CST))
		return;
	for (size_t i = 0; i < c->count; i++)
		close(c->pipe[i][1]);
}

static void rescue_crowd(void *c)
{
	crowd_send_home(c);
}

struct crowd *crowd_new(size_t count)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pipe = calloc(count, sizeof(*c->pipe));
	if (!c->pipe)
		return NULL;
	for (c->count = 0; c->count < count; c->count++) {
		if (pipe2(c->pipe[c->count], O_CLOEXEC))
			return NULL;
	}
	errno = guard_start(&c->guard, STALL_CROWD_PATIENCE_MS, rescue_crowd,
			    c);
	if (errno)
		return NULL;
	guard_set(&c->guard.armed, 1);
	return c;
}

void crowd_join(struct crowd *c, size_t i)
{
	__atomic_fetch_add(&c->joined, 1, __ATOMIC_SEQ_CST);
	raw_read(c->pipe[i][0]);
}

size_t crowd_joined(const struct crowd *c)
{
	return __atomic_load_n(&c->joined, __ATOMIC_SEQ_CST);
}

bool crowd_rescued(const struct crowd *c)
{
	return guard_get(&c->guard.fired);
}

void crowd_free(struct crowd *c)
{
	guard_stop(&c->guard);
	for (size_t i = 0; i < c->count; i++)
		close(c->pipe[i][0]);
	free(c->pipe);
	free(c);
}

/* --- computing ----------------------------------------------------------- */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A round is some microseconds, so that looking at the clock is not seen. */
uint64_t stall_compute(uint64_t end_ns)
{
	uint64_t rounds = 0, x = 1;

	while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
		for (int i = 0; i < 5000; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			__asm__ volatile("" : "+r"(x));
		}
		rounds++;
	}
	return rounds;
}

/* Ticks that the CPUs of this process were idle, for I/O or nothing. */
static uint64_t idle_ticks(void)
{
	unsigned long long idle, wait, sum = 0;
	FILE *f = fopen("/proc/stat", "re");
	cpu_set_t cpus;
	char line[512];
	int cpu;

	if (!f || sched_getaffinity(getpid(), sizeof(cpus), &cpus))
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "cpu%d %*u %*u %*u %llu %llu", &cpu, &idle,
			   &wait) == 3 &&
		    cpu < CPU_SETSIZE && CPU_ISSET(cpu, &cpus))
			sum += idle + wait;
	}
	fclose(f);
	return sum;
}

uint64_t stall_offered_ns(void)
{
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	return clock_ns(CLOCK_PROCESS_CPUTIME_ID) + idle_ticks() * tick_ns;
}
