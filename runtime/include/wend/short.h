/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/short.h - short names, for programs that opt in.
 *
 *	TASK(worker, (int, id), (chan(int), out))
 *	{
 *		chan_send(out, id * id);
 *	}
 *	...
 *	chan(int) c = chan_make(int, 8);
 *	go(worker, 3, c);
 *	chan_recv(c, &v);
 *
 * Channels are typed here: sending a value of another type converts it as an
 * assignment would, receiving into another type is a compiler's diagnostic.
 */
#ifndef WEND_SHORT_H
#define WEND_SHORT_H

#include <wend/wend.h>

#define TASK       WEND_TASK
#define go         wend_go
#define go_with    wend_go_with
#define yield      wend_yield
#define defer      wend_defer
#define nursery    wend_nursery
#define nursery_go wend_nursery_go

#define chan(T)                   wend_chan_of(T)
#define chan_make(T, cap)         wend_chan_make(T, cap)
#define chan_send(c, value)       wend_chan_put(c, value)
#define chan_send_until(c, v, dl) wend_chan_put_until(c, v, dl)
#define chan_recv(c, p)           wend_chan_get(c, p)
#define chan_recv_until(c, p, dl) wend_chan_get_until(c, p, dl)
#define chan_close(c)             wend_chan_close(wend_chan_raw(c))
#define chan_free(c)              wend_chan_free(wend_chan_raw(c))
#define chan_len(c)               wend_chan_len(wend_chan_raw(c))
#define chan_cap(c)               wend_chan_cap(wend_chan_raw(c))

#define select_       wend_select
#define on_recv(c, p) wend_on_recv((c), WEND__CHAN_PTR(c, p))
#define on_recv_status(c, p, st)                                               \
	wend_on_recv_status((c), WEND__CHAN_PTR(c, p), (st))
#ifndef __cplusplus
/* The value is kept until the end of the enclosing block. */
#define on_send(c, value)                                                      \
	wend_on_send((c), ((__typeof__((*(c))[0])[1]){ (value) }))
#define on_send_status(c, value, st)                                           \
	wend_on_send_status((c), ((__typeof__((*(c))[0])[1]){ (value) }), (st))
#endif

#endif
