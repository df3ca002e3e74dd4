/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c - the paths of Unix sockets, which outlive who made them.
 */
#define _GNU_SOURCE
#include "stdlib/net/socket.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

const char *wend__net_path(const wend_net_addr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;

	return un->sun_family == AF_UNIX && un->sun_path[0] ? un->sun_path :
							      NULL;
}

/* Asked with a socket of the other type, which a listener refuses in another
 * way, and hears nothing of. */
bool wend__net_path_stale(int type, const wend_net_addr *a)
{
	int other = type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM;
	struct stat st;
	int fd;
	bool refused;

	if (lstat(wend__net_path(a), &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, other | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)&a->sa, a->size) < 0 &&
		  errno == ECONNREFUSED;
	(void)close(fd);
	return refused;
}

void wend__net_path_note(struct wend__net_path *p, const wend_net_addr *a)
{
	const char *path = wend__net_path(a);
	struct stat st;

	p->text[0] = 0;
	if (!path || lstat(path, &st) < 0)
		return;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	memcpy(p->text, path, sizeof(p->text));
	p->text[sizeof(p->text) - 1] = 0;
}

void wend__net_path_remove(struct wend__net_path *p)
{
	struct stat st;

	/* Not the one of a program that has taken the path over. */
	if (p->text[0] && lstat(p->text, &st) == 0 && st.st_dev == p->dev &&
	    st.st_ino == p->ino)
		(void)unlink(p->text);
	p->text[0] = 0;
}
