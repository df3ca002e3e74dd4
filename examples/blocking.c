/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocking.c - a hundred blocking calls at once. README.md shows this program.
 */
#include <poll.h>
#include <stdio.h>
#include <wend/short.h>

TASK(work, (int, id), (chan(int), done))
{
	poll(NULL, 0, 100); /* blocks in the kernel for 100 ms */
	chan_send(done, id);
}

static int app(int argc, char **argv)
{
	chan(int) done = chan_make(int, 0);
	int64_t start = wend_now();
	int id, sum = 0;

	for (int i = 1; i <= 100; i++)
		go(work, i, done);
	for (int i = 1; i <= 100; i++)
		sum += chan_recv(done, &id) == 0 ? id : 0;
	printf("sum %d, %d servers, %d ms\n", sum, wend_procs(),
	       (int)((wend_now() - start) / WEND_MILLISECOND));
	chan_free(done);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
