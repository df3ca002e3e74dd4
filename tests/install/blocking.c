/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocking.c - on one server, a task waits inside a library for what another
 * task does after it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wend/wend.h>

int reader_get(int fd);
void reader_wait(void);
void reader_wake(void);
int blocking_run(void);

WEND_TASK(reader, (int, fd), (wend_chan *, out))
{
	int v = reader_get(fd);

	reader_wait();
	wend_chan_send(out, &v);
}

WEND_TASK(writer, (int, fd))
{
	/* The reader has begun to wait: it was started first. */
	if (write(fd, "\a", 1) != 1)
		perror("write");
	wend_yield();
	reader_wake();
}

static int app(int argc, char **argv)
{
	wend_chan *c = wend_chan_new(sizeof(int), 0);
	int ends[2], v = 0;

	(void)argc;
	(void)argv;
	if (!c || pipe(ends) || wend_go(reader, ends[0], c))
		return 1;
	wend_yield();
	if (wend_go(writer, ends[1]) || wend_chan_recv(c, &v) || v != '\a')
		return 1;
	wend_chan_free(c);
	return 0;
}

int blocking_run(void)
{
	char *argv[] = { "blocking", NULL };

	setenv("WEND_PROCS", "1", 1);
	return wend_main(app, 1, argv);
}
