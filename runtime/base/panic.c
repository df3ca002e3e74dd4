/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic.c - the last line.
 *
 * Formats on the stack and writes with one write(2), so that it works on a
 * task's stack, with the heap in any state, and lines of several threads do
 * not mix. It goes past stdio and past our own interposed write().
 */
#include "runtime/base/panic.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler-rt/syscall.h"

void (*wend__panic_hook)(void);

static void say(const char *format, va_list args)
{
	char line[512] = "wend: ";
	int head = 6;
	int n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format,
			  args);

	if (n < 0)
		n = 0;
	n += head;
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	(void)wend__syscall3(SYS_write, STDERR_FILENO, (long)line, n);
}

void wend__complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void wend__panic(const char *format, ...)
{
	static __thread int nested;
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	if (wend__panic_hook && !nested++)
		wend__panic_hook();
	abort();
}
