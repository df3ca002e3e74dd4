/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the command `wend`.
 */
#include <stdio.h>
#include <string.h>

#include "tools/wend/info.h"
#include "tools/wend/report.h"

static const char usage[] =
	"usage: wend info [--json]   what wend can do on this machine, measured\n"
	"       wend help            this text\n"
	"Exit status: 0; 1: the runtime does not start with this environment;\n"
	"2: not used as said here.\n";

static int bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "wend: %s%s; try 'wend help'\n", what, word);
	return 2;
}

static int info(bool json)
{
	bool real_time, starts = info_runtime(&real_time);

	if (starts && real_time)
		info_measure();
	info_limits();
	info_environment();
	if (!report_print(json)) {
		fputs("wend: cannot write to stdout\n", stderr);
		return 1;
	}
	return starts ? 0 : 1;
}

static int info_command(int argc, char **argv)
{
	bool json = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") != 0)
			return bad_usage("info does not know ", argv[i]);
		json = true;
	}
	return info(json);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : NULL;

	if (!command)
		return bad_usage("no command", "");
	if (strcmp(command, "info") == 0)
		return info_command(argc - 2, argv + 2);
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	return bad_usage("no such command: ", command);
}
