/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello.c - a task, a channel, an answer.
 *
 * TASK defines a function that can run as a task; go starts it. Its arguments
 * have types, are checked by the compiler and copied at the call. The channel
 * carries ints and nothing else, and receiving waits for the sender.
 */
#include <stdio.h>
#include <string.h>
#include <wend/short.h>

TASK(greet, (const char *, name), (chan(int), done))
{
	printf("hello, %s, from a task\n", name);
	chan_send(done, (int)strlen(name));
}

static int app(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "world";
	int length = 0;

	if (strcmp(name, "--help") == 0) {
		puts("usage: hello [NAME]\nGreets NAME (world) from a task.");
		return 0;
	}
	chan(int) done = chan_make(int, 0);

	if (done == NULL || go(greet, name, done) != 0) {
		fputs("hello: no memory for a task\n", stderr);
		return 1;
	}
	chan_recv(done, &length);
	printf("it greeted %d letters\n", length);
	chan_free(done);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
