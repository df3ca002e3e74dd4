/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - accepting, stopping; a task for each client.
 *
 * Stopping: `stopping` is set first. A client that is linked in before
 * hang_up_all() has its reading shut down there, one that comes later sees
 * the flag; either way its task answers what it has read and ends. So it is
 * with the listeners: kv_server_stop() shuts one down, or its task sees the
 * flag before it accepts.
 */
#define _GNU_SOURCE /* accept4() */
#include "examples/kv/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "examples/kv/client.h"

#define GRACE (5 * WEND_SECOND)

static struct {
	atomic_int fds[2];
	atomic_bool stopping;
	_Atomic uint64_t accepted, refused, commands, count;
	int64_t started;
	wend_waitgroup accepting, serving;
	wend_mutex lock; /* of clients */
	struct kv_client *clients;
} server = { .fds = { -1, -1 } };

static void link_client(struct kv_client *c)
{
	wend_mutex_lock(&server.lock);
	c->next = server.clients;
	c->link = &server.clients;
	if (c->next != NULL)
		c->next->link = &c->next;
	server.clients = c;
	if (server.stopping)
		shutdown(c->fd, SHUT_RD);
	wend_mutex_unlock(&server.lock);
}

static void unlink_client(struct kv_client *c)
{
	wend_mutex_lock(&server.lock);
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	wend_mutex_unlock(&server.lock);
}

static void hang_up_all(int how)
{
	wend_mutex_lock(&server.lock);
	for (struct kv_client *c = server.clients; c != NULL; c = c->next)
		shutdown(c->fd, how);
	wend_mutex_unlock(&server.lock);
}

TASK(serve, (struct kv_client *, c))
{
	int on = 1;

	wend_task_set_name("client");
	/* Fails where it means nothing: at a socket file. */
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	link_client(c);
	kv_client_serve(c);
	unlink_client(c);
	close(c->fd);
	free(c);
	server.count--;
	wend_waitgroup_done(&server.serving);
}

static void refuse(int fd)
{
	static const char why[] = "-ERR max number of clients reached\r\n";

	server.refused++;
	send(fd, why, sizeof(why) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void start_serving(int fd)
{
	struct kv_client *c;

	if (++server.count > (uint64_t)kv_options.max_clients) {
		server.count--;
		refuse(fd);
		return;
	}
	c = calloc(1, sizeof(*c));
	wend_waitgroup_add(&server.serving, 1);
	if (c != NULL) {
		c->fd = fd;
		c->id = ++server.accepted;
	}
	if (c == NULL || go(serve, c) != 0) {
		free(c);
		server.count--;
		wend_waitgroup_done(&server.serving);
		refuse(fd);
	}
}

TASK(accept_clients, (int, listener))
{
	wend_task_set_name("accept");
	while (!server.stopping) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			start_serving(fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			/* Out of descriptors: some will be given back. */
			wend_sleep(10 * WEND_MILLISECOND);
	}
	wend_waitgroup_done(&server.accepting);
}

int kv_server_run(const int fds[2])
{
	int err = 0;

	server.started = wend_now();
	for (int i = 0; i < 2; i++) {
		if (fds[i] < 0 || err != 0)
			continue;
		server.fds[i] = fds[i];
		wend_waitgroup_add(&server.accepting, 1);
		err = go(accept_clients, fds[i]);
		if (err != 0) {
			wend_waitgroup_done(&server.accepting);
			kv_server_stop();
		}
	}
	wend_waitgroup_wait(&server.accepting);
	hang_up_all(SHUT_RD);
	if (wend_waitgroup_wait_until(&server.serving, wend_after(GRACE)) !=
	    0) {
		/* Somebody does not take his answer. */
		hang_up_all(SHUT_RDWR);
		wend_waitgroup_wait(&server.serving);
	}
	return err;
}

void kv_server_stop(void)
{
	server.stopping = true;
	for (int i = 0; i < 2; i++) {
		int fd = server.fds[i];

		if (fd >= 0)
			shutdown(fd, SHUT_RDWR);
	}
}

void kv_server_count(uint64_t commands)
{
	atomic_fetch_add_explicit(&server.commands, commands,
				  memory_order_relaxed);
}

void kv_server_facts(struct kv_server_facts *f)
{
	*f = (struct kv_server_facts){
		.clients = server.count,
		.accepted = server.accepted,
		.refused = server.refused,
		.commands = server.commands,
		.started = server.started,
	};
}
