/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/log.h - lines that say what happens, for people and for programs.
 *
 *	wend_log_info("listening", wend_log_text("address", address),
 *		      wend_log_int("backlog", backlog));
 *
 * writes to stderr, in one write:
 *
 *	time=2026-01-02T15:04:05.123456Z level=info msg=listening address=[::]:80 backlog=128
 *
 * Values with space, '=', '"', '\' or what cannot be printed in them, and empty
 * ones, stand in double quotes, in which \" \\ \n \r \t and \xff (any other
 * byte) stand for what they do in C. So whatever a value is, a line is a line,
 * and can be taken apart again.
 *
 * Context: any task and any thread, also outside the runtime. Lines are
 * written one after the other: none is mixed with another. Who logs waits for
 * the writer, and for those before it; nobody else does. A cancelled task's
 * lines are written, too. errno stays as it is. Of a line below the level
 * nothing is evaluated, not even its arguments.
 */
#ifndef WEND_STD_LOG_H
#define WEND_STD_LOG_H

#include <stdarg.h>

#include <wend/std/io.h>
#include <wend/std/str.h>

WEND_BEGIN_DECLS

enum {
	WEND_LOG_DEBUG,
	WEND_LOG_INFO,
	WEND_LOG_WARN,
	WEND_LOG_ERROR,
	WEND_LOG_OFF, /* as a level to set: no line is written */
};

/* --- settings ------------------------------------------------------------ */

/* Lines below this level are not written. WEND_LOG_INFO at first. */
WEND_API void wend_log_set_level(int level);

/* The level of a name: debug, info, warn, error, off; case does not count.
 * Errors  EINVAL: there is no such level. */
WEND_API WEND_MUST_CHECK int wend_log_level_of(wend_str name);

/*
 * wend_log_set_writer - write to w from now on, each line by one call of it;
 * NULL: to stderr, as at first.
 *
 * When it returns the writer before is not in use any more. w may be a writer
 * that two tasks must not use at once; it must not log.
 */
WEND_API void wend_log_set_writer(wend_writer *w);

/* Whether lines begin with the time; they do at first. */
WEND_API void wend_log_set_time(bool on);

/* Lines that the writer returned an error for, since the program began. */
WEND_API uint64_t wend_log_lost(void);

/* --- fields -------------------------------------------------------------- */

enum wend__log_kind {
	WEND__LOG_TEXT,
	WEND__LOG_INT,
	WEND__LOG_UINT,
	WEND__LOG_FLOAT,
	WEND__LOG_BOOL,
	WEND__LOG_DURATION,
	WEND__LOG_TIME,
};

/* A key and a value; what it points to must be valid during the call. In keys
 * space, '=', '"' and what cannot be printed are written as '_'. */
typedef struct wend_log_field {
	const char *key; /* NULL: no more fields */
	enum wend__log_kind kind;
	union {
		wend_str text;
		int64_t i;
		uint64_t u;
		double f;
	} value;
} wend_log_field;

#define WEND__LOG_FIELD(function, type, tag, member)                           \
	static inline wend_log_field function(const char *key, type value)     \
	{                                                                      \
		wend_log_field field;                                          \
                                                                               \
		field.key = key;                                               \
		field.kind = tag;                                              \
		field.value.member = value;                                    \
		return field;                                                  \
	}

WEND__LOG_FIELD(wend_log_str, wend_str, WEND__LOG_TEXT, text)
WEND__LOG_FIELD(wend_log_int, int64_t, WEND__LOG_INT, i)
WEND__LOG_FIELD(wend_log_uint, uint64_t, WEND__LOG_UINT, u)
WEND__LOG_FIELD(wend_log_float, double, WEND__LOG_FLOAT, f)
WEND__LOG_FIELD(wend_log_bool, bool, WEND__LOG_BOOL, u)
/* Nanoseconds, written as "1.5s". */
WEND__LOG_FIELD(wend_log_duration, int64_t, WEND__LOG_DURATION, i)
/* Nanoseconds since 1970, as wend_time_now() has them; written as in RFC 3339,
 * in UTC. */
WEND__LOG_FIELD(wend_log_time, int64_t, WEND__LOG_TIME, i)

/* A string with a NUL at its end; NULL is written as "". */
static inline wend_log_field wend_log_text(const char *key, const char *text)
{
	return wend_log_str(key, wend_str_from(text));
}

/* The text of an error number of either sign. */
WEND_API wend_log_field wend_log_code(const char *key, int code);

static inline wend_log_field wend__log_end(void)
{
	return wend_log_text(NULL, NULL);
}

/* --- lines --------------------------------------------------------------- */

/*
 * wend_log_debug, wend_log_info, wend_log_warn, wend_log_error - a line.
 *
 *	wend_log_info(message)
 *	wend_log_info(message, field, field ...)
 *
 *   message     a string: what happened, always in the same words
 *   field       one of the functions above: with what
 *
 * A line is cut before 64 KiB, and for want of memory before 1 KiB; cut=true is
 * its last field then. Cost: no allocation for lines below 1 KiB.
 */
#define wend_log_debug(...) wend_log(WEND_LOG_DEBUG, __VA_ARGS__)
#define wend_log_info(...)  wend_log(WEND_LOG_INFO, __VA_ARGS__)
#define wend_log_warn(...)  wend_log(WEND_LOG_WARN, __VA_ARGS__)
#define wend_log_error(...) wend_log(WEND_LOG_ERROR, __VA_ARGS__)

#define wend_log(level, ...)                                                   \
	do {                                                                   \
		if (wend_log_enabled(level)) {                                 \
			const wend_log_field wend__fields[] = {                \
				WEND__LOG_TAIL(__VA_ARGS__, wend__log_end())   \
			};                                                     \
			wend_log_write((level),                                \
				       WEND__LOG_HEAD(__VA_ARGS__, 0),         \
				       wend__fields);                          \
		}                                                              \
	} while (0)
#define WEND__LOG_HEAD(message, ...) message
#define WEND__LOG_TAIL(message, ...) __VA_ARGS__

/* Whether lines of this level are written. */
WEND_API extern int wend__log_level;
static inline bool wend_log_enabled(int level)
{
	return level >= __atomic_load_n(&wend__log_level, __ATOMIC_RELAXED) &&
	       level < WEND_LOG_OFF;
}

/* What the macros call: fields ends with one without a key, or is NULL. */
WEND_API void wend_log_write(int level, const char *message,
			     const wend_log_field *fields);

/* A line whose message is made as printf() does. */
WEND_API void wend_log_printf(int level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
WEND_API void wend_log_vprintf(int level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

WEND_END_DECLS

#endif
