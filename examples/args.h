/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args.h - the examples' command line: --help, and at most one number.
 */
#ifndef EXAMPLES_ARGS_H
#define EXAMPLES_ARGS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The program's one argument, or fallback without one. --help prints the
 * usage and ends the program; so does, as an error, what is no number from
 * min to max.
 */
static inline long args_number(int argc, char **argv, const char *usage,
			       long fallback, long min, long max)
{
	char *end;
	long n;

	if (argc == 1)
		return fallback;
	if (strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		exit(0);
	}
	errno = 0;
	n = strtol(argv[1], &end, 10);
	if (argc > 2 || end == argv[1] || *end != '\0' || errno != 0 ||
	    n < min || n > max) {
		fputs(usage, stderr);
		exit(2);
	}
	return n;
}

/* Nothing here goes on without memory. */
static inline void *must(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return p;
}

#endif
