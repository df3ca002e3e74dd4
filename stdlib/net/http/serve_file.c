/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_file.c - static files: from an open file to the client.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include "stdlib/net/http/files.h"

/* Up to here a copy into the buffer, and one write with the header, is less
 * work than another call for the file alone. */
#define COPY_SIZE HTTP_BODY_SIZE
#define PIECE	  (1 << 20)

/* By the buffer: over TLS, and what is small. */
static int copy_file(wend_http_reply *w, int file, int64_t from, int64_t size)
{
	char buf[HTTP_BODY_SIZE];
	ssize_t n;

	while (size > 0) {
		n = pread(file, buf,
			  size < (int64_t)sizeof(buf) ? (size_t)size :
							sizeof(buf),
			  from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* it was cut meanwhile: the reply stays short */
			return n < 0 ? -errno : -EIO;
		n = wend_http_write(w, buf, (size_t)n);
		if (n < 0)
			return (int)n;
		from += n;
		size -= n;
	}
	return 0;
}

/* Wait until the client takes more, as long as for any write. */
static int await_room(struct http_out *o, int socket, int64_t n)
{
	int64_t now = wend_now();
	int64_t until = wend__http_deadline(now, o->timeout, n, o->min_rate,
					    o->deadline);
	struct pollfd p = { .fd = socket, .events = POLLOUT };
	int ms = -1, r;

	if (until != WEND_FOREVER) {
		until = (until - now) / WEND_MILLISECOND + 1;
		ms = until > INT_MAX ? INT_MAX : (int)until;
	}
	do
		r = poll(&p, 1, ms);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return -ETIMEDOUT;
	return r < 0 ? -errno : 0;
}

/*
 * From the page cache to the socket. A sendfile() that waits would keep a
 * kernel thread, however slow the client is: so the socket does not block, and
 * the task waits in poll(), which parks. Nobody else uses it meanwhile.
 */
static int send_file(struct http_out *o, int socket, int file, int64_t from,
		     int64_t size)
{
	off_t at = from;
	int err = 0;

	while (size > 0 && err == 0) {
		ssize_t n = sendfile(socket, file, &at,
				     size < PIECE ? (size_t)size : PIECE);

		if (n > 0)
			size -= n;
		else if (n == 0)
			err = -EIO; /* it was cut meanwhile */
		else if (errno == EAGAIN)
			err = await_room(o, socket,
					 size < PIECE ? size : PIECE);
		else if (errno != EINTR)
			err = -errno;
	}
	return err;
}

/* The header is out; its length has been said. */
static int send_body(wend_http_reply *w, int file, int64_t from, int64_t size)
{
	struct http_exchange *x = exchange_of(w);
	int socket = wend_conn_fd(x->in.conn), flags, err;

	if (socket < 0)
		return copy_file(w, file, from, size);
	err = wend_http_flush(w);
	if (err != 0)
		return err;
	flags = fcntl(socket, F_GETFL);
	if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0)
		return copy_file(w, file, from, size);
	err = send_file(&x->out, socket, file, from, size);
	if (!(flags & O_NONBLOCK))
		fcntl(socket, F_SETFL, flags);
	if (err == 0)
		w->written += size;
	else
		x->out.error = err;
	return err;
}

static void put_validators(wend_http_reply *w, const struct http_version *v)
{
	char date[WEND_HTTP_DATE_SIZE];

	wend_http_set(w, "ETag", v->etag);
	if (wend_http_date(date, v->changed) == 0)
		wend_http_set(w, "Last-Modified", date);
	wend_http_set(w, "Accept-Ranges", "bytes");
}

static void put_range(wend_http_reply *w, int status, int64_t from,
		      int64_t size, int64_t all)
{
	char text[80];

	if (status == 206)
		snprintf(text, sizeof(text),
			 "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from,
			 from + size - 1, all);
	else
		snprintf(text, sizeof(text), "bytes */%" PRId64, all);
	wend_http_set(w, "Content-Range", text);
}

static void serve(wend_http_reply *w, wend_http_request *r, const char *name,
		  int file, const struct stat *st)
{
	int64_t from = 0, size = st->st_size;
	char etag[64];
	struct http_version v = { .etag = etag, .changed = st->st_mtime };
	int status;

	snprintf(etag, sizeof(etag), "\"%jx-%jx-%lx\"", (uintmax_t)st->st_size,
		 (uintmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	status = wend__http_condition(r, &v, &from, &size);
	put_validators(w, &v);
	if (status == 206 || status == 416)
		put_range(w, status, from, size, st->st_size);
	if (status == 412 || status == 416) {
		wend_http_error(w, status, NULL);
		return;
	}
	wend_http_status(w, status);
	if (status == 304)
		return;
	wend_http_set(w, "Content-Type", wend_http_type_of(name));
	wend_http_set_length(w, size);
	if (exchange_of(w)->reply.head_only)
		return;
	if (size <= COPY_SIZE)
		copy_file(w, file, from, size);
	else
		send_body(w, file, from, size);
}

/* "/a" of a directory is "/a/": relative links in it depend on that. */
static void redirect(wend_http_reply *w, wend_http_request *r)
{
	size_t n = strlen(r->raw_path), m = r->query ? strlen(r->query) : 0;
	char *to = wend_http_alloc(r, n + m + 3);

	/* "//host" would lead to another server. */
	if (to == NULL || strncmp(r->raw_path, "//", 2) == 0) {
		wend_http_error(w, to == NULL ? 503 : 404, NULL);
		return;
	}
	sprintf(to, "%s/%s%s", r->raw_path, m > 0 ? "?" : "",
		m > 0 ? r->query : "");
	wend_http_redirect(w, 301, to);
}

static void refuse(wend_http_reply *w, int err)
{
	wend_http_error(w,
			err == -EMFILE || err == -ENFILE || err == -ENOMEM ?
				503 :
				404,
			NULL);
}

static void serve_directory(const struct wend_http_files *f, wend_http_reply *w,
			    wend_http_request *r, const char *name)
{
	size_t n = strlen(name);
	char *index = wend_http_alloc(r, n + strlen(f->index) + 1);
	struct stat st;
	int fd;

	if (index == NULL) {
		wend_http_error(w, 503, NULL);
		return;
	}
	memcpy(index, name, n);
	strcpy(index + n, f->index);
	fd = wend__http_files_open(f, index, &st);
	if (fd >= 0 && S_ISREG(st.st_mode))
		serve(w, r, index, fd, &st);
	else
		refuse(w, fd);
	if (fd >= 0)
		close(fd);
}

void wend_http_files_serve(wend_http_reply *w, wend_http_request *r, void *arg)
{
	const struct wend_http_files *f = arg;
	const char *name = wend_http_param(r, "path");
	size_t n;
	struct stat st;
	int fd;

	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
		wend_http_set(w, "Allow", "GET, HEAD");
		wend_http_error(w, 405, NULL);
		return;
	}
	if (name == NULL)
		name = r->path[0] == '/' ? r->path + 1 : "..";
	n = strlen(name);
	fd = wend__http_files_open(f, name, &st);
	if (fd < 0) {
		refuse(w, fd);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		if (n == 0 || name[n - 1] == '/')
			serve_directory(f, w, r, name);
		else
			redirect(w, r);
	} else if (S_ISREG(st.st_mode) && (n == 0 || name[n - 1] != '/')) {
		serve(w, r, name, fd, &st);
	} else {
		refuse(w, -ENOENT);
	}
	close(fd);
}
