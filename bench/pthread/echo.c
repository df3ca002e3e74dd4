/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.c - pthreads: an echo server, a thread per connection.
 */
#define _GNU_SOURCE
#include "bench/pthread/pthread_bench.h"

#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *p)
{
	int fd = (int)(intptr_t)p;
	char buf[512];
	ssize_t n;

	/* A short write cannot happen: the answer is no larger than what
	 * the client has room for, its own last message. */
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write(fd, buf, (size_t)n) != n)
			break;
	}
	close(fd);
	return NULL;
}

/* Serves until it is killed. */
void echo(const struct bench_args *a)
{
	int listener = bench_listen();
	pthread_attr_t attr;
	pthread_t thread;

	(void)a;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			bench_fail("accept: %m");
		if (pthread_create(&thread, &attr, serve, (void *)(intptr_t)fd))
			bench_fail("no thread for a connection");
	}
}
