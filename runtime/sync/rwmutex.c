/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rwmutex.c - many readers or one writer.
 *
 * Invariants, the queue's lock held:
 *   R1  writer_ => readers_ == 0
 *   R2  writers_waiting_ counts writers that wait, or gave up and have not
 *       said so yet
 *   R3  neither held nor wanted by a writer => no reader waits
 *
 * Whoever releases it grants it: the waiter wakes up holding it. Everything
 * is under the queue's lock, which is held for a few instructions.
 */
#include <errno.h>

#include <wend/sync.h>
#include <wend/time.h>

#include "runtime/sched/server.h"

/* A waiter's elem: what it wants. */
static char wants_read, wants_write;

/* --- granting; the lock is held ----------------------------------------------------------- */

/* Claim up to n waiters that want this, onto the chain. */
static uint32_t claim_kind(wend_rwmutex *m, const void *kind, uint32_t n,
			   struct wend__waiter **chain)
{
	struct wend__waiter *w = m->waiters_.head_, *next;
	uint32_t count = 0;

	for (; w && count < n; w = next) {
		next = w->next;
		if (w->elem != kind)
			continue;
		wend__waitq_remove(&m->waiters_, w);
		if (!wend__claim(w->task, w->ticket))
			continue;
		w->task->woken_by = w;
		w->next = *chain;
		*chain = w;
		count++;
	}
	return count;
}

static void grant_readers(wend_rwmutex *m, struct wend__waiter **chain)
{
	m->readers_ += claim_kind(m, &wants_read, UINT32_MAX, chain);
}

static void grant_writer(wend_rwmutex *m, struct wend__waiter **chain)
{
	if (m->writer_ || m->readers_)
		return;
	if (claim_kind(m, &wants_write, 1, chain)) {
		m->writer_ = 1;
		m->writers_waiting_--;
	}
}

/* --- reading ------------------------------------------------------------------------------ */

static int rlock_until(wend_rwmutex *m, int64_t deadline, bool deaf,
		       const void *caller)
{
	const struct wend__wait_how how = {
		.why = "rwmutex read lock",
		.where = m,
		.caller = caller,
		.deadline = deadline,
		.deaf = deaf,
		.elem = &wants_read,
	};

	wend__waitq_lock(&m->waiters_);
	if (!m->writer_ && !m->writers_waiting_) {
		m->readers_++;
		wend__waitq_unlock(&m->waiters_);
		return 0;
	}
	if (deadline <= 0) {
		wend__waitq_unlock(&m->waiters_);
		return -ETIMEDOUT;
	}
	return wend__wait_on(&m->waiters_, &how);
}

void wend_rwmutex_rlock(wend_rwmutex *m)
{
	(void)rlock_until(m, WEND_FOREVER, true, WEND__CALLER());
}

int wend_rwmutex_rlock_until(wend_rwmutex *m, int64_t deadline)
{
	return rlock_until(m, deadline, false, WEND__CALLER());
}

bool wend_rwmutex_rtry(wend_rwmutex *m)
{
	return rlock_until(m, 0, true, WEND__CALLER()) == 0;
}

void wend_rwmutex_runlock(wend_rwmutex *m)
{
	struct wend__waiter *chain = NULL;

	wend__waitq_lock(&m->waiters_);
	if (!m->readers_)
		wend__panic("read unlock of an rwmutex that no reader holds");
	m->readers_--;
	grant_writer(m, &chain);
	wend__waitq_unlock(&m->waiters_);
	wend__ready_chain(chain);
}

/* --- writing ------------------------------------------------------------------------------ */

/* A writer gave up: the readers it held off may go, if it was the last. */
static void writer_gave_up(wend_rwmutex *m)
{
	struct wend__waiter *chain = NULL;

	wend__waitq_lock(&m->waiters_);
	m->writers_waiting_--;
	if (!m->writer_ && !m->writers_waiting_)
		grant_readers(m, &chain);
	wend__waitq_unlock(&m->waiters_);
	wend__ready_chain(chain);
}

static int lock_until(wend_rwmutex *m, int64_t deadline, bool deaf,
		      const void *caller)
{
	const struct wend__wait_how how = {
		.why = "rwmutex lock",
		.where = m,
		.caller = caller,
		.deadline = deadline,
		.deaf = deaf,
		.elem = &wants_write,
	};
	int r;

	wend__waitq_lock(&m->waiters_);
	if (!m->writer_ && !m->readers_) {
		m->writer_ = 1;
		wend__waitq_unlock(&m->waiters_);
		return 0;
	}
	if (deadline <= 0) {
		wend__waitq_unlock(&m->waiters_);
		return -ETIMEDOUT;
	}
	m->writers_waiting_++;
	r = wend__wait_on(&m->waiters_, &how);
	if (r)
		writer_gave_up(m);
	return r;
}

void wend_rwmutex_lock(wend_rwmutex *m)
{
	(void)lock_until(m, WEND_FOREVER, true, WEND__CALLER());
}

int wend_rwmutex_lock_until(wend_rwmutex *m, int64_t deadline)
{
	return lock_until(m, deadline, false, WEND__CALLER());
}

bool wend_rwmutex_try(wend_rwmutex *m)
{
	return lock_until(m, 0, true, WEND__CALLER()) == 0;
}

void wend_rwmutex_unlock(wend_rwmutex *m)
{
	struct wend__waiter *chain = NULL;

	wend__waitq_lock(&m->waiters_);
	if (!m->writer_)
		wend__panic("unlock of an rwmutex that no writer holds");
	m->writer_ = 0;
	/* The readers that wait go before the next writer. */
	grant_readers(m, &chain);
	grant_writer(m, &chain);
	wend__waitq_unlock(&m->waiters_);
	wend__ready_chain(chain);
}
