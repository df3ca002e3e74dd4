/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.c - from a writer's memory straight into a reader's.
 *
 * Invariants, lock_ held:
 *   I1  left_ > 0  =>  busy_, and data_ is memory of the task that writes,
 *       which does not return before it has taken data_ back
 *   I2  a side that is closed stays so
 *
 * Bytes are copied with the lock held: that is what keeps the writer from
 * leaving in the middle. Every change that somebody may wait for wakes all of
 * one side; there is one task on each as a rule.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <wend/std/io.h>

static wend_io_pipe *of_writer(wend_writer *w)
{
	return (wend_io_pipe *)((char *)w - offsetof(wend_io_pipe, writer));
}

/* Until something has changed. A deadline that was set meanwhile is a change,
 * also if the old one passes at the same time. */
static int wait_change(wend_io_pipe *p, wend_cond *c, const int64_t *deadline)
{
	int64_t until = *deadline;
	int r = wend_cond_wait_until(c, &p->lock_, until);

	return r == -ETIMEDOUT && until != *deadline ? 0 : r;
}

/* --- reading ------------------------------------------------------------- */

static size_t take(wend_io_pipe *p, void *buf, size_t n)
{
	if (n > p->left_)
		n = p->left_;
	memcpy(buf, p->data_, n);
	p->data_ += n;
	p->left_ -= n;
	if (p->left_ == 0)
		wend_cond_broadcast(&p->writers_);
	return n;
}

static ssize_t read_locked(wend_io_pipe *p, void *buf, size_t n)
{
	int r;

	for (;;) {
		if (p->read_closed_)
			return -EPIPE;
		if (n == 0)
			return 0;
		if (p->left_)
			return (ssize_t)take(p, buf, n);
		if (p->write_closed_)
			return p->write_error_;
		r = wait_change(p, &p->readers_, &p->read_deadline_);
		if (r)
			return r;
	}
}

static ssize_t pipe_read(wend_reader *reader, void *buf, size_t n)
{
	wend_io_pipe *p = (wend_io_pipe *)reader;
	ssize_t r;

	wend_mutex_lock(&p->lock_);
	r = read_locked(p, buf, n);
	wend_mutex_unlock(&p->lock_);
	return r;
}

/* --- writing ------------------------------------------------------------- */

/* 0: both sides are open. */
static int closed_error(const wend_io_pipe *p)
{
	if (p->write_closed_)
		return -EPIPE;
	return p->read_closed_ ? p->read_error_ : 0;
}

static int wait_turn(wend_io_pipe *p)
{
	int r = closed_error(p);

	while (!r && p->busy_) {
		r = wait_change(p, &p->writers_, &p->write_deadline_);
		if (!r)
			r = closed_error(p);
	}
	return r;
}

static int wait_taken(wend_io_pipe *p)
{
	int r = 0;

	while (!r && p->left_) {
		r = closed_error(p);
		if (!r)
			r = wait_change(p, &p->writers_, &p->write_deadline_);
	}
	/* Taken at the last moment is taken. */
	return p->left_ ? r : 0;
}

static ssize_t write_locked(wend_io_pipe *p, const void *buf, size_t n)
{
	int r = wait_turn(p);

	if (r || n == 0)
		return r;
	p->busy_ = true;
	p->data_ = buf;
	p->left_ = n;
	wend_cond_broadcast(&p->readers_);
	r = wait_taken(p);
	p->busy_ = false;
	p->data_ = NULL;
	p->left_ = 0;
	/* The next one's turn. */
	wend_cond_broadcast(&p->writers_);
	return r ? r : (ssize_t)n;
}

static ssize_t pipe_write(wend_writer *writer, const void *buf, size_t n)
{
	wend_io_pipe *p = of_writer(writer);
	ssize_t r;

	if (n > SSIZE_MAX)
		return -EINVAL;
	wend_mutex_lock(&p->lock_);
	r = write_locked(p, buf, n);
	wend_mutex_unlock(&p->lock_);
	return r;
}

/* --- the pipe ------------------------------------------------------------ */

void wend_io_pipe_init(wend_io_pipe *p)
{
	memset(p, 0, sizeof(*p));
	p->reader.read = pipe_read;
	p->writer.write = pipe_write;
	p->read_deadline_ = WEND_FOREVER;
	p->write_deadline_ = WEND_FOREVER;
}

static void wake_all(wend_io_pipe *p)
{
	wend_cond_broadcast(&p->readers_);
	wend_cond_broadcast(&p->writers_);
}

void wend_io_pipe_close_read(wend_io_pipe *p, int error)
{
	wend_mutex_lock(&p->lock_);
	if (!p->read_closed_) {
		p->read_closed_ = true;
		p->read_error_ = error ? error : -EPIPE;
		wake_all(p);
	}
	wend_mutex_unlock(&p->lock_);
}

void wend_io_pipe_close_write(wend_io_pipe *p, int error)
{
	wend_mutex_lock(&p->lock_);
	if (!p->write_closed_) {
		p->write_closed_ = true;
		p->write_error_ = error;
		wake_all(p);
	}
	wend_mutex_unlock(&p->lock_);
}

void wend_io_pipe_set_read_deadline(wend_io_pipe *p, int64_t deadline)
{
	wend_mutex_lock(&p->lock_);
	p->read_deadline_ = deadline;
	wend_cond_broadcast(&p->readers_);
	wend_mutex_unlock(&p->lock_);
}

void wend_io_pipe_set_write_deadline(wend_io_pipe *p, int64_t deadline)
{
	wend_mutex_lock(&p->lock_);
	p->write_deadline_ = deadline;
	wend_cond_broadcast(&p->writers_);
	wend_mutex_unlock(&p->lock_);
}
