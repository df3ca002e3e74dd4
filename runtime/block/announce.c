/* SPDX-License-Identifier: Apache-2.0 */
/*
 * announce.c - when to announce, and whom to call.
 */
#define _GNU_SOURCE
#include "runtime/block/announce.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <wend/errno.h>

#include "runtime/sched/server.h"

void *wend__block_next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		wend__panic("no %s() in the C library", name);
	return f;
}

/* WEND_INTERPOSE, looked at once: 0 unknown, 1 on, 2 off. */
static bool interposing(void)
{
	static uint32_t state;
	uint32_t s = a32_load_relaxed(&state);

	if (WEND__UNLIKELY(s == 0)) {
		const char *v = getenv("WEND_INTERPOSE");

		s = v && strcmp(v, "0") == 0 ? 2 : 1;
		a32_store_relaxed(&state, s);
	}
	return s == 1;
}

bool wend__block_in_task(void)
{
	struct wend__worker *w = wend__self;

	return w && w->task && w->server && !wend__sim && interposing();
}

bool wend__block_by_sanitizer(const void *caller)
{
	Dl_info info;

	if (!WEND__ASAN && !WEND__TSAN)
		return false;
	return dladdr(caller, &info) && info.dli_fname &&
	       (strstr(info.dli_fname, "libtsan") ||
		strstr(info.dli_fname, "libasan"));
}

/*
 * dlsym() takes locks, and a signal handler may be the first to call write().
 * So the calls that POSIX allows there are each made once at load, in a way
 * that fails at once: that looks the C library's function up.
 */
__attribute__((constructor)) static void look_up_early(void)
{
	const struct timespec never = { 0, -1 };
	struct iovec none = { NULL, 0 };
	struct msghdr msg = { 0 };
	int err = errno;

	(void)!read(-1, NULL, 0);
	(void)!write(-1, NULL, 0);
	(void)!pread(-1, NULL, 0, 0);
	(void)!pwrite(-1, NULL, 0, 0);
	(void)!readv(-1, &none, 1);
	(void)!writev(-1, &none, 1);
	(void)open("", O_RDONLY);
	(void)fcntl(-1, F_GETFD);
	(void)fsync(-1);
	(void)fdatasync(-1);
	(void)poll(NULL, 0, 0);
	(void)recv(-1, NULL, 0, 0);
	(void)send(-1, NULL, 0, 0);
	(void)recvmsg(-1, &msg, 0);
	(void)sendmsg(-1, &msg, 0);
	(void)accept(-1, NULL, NULL);
	(void)connect(-1, NULL, 0);
	(void)nanosleep(&never, NULL);
	errno = err;
}
