/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.c - a user's program, built outside the tree against what was
 * installed: a task sends, the first task receives.
 */
#include <stdio.h>
#include <wend/wend.h>

WEND_TASK(answer, (int, base), (wend_chan *, out))
{
	int v = base + 2;

	wend_chan_send(out, &v);
}

static int app(int argc, char **argv)
{
	wend_chan *c = wend_chan_new(sizeof(int), 0);
	int v = 0;

	(void)argc;
	(void)argv;
	if (!c || wend_go(answer, 40, c) != 0 || wend_chan_recv(c, &v) != 0)
		return 1;
	wend_chan_free(c);
	printf("wend %s: %d\n", wend_version(), v);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
