/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.c - a TCP server with a task for each connection.
 *
 * The code is what one would write with a thread for each connection: plain
 * socket(), accept(), read(), write() on descriptors in blocking mode. The C
 * library's calls announce themselves to the runtime, so a task that waits in
 * the kernel holds nobody up.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wend/short.h>
#include "examples/args.h"

static const char usage[] =
	"usage: echo [PORT]\n"
	"Sends back what it gets, on 127.0.0.1:PORT (0: a free one, printed).\n";

static bool write_all(int fd, const char *p, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

TASK(serve, (int, fd))
{
	char buf[4096];
	ssize_t n;

	do {
		n = read(fd, buf, sizeof(buf));
	} while ((n < 0 && errno == EINTR) ||
		 (n > 0 && write_all(fd, buf, (size_t)n)));
	close(fd);
}

/* A listening socket on the loopback interface; fills in the port it got. */
static int listen_on(struct sockaddr_in *at)
{
	socklen_t size = sizeof(*at);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)at, size) == 0 &&
	    listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, (struct sockaddr *)at, &size) == 0)
		return fd;
	close(fd);
	return -1;
}

static int app(int argc, char **argv)
{
	long port = args_number(argc, argv, usage, 0, 0, 65535);
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	int listener = listen_on(&at);

	if (listener < 0) {
		perror("echo: listen");
		return 1;
	}
	printf("listening on 127.0.0.1:%d\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && go(serve, fd) != 0)
			close(fd);
		/* Out of descriptors or memory: some will be given back. */
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			wend_sleep(10 * WEND_MILLISECOND);
	}
}

int main(int argc, char **argv)
{
	/* A client that is gone is an error of write(), not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	return wend_main(app, argc, argv);
}
