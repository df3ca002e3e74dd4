/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catch.h - from a signal handler to a task: what of it may run in a handler.
 *
 * A handler may call nothing of wend and may not wait. It marks its signal and,
 * if that was not marked already, writes a byte into a pipe that one task reads:
 *
 *      handler                           the task that reads
 *      pending |= bit                    read(pipe): at least one byte
 *      the bit was not set:              bits = pending, pending = 0
 *        write(pipe, one byte)           tell of bits
 *
 * Whoever sets a bit that was clear writes a byte after it; so when a bit is
 * set, its byte is in the pipe, about to be written, or was read by a reader
 * that has yet to take pending. A signal that comes again before it was taken is
 * one with the first. The pipe never has more than 64 + the wake-ups in it; were
 * it full, the reader has something to read, which is all that counts.
 *
 * Rejected: signalfd and sigwait(): the signals would have to be blocked in all
 * threads, those of other libraries included, and children would inherit that.
 */
#ifndef STDLIB_OS_CATCH_H
#define STDLIB_OS_CATCH_H

#include <stdint.h>

#define WEND__SIGNALS 64

static inline uint64_t wend__signal_bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/* Make the pipe, once. 0, or a negative error number. */
int wend__catch_open(void);

/* Catch a signal, and put back what was there. One caller at a time. */
int wend__catch_install(int sig);
void wend__catch_restore(int sig);

/* The signals that are caught, as bits. */
uint64_t wend__catch_installed(void);

/* Take what has come; wait until something may have, or wake is called. */
uint64_t wend__catch_take(void);
void wend__catch_wait(void);
void wend__catch_wake(void);

#endif
