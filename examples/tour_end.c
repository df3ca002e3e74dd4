/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_end.c - how work ends: nurseries, cancellation, contexts.
 */
#include <wend/std/context.h>
#include "examples/tour.h"

/* --- nursery ------------------------------------------------------------- */

TASK(sleep_long, (int *, cancelled))
{
	if (wend_sleep(3600 * WEND_SECOND) == -ECANCELED)
		__atomic_add_fetch(cancelled, 1, __ATOMIC_RELAXED);
}

TASK(fail_soon)
{
	wend_sleep(WEND_MILLISECOND);
	wend_task_fail(-EIO);
}

void step_nursery(void)
{
	int cancelled = 0;

	nursery(n) {
		nursery_go(&n, sleep_long, &cancelled);
		nursery_go(&n, sleep_long, &cancelled);
		nursery_go(&n, fail_soon);
	}
	say("one task fails, %d that sleep for an hour are cancelled",
	    cancelled);
	say("the nursery's result: %s", text_of(n.result));
}

/* --- cancel -------------------------------------------------------------- */

TASK(wait_for_nothing, (chan(int), nothing), (chan(int), said))
{
	int v;

	chan_send(said, chan_recv(nothing, &v));
	chan_send(said, wend_sleep(WEND_MILLISECOND));
	/* Cleaning up may need to wait. */
	wend_task_shield(true);
	chan_send(said, wend_sleep(WEND_MILLISECOND));
	wend_task_shield(false);
}

void step_cancel(void)
{
	chan(int) nothing = must(chan_make(int, 0)),
		  said = must(chan_make(int, 3));
	wend_task *t = NULL;
	int r = 0;

	sure(go_with((&(wend_attr){ .handle = &t }), wait_for_nothing, nothing,
		     said));
	wend_task_cancel(t);
	wend_join(t, NULL);
	chan_recv(said, &r);
	say("what it waits for ends: %s", text_of(r));
	chan_recv(said, &r);
	say("and whatever it waits for then: %s", text_of(r));
	chan_recv(said, &r);
	say("but under a shield: %s", text_of(r));
	chan_free(nothing);
	chan_free(said);
}

/* --- defer --------------------------------------------------------------- */

static void say_number(void *number)
{
	say("deferred as number %d", *(int *)number);
}

void step_defer(void)
{
	int one = 1, two = 2;

	defer(say_number, &one);
	defer(say_number, &two);
	say("the end of the block");
}

/* --- context ------------------------------------------------------------- */

static int sleep_hour(void *arg)
{
	return wend_sleep(3600 * WEND_SECOND);
}

void step_context(void)
{
	static const char key;
	static char somebody[] = "somebody";
	wend_ctx *all = must(wend_ctx_with_cancel(NULL));
	wend_ctx *user = must(wend_ctx_with_value(all, &key, somebody, NULL));
	wend_ctx *brief = must(
		wend_ctx_with_timeout(user, 5 * WEND_MILLISECOND));

	say("it is for: %s", (char *)wend_ctx_value(brief, &key));
	say("an hour's sleep in a context of 5 ms: %s",
	    text_of(wend_ctx_run(brief, sleep_hour, NULL)));
	say("what it was made from goes on: %s", text_of(wend_ctx_err(all)));
	wend_ctx_cancel(all);
	wend_chan_recv(wend_ctx_done(user), NULL);
	say("until it is cancelled, with all below it: %s",
	    text_of(wend_ctx_err(user)));
	wend_ctx_unref(brief);
	wend_ctx_unref(user);
	wend_ctx_unref(all);
}
