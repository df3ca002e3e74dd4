/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/http_server.h - a server of HTTP/1.1: plain blocking handlers.
 *
 *	static void hello(wend_http_reply *w, wend_http_request *r, void *arg)
 *	{
 *		wend_http_printf(w, "hello, %s\n", wend_http_param(r, "name"));
 *	}
 *	...
 *	wend_http_router *router = wend_http_router_new();
 *	wend_http_route(router, "GET /hello/{name}", hello, NULL);
 *	wend_http_server *s = wend_http_server_new(&(wend_http_server_opts){
 *		.handler = wend_http_router_serve, .arg = router });
 *	wend_http_serve(s, listener);
 *
 * The server does what the protocol demands: keep-alive, pipelining, chunks in
 * both directions, 100-continue, HEAD, limits, time-outs, and a refusal of what
 * two servers in a row might read differently. A handler runs in the task of
 * its connection and may wait; the pointers that it gets are valid until it
 * returns.
 */
#ifndef WEND_STD_HTTP_SERVER_H
#define WEND_STD_HTTP_SERVER_H

#include <wend/std/http.h>
#include <wend/std/net.h>

WEND_BEGIN_DECLS

typedef struct wend_http_server wend_http_server;
typedef struct wend_http_reply wend_http_reply;
typedef struct wend_http_request wend_http_request;

/* arg is what was registered with it. */
typedef void wend_http_handler(wend_http_reply *w, wend_http_request *r,
			       void *arg);

/*
 * struct wend_http_request - what a client asks for. To be read only.
 *
 *   method      "GET"
 *   path        decoded ("/a b"), without the query; "*" of OPTIONS *, ""
 *               of CONNECT. It is as sent: "." and ".." are still in it
 *   raw_path    as it came ("/a%20b")
 *   query       behind the '?', as it came; NULL: none
 *   scheme      of an absolute target ("GET http://host/path", what a proxy is
 *               asked): "http" or "https"; NULL: the target is no such, and
 *               the scheme is the connection's
 *   host        from an absolute target or the Host field, with a port if
 *               there is one; "" of a request of HTTP/1.0 that names none
 *   minor       1 of HTTP/1.1, 0 of HTTP/1.0
 *   fields      the header
 *   length      of the body in bytes; -1: it comes in chunks, unknown
 *   body        the body. wend_read() of it: a count, 0 at its end, or
 *               -EMSGSIZE   longer than the server takes (413)
 *               -EBADMSG    chunks that are none (400)
 *               -ETIMEDOUT  the client is too slow (408)
 *               -ECONNRESET the client left in the middle, or another
 *                           error of the connection
 *               After an error a handler just returns: the client gets the
 *               status above, if nothing was sent yet.
 *   conn        the connection, for its addresses
 */
struct wend_http_request {
	const char *method;
	const char *path;
	const char *raw_path;
	const char *query;
	const char *scheme;
	const char *host;
	int minor;
	const wend_http_field *fields;
	size_t field_count;
	int64_t length;
	wend_reader body;
	wend_conn *conn;
};

/* The value of a header field, the first of that name; NULL: none. */
static inline const char *wend_http_header(const wend_http_request *r,
					   const char *name)
{
	return wend_http_field_find(r->fields, r->field_count, name);
}

/* What stands for "{name}" of the route's pattern; NULL: no such name. */
WEND_API const char *wend_http_param(const wend_http_request *r,
				     const char *name);

/* The first value of that name in the query, decoded; NULL: none, it cannot be
 * decoded, or no memory. */
WEND_API const char *wend_http_query(wend_http_request *r, const char *name);

/*
 * wend_http_body - the whole body at once.
 *
 *   data        gets a pointer to it, followed by a NUL that is not counted
 *
 * Returns  its size in bytes.
 * Errors   as those of reading it; ENOMEM
 */
WEND_API ssize_t wend_http_body(wend_http_request *r, const char **data);

/* Memory that lives until the handler returns, aligned to 16 bytes; NULL:
 * none. What fits into a few KiB costs no call of malloc(). */
WEND_API void *wend_http_alloc(wend_http_request *r, size_t size);

