/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall.h - ways to stall a thread that no runtime is told about.
 *
 * A stall is entered by one task and ended by another:
 *
 *	task A                          task B
 *	stall_prepare(s)
 *	make B ready
 *	stall_enter(s)                  run at last: look at the clock
 *	  ... returns                   stall_end(s)
 *
 * A plain thread of the program stands by: when nobody ended the stall for
 * STALL_PATIENCE_MS it does so itself, and stall_rescued() tells.
 *
 * System calls are made by the bare instruction, so that nothing announces
 * them by the function's name. C alone, no other file of the benches: Go
 * calls this too, by cgo.
 */
#ifndef BENCH_COMMON_STALL_H
#define BENCH_COMMON_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STALL_PATIENCE_MS 1000

enum stall_kind {
	STALL_READ,  /* read() on an empty pipe */
	STALL_FUTEX, /* FUTEX_WAIT */
	STALL_MUTEX, /* a pthread mutex that a plain thread holds */
	STALL_FAULT, /* a page that is not there yet (userfaultfd) */
	STALL_LOOP,  /* no call at all: computing */
	STALL_KINDS
};

struct stall;

/* The kind's name in a metric. */
const char *stall_name(enum stall_kind kind);

/* NULL: this machine does not allow it; errno says why. */
struct stall *stall_new(enum stall_kind kind);
void stall_free(struct stall *s);

/* By the one that will enter; may wait for a moment. */
void stall_prepare(struct stall *s);
void stall_enter(struct stall *s);

/* By another; does not wait. */
void stall_end(struct stall *s);

/* STALL_READ: the descriptor, for who reads a byte of it in his own way. */
int stall_fd(const struct stall *s);

/* Whether the last stall, or one before, was not ended in time. */
bool stall_rescued(const struct stall *s);

/* Sleep by the bare system call; poll() by the C library's function, on a
 * descriptor on which nothing happens. */
void stall_sleep_ms(int ms);
void stall_poll_ms(int fd, int ms);

/*
 * A crowd: many tasks, each in read() on a pipe of its own that nobody ever
 * writes to. They come back when the crowd is sent home, or after
 * STALL_CROWD_PATIENCE_MS.
 */
#define STALL_CROWD_PATIENCE_MS 20000

struct crowd;

struct crowd *crowd_new(size_t count);      /* NULL: errno says why */
void crowd_join(struct crowd *c, size_t i); /* returns when sent home */
size_t crowd_joined(const struct crowd *c);
void crowd_send_home(struct crowd *c);
bool crowd_rescued(const struct crowd *c);
/* When all have returned from crowd_join(). */
void crowd_free(struct crowd *c);

/* Compute until that time (CLOCK_MONOTONIC, ns); the rounds done. */
uint64_t stall_compute(uint64_t end_ns);

/*
 * The CPU time that this process has used or might have used, so far: its own,
 * and what its CPUs were idle, in ns. What other programs take is in neither,
 * so that speeds by this clock can be compared on a busy machine, too.
 */
uint64_t stall_offered_ns(void);

#endif
