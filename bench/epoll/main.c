/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the yardstick of bench `echo`: an event loop in plain C.
 *
 * A thread and an epoll set for each of --procs, level-triggered. The first
 * loop accepts and deals the connections out in turn, so that all sets have
 * as many. No tasks, so none of the other benches.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/common/bench.h"

#define EVENTS 256

struct loop {
	pthread_t thread;
	int epoll;
};

static int listener;
static struct loop *loops;
static int loop_count;

static void watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev))
		bench_fail("epoll_ctl: %m");
}

static void accept_one(void)
{
	static int next;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		bench_fail("accept: %m");
	watch(loops[next++ % loop_count].epoll, fd);
}

/* It is readable, so this does not wait. A short write cannot happen: the
 * answer is no larger than what the client has room for, its own message. */
static void echo_one(int fd)
{
	char buf[512];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n <= 0 || write(fd, buf, (size_t)n) != n)
		close(fd);
}

static void *run_loop(void *p)
{
	struct loop *l = p;
	struct epoll_event ev[EVENTS];

	for (;;) {
		int n = epoll_wait(l->epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd == listener)
				accept_one();
			else
				echo_one(ev[i].data.fd);
		}
	}
	return NULL;
}

/* Serves until it is killed. */
static void echo(const struct bench_args *a)
{
	listener = bench_listen();
	loop_count = a->procs;
	loops = calloc((size_t)loop_count, sizeof(*loops));
	if (!loops)
		bench_fail("no memory");
	for (int i = 0; i < loop_count; i++) {
		loops[i].epoll = epoll_create1(EPOLL_CLOEXEC);
		if (loops[i].epoll < 0)
			bench_fail("epoll_create1: %m");
	}
	watch(loops[0].epoll, listener);
	for (int i = 1; i < loop_count; i++) {
		if (pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]))
			bench_fail("no thread for a loop");
	}
	run_loop(&loops[0]);
}

static const struct bench_entry table[] = {
	{ "echo", echo },
};

int main(int argc, char **argv)
{
	struct bench_args a;

	bench_parse(&a, argc, argv);
	bench_dispatch(table, sizeof(table) / sizeof(table[0]), &a);
	return 0;
}
