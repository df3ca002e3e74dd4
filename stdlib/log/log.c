/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - where lines go, and which.
 *
 * A line is made on the stack of who logs, or in allocated memory if it is
 * long; only the write is under the lock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <wend/std/errors.h>
#include <wend/std/time.h>
#include <wend/wend.h>

#include "stdlib/log/line.h"

enum { SHORT_LINE = 1024, LONGEST_LINE = 65536, SHORT_MESSAGE = 256 };

int wend__log_level = WEND_LOG_INFO;

static bool without_time; /* atomic */
static uint64_t lost;     /* atomic */

static wend_mutex lock;
static wend_writer *to; /* under the lock; NULL: stderr */

/* --- settings ------------------------------------------------------------ */

void wend_log_set_level(int level)
{
	__atomic_store_n(&wend__log_level, level, __ATOMIC_RELAXED);
}

int wend_log_level_of(wend_str name)
{
	static const char *const names[] = { "debug", "info", "warn", "error",
					     "off" };

	for (int i = 0; i <= WEND_LOG_OFF; i++) {
		if (wend_str_equal_fold(name, wend_str_from(names[i])))
			return i;
	}
	return -EINVAL;
}

void wend_log_set_writer(wend_writer *w)
{
	wend_mutex_lock(&lock);
	to = w;
	wend_mutex_unlock(&lock);
}

void wend_log_set_time(bool on)
{
	__atomic_store_n(&without_time, !on, __ATOMIC_RELAXED);
}

uint64_t wend_log_lost(void)
{
	return __atomic_load_n(&lost, __ATOMIC_RELAXED);
}

wend_log_field wend_log_code(const char *key, int code)
{
	return wend_log_text(key, wend_error_describe(code));
}

/* --- lines --------------------------------------------------------------- */

static void write_line(const char *line, size_t n)
{
	wend_io_fd_writer standard;
	wend_writer *w;
	ssize_t r;

	wend_io_fd_writer_init(&standard, STDERR_FILENO);
	wend_mutex_lock(&lock);
	w = to ? to : &standard.writer;
	r = wend_write(w, line, n);
	wend_mutex_unlock(&lock);
	if (r < 0)
		__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
}

static void write_entry(const struct wend__log_entry *e)
{
	char small[SHORT_LINE], *large = NULL;
	size_t len, n = wend__log_render(e, small, sizeof(small), &len);

	if (n > sizeof(small)) {
		if (n > LONGEST_LINE)
			n = LONGEST_LINE;
		large = malloc(n);
	}
	if (large)
		wend__log_render(e, large, n, &len);
	write_line(large ? large : small, len);
	free(large);
}

static void write_message(int level, wend_str message,
			  const wend_log_field *fields)
{
	struct wend__log_entry e = { .level = level,
				     .message = message,
				     .fields = fields };
	int error = errno;
	bool shield;

	if (level < WEND_LOG_DEBUG)
		e.level = WEND_LOG_DEBUG;
	e.has_time = !__atomic_load_n(&without_time, __ATOMIC_RELAXED);
	if (e.has_time)
		e.time = wend_time_now();
	/* Why it was cancelled is what a task will log. */
	shield = wend_task_shield(true);
	write_entry(&e);
	wend_task_shield(shield);
	errno = error;
}

void wend_log_write(int level, const char *message,
		    const wend_log_field *fields)
{
	if (wend_log_enabled(level))
		write_message(level, wend_str_from(message), fields);
}

void wend_log_vprintf(int level, const char *format, va_list args)
{
	char small[SHORT_MESSAGE], *large = NULL;
	int error = errno;
	va_list again;
	int n;

	if (!wend_log_enabled(level))
		return;
	va_copy(again, args);
	n = vsnprintf(small, sizeof(small), format, again);
	va_end(again);
	if (n >= (int)sizeof(small))
		large = malloc((size_t)n + 1);
	if (large)
		vsnprintf(large, (size_t)n + 1, format, args);
	errno = error;
	/* A wrong format is its own message; without memory a part will do. */
	write_message(level,
		      wend_str_from(n < 0 ? format :
				    large ? large :
					    small),
		      NULL);
	free(large);
}

void wend_log_printf(int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	wend_log_vprintf(level, format, args);
	va_end(args);
}