/*
 * The reply. Status and header first, then the body; the status is 200 unless
 * said otherwise. A body that fits into a buffer (4 KiB) is sent with its
 * length, a longer one in chunks (to HTTP/1.0: until the connection closes),
 * unless its length was said before. Content-Type is
 * "application/octet-stream" unless set. The answer to HEAD is made like one to
 * GET; the body is left out here.
 *
 * All of them return 0 (wend_http_write(): n) or an error; after an error of
 * the connection all others do nothing and return it again.
 */

/* Errors   EINVAL     not 200 to 599; EALREADY   the header has been sent */
WEND_API int wend_http_status(wend_http_reply *w, int status);

/* wend_http_set replaces fields of that name, wend_http_add does not. Connection,
 * Transfer-Encoding, Date and Server are the server's own.
 * Errors   EINVAL     no name, or CR, LF or NUL in the value; one of the
 *                     server's own
 *          EALREADY   the header has been sent
 *          ENOMEM     more than 8 KiB of them, or no memory */
WEND_API int wend_http_set(wend_http_reply *w, const char *name,
			   const char *value);
WEND_API int wend_http_add(wend_http_reply *w, const char *name,
			   const char *value);

/* The length of the body that will be written, so that it needs no chunks.
 * A body that is shorter ends the connection. */
WEND_API int wend_http_set_length(wend_http_reply *w, int64_t bytes);

/* Errors   EMSGSIZE   more than wend_http_set_length() said; nothing written */
WEND_API ssize_t wend_http_write(wend_http_reply *w, const void *data,
				 size_t n);
