/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.c - wend: an echo server, a task per connection, plain blocking calls.
 */
#define _GNU_SOURCE
#include "bench/wend/wend_bench.h"

#include <sys/socket.h>
#include <unistd.h>

WEND_TASK(serve, (int, fd))
{
	char buf[512];
	ssize_t n;

	/* A short write cannot happen: the answer is no larger than what
	 * the client has room for, its own last message. */
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write(fd, buf, (size_t)n) != n)
			break;
	}
	close(fd);
}

/* Serves until it is killed. */
void echo(const struct bench_args *a)
{
	int listener = bench_listen();

	(void)a;
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			bench_fail("accept: error %d", errno);
		must(wend_go(serve, fd), "wend_go");
	}
}
