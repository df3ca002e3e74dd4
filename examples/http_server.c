/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.c - listening, accepting, stopping; a task for each client.
 *
 * Stopping: `stopping` is set first. A client that is linked in before
 * hang_up_all() has its reading shut down there, one that comes later sees
 * the flag; either way its task finishes what it has read and ends.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "examples/http.h"

#define IDLE_SECONDS 30
#define GRACE        (5 * WEND_SECOND)

int http_listen(struct http_server *s, int port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	socklen_t size = sizeof(at);
	int on = 1, err, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, size) == 0 &&
	    listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
		s->listener = fd;
		s->port = ntohs(at.sin_port);
		s->started = wend_now();
		return 0;
	}
	err = -errno;
	close(fd);
	return err;
}

static void link_client(struct http_conn *c)
{
	struct http_server *s = c->server;

	wend_mutex_lock(&s->lock);
	c->next = s->clients;
	c->link = &s->clients;
	if (c->next != NULL)
		c->next->link = &c->next;
	s->clients = c;
	if (atomic_load(&s->stopping))
		shutdown(c->fd, SHUT_RD);
	wend_mutex_unlock(&s->lock);
}

static void unlink_client(struct http_conn *c)
{
	wend_mutex_lock(&c->server->lock);
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	wend_mutex_unlock(&c->server->lock);
}

static void hang_up_all(struct http_server *s, int how)
{
	wend_mutex_lock(&s->lock);
	for (struct http_conn *c = s->clients; c != NULL; c = c->next)
		shutdown(c->fd, how);
	wend_mutex_unlock(&s->lock);
}

TASK(serve, (struct http_server *, s), (int, fd))
{
	struct timeval patience = { .tv_sec = IDLE_SECONDS };
	int on = 1;
	struct http_conn c; /* most of it is buffers: not zeroed */

	wend_task_set_name("client");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	c.fd = fd;
	c.server = s;
	link_client(&c);
	http_converse(&c);
	unlink_client(&c);
	close(fd);
	wend_waitgroup_done(&s->serving);
}

static void start_serving(struct http_server *s, int fd)
{
	wend_waitgroup_add(&s->serving, 1);
	if (go(serve, s, fd) != 0) {
		close(fd);
		wend_waitgroup_done(&s->serving);
		return;
	}
	atomic_fetch_add(&s->accepted, 1);
}

void http_run(struct http_server *s)
{
	while (!atomic_load(&s->stopping)) {
		int fd = accept(s->listener, NULL, NULL);

		if (fd >= 0)
			start_serving(s, fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			/* Out of descriptors: some will be given back. */
			wend_sleep(10 * WEND_MILLISECOND);
	}
	hang_up_all(s, SHUT_RD);
	if (wend_waitgroup_wait_until(&s->serving, wend_after(GRACE)) != 0) {
		/* Somebody does not take his answer. */
		hang_up_all(s, SHUT_RDWR);
		wend_waitgroup_wait(&s->serving);
	}
}

void http_stop(struct http_server *s)
{
	atomic_store(&s->stopping, true);
	shutdown(s->listener, SHUT_RDWR);
}
