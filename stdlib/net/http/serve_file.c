/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_file.c - static files: from an open file to the client.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "stdlib/net/http/exchange.h"
#include "stdlib/net/http/files.h"

/* Up to here a copy into the buffer, and one write with the header, is less
 * work than another call for the file alone. */
#define COPY_SIZE HTTP_BODY_SIZE
/* Each piece has its own deadline. */
#define PIECE (1 << 20)

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

/* From the page cache to the socket; the header is out, or in the buffer, and
 * has said the length. Over TLS, by the buffer. */
static int send_file(wend_http_reply *w, int file, int64_t from, int64_t size)
{
	struct http_exchange *x = exchange_of(w);
	struct http_out *o = &x->out;
	int err = wend_http_flush(w);
	size_t piece;
	ssize_t n;

	while (err == 0 && size > 0) {
		piece = size < PIECE ? (size_t)size : PIECE;
		wend_conn_set_write_deadline(
			x->in.conn,
			wend__http_deadline(wend_now(), o->timeout,
					    (int64_t)piece, o->min_rate,
					    o->deadline));
		n = wend_net_sendfile(x->in.conn, file, from, piece);
		if (n == -ENOTSUP)
			return copy_file(w, file, from, size);
		if (n < (ssize_t)piece) /* it was cut meanwhile */
			err = n < 0 ? (int)n : -EIO;
		from += n;
		size -= n;
		w->written += n > 0 ? n : 0;
	}
	if (err != 0 && o->error == 0)
		o->error = err;
	o->now = wend_now();
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
		send_file(w, file, from, size);
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
	wend_http_error(
		w,
		err == -EMFILE || err == -ENFILE || err == -ENOMEM ? 503 : 404,
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
