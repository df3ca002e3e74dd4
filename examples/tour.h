/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour.h - the steps of the tour.
 *
 *	tour.c          the command line, the list of steps
 *	tour_meet.c     tasks that meet: channels, select, timers, locks
 *	tour_end.c      how work ends: nurseries, cancellation, contexts
 *	tour_world.c    the world: blocking calls, preemption, signals, HTTP
 *
 * Each step says what it has seen with say(): facts that are the same however
 * the tasks were scheduled.
 */
#ifndef EXAMPLES_TOUR_H
#define EXAMPLES_TOUR_H

#include <stdio.h>
#include <string.h>
#include <wend/short.h>
#include "examples/args.h"

#define say(...) (printf("  " __VA_ARGS__), putchar('\n'))

/* What else cannot go on without memory. */
static inline void sure(int result)
{
	if (result == 0)
		return;
	fprintf(stderr, "tour: %s\n", strerror(-result));
	exit(1);
}

/* What an error number of wend's, which is negative, means in words. */
static inline const char *text_of(int result)
{
	return result < 0 ? strerror(-result) : "no error";
}

/* tour_meet.c */
void step_tasks(void);
void step_channels(void);
void step_select(void);
void step_timers(void);
void step_locks(void);

/* tour_end.c */
void step_nursery(void);
void step_cancel(void);
void step_defer(void);
void step_context(void);

/* tour_world.c */
void step_blocking(void);
void step_deadlines(void);
void step_preemption(void);
void step_signals(void);
void step_process(void);
void step_http(void);

#endif