WEND_API ssize_t wend_http_printf(wend_http_reply *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Send what there is now. */
WEND_API int wend_http_flush(wend_http_reply *w);

/* The same as a writer, for wend_write() and what takes one. */
WEND_API wend_writer *wend_http_writer(wend_http_reply *w);

/* A whole reply at once, with its length; nothing may follow. type NULL: as
 * set before. */
WEND_API int wend_http_send(wend_http_reply *w, int status, const char *type,
			    const void *body, size_t n);

/* A status and a line of text about it; text NULL: what the status means. */
WEND_API int wend_http_error(wend_http_reply *w, int status, const char *text);

/* status 301, 302, 303, 307 or 308; location is not encoded here. */
WEND_API int wend_http_redirect(wend_http_reply *w, int status,
				const char *location);

/* Close the connection after this reply. */
WEND_API void wend_http_close(wend_http_reply *w);

/*
 * wend_http_abort - no answer, or no more of one that has begun: for what failed
 * in the middle, and would look whole if it just ended; for a client that is
 * not worth an answer.
 *
 * What has not been sent of the reply is dropped, and the connection is reset
 * (wend_conn_reset()) when the handler returns, which it should do at once. From
 * here on all calls that write fail with -ECONNABORTED. The answers to earlier
 * requests of the connection are sent, and may be waited for here. Once or more;
 * after wend_http_take_over() and wend_http_switch(), too.
 * Source   Go, http.ErrAbortHandler
 */
WEND_API void wend_http_abort(wend_http_reply *w);

/*
 * wend_http_take_over - go on without HTTP, as after CONNECT or 101.
 *
 *   rest, n     what the client has sent behind its request, to be read
 *               before the connection
 *
 * Everything written to w before is sent. The connection is the handler's
 * until it returns, and closed then. No time-out is set on it.
 * Errors   EBUSY      the request has a body, or a reply was begun and not
 *                     sent; or an error of the connection
 */
WEND_API int wend_http_take_over(wend_http_reply *w, const char **rest,
				 size_t *n, wend_conn **conn);

/* Send "HTTP/1.1 STATUS" with the fields that were set, and no body: what
 * comes before wend_http_take_over(). status 101 or 200. */
WEND_API int wend_http_switch(wend_http_reply *w, int status);

/*
 * struct wend_http_record - a request that has been answered, for a log.
 *
 *   status      what was sent; 0: nothing could be, or the handler aborted
 *               before
 *   method, path, query
 *               as in the request; "" or NULL where it was refused before they
 *               were read
 *   sent        bytes of the body, as written by the handler
 *   duration    nanoseconds from the end of the request's header
 */
typedef struct wend_http_record {
	wend_conn *conn;
	const char *method;
	const char *path;
	const char *query;
	int status;
	int minor;
	int64_t sent;
	int64_t duration;
} wend_http_record;

/*
 * struct wend_http_server_opts - all zero but handler means the defaults.
 *
 *   handler, arg   called for each request
 *   done, done_arg if not NULL, called after each request, and for each that
 *                  was refused; in the task of the connection
 *   name           of the Server field, default "wend"; "": no such field
 *   max_target     bytes of the request's target (8 KiB), else 414
 *   max_head       bytes of the header (16 KiB), else 431
 *   max_fields     their number (100), else 431
 *   max_body       bytes of a body (1 MiB), else 413
 *   require_length a POST, PUT or PATCH without Content-Length or chunks is
 *                  411; false: it has no body
 *   head_timeout   ns until a header is there (10 s); the first one counts
 *                  from the start, others from their first byte. 408
 *   idle_timeout   ns between two requests (60 s); closes silently
 *   body_timeout   ns for a body (10 s) beside what it may take at min_rate
 *   write_timeout  ns for one write (10 s), the same; closes
 *   min_rate       bytes a second that a client must take or give (500)
 *   max_conns      connections of wend_http_serve() at once; more wait to be
 *                  accepted. 0: any number
 *   stack_size     of its tasks; 0: the runtime's
 *   wrap, wrap_arg as of wend_net_server_opts, for wend_http_serve(): with
 *                  wend_tls_wrap and a wend_tls_config it serves https. The
 *                  handshake is part of the first head_timeout
 *
 * Negative times mean WEND_FOREVER; a negative min_rate: no time beside.
 */
typedef struct wend_http_server_opts {
	wend_http_handler *handler;
	void *arg;
	void (*done)(const wend_http_record *record, void *arg);
	void *done_arg;
	const char *name;
	size_t max_target;
	size_t max_head;
	unsigned int max_fields;
	int64_t max_body;
	bool require_length;
	int64_t head_timeout;
	int64_t idle_timeout;
	int64_t body_timeout;
	int64_t write_timeout;
	int64_t min_rate;
	uint32_t max_conns;
	size_t stack_size;
	int (*wrap)(wend_conn **c, void *arg);
	void *wrap_arg;
} wend_http_server_opts;

/* opts is copied, name too. NULL: no memory, or no handler. */
WEND_API WEND_MUST_CHECK wend_http_server *
wend_http_server_new(const wend_http_server_opts *opts);

/* Nothing may be served any more. NULL does nothing. */
WEND_API void wend_http_server_free(wend_http_server *s);

/*
 * wend_http_serve_conn - serve one client until either side has had enough.
 *
 *   conn        closed when it returns; freeing is the caller's
 *
 * Returns  0: the client was done, or idle for too long, or the server is
 *          stopping.
 * Errors   ENOMEM     nothing was served
 *          EPROTO     the client was refused
 *          ECONNABORTED  wend_http_abort()
 *          or what ended the connection
 * Context  any task or thread; any number of them at once.
 */
WEND_API int wend_http_serve_conn(wend_http_server *s, wend_conn *conn);

/*
 * wend_http_serve - accept clients, and serve each in a task of its own, until
 * wend_http_server_stop(). Several tasks may, each with a listener.
 *
 * Returns  0: stopped; l is closed, and freeing it the caller's
 * Errors   as wend_net_server_serve()
 */
WEND_API int wend_http_serve(wend_http_server *s, wend_net_listener *l);

/* What it has done so far. */
typedef struct wend_http_stats {
	uint64_t accepted; /* connections */
	uint64_t open;     /* of them, now */
	uint64_t requests; /* that were answered by the handler */
	uint64_t refused;  /* by the server: malformed, too large, too slow */
	uint64_t aborted;  /* by the handler: wend_http_abort() */
} wend_http_stats;
WEND_API void wend_http_server_stats(const wend_http_server *s,
				     wend_http_stats *stats);

/*
 * wend_http_server_stop - end gracefully, for ever.
 *
 * At once:
 *   - The listeners are closed: who connects is refused, and so are those that
 *     had connected and were not accepted yet.
 *   - A connection on which no byte of a request is there (idle, or new) is hung
 *     up on, without an answer.
 *   - A connection that wend_http_serve_conn() gets from here on is refused with
 *     503.
 *
 * Then it waits, until the deadline, for the others, each of which is closed
 * after one more answer:
 *   - A request of which something has come is read to its end, within the
 *     time-outs that there are anyway, and answered.
 *   - A handler goes on. Its answer says "Connection: close" if its header was
 *     not sent yet. Requests that the client has sent behind it are not looked
 *     at; closing may take 2 s, during which they are read away so that the
 *     answer is not lost.
 *   - A connection that was taken over is its handler's, as long as that likes:
 *     wend_http_server_stopping() tells it, and handlers that write without an
 *     end, to come to one.
 *
 * Past the deadline the connections that are left are closed: what their
 * handlers read and write there fails with -ECANCELED. A handler that waits for
 * something else is not ended by that, and it is waited for all the same.
 *
 * Returns  0: everything was answered; nothing is served any more, no handler
 *          runs, and the server may be freed.
 * Errors   ETIMEDOUT  the same, but some had to be closed; at once if the
 *                     calling task is cancelled
 * Context  any task but those of the connections, or it waits for itself. Once
 *          or more, from several, too.
 */
WEND_API int wend_http_server_stop(wend_http_server *s, int64_t deadline);

/* Whether it was told to stop; from any task. */
WEND_API bool wend_http_server_stopping(const wend_http_server *s);

/*
 * Routes. A pattern is "METHOD /path" or "/path", which is any method. A
 * segment "{name}" stands for any one that is not empty; a last "{name...}"
 * for the rest, even none. A literal segment goes before "{name}", that before
 * the rest; a method that is named before any. GET serves HEAD as well; a
 * path without that method is 405, OPTIONS of it is answered.
 *
 * wend_http_route
 * Errors   EINVAL     not a pattern; more than 8 names
 *          EEXIST     method and path are there
 *          ENOMEM
 *
 * wend_http_use - run fn around each request of the router, the first added
 *          outermost, those without a route included. fn calls wend_http_next()
 *          once, or answers itself.
 *
 * wend_http_router_serve - a router as a handler, with the router as arg: of
 *          a server, or of a route of another router. It matches the whole
 *          path.
 *
 * A router is not changed while it serves.
 */
typedef struct wend_http_router wend_http_router;
WEND_API WEND_MUST_CHECK wend_http_router *wend_http_router_new(void);
WEND_API void wend_http_router_free(wend_http_router *router);
WEND_API WEND_MUST_CHECK int wend_http_route(wend_http_router *router,
					     const char *pattern,
					     wend_http_handler *fn, void *arg);
WEND_API WEND_MUST_CHECK int wend_http_use(wend_http_router *router,
					   wend_http_handler *fn, void *arg);
WEND_API void wend_http_next(wend_http_reply *w, wend_http_request *r);
WEND_API wend_http_handler wend_http_router_serve;

/*
 * Static files.
 *
 * wend_http_files_new - serve what is below a directory.
 *   root        kept open; renaming it changes nothing
 *   symlinks    false: no symbolic link is followed. true: those that stay
 *               below root are (Linux 5.6: openat2())
 *   hidden      whether names that begin with '.' are served
 *   index       served for a directory, default "index.html"
 *
 * Errors   what opening root says; ENOSYS: symlinks without openat2(); ENOMEM
 *
 * wend_http_files_serve - the handler, with the files as arg. The name is the
 *          route's "{path...}", or else the whole path. GET and HEAD. Names
 *          with "..", what is no regular file, what may not be read are 404; a
 *          directory without its last '/' is redirected. ETag and
 *          Last-Modified with what can be asked of them (RFC 9110, section
 *          13), one range; several are answered with the whole file.
 */
typedef struct wend_http_files wend_http_files;
typedef struct wend_http_files_opts {
	const char *root;
	const char *index;
	bool symlinks;
	bool hidden;
} wend_http_files_opts;
WEND_API WEND_MUST_CHECK int wend_http_files_new(const wend_http_files_opts *o,
						 wend_http_files **files);
WEND_API void wend_http_files_free(wend_http_files *files);
WEND_API wend_http_handler wend_http_files_serve;

WEND_END_DECLS

#endif
