/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - accepting, stopping; a task for each client.
 *
 * Both are the library's (wend/std/net.h). When it is told to stop, hang_up()
 * ends the reading of each client: its task answers what has arrived by then,
 * and ends.
 */
#include "examples/kv/server.h"

#include <stdio.h>
#include <sys/socket.h>

#include "examples/kv/client.h"

#define GRACE (5 * WEND_SECOND)

static struct {
	wend_net_server *net;
	_Atomic uint64_t accepted, refused, commands, count;
	int64_t started;
	wend_mutex lock;
	wend_cond stop;
	bool stopping; /* lock */
	int error;     /* lock: the first listener's that failed */
} server;

static void refuse(wend_conn *conn)
{
	static const char why[] = "-ERR max number of clients reached\r\n";

	server.refused++;
	wend_conn_set_write_deadline(conn, wend_after(WEND_SECOND));
	(void)wend_conn_write(conn, why, sizeof(why) - 1);
}

static void serve(wend_conn *conn, void *arg)
{
	struct kv_client c = { .conn = conn };

	(void)arg;
	if (++server.count > (uint64_t)kv_options.max_clients) {
		refuse(conn);
	} else {
		c.id = ++server.accepted;
		kv_client_serve(&c);
	}
	server.count--;
}

/* What has come already can still be read. */
static void hang_up(wend_conn *conn, void *arg)
{
	(void)arg;
	shutdown(wend_conn_fd(conn), SHUT_RD);
}

/* error: why, if nobody has asked for it. */
static void stop(int error)
{
	wend_mutex_lock(&server.lock);
	server.stopping = true;
	if (server.error == 0)
		server.error = error;
	wend_cond_broadcast(&server.stop);
	wend_mutex_unlock(&server.lock);
}

void kv_server_stop(void)
{
	stop(0);
}

TASK(accept_clients, (wend_net_listener *, listener))
{
	wend_task_set_name("accept");
	stop(wend_net_server_serve(server.net, listener));
}

static void wait_for_stop(void)
{
	wend_mutex_lock(&server.lock);
	while (!server.stopping)
		wend_cond_wait(&server.stop, &server.lock);
	wend_mutex_unlock(&server.lock);
}

int kv_server_run(wend_net_listener *const listeners[2])
{
	server.started = wend_now();
	server.net = wend_net_server_new(
		serve, NULL,
		&(wend_net_server_opts){ .name = "client",
					 .stopping = hang_up });
	if (server.net == NULL)
		return -ENOMEM;
	nursery(n) {
		for (int i = 0; i < 2; i++)
			if (listeners[i] != NULL &&
			    nursery_go(&n, accept_clients, listeners[i]) != 0)
				stop(-ENOMEM);
		wait_for_stop();
		if (wend_net_server_shutdown(server.net, wend_after(GRACE)))
			fputs("kv: somebody does not take his answer: hung up "
			      "on\n",
			      stderr);
	}
	wend_net_server_free(server.net);
	return server.error;
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
