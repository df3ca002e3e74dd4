/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/http_client.h - a client of HTTP/1.1.
 *
 *	wend_http_client *c = wend_http_client_new(NULL);
 *	wend_http_response *r;
 *	char *text;
 *	int err = wend_http_get(c, "http://127.0.0.1:8080/", wend_after_ms(500),
 *				&r);
 *
 *	if (err == 0) {
 *		if (wend_http_read_all(r, 1 << 20, &text) >= 0)
 *			...
 *		wend_http_response_free(r);
 *	}
 *
 * A client may be used by all tasks and threads at once. It keeps connections
 * that can be used again, by host.
 */
#ifndef WEND_STD_HTTP_CLIENT_H
#define WEND_STD_HTTP_CLIENT_H

#include <wend/std/http.h>

WEND_BEGIN_DECLS

typedef struct wend_http_client wend_http_client;

/*
 * Connect to host at port ("80"), with TLS if tls is set, for which the name
 * to be verified is host. 0 and *conn, the client's to free, or an error.
 */
typedef int wend_http_dial(void *arg, const char *host, const char *port,
			   bool tls, int64_t deadline, wend_conn **conn);

/*
 * struct wend_http_client_opts - all zero means the defaults.
 *
 *   dial, dial_arg for http and https; default: TCP, without TLS (https is
 *                  -EPROTONOSUPPORT). wend_tls_http_dial of <wend/std/tls.h>
 *                  is one for both
 *   max_idle       connections kept for each host (8); negative: none
 *   idle_timeout   ns that one is kept unused (30 s)
 *   dial_timeout   ns for reaching a host, TLS included, within the deadline of
 *                  the call; 0: only that counts
 *   io_timeout     ns without progress, within that deadline: until something
 *                  comes where an answer or more of its body is waited for,
 *                  and until 64 KiB are taken where something is sent. For
 *                  calls that may last, but not be silent. 0: any time
 *   max_redirects  followed (10); negative: none, the reply is returned
 *   max_head       bytes of a reply's header (64 KiB), fields (200)
 *   max_body       bytes of a reply's body; 0: any number
 *   user_agent     default "wend"; "": no such field
 */
typedef struct wend_http_client_opts {
	wend_http_dial *dial;
	void *dial_arg;
	int max_idle;
	int64_t idle_timeout;
	int64_t dial_timeout;
	int64_t io_timeout;
	int max_redirects;
	size_t max_head;
	unsigned int max_fields;
	int64_t max_body;
	const char *user_agent;
} wend_http_client_opts;

/* opts NULL: the defaults; copied. NULL: no memory. */
WEND_API WEND_MUST_CHECK wend_http_client *
wend_http_client_new(const wend_http_client_opts *opts);

/* All responses have been freed. NULL does nothing. */
WEND_API void wend_http_client_free(wend_http_client *c);

/*
 * struct wend_http_call - what to ask for.
 *
 *   method      NULL: GET
 *   url         "http://host[:port]/path?query"; or https
 *   fields      more header fields; not Host, Connection, Content-Length or
 *               Transfer-Encoding
 *   data, size  the body, if data is not NULL; or
 *   body        it is read from there, if not NULL: length bytes, or if that
 *               is negative in chunks up to its end
 *   close       do not keep the connection
 */
typedef struct wend_http_call {
	const char *method;
	const char *url;
	const wend_http_field *fields;
	size_t field_count;
	const void *data;
	size_t size;
	wend_reader *body;
	int64_t length;
	bool close;
} wend_http_call;

/*
 * struct wend_http_response - the answer. To be read only.
 *
 *   url         where it came from, after redirects
 *   length      of the body; -1: not known
 *   body        wend_read() of it: a count, 0 at its end, or -EBADMSG (chunks
 *               that are none), -EMSGSIZE (max_body), -ECONNRESET (cut off),
 *               -ETIMEDOUT (the deadline of the call, or io_timeout) or another
 *               error of the connection
 */
typedef struct wend_http_response {
	int status;
	int minor;
	const char *url;
	const wend_http_field *fields;
	size_t field_count;
	int64_t length;
	wend_reader body;
} wend_http_response;

static inline const char *wend_http_response_header(const wend_http_response *r,
						    const char *name)
{
	return wend_http_field_find(r->fields, r->field_count, name);
}

/*
 * wend_http_do - ask, and wait for the header of the answer.
 *
 *   deadline    for the whole of it, redirects and the body included; reading
 *               the body fails past it, too. WEND_FOREVER: no limit but those
 *               of the client's options
 *
 * A request whose body can be sent again, of a method that may be repeated, is
 * sent a second time if a kept connection turns out to be closed. Redirects:
 * 303, and 301 and 302 of a POST, become GET; a body from a reader is not sent
 * twice, then the redirect is what is returned; Authorization and Cookie do not
 * go to another host.
 *
 * Returns  0 and *response, whatever its status.
 * Errors   EINVAL     not a URL, method or field
 *          EPROTONOSUPPORT  https without a dial that can
 *          ELOOP      too many redirects
 *          EPROTO     what came is no HTTP
 *          EMSGSIZE   a header above the limits
 *          ECONNRESET closed before an answer
 *          ETIMEDOUT  the deadline, or one of the options' times
 *          ENOMEM, or what dialling, the connection or the reader
 *          of the body say
 */
WEND_API WEND_MUST_CHECK int wend_http_do(wend_http_client *c,
					  const wend_http_call *call,
					  int64_t deadline,
					  wend_http_response **response);
WEND_API WEND_MUST_CHECK int wend_http_get(wend_http_client *c, const char *url,
					   int64_t deadline,
					   wend_http_response **response);

/*
 * wend_http_read_all - the rest of the body.
 *
 *   data        gets memory for the caller to free(), a NUL behind it
 *
 * Returns  its size. Errors as of reading it; EMSGSIZE: longer than max.
 */
WEND_API ssize_t wend_http_read_all(wend_http_response *r, size_t max,
				    char **data);

/* Ends the response. Its connection is kept if the body was read, or nearly.
 * NULL does nothing. */
WEND_API void wend_http_response_free(wend_http_response *r);

WEND_END_DECLS

#endif
