/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.c - the bounds of a thread's own stack, for AddressSanitizer.
 *
 * Only ASan needs them (to switch back to the thread's stack); in other
 * builds this file is empty.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "compiler-rt/fiber.h"

#if WEND__ASAN

#include <pthread.h>

int wend__fiber_of_thread(struct wend__fiber *f)
{
	pthread_attr_t attr;
	void *bottom;
	size_t size;
	int err;

	err = pthread_getattr_np(pthread_self(), &attr);
	if (err)
		return -err;
	err = pthread_attr_getstack(&attr, &bottom, &size);
	pthread_attr_destroy(&attr);
	if (err)
		return -err;
	wend__fiber_create(f, bottom, size);
	return 0;
}

#else

/* A translation unit may not be empty. */
typedef int wend__fiber_unused;

#endif
