/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.h - a kernel that says when a worker blocks, and when it is back.
 *
 * A port whose kernel does so has one (port.h). A worker is in a *seat* then:
 *
 *      RESTS     in the runtime, without a server, or asleep there: nothing is
 *                detected. Where it begins
 *      RUNS      holds a server. When it blocks in the kernel, its server's
 *                listener hears of it, events.off()
 *      BLOCKED   in the kernel. When that is over, it is kept from user mode,
 *                and events.back() says so
 *      HELD      in the kernel, on its way to user mode, until resume()
 *      STOPPED   the same, after preempt(), in the middle of its own code;
 *                events.off() says so
 *
 *      RESTS <----- run(), rest() -----> RUNS ---- preempt() ---> STOPPED
 *                                        ^  |                        |
 *                  resume() -------------+  +-> BLOCKED -> HELD      |
 *                                        |                  |        |
 *                                        +------------------+--------+
 *
 * Only the worker itself leaves RESTS and comes back to it.
 */
#ifndef WEND_UMCG_DETECT_H
#define WEND_UMCG_DETECT_H

#include <stdbool.h>
#include <stdint.h>

enum wend__seat_state {
	WEND__SEAT_RESTS,
	WEND__SEAT_RUNS,
	WEND__SEAT_BLOCKED,
	WEND__SEAT_HELD,
	WEND__SEAT_STOPPED,
	WEND__SEAT_LEFT,
};

struct wend__seat;

/* Called by threads of the port's own, one for each server and one besides. */
struct wend__detect_events {
	/* The worker that ran with that server has blocked, or is STOPPED; it
	 * may be back by now. Spurious calls are possible. */
	void (*off)(uint32_t server);
	/* owner is HELD: to be resumed, now or later. */
	void (*back)(void *owner);
};

struct wend__detect {
	/* With so many servers; -errno, and nothing has been started then. */
	int (*start)(uint32_t servers, const struct wend__detect_events *e);
	/* All workers have left. */
	void (*stop)(void);
	/* Threads that start() has started. */
	uint32_t (*threads)(void);

	/* The calling thread is a worker; RESTS. NULL: it can't be one, and is
	 * not detected. */
	struct wend__seat *(*enter)(void *owner);
	void (*leave)(struct wend__seat *seat); /* RESTS */

	/* Of the calling worker. Both leave it alone in other states than
	 * those above: the child of a vfork() runs in its parent's name. */
	void (*run)(struct wend__seat *seat, uint32_t server);
	/* Returns whether it ran. */
	bool (*rest)(struct wend__seat *seat);

	enum wend__seat_state (*state)(const struct wend__seat *seat);
	/* Have it STOPPED soon, if it RUNS and does not block before. */
	void (*preempt)(struct wend__seat *seat);
	/* HELD or STOPPED: it goes on, with that server. */
	void (*resume)(struct wend__seat *seat, uint32_t server);
};

#endif
