/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/errors.h - errors that say what was being done.
 *
 *	wend_error *load(const char *path)
 *	{
 *		int fd = open(path, O_RDONLY);
 *
 *		if (fd < 0)
 *			return wend_errorf(wend_error_from(errno), 0,
 *					   "load %s", path);
 *		...
 *	}
 *
 * "load x.conf: No such file or directory" is its text, and ENOENT its code;
 * wend_error_is(e, ENOENT) is true for it and for whatever is made of it. No
 * error is NULL.
 *
 * An error never changes. It may be used by several tasks and threads at once;
 * each owner has a reference of its own, and gives it back by
 * wend_error_free(). Context: anywhere, also outside the runtime. Nothing here
 * waits or fails: for want of memory there is an error that says so.
 */
#ifndef WEND_STD_ERRORS_H
#define WEND_STD_ERRORS_H

#include <stdarg.h>

#include <wend/base.h>

WEND_BEGIN_DECLS

typedef struct wend_error wend_error;

/*
 * wend_error_from - the error of an error number, whose text is the system's.
 *
 *   code        an error number of either sign; 0: there is no error, NULL
 */
WEND_API WEND_MUST_CHECK wend_error *wend_error_from(int code);

/*
 * wend_errorf - an error with a message, and with the one that caused it.
 *
 *   cause       or NULL; the reference is the new error's from now on
 *   code        an error number of either sign; 0: the cause's, or 0
 *   format      as printf()'s; the text is "message: text of the cause"
 *
 * Returns  the error, to be freed by wend_error_free(); never NULL. Without
 *          memory it is wend_error_from(ENOMEM), and cause was freed.
 */
WEND_API WEND_MUST_CHECK wend_error *wend_errorf(wend_error *cause, int code,
						 const char *format, ...)
	__attribute__((format(printf, 3, 4)));
WEND_API WEND_MUST_CHECK wend_error *
wend_verrorf(wend_error *cause, int code, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* One more reference to e, which is returned; and one less. NULL may be given
 * to both. */
WEND_API WEND_MUST_CHECK wend_error *wend_error_ref(wend_error *e);
WEND_API void wend_error_free(wend_error *e);

/* The error number, positive; 0: it has none, or e is NULL. */
WEND_API int wend_error_code(const wend_error *e);

/* Whether e or one of its causes has this error number (of either sign); 0 is
 * none. */
WEND_API bool wend_error_is(const wend_error *e, int code);

/* What caused e, or NULL; valid as long as e: no reference is given. */
WEND_API const wend_error *wend_error_cause(const wend_error *e);

/* The text with all causes' texts; valid as long as e. "no error" for NULL. */
WEND_API const char *wend_error_text(const wend_error *e);

/* The system's text for an error number of either sign, never translated;
 * valid for ever. "Unknown error" for a number that has none. */
WEND_API const char *wend_error_describe(int code);

WEND_END_DECLS

#endif
