/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/chan.h - channels: typed, bounded queues between tasks.
 *
 *	wend_chan_of(int) c = wend_chan_make(int, 8);
 *	wend_chan_put(c, 42);
 *	int v;
 *	while (wend_chan_get(c, &v) == 0)
 *		use(v);
 *
 * The functions take any wend_chan and raw bytes; the macros at the end give
 * each element type a channel type of its own, so that the compiler refuses
 * to mix them. <wend/short.h> has them as chan(int), chan_send() ...
 *
 * A NULL channel is Go's nil channel: sending to it and receiving from it
 * wait for ever (or until the deadline), and a select never takes it.
 */
#ifndef WEND_CHAN_H
#define WEND_CHAN_H

#include <wend/base.h>

WEND_BEGIN_DECLS

typedef struct wend_chan wend_chan;

/*
 * wend_chan_new - make a channel.
 *
 *   elem_size   bytes in an element; 0 is allowed: a channel of signals
 *   capacity    elements it holds before a sender waits; 0: unbuffered, each
 *               send meets its receive
 *
 * Returns  the channel, to be freed by wend_chan_free().
 *          NULL: no memory, or elem_size * capacity is more than the address
 *          space holds.
 */
WEND_API WEND_MUST_CHECK wend_chan *wend_chan_new(size_t elem_size,
						  size_t capacity);

/* Free a channel that nobody uses any more; elements left in it are dropped.
 * Misuse: a task waits on it. NULL does nothing. */
WEND_API void wend_chan_free(wend_chan *c);

/*
 * wend_chan_send, _until, _try - send one element.
 *
 *   c           from wend_chan_new(), or NULL
 *   elem        elem_size bytes, copied before return; may be on the stack;
 *               NULL when elem_size is 0
 *   deadline    absolute; WEND_FOREVER; 0 polls
 *
 * Waits while the channel is full and nobody receives. A waiting receiver
 * gets the element directly and runs next on this server.
 *
 * Returns  0, and exactly one receiver gets the bytes, in the order sent.
 * Errors   EPIPE      c is or becomes closed
 *          ETIMEDOUT  (_until) deadline passed
 *          EAGAIN     (_try) it would wait
 *          ECANCELED  the calling task was cancelled while it would wait
 *          In each case nothing was sent.
 * Order    what was written before the send is visible after the matching
 *          receive; for an unbuffered channel also the other way round.
 * Cost     O(1), no allocation.
 * Source   Go specification, "Send statements".
 */
WEND_API int wend_chan_send(wend_chan *c, const void *elem);
WEND_API WEND_MUST_CHECK int
wend_chan_send_until(wend_chan *c, const void *elem, int64_t deadline);
WEND_API WEND_MUST_CHECK int wend_chan_send_try(wend_chan *c, const void *elem);

/*
 * wend_chan_recv, _until, _try - receive one element.
 *
 *   elem        room for elem_size bytes, or NULL to drop the element
 *
 * Returns  0, and elem holds the oldest element.
 * Errors   EPIPE      c is closed and empty; elem is zeroed
 *          ETIMEDOUT, EAGAIN, ECANCELED  as for sending; elem is untouched
 * Source   Go specification, "Receive operator".
 */
WEND_API int wend_chan_recv(wend_chan *c, void *elem);
WEND_API WEND_MUST_CHECK int wend_chan_recv_until(wend_chan *c, void *elem,
						  int64_t deadline);
WEND_API WEND_MUST_CHECK int wend_chan_recv_try(wend_chan *c, void *elem);

/*
 * wend_chan_close - no more will be sent.
 *
 * Receivers get what is buffered, then -EPIPE; waiting senders get -EPIPE and
 * their elements are not sent. Misuse: c is NULL or closed already.
 * The channel may be freed by whoever has seen that it is closed.
 * Source   Go specification, "Close".
 */
WEND_API void wend_chan_close(wend_chan *c);

/* Elements buffered now, and room for elements; both 0 for NULL. */
WEND_API size_t wend_chan_len(const wend_chan *c);
WEND_API size_t wend_chan_cap(const wend_chan *c);

/* --- typed channels ------------------------------------------------------ */

/*
 * wend_chan_of(T) - the type of a channel of T. It is a pointer that must not
 * be dereferenced; NULL is the nil channel. Assigning a wend_chan_of(int) to a
 * wend_chan_of(double) is a compiler's diagnostic.
 */
#define wend_chan_of(T) __typeof__(__typeof__(T)(*)[])
#define wend_chan_make(T, capacity)                                            \
	((wend_chan_of(T))(void *)wend_chan_new(sizeof(T), (capacity)))

/* The untyped channel of a typed one, and a checked element pointer. */
#define wend_chan_raw(c)     ((wend_chan *)(void *)(c))
#define WEND__CHAN_PTR(c, p) ((void)sizeof((p) == &(*(c))[0]), (p))

/* Send the value of an expression; receive into *p. Results as above. */
#define wend_chan_put(c, value)                                                \
	__extension__({                                                        \
		__typeof__((*(c))[0]) wend__v = (value);                       \
		wend_chan_send(wend_chan_raw(c), &wend__v);                    \
	})
#define wend_chan_put_until(c, value, deadline)                                \
	__extension__({                                                        \
		__typeof__((*(c))[0]) wend__v = (value);                       \
		wend_chan_send_until(wend_chan_raw(c), &wend__v, (deadline));  \
	})
#define wend_chan_get(c, p)                                                    \
	wend_chan_recv(wend_chan_raw(c), WEND__CHAN_PTR(c, p))
#define wend_chan_get_until(c, p, deadline)                                    \
	wend_chan_recv_until(wend_chan_raw(c), WEND__CHAN_PTR(c, p), (deadline))

WEND_END_DECLS

#endif
