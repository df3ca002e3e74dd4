/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment.c - the WEND_* variables that are set, and whether the runtime
 * takes their values.
 *
 * Each is tried alone, by starting a runtime: what it refuses is bad, in its
 * own words. A name that nobody reads is most likely mistyped.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wend/wend.h>

#include "tools/wend/apart.h"
#include "tools/wend/info.h"
#include "tools/wend/report.h"

enum { LIMIT_MS = 5000, NAME_MAX_ = 64, VARIABLES_MAX = 64 };

static const char prefix[] = "WEND_";

/* What the library reads. */
static const char *const known[] = {
	"WEND_INTERPOSE", "WEND_MAX_WORKERS", "WEND_PARK",
	"WEND_PORT",      "WEND_PROCS",       "WEND_SEED",
	"WEND_SLICE",     "WEND_STACK",       "WEND_WATCH",
};

static bool is_known(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return false;
}

/* The names, at most max of them; for the environment changes under us. */
static unsigned int list_names(char names[][NAME_MAX_], unsigned int max)
{
	unsigned int n = 0;

	for (char **e = environ; *e && n < max; e++) {
		size_t length = strcspn(*e, "=");

		if (strncmp(*e, prefix, sizeof(prefix) - 1) == 0 &&
		    length < NAME_MAX_)
			snprintf(names[n++], NAME_MAX_, "%.*s", (int)length,
				 *e);
	}
	return n;
}

static void unset_others(const char *keep)
{
	char names[VARIABLES_MAX][NAME_MAX_];
	unsigned int n = list_names(names, VARIABLES_MAX);

	for (unsigned int i = 0; i < n; i++)
		if (strcmp(names[i], keep) != 0)
			unsetenv(names[i]);
}

static void try_alone(void *answer, const void *name)
{
	int *error = answer;

	unset_others(name);
	*error = wend_start(NULL);
	if (*error == 0)
		(void)wend_stop();
}

/* The runtime says "wend: NAME=VALUE: what it wants". */
static const char *what_it_wants(const char *said)
{
	const char *at = strrchr(said, ':');

	return at && at[1] == ' ' ? at + 2 : said;
}

static void add(const char *name)
{
	const char *value = getenv(name);
	char said[APART_SAID];
	int error = 0, r;

	if (!is_known(name)) {
		report_text(name, name, value, "unknown: nothing reads it");
		return;
	}
	r = apart(try_alone, name, &error, sizeof(error), LIMIT_MS, said);
	if (r == 0)
		r = error;
	if (r)
		report_text(name, name, value, "bad: %s",
			    said[0] ? what_it_wants(said) : strerror(-r));
	else
		report_text(name, name, value, "ok");
}

void info_environment(void)
{
	char names[VARIABLES_MAX][NAME_MAX_];
	unsigned int n = list_names(names, VARIABLES_MAX);

	report_section("environment", "environment");
	if (n == 0)
		report_none("none", "WEND_*", "no variable is set");
	for (unsigned int i = 0; i < n; i++)
		add(names[i]);
}
