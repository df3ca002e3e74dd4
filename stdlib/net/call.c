/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - one call under a limit: what becomes of it when it was not done at
 * once.
 */
#define _GNU_SOURCE
#include "stdlib/net/socket.h"

bool wend__net_again_slow(struct wend__net_call *call, ssize_t *n, int err)
{
	int r;

	if (*n == 0) {
		if (wend_call_limit_check(call->limit) == -ECANCELED)
			*n = -ECANCELED;
		return false;
	}
	if (err == EAGAIN || err == EINTR) {
		/* In a task EAGAIN is for one who sends a file on the same
		 * socket now. */
		r = err == EAGAIN ? wend_call_limit_wait(call->limit, call->fd,
							 call->events) :
				    wend_call_limit_check(call->limit);
		*n = r;
		if (r == 0 && call->entered)
			call->entered = wend_call_limit_enter(call->limit,
							      &call->old) == 0;
		return r == 0;
	}
	/* What a socket says that was shut down by a close. */
	*n = wend_call_limit_check(call->limit) == -ECANCELED ? -ECANCELED :
								-err;
	return false;
}
